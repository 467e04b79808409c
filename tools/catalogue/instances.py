"""Cloud machine types: which GPU, and how many of it. The table with its sources is in instances.toml beside this module."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tools.catalogue.gpus import Source
from tools.catalogue.spelling import UnknownNameError, nearest, printable

CLOUDS = ("AWS", "Azure", "Google Cloud")


@dataclass(frozen=True, slots=True)
class Instance:
    """A machine type of a cloud with its GPUs (`gpu` is an id of the GPU catalogue)."""

    type: str
    cloud: str
    gpu: str
    count: int
    source: Source


@cache
def instances() -> dict[str, Instance]:
    """Machine types by their name in lower case."""
    content = tomllib.loads(Path(__file__).with_name("instances.toml").read_text(encoding="utf-8"))
    found = {}
    for cloud in CLOUDS:
        source = Source(**content["sources"][cloud])
        for name, row in content[cloud].items():
            found[name.lower()] = Instance(name, cloud, row["gpu"], row["count"], source)
    return found


def instance(name: str) -> Instance:
    """The machine type of a name (any case); raises UnknownNameError with near names."""
    found = instances().get(printable(name).lower())
    if found is None:
        known = {key: one.type for key, one in instances().items()}
        raise UnknownNameError("machine type", name, nearest(name, known))
    return found
