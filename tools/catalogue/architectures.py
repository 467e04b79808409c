"""Which release of an engine, or of Transformers, is the first known to have a model's architecture or model type.

The names are in architectures.toml beside this module, read from the registries of a few released wheels; what lies between two
of those was not read, so that a release is given as "has it" and the one read before as "has it not yet".
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

Version = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """The releases of an engine that have a name.

    `first` is the first release read that has it, `before` the one read before, which has it not (empty where there is none), `until` the last
    release that is known to have it (empty where the newest read has it).
    """

    title: str
    first: str
    before: str = ""
    until: str = ""


@cache
def _engines() -> dict[str, dict[str, Any]]:
    text = Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")
    return {engine["name"]: engine for engine in tomllib.loads(text)["engine"]}


@cache
def known(engine: str, name: str) -> Known | None:
    """What is known of a name; None for an engine that was not read, or a name that none of its releases read has."""
    told = _engines().get(engine)
    if told is None:
        return None
    read: list[str] = told["read"]
    first = next((release for release in read if name in told["since"].get(release, ())), "")
    if not first:
        return None
    at = read.index(first)
    gone = next((release for release in read[at + 1 :] if name in told["gone"].get(release, ())), "")
    until = told.get("until", {}).get(name, "") or (read[read.index(gone) - 1] if gone else "")
    return Known(told["title"], first, read[at - 1] if at else "", until)


def older(one: str, other: str) -> bool:
    """Whether a release comes before another; False where either cannot be read."""
    left, right = _version(one), _version(other)
    return bool(left) and bool(right) and left < right


def _version(text: str) -> Version:
    parts = text.removeprefix("v").split(".")[:3]
    return (
        tuple(map(int, parts)) if all(part.isascii() and part.isdecimal() and len(part) < 9 for part in parts) else ()
    )
