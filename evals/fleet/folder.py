"""An incident's folder: what is asked, what must come out, and the evidence, stored or as a recipe.

```
incident.yaml   question, at, level, expected: [{id, subject}], forbidden: [ids], blind: [...]
                asked: TIME where it is asked later about `at`; refused: [plural kinds] that the API forbids
fleet.yaml      a recipe for the simulator; or instead of it:
metrics.om      OpenMetrics text (or metrics.om.gz)
objects/        Kubernetes manifests, any number of YAML files
logs/NAMESPACE/POD/CONTAINER.log and CONTAINER.previous.log, every line opening with its RFC 3339 time
```
"""

from __future__ import annotations

import gzip
import zlib
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from evals.fleet import openmetrics
from evals.fleet.recipe import load, seconds
from evals.fleet.world import LogKey, World, build


@dataclass(frozen=True)
class Expected:
    """One root finding that must come out: the check's id and the printed subject (kind/namespace/name)."""

    id: str
    subject: str


@dataclass(frozen=True)
class Incident:
    """What ``incident.yaml`` says. ``at`` is seconds since the epoch.

    ``asked`` is when the question comes where that is later than ``at``; ``refused`` are kinds that the API forbids.
    """

    name: str
    question: str
    at: float
    level: str
    expected: tuple[Expected, ...]
    forbidden: tuple[str, ...]
    blind: tuple[Any, ...]
    asked: float | None = None
    refused: tuple[str, ...] = ()


@dataclass(frozen=True)
class Evidence:
    """What the sources would see.

    An OpenMetrics file, objects, and logs by (namespace, pod, container, previous).
    """

    metrics: Path
    objects: list[dict[str, Any]]
    logs: dict[LogKey, str]
    samples: int


def read_incident(folder: Path) -> Incident:
    """Read ``incident.yaml``; raises ValueError with a sentence when it is missing or broken."""
    try:
        content = yaml.safe_load((folder / "incident.yaml").read_text(encoding="utf-8"))
        at, asked = _seconds(content["at"]), content.get("asked")
        return Incident(
            name=folder.name,
            question=str(content["question"]),
            at=at,
            level=str(content["level"]),
            expected=tuple(Expected(str(e["id"]), str(e["subject"])) for e in content.get("expected") or ()),
            forbidden=tuple(map(str, content.get("forbidden") or ())),
            blind=tuple(content.get("blind") or ()),
            asked=None if asked is None else _seconds(asked),
            refused=tuple(map(str, content.get("refused") or ())),
        )
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError, ValueError) as why:
        raise ValueError(f"{folder.name}/incident.yaml cannot be read: {why!r}") from None


def _seconds(time: Any) -> float:
    return float(time.timestamp() if hasattr(time, "timestamp") else time)


def evidence(folder: Path, scratch: Path) -> Evidence:
    """The evidence of an incident: simulated from ``fleet.yaml`` into ``scratch``, or read as it lies there.

    Raises ValueError with a sentence when there is neither, or when the recipe is broken.
    """
    if (folder / "fleet.yaml").exists():
        world = build(load(folder / "fleet.yaml"), read_incident(folder).at)
        path = scratch / f"{folder.name}.om"
        count = openmetrics.write(world.columns, path, openmetrics.INCIDENT_BUDGET)
        return Evidence(path, world.objects, world.logs, count)
    metrics = _metrics(folder, scratch)
    objects = [
        manifest
        for file in sorted((folder / "objects").glob("*.y*ml"))
        for manifest in yaml.safe_load_all(file.read_text(encoding="utf-8"))
        if manifest
    ]
    return Evidence(metrics, objects, _read_logs(folder / "logs"), 0)


def read_metrics(folder: Path) -> str:
    """The OpenMetrics text of a folder, packed or not."""
    packed = folder / "metrics.om.gz"
    if packed.exists():
        return gzip.decompress(packed.read_bytes()).decode("utf-8")
    return (folder / "metrics.om").read_text(encoding="utf-8")


def _metrics(folder: Path, scratch: Path) -> Path:
    if (folder / "metrics.om").exists():
        return folder / "metrics.om"
    if not (folder / "metrics.om.gz").exists():
        raise ValueError(f"{folder.name} holds neither fleet.yaml nor metrics.om")
    path = scratch / f"{folder.name}.om"
    try:
        path.write_text(read_metrics(folder), encoding="utf-8")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as why:
        raise ValueError(f"{folder.name}/metrics.om.gz cannot be unpacked: {why}") from None
    return path


def _read_logs(folder: Path) -> dict[LogKey, str]:
    found: dict[LogKey, str] = {}
    for file in sorted(folder.glob("*/*/*.log")):
        name = file.name.removesuffix(".log")
        previous = name.endswith(".previous")
        key = (file.parent.parent.name, file.parent.name, name.removesuffix(".previous"), previous)
        found[key] = file.read_text(encoding="utf-8", errors="replace")
    return found


def write(world: World, folder: Path, budget: int) -> int:
    """Write a world as an incident's evidence; says how many samples there are.

    Raises ValueError over the budget.
    """
    folder.mkdir(parents=True, exist_ok=True)
    count = openmetrics.write(world.columns, folder / "metrics.om", budget)
    kinds: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for manifest in world.objects:
        kinds[manifest["kind"]].append(manifest)
    (folder / "objects").mkdir(exist_ok=True)
    for kind, manifests in kinds.items():
        text = yaml.dump_all(manifests, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=4000)
        (folder / "objects" / f"{kind.lower()}.yaml").write_text(text, encoding="utf-8")
    for (namespace, pod, container, previous), text in world.logs.items():
        place = folder / "logs" / namespace / pod
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{container}{'.previous' if previous else ''}.log").write_text(text, encoding="utf-8")
    return count


class _Plain(yaml.SafeDumper):
    """Manifests share parts; anchors would only confuse a reader."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 -- the library's signature
        """Write every part out."""
        return True


def moment(text: str, now: float) -> float:
    """Read a time: RFC 3339, seconds since the epoch, or relative to ``now`` (``-30m``).

    Raises ValueError.
    """
    if text.startswith("-"):
        return now + seconds(text)
    try:
        return float(text)
    except ValueError:
        return datetime.fromisoformat(text).timestamp()
