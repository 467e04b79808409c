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
class Since:
    """Since when a finding has been there.

    `at` is the first moment (RFC 3339 UTC), None where it cannot be told; `at_least` says that it began before that, where the
    look-back or the data ends. `within_s` is how exactly the moment is known. `times` counts how often it came within the
    look-back (0 where that was not looked at): from three on it is flapping.
    """

    text: str
    at: str | None
    at_least: bool = False
    within_s: float = 0.0
    times: int = 0
    query: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Happened:
    """Something that changed `minutes_before` the first moment of a finding: near it in time, which proves no cause."""

    kind: Literal["rollout", "scale", "node", "config", "autoscaler", "traffic"]
    at: str
    subject: str
    text: str
    minutes_before: float
    source: str


@dataclass(frozen=True, slots=True)
class Recovered:
    """A failure mode that was there within the look-back and is no more. `at_least` says that it began before the look-back."""

    id: str
    title: str
    subject: str
    from_: Annotated[str, Field(alias="from")]
    to: str
    text: str
    times: int = 1
    at_least: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """A failure mode that fires on a subject.

    `key` is id@subject. `root` is true when no other active finding explains it; otherwise `explained_by` names those that do.
    Headlines say `since` when, what `happened` just before, and what of the time before could not be seen.
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
    since: Since | None = None
    happened: tuple[Happened, ...] = ()
    unseen_before: str = ""


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
