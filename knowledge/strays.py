"""Questions that have nothing to do with this field, and questions that are its own.

Whether a question belongs here is decided by which of the two it is like, for whatever encoder and pages are in use. Many strays
use the field's words in another sense or are of a neighbouring field; many of the field's own name such a neighbour.
"""

from __future__ import annotations

import hashlib
from pathlib import Path


def _lines(name: str) -> tuple[str, ...]:
    written = (Path(__file__).parent / name).read_text(encoding="utf-8")
    return tuple(line for line in written.splitlines() if line and not line.startswith("#"))


def topics(name: str) -> tuple[int, ...]:
    """For each question of a list the number of the heading that it stands below: what is one topic is judged together."""
    found: list[int] = []
    heading = 0
    for line in (Path(__file__).parent / name).read_text(encoding="utf-8").splitlines():
        heading += line.startswith("#")
        if line and not line.startswith("#"):
            found.append(heading)
    return tuple(found)


STRAYS: tuple[str, ...] = _lines("strays.txt")
KIN: tuple[str, ...] = _lines("kin.txt")
# Of both, so that a build can tell whether the last one's vectors are still theirs.
DIGEST = hashlib.sha256(repr((STRAYS, KIN)).encode()).hexdigest()
