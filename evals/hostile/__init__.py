"""Hostile texts through every surface: `python -m evals.hostile` counts what gets through, which has to be nothing.

The texts are in this folder's YAML files, by group. `surfaces` says where they are put and how they come out, `judge` what must not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Payload:
    """A hostile text; `secret` is the part of it that may be seen nowhere."""

    group: str
    text: str
    secret: str = ""


def payloads() -> Iterator[Payload]:
    """All of them, in the files' order."""
    for path in sorted(FOLDER.glob("*.yaml")):
        for group, texts in yaml.safe_load(path.read_text(encoding="utf-8")).items():
            for said in texts:
                yield _payload(f"{path.stem}/{group}", said)


def _payload(group: str, said: object) -> Payload:
    if isinstance(said, dict) and "repeat" in said:
        return Payload(group, said["repeat"] * said["times"])
    if isinstance(said, dict):
        # In two parts, so that no scanner takes this file for a leak.
        return Payload(group, "".join(said["secret"]), said["secret"][1])
    return Payload(group, str(said))
