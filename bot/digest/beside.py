"""What a digest tells beside the items, kept with its audit: what the place costs, and how incidents ended."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from bot.digest.spending import Idle, Runs, Spending

# `something else is wrong now`: what was found is over, or nothing grave was found, and something grave stands there now.
Ended = Literal["recovered", "goes on", "nothing grave was found", "something else is wrong now", "not known"]


@dataclass(frozen=True, slots=True)
class Triaged:
    """An incident that Rackside worked on, and how it ended. `link` is its thread, empty where unknown."""

    at: float
    title: str
    subject: str
    ended: Ended
    link: str = ""


@dataclass(frozen=True, slots=True)
class Beside:
    """All of it; `triaged` is None where incidents were not looked at."""

    spending: Spending
    triaged: tuple[Triaged, ...] | None = None


def to_text(spending: Spending, triaged: Sequence[Triaged] | None = None) -> str:
    """It as JSON."""
    told = {"spending": asdict(spending), "triaged": None if triaged is None else [asdict(one) for one in triaged]}
    return json.dumps(told).replace("\\u0000", "")


def from_text(text: str) -> Beside:
    """It back from what was kept; unknown where nothing was."""
    told = json.loads(text)
    triaged = told.get("triaged")
    return Beside(
        _spending(told.get("spending")), None if triaged is None else tuple(Triaged(**one) for one in triaged)
    )


def _spending(told: dict[str, object] | None) -> Spending:
    if not told:
        return Spending(why="it was not looked at")
    rest = {name: value for name, value in told.items() if name not in {"workloads", "idle", "blind"}}
    blind: tuple[str, ...] = tuple(told.get("blind") or ())  # type: ignore[arg-type]
    runs = {name: Runs(**one) for name, one in told["workloads"].items()}  # type: ignore[attr-defined]
    idle = tuple(Idle(**one) for one in told["idle"])  # type: ignore[attr-defined]
    return Spending(**rest, workloads=runs, idle=idle, blind=blind)  # type: ignore[arg-type]
