"""Scores: how much of what applies holds, and how much of that a machine really saw.

An item weighs by its severity. The score is the weight that passes or is attested, over the weight of all that applies; what is
waived is counted on neither side and shown beside. Unknown, expired and to be attested count as not held.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from bot.audit import STATES, Judged, State
from bot.audit_marks import place_of
from knowledge.items import Severity

WEIGHTS: Mapping[str, int] = {"critical": 8, "high": 4, "medium": 2, "low": 1}
By = Literal["checklist", "area", "phase", "team", "cluster", "namespace", "workload"]
HELD: frozenset[State] = frozenset({"pass", "attested"})
SEEN: frozenset[State] = frozenset({"pass", "fail"})
ASIDE: frozenset[State] = frozenset({"not_applicable", "waived"})


@dataclass(frozen=True, slots=True)
class Score:
    """Items by state, as counts and as weights."""

    counts: Mapping[State, int]
    weights: Mapping[State, int]

    @property
    def applicable(self) -> int:
        """The weight of what applies and is not waived."""
        return sum(weight for state, weight in self.weights.items() if state not in ASIDE)

    @property
    def held(self) -> float | None:
        """The score: the share of that weight that passes or is attested; None where nothing applies."""
        return self._share(HELD)

    @property
    def verified(self) -> float | None:
        """The share of that weight that live evidence decided, for or against."""
        return self._share(SEEN)

    def _share(self, states: frozenset[State]) -> float | None:
        return sum(self.weights[state] for state in states) / self.applicable if self.applicable else None


@dataclass(frozen=True, slots=True)
class Scored:
    """The score of one checklist, area, phase, team or place."""

    by: By
    name: str
    score: Score


def score(judged: Iterable[Judged]) -> Score:
    """The score of some items."""
    return _score((one.state, one.item.severity) for one in judged)


def scores(judged: Sequence[Judged], cluster: str = "default") -> list[Scored]:
    """By checklist, area, phase (`day 0`) and team, then the whole, each namespace and each workload.

    A workload is scored on the items that live evidence is about it with, a namespace on the worst that its workloads show of each;
    what only people can say belongs to no single workload.
    """
    found: list[Scored] = []
    keys: dict[By, Callable[[Judged], Iterable[str]]] = {
        "checklist": lambda one: (one.item.pack,),
        "area": lambda one: (one.item.area,),
        "phase": lambda one: (f"day {one.item.phase}",),
        "team": lambda one: one.item.owners,
    }
    for by, key in keys.items():
        groups: dict[str, list[Judged]] = defaultdict(list)
        for one in judged:
            for name in key(one):
                groups[name].append(one)
        order = sorted(groups) if by in {"phase", "team"} else groups
        found += [Scored(by, name, score(groups[name])) for name in order]
    return [*found, Scored("cluster", cluster, score(judged)), *_places(judged, cluster)]


_WORST: tuple[State, ...] = ("fail", "unknown", "waived", "pass")


def _places(judged: Sequence[Judged], cluster: str) -> list[Scored]:
    workloads: dict[str, list[tuple[State, Severity]]] = defaultdict(list)
    namespaces: dict[str, list[tuple[State, Severity]]] = defaultdict(list)
    where: dict[str, str] = {}
    for one in judged:
        worst: dict[str, State] = {}
        for subject, state in one.cells().items():
            namespace = where.get(subject)
            if namespace is None:
                namespace = where[subject] = place_of(subject, cluster).namespace
            if namespace:
                workloads[subject].append((state, one.item.severity))
                last = worst.get(namespace)
                if last is None or _WORST.index(state) < _WORST.index(last):
                    worst[namespace] = state
        for namespace, state in worst.items():
            namespaces[namespace].append((state, one.item.severity))
    return [
        *(Scored("namespace", name, _score(cells)) for name, cells in sorted(namespaces.items())),
        *(Scored("workload", name, _score(cells)) for name, cells in sorted(workloads.items())),
    ]


def _score(cells: Iterable[tuple[State, str]]) -> Score:
    counts: Counter[State] = Counter()
    weights: Counter[State] = Counter()
    for state, severity in cells:
        counts[state] += 1
        weights[state] += WEIGHTS[severity]
    return Score({state: counts[state] for state in STATES}, {state: weights[state] for state in STATES})


def percent(share: float | None) -> str:
    """A share as people read it; never rounded up to all, nor down to nothing."""
    if share is None:
        return "n/a"
    shown = round(100 * share)
    if shown == 100 and share < 1:
        shown = 99
    if shown == 0 and share > 0:
        shown = 1
    return f"{shown} %"
