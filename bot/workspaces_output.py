"""What `rackside workspaces list --json` and `rackside log --json` print."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bot.store.audit import Logged
    from bot.store.installations import Workspace


@dataclass(frozen=True, slots=True)
class Listed:
    """A workspace that may install Rackside, or did. `installed_at` is RFC 3339 UTC, null where it is not installed."""

    team: str
    name: str
    may_install: bool
    installed_at: str | None
    installed_by: str | None


Listing = list[Listed]


@dataclass(frozen=True, slots=True)
class LogLine:
    """Who asked what. `at` is RFC 3339 UTC, `team` the workspace, `sources` pairs of source and query; `seconds` until it was composed."""

    key: str
    at: str
    team: str
    channel: str
    person: str
    kind: str
    question: str
    outcome: Literal["answered", "refused", "failed"]
    reason: str
    scope: dict[str, list[str]]
    sources: list[tuple[str, str]]
    answer: str
    model: str
    seconds: float


def listing(allowed: Mapping[str, str], installed: Iterable[Workspace]) -> Listing:
    """Those that may install it, then those that did and may not any more."""
    found = {one.team: one for one in installed}
    rows = []
    for team in dict.fromkeys((*allowed, *found)):
        one = found.get(team)
        at = datetime.fromtimestamp(one.installed_at, UTC).isoformat(timespec="seconds") if one else None
        name = one.name if one else allowed.get(team, "")
        rows.append(Listed(team, name, team in allowed, at, one.installed_by if one else None))
    return rows


def moment(at: float) -> str:
    """A time in seconds since the epoch as it is printed."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


def log_line(row: Logged) -> LogLine:
    """A row of the log as it is printed."""
    told: dict[str, Any] = asdict(row)
    return LogLine(**{**told, "at": moment(row.at)})
