"""Worlds that the Kubernetes stand-in serves: a folder or a list of manifests that stand still, or a fleet that lives."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import yaml

from evals.fleet.identity import fine_stamp
from evals.fleet.world import World

Object = dict[str, Any]
LogKey = tuple[str, str, str, bool]


class ApiWorld(Protocol):
    """Whatever has objects and logs. Log lines may open with their RFC 3339 time, as the kubelet keeps them."""

    def objects(self) -> Sequence[Object]:
        """Every object as of now, each with apiVersion, kind and metadata."""

    def log(self, namespace: str, pod: str, container: str, previous: bool) -> str | None:
        """The whole log of a container's current or previous run, None when there is no such run."""


class StaticWorld:
    """Manifests and logs by (namespace, pod, container, previous). Both may be changed between requests."""

    def __init__(self, objects: Sequence[Object], logs: Mapping[LogKey, str] | None = None) -> None:
        """Take manifests and logs over."""
        self.manifests = list(objects)
        self.texts = dict(logs or {})

    def objects(self) -> Sequence[Object]:
        """Every manifest."""
        return self.manifests

    def log(self, namespace: str, pod: str, container: str, previous: bool) -> str | None:
        """The log that was given."""
        return self.texts.get((namespace, pod, container, previous))

    @classmethod
    def from_folder(cls, folder: Path) -> StaticWorld:
        """Read `objects/*.yaml` and `logs/NAMESPACE/POD/CONTAINER.log` (`.previous.log` for the run before).

        Raises ValueError with a sentence for a file that is no manifest.
        """
        objects: list[Object] = []
        for file in sorted((folder / "objects").glob("*.y*ml")):
            try:
                found = [item for item in yaml.safe_load_all(file.read_text(encoding="utf-8")) if item is not None]
            except (OSError, UnicodeDecodeError, yaml.YAMLError) as why:
                raise ValueError(f"objects/{file.name} cannot be read: {type(why).__name__}") from None
            for item in found:
                if not (isinstance(item, dict) and item.get("kind") and isinstance(item.get("metadata"), dict)):
                    raise ValueError(f"objects/{file.name} holds something that is no manifest")
                objects += item["items"] if str(item["kind"]).endswith("List") else [item]
        logs: dict[LogKey, str] = {}
        for file in sorted((folder / "logs").glob("*/*/*.log")):
            name = file.name.removesuffix(".log")
            key = (
                file.parent.parent.name,
                file.parent.name,
                name.removesuffix(".previous"),
                name.endswith(".previous"),
            )
            logs[key] = file.read_text(encoding="utf-8", errors="replace")
        return cls(objects, logs)


class FleetWorld:
    """A simulated fleet as of its clock: looking moves it on to the present."""

    def __init__(self, world: World, clock: Callable[[], float] = time.time) -> None:
        """Watch a fleet; `clock` gives the present in seconds since the epoch."""
        self._world, self._clock = world, clock

    def objects(self) -> Sequence[Object]:
        """Every object of the fleet."""
        return self._world.objects_at(self._clock())

    def log(self, namespace: str, pod: str, container: str, previous: bool) -> str | None:
        """The log of a container of the fleet; only that one is written out."""
        with self._world.lock:
            self._world.advance(self._clock())
            for one in self._world.simulation.pods:
                if one.key == (namespace, pod) and one.template.container == container:
                    lines = one.previous if previous else one.log if one.container.runs else None
                    if lines is None:
                        return None
                    ordered = sorted(lines, key=lambda line: line[0])
                    return "".join(f"{fine_stamp(at)} {text}\n" for at, text in ordered)
        return None
