"""Checklists held against the live fleet: each check runs once and serves every item that names it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Literal, get_args

from knowledge.items import Item
from knowledge.narrowing import RUNTIMES
from tools.diagnose import Diagnosis, Overrides, Within, diagnose, run
from tools.finding import SEVERITIES
from tools.outcomes import Outcome, Verdict
from tools.snapshot import Snapshot
from tools.topology import CLUSTER

# What live evidence says alone is pass, fail, unknown, attest or not applicable; the others are said by people (bot/audit_marks.py).
State = Literal["pass", "fail", "unknown", "attested", "expired", "attest", "waived", "not_applicable"]
STATES: tuple[State, ...] = get_args(State)


@dataclass(frozen=True, slots=True)
class Broken:
    """What one check holds against one subject, with what to do first."""

    check: str
    subject: str
    said: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Judged:
    """One item. `why` says what the state rests on; `broken` what speaks against it, `seen` on how many subjects nothing does.

    Subject by subject, as printed: `quiet` are those on which all of it holds, `blind` those that could not be seen, with the reason,
    `waived` those that a person exempted, with the words; `silent` those on which some of its checks, by id, found nothing to look at.
    """

    item: Item
    state: State
    why: str
    broken: tuple[Broken, ...] = ()
    seen: int = 0
    quiet: frozenset[str] = frozenset()
    blind: Mapping[str, str] = field(default_factory=dict)
    waived: Mapping[str, str] = field(default_factory=dict)
    silent: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def cells(self) -> dict[str, State]:
        """The state subject by subject, of those that the item is about."""
        told: dict[str, State] = dict.fromkeys(self.quiet, "pass")
        told.update(dict.fromkeys(self.blind, "unknown"))
        told.update(dict.fromkeys(self.failing, "fail"))
        told.update(dict.fromkeys(self.waived, "waived"))
        return told

    @property
    def failing(self) -> tuple[str, ...]:
        """The subjects that something speaks against, in their order."""
        return tuple(dict.fromkeys(one.subject for one in self.broken))


def audit(
    items: Sequence[Item],
    snapshot: Snapshot,
    within: Within | None = None,
    limits: Overrides | None = None,
    found: Diagnosis | None = None,
) -> list[Judged]:
    """Every item, judged within a scope; `found` is its diagnosis, where somebody has made it already."""
    overrides = limits or {}
    found = found or diagnose(snapshot, within, overrides)
    # What the whole cluster lacks concerns each of its workloads.
    scope = found.scope | {CLUSTER}
    by_check: dict[str, list[Outcome]] = defaultdict(list)
    silent: dict[str, list[str]] = defaultdict(list)
    made = (*found.outcomes, *found.rules)
    for outcome in (*made, *run(snapshot, overrides, rules=True, besides={one.case.id for one in found.rules})):
        if outcome.subject not in scope:
            continue
        if outcome.verdict is Verdict.NOT_APPLICABLE:
            silent[outcome.case.id].append(str(outcome.subject))
        else:
            by_check[outcome.case.id].append(outcome)
    engines = {engine for subject, engine in snapshot.topology.engines.items() if subject in found.scope}
    if snapshot.sees_nothing:
        # Nothing was seen, so nothing can be said not to be here.
        return [
            Judged(one, "unknown", "no source answered") if one.checks else _judge(one, {}, engines, {}, "")
            for one in items
        ]
    hidden = "; ".join(f"{source.name}: {source.blind}" for source in snapshot.sources if source.blind is not None)
    return [_judge(item, by_check, engines, silent, hidden) for item in items]


def _judge(
    item: Item,
    by_check: Mapping[str, Sequence[Outcome]],
    engines: set[str],
    silent: Mapping[str, Sequence[str]],
    hidden: str,
) -> Judged:
    wanted = RUNTIMES.intersection(item.applies)
    if wanted and engines and not wanted & engines:
        return Judged(item, "not_applicable", f"it is about {' and '.join(sorted(wanted))}, which does not run here")
    if not item.checks:
        return Judged(item, "attest", item.evidence or item.verify)
    outcomes = [outcome for check in item.checks for outcome in by_check.get(check, ())]
    bare: dict[str, tuple[str, ...]] = {}
    for check in item.checks:
        for subject in silent.get(check, ()):
            bare[subject] = (*bare.get(subject, ()), check)
    if not outcomes:
        if hidden and not bare:
            return Judged(item, "unknown", f"whether anything here is of its kind cannot be told ({hidden})")
        why = "nothing here is of the kind that its checks are about"
        return Judged(item, "not_applicable", why, silent=bare)
    broken = tuple(map(_broken, (one for one in outcomes if one.verdict is Verdict.FIRES)))
    failing = {one.subject for one in broken}
    unseen = [one for one in outcomes if one.verdict is Verdict.BLIND]
    blind = {str(one.subject): reason(one) for one in reversed(unseen) if str(one.subject) not in failing}
    looked_at = {str(one.subject) for one in outcomes if one.verdict is Verdict.QUIET}
    quiet = frozenset(looked_at - failing - set(blind))
    judged = partial(Judged, item, broken=broken, seen=len(looked_at), quiet=quiet, blind=blind, silent=bare)
    if broken:
        return judged(state="fail", why=f"{len(failing)} {_are(failing, looked_at)}")
    if unseen:
        return judged(state="unknown", why=commonest(unseen))
    if item.evidence:
        return judged(state="attest", why=f"what can be seen of it holds; a person shows {item.evidence}")
    return judged(state="pass", why=f"{len(looked_at)} looked at, nothing against it")


def _are(broken: set[str], quiet: set[str]) -> str:
    return f"of {len(broken | quiet)} looked at {'does' if len(broken) == 1 else 'do'} not hold it"


def _broken(outcome: Outcome) -> Broken:
    said = outcome.because.sentence if outcome.because else ""
    remedy = outcome.remedies[0].text if outcome.remedies else ""
    return Broken(outcome.case.id, str(outcome.subject), said, remedy)


def reason(outcome: Outcome) -> str:
    """Why a check could not see."""
    return f"{outcome.unseen.name}: {outcome.unseen.blind}" if outcome.unseen else "it could not be seen"


def commonest(blind: Sequence[Outcome]) -> str:
    """The commonest reason why checks could not see, with how often it and others were met."""
    told, count = Counter(map(reason, blind)).most_common(1)[0]
    more = [f"{count - 1} more like it"] if count > 1 else []
    more += [f"{len(blind) - count} for other reasons"] if len(blind) > count else []
    return f"{told} (and {', '.join(more)})" if more else told


def worst_first(judged: Iterable[Judged]) -> list[Judged]:
    """Failing items, by severity, then by how much they concern."""
    failing = [one for one in judged if one.state == "fail"]
    return sorted(failing, key=lambda one: (SEVERITIES.index(one.item.severity), -len(one.broken), one.item.id))
