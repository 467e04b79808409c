"""What nodes say of their GPUs beside how many they have: how many of them they can give."""

from __future__ import annotations

from collections.abc import Iterator

from tools.facts import at, name_of
from tools.quantity import quantity
from tools.readers import Listed, Told
from tools.vocabulary.gpu_health import NODE_GPUS_ALLOCATABLE

KINDS = ("nodes",)


def read(listed: Listed) -> Iterator[Told]:
    """The allocatable GPUs of every node that says so."""
    for item in listed.of("nodes"):
        given = at(item, "status", "allocatable", "nvidia.com/gpu")
        number = quantity(given) if isinstance(given, str | int | float) and not isinstance(given, bool) else None
        if number is not None and name_of(item)[1]:
            yield Told(name_of(item)[1], {NODE_GPUS_ALLOCATABLE: number}, "nodes")
