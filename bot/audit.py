"""Checklists held against the live fleet: each check runs once and serves every item that names it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from knowledge.items import Item
from knowledge.narrowing import RUNTIMES
from tools.diagnose import Outcome, Overrides, Verdict, Within, diagnose, run
from tools.finding import SEVERITIES
from tools.reading import Subject
from tools.snapshot import Snapshot
from tools.topology import CLUSTER

State = Literal["pass", "fail", "unknown", "attest", "not_applicable"]
STATES: tuple[State, ...] = ("pass", "fail", "unknown", "attest", "not_applicable")


@dataclass(frozen=True, slots=True)
class Broken:
    """What one check holds against one subject, with what to do first."""

    check: str
    subject: str
    said: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Judged:
    """One item. `why` says what the state rests on; `broken` what speaks against it, `seen` on how many subjects nothing does."""

    item: Item
    state: State
    why: str
    broken: tuple[Broken, ...] = ()
    seen: int = 0


@dataclass(frozen=True, slots=True)
class Score:
    """Counts of items by state. What is unknown or only to be attested never counts as passed."""

    counts: Mapping[State, int]

    @property
    def applicable(self) -> int:
        """The items that are about something here."""
        return sum(count for state, count in self.counts.items() if state != "not_applicable")

    @property
    def passed(self) -> float | None:
        """The share of applicable items that pass, None where none applies."""
        return self.counts["pass"] / self.applicable if self.applicable else None

    @property
    def verified(self) -> float | None:
        """The share of applicable items that live evidence decided, for or against."""
        return (self.counts["pass"] + self.counts["fail"]) / self.applicable if self.applicable else None


def audit(
    items: Sequence[Item], snapshot: Snapshot, within: Within | None = None, limits: Overrides | None = None
) -> list[Judged]:
    """Every item, judged within a scope."""
    overrides = limits or {}
    found = diagnose(snapshot, within, overrides)
    # What the whole cluster lacks concerns each of its workloads.
    scope = found.scope | {CLUSTER}
    by_check: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in (*found.outcomes, *run(snapshot, overrides, rules=True)):
        if outcome.subject in scope and outcome.verdict is not Verdict.NOT_APPLICABLE:
            by_check[outcome.case.id].append(outcome)
    engines = {engine for subject, engine in snapshot.topology.engines.items() if subject in found.scope}
    if snapshot.sees_nothing:
        # Nothing was seen, so nothing can be said not to be here.
        return [
            Judged(one, "unknown", "no source answered") if one.checks else _judge(one, {}, engines) for one in items
        ]
    return [_judge(item, by_check, engines) for item in items]


def score(judged: Iterable[Judged]) -> Score:
    """The counts of some items."""
    counts = Counter(one.state for one in judged)
    return Score({state: counts[state] for state in STATES})


def _judge(item: Item, by_check: Mapping[str, Sequence[Outcome]], engines: set[str]) -> Judged:
    wanted = RUNTIMES.intersection(item.applies)
    if wanted and engines and not wanted & engines:
        return Judged(item, "not_applicable", f"it is about {' and '.join(sorted(wanted))}, which does not run here")
    if not item.checks:
        return Judged(item, "attest", item.evidence or item.verify)
    outcomes = [outcome for check in item.checks for outcome in by_check.get(check, ())]
    if not outcomes:
        return Judged(item, "not_applicable", "nothing here is of the kind that its checks are about")
    quiet = {outcome.subject for outcome in outcomes if outcome.verdict is Verdict.QUIET}
    broken = tuple(map(_broken, (one for one in outcomes if one.verdict is Verdict.FIRES)))
    if broken:
        subjects = {one.subject for one in broken}
        return Judged(item, "fail", f"{len(subjects)} {_are(subjects, quiet)}", broken, len(quiet))
    blind = [outcome for outcome in outcomes if outcome.verdict is Verdict.BLIND]
    if blind:
        return Judged(item, "unknown", _reasons(blind), (), len(quiet))
    if item.evidence:
        return Judged(item, "attest", f"what can be seen of it holds; a person shows {item.evidence}", (), len(quiet))
    return Judged(item, "pass", f"{len(quiet)} looked at, nothing against it", (), len(quiet))


def _are(broken: set[str], quiet: set[Subject]) -> str:
    whole = len(broken | {str(one) for one in quiet})
    return f"of {whole} looked at {'does' if len(broken) == 1 else 'do'} not hold it"


def _broken(outcome: Outcome) -> Broken:
    said = outcome.because.sentence if outcome.because else ""
    remedy = outcome.remedies[0].text if outcome.remedies else ""
    return Broken(outcome.case.id, str(outcome.subject), said, remedy)


def _reasons(blind: Sequence[Outcome]) -> str:
    """The commonest reason why checks could not see, with how many they were."""
    reasons = Counter(
        f"{one.unseen.name}: {one.unseen.blind}" if one.unseen else "it could not be seen" for one in blind
    )
    reason, count = reasons.most_common(1)[0]
    return reason if len(blind) == count == 1 else f"{reason} ({count} of {len(blind)} that could not be seen)"


def worst_first(judged: Iterable[Judged]) -> list[Judged]:
    """Failing items, by severity, then by how much they concern."""
    failing = [one for one in judged if one.state == "fail"]
    return sorted(failing, key=lambda one: (SEVERITIES.index(one.item.severity), -len(one.broken), one.item.id))
