"""What diagnosis hands on: findings with their evidence and remedies, what was ruled out, what could not be seen.

All of these are frozen and plain: the same objects become JSON, Block Kit, Markdown and terminal text.
Field names are the command line's contract (`rackside schema answer`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

Severity = Literal["critical", "high", "medium", "low", "info"]
Confidence = Literal["high", "medium", "low"]
SEVERITIES: tuple[Severity, ...] = ("critical", "high", "medium", "low", "info")


@dataclass(frozen=True, slots=True)
class Evidence:
    """One reading, as shown: `text` is a sentence, `at` RFC 3339 UTC, `query` what was asked of `source`."""

    id: str
    text: str
    value: float | None
    unit: str
    source: str
    query: str
    at: str
    status: Literal["ok", "blind"] = "ok"


@dataclass(frozen=True, slots=True)
class Change:
    """A setting to change: what, from which value, to which."""

    what: str
    from_: Annotated[str, Field(alias="from")]
    to: str


@dataclass(frozen=True, slots=True)
class Remedy:
    """What to do, computed where numbers allow, how to see that it worked, and the pages that say so."""

    text: str
    change: Change | None = None
    verify: str = ""
    cites: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """A failure mode that fires on a subject.

    `key` is id@subject. `root` is true when no other active finding explains it; otherwise `explained_by` names those that do.
    """

    key: str
    id: str
    title: str
    subject: str
    severity: Severity
    confidence: Confidence
    root: bool
    because: str
    explained_by: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    remedies: tuple[Remedy, ...] = ()
    pages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RuledOut:
    """A failure mode that was looked for and is not there, with the reading that says so."""

    id: str
    subject: str
    why: str


@dataclass(frozen=True, slots=True)
class BlindSpot:
    """Something that could not be seen, and why."""

    what: str
    why: str
