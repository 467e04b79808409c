"""The users' sources as `rackside knowledge sources` lists them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from knowledge.sources.declared import Declared
from knowledge.sources.folders import USER_PACK
from knowledge.sources.gathering import Reading

_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))
_MOST_PROBLEMS = 5
NONE = "There is no knowledge of your own yet. Add some: rackside knowledge add FOLDER, FILE or GIT-ADDRESS"


def source_rows(declared: Sequence[Declared], readings: Mapping[str, Reading]) -> list[dict[str, Any]]:
    """A row for each source: what is declared of it, and what the last build found.

    `pages`, `read` (seconds since 1970) and `problems` are None where no build has read it yet.
    """
    rows = []
    for one in declared:
        found = readings.get(one.name)
        told: dict[str, Any] = {"pages": None, "read": None, "commit": "", "problems": None}
        if found is not None:
            told = {"pages": found.pages, "read": found.at, "commit": found.commit, "problems": list(found.problems)}
        rows.append({**asdict(one), "trust": one.trust or USER_PACK.trust, **told})
    return rows


def source_lines(rows: Sequence[Mapping[str, Any]], now: float | None = None) -> list[str]:
    """The rows for a person, with the first problems of each."""
    if not rows:
        return [NONE]
    lines = []
    for row in rows:
        at = time.time() if now is None else now
        pages = "not read yet: rackside knowledge index"
        if row["pages"] is not None:
            pages = f"{row['pages']} page{'' if row['pages'] == 1 else 's'}, read {age(at - row['read'])} ago"
        about = [f"trust {row['trust']}"]
        about += [f"{name} {row[name]}" for name in ("license", "date", "ref", "under", "url") if row[name]]
        about += [f"commit {row['commit'][:12]}"] if row["commit"] else []
        lines += [f"{row['name']}: {pages}", f"    {row['place']}", f"    {', '.join(about)}"]
        problems = row["problems"] or []
        lines += [f"    left out: {problem}" for problem in problems[:_MOST_PROBLEMS]]
        if len(problems) > _MOST_PROBLEMS:
            lines.append(f"    and {len(problems) - _MOST_PROBLEMS} more: rackside knowledge sources --json")
    return lines


def age(seconds: float) -> str:
    """How long ago, in the largest unit that fits: `3 days`."""
    for size, unit in _UNITS:
        count = int(seconds // size)
        if count >= 1:
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return "moments"
