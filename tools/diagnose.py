"""Run every check over a snapshot, fold symptoms under their causes, and say what was ruled out and what was not seen."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from tools.blind_spots import blind_spots
from tools.casebook import Case, cases
from tools.check import NothingToSee, On, Unseen, shown
from tools.check_subjects import subjects
from tools.finding import SEVERITIES, BlindSpot, Confidence, Evidence, Finding, RuledOut
from tools.first_errors import in_order
from tools.headlines import beside_a_fault
from tools.outcomes import Outcome, Verdict
from tools.present import Present
from tools.reading import Reading, Subject
from tools.relations import explanations
from tools.signals import LOG_SERVING
from tools.snapshot import Snapshot
from tools.topology import CLUSTER, Topology

Overrides = Mapping[str, Mapping[str, float]]
RULED_OUT_MOST = 16


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What is wrong, worst cause first with its symptoms after it; what is not; what could not be seen.

    `outcomes` are the verdicts behind it, `rules` those of readiness rules that were made on the way, `scope` the subjects that it is about.
    `not_so` are the rules (by id) that were asked for and that nobody in the scope breaks, each of whom could be seen.
    """

    findings: tuple[Finding, ...]
    ruled_out: tuple[RuledOut, ...]
    blind: tuple[BlindSpot, ...]
    checked: int = 0
    outcomes: tuple[Outcome, ...] = ()
    rules: tuple[Outcome, ...] = ()
    scope: frozenset[Subject] = frozenset()
    not_so: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Within:
    """The scope of a diagnosis: a namespace, a workload (by name), several workloads and nodes, or everything.

    `signs` are the failure modes whose own sign the question names.
    """

    namespace: str | None = None
    workload: str | None = None
    several: frozenset[Subject] = frozenset()
    signs: frozenset[str] = frozenset()

    def holds(self, subject: Subject) -> bool:
        """Whether a workload lies in the scope."""
        if self.several:
            return subject in self.several
        if self.namespace is not None and subject.namespace != self.namespace:
            return False
        return self.workload is None or subject.name == self.workload or self._works_for(subject)

    def names(self, subject: Subject) -> bool:
        """Whether a workload is asked about by its name."""
        return bool(self.workload or self.several) and self.holds(subject)

    def _works_for(self, subject: Subject) -> bool:
        """Whether it is the workers of a group (a LeaderWorkerSet makes NAME for its leaders and NAME-0 for the first one's workers)."""
        leader, _, group = subject.name.rpartition("-")
        return subject.kind == "statefulset" and leader == self.workload and group.isdecimal()

    @property
    def everything(self) -> bool:
        """Whether nothing is left out."""
        return self.namespace is None and self.workload is None and not self.several


def diagnose(
    snapshot: Snapshot,
    within: Within | None = None,
    limits: Overrides | None = None,
    asked_for: Collection[str] = (),
) -> Diagnosis:
    """Run every check on every subject of the snapshot and report on the scope. `asked_for` are rules that somebody wants to be told of.

    Causes outside of the scope are looked for too, since a neighbour or a node may explain what is inside; and what stands in the
    path of an engine (a router, a stage before it) concerns it although the engine itself shows nothing of it.
    """
    within = within or Within()
    asked = [one for one in snapshot.topology.workloads if within.names(one)]
    outcomes = list(run(snapshot, limits or {}, named=asked, asked_for=asked_for))
    fired = {outcome.key: _ahead(outcome, within.signs) for outcome in outcomes if outcome.verdict is Verdict.FIRES}
    explained = in_order(explanations(fired.values(), snapshot.topology), fired.values(), snapshot)
    roots = {key for key in fired if not explained.get(key)}
    rules = _causal(snapshot, limits or {})
    broken = _explaining(rules, roots, fired, snapshot.topology)
    if broken:
        fired |= broken
        explained = in_order(explanations(fired.values(), snapshot.topology), fired.values(), snapshot)
    scope = _closure(within, snapshot.topology)
    path = frozenset(one.namespace for one in scope if one in snapshot.topology.engines)
    beside = frozenset(one for one, users in snapshot.topology.supports.items() if users & scope)
    inside = {key for key, outcome in fired.items() if outcome.subject in beside or _concerns(outcome, scope, path)}
    inside |= {key for key, outcome in fired.items() if outcome.subject == CLUSTER and outcome.case.id in asked_for}
    inside |= {cause for key in inside for cause in explained.get(key, ())}
    kept = {key: outcome for key, outcome in fired.items() if key in inside}
    order = _order(kept, explained)
    symptoms = {cause for causes in explained.values() for cause in causes}
    findings: list[Finding] = []
    number = 0
    for key in order:
        causes = tuple(cause for cause in explained.get(key, ()) if cause in kept)
        finding, number = _finding(kept[key], causes, key in symptoms, number, kept[key].case.id in asked_for)
        if (
            finding.root
            and finding.id not in asked_for
            and beside_a_fault(kept[key], kept, explained, snapshot.topology, asked_for)
        ):
            finding = replace(finding, root=False)
        findings.append(finding)
    return Diagnosis(
        findings=tuple(findings),
        ruled_out=_ruled_out(outcomes, scope, kept.values(), within, asked_for),
        blind=blind_spots([one for one in outcomes if _concerns(one, scope, path)], snapshot),
        checked=sum(
            1 for outcome in outcomes if outcome.subject in scope and outcome.verdict is not Verdict.NOT_APPLICABLE
        ),
        outcomes=tuple(outcomes),
        rules=rules,
        scope=scope,
        not_so=_not_so(
            [one for one in outcomes if one.subject in scope or one.subject == CLUSTER],
            asked_for,
            {
                one
                for one in scope
                if any(snapshot.topology.pods[key].gpus for key in snapshot.topology.workloads.get(one, ()))
            },
        ),
    )


def run(
    snapshot: Snapshot,
    limits: Overrides,
    rules: bool = False,
    besides: Collection[str] = (),
    named: Collection[Subject] = (),
    asked_for: Collection[str] = (),
) -> Iterable[Outcome]:
    """Every failure mode, or every readiness rule, on every subject that it is about; `besides` are those that were made already, by id.

    `named` are workloads that a question names, `asked_for` rules that it asks for and that are judged with the failure modes.
    """
    for case in cases().values():
        if (case.check.rule and case.id not in asked_for) != rules or case.id in besides:
            continue
        of_any: Outcome | None = None
        for subject in subjects(case, snapshot, named):
            alike = subject.kind == "gpu" and not (limits and f"{case.id}@{subject}" in limits)
            outcome = of_any.of(subject) if of_any and alike else judge(case, subject, snapshot, limits)
            if outcome.of_any_gpu and alike:
                of_any = outcome
            yield outcome


def _causal(snapshot: Snapshot, limits: Overrides) -> tuple[Outcome, ...]:
    """The readiness rules that may explain a fault, judged."""
    causal = (case for case in cases().values() if case.check.rule and (case.check.explains or case.check.felt))
    return tuple(judge(case, subject, snapshot, limits) for case in causal for subject in subjects(case, snapshot))


def _explaining(
    rules: Iterable[Outcome], roots: Collection[str], fired: Mapping[str, Outcome], topology: Topology
) -> dict[str, Outcome]:
    """Those that are broken and explain what nothing else explains, or whose harm is seen: on a quiet day they are no news."""
    broken = [outcome for outcome in rules if outcome.verdict is Verdict.FIRES]
    with_them = explanations((*fired.values(), *broken), topology) if broken else {}
    felt = {one.key for one in broken if one.because is not None and one.because.felt}
    return {
        one.key: one for one in broken if one.key in felt or any(one.key in with_them.get(key, ()) for key in roots)
    }


def thresholds(case: Case, subject: Subject, limits: Overrides) -> dict[str, float]:
    """The limits of a check for a subject, those of the settings included."""
    values = {name: limit.value for name, limit in case.check.limits.items()}
    if limits:
        values.update(limits.get(case.id, {}))
        values.update(limits.get(f"{case.id}@{subject}", {}))
    return values


def judge(case: Case, subject: Subject, snapshot: Snapshot, limits: Overrides) -> Outcome:
    """One check on one subject."""
    now = Present(snapshot, subject)
    values = thresholds(case, subject, limits)
    try:
        because = case.check.fires(now, values)
    except Unseen as unseen:
        return Outcome(case, subject, Verdict.BLIND, unseen=unseen.reading, of_any_gpu=now.of_any_gpu)
    except NothingToSee:
        if now.unseen:
            return Outcome(case, subject, Verdict.BLIND, unseen=now.unseen[0], of_any_gpu=now.of_any_gpu)
        return Outcome(case, subject, Verdict.NOT_APPLICABLE, of_any_gpu=now.of_any_gpu)
    looked_at = tuple(now.touched.values())
    if because is None:
        if now.unseen:
            return Outcome(case, subject, Verdict.BLIND, unseen=now.unseen[0], of_any_gpu=now.of_any_gpu)
        return Outcome(case, subject, Verdict.QUIET, looked_at=looked_at)
    return Outcome(case, subject, Verdict.FIRES, because, None, looked_at, case.check.remedies(now, values))


def _closure(within: Within, topology: Topology) -> frozenset[Subject]:
    workloads = [subject for subject in topology.workloads if within.holds(subject)]
    found: set[Subject] = set(workloads)
    if within.everything:
        found |= {gpu.subject for gpu in topology.gpus.values()}
        found |= {Subject("node", "", name) for name in topology.nodes}
        return frozenset(found)
    nodes = [subject for subject in within.several if subject.kind == "node"]
    found |= set(nodes)
    for subject in (*workloads, *nodes):
        found |= {topology.gpus[key].subject for key in topology.gpus_of(subject)}
        # Where no exporter tells who holds a GPU, those that nobody is known to hold may be its own.
        found |= {topology.gpus[key].subject for key in topology.missing_gpus(subject)[1] if subject.kind != "node"}
        found |= {Subject("node", "", name) for name in topology.nodes_of(subject)}
    return frozenset(found)


def _order(kept: Mapping[str, Outcome], explained: Mapping[str, Sequence[str]]) -> list[str]:
    def rank(key: str) -> tuple[int, str]:
        because = kept[key].because
        severity = (because.severity if because else None) or kept[key].case.check.severity
        return SEVERITIES.index(severity), key

    roots = sorted((key for key in kept if not any(cause in kept for cause in explained.get(key, ()))), key=rank)
    order: list[str] = []

    def add(key: str) -> None:
        if key in order:
            return
        order.append(key)
        for symptom in sorted((k for k in kept if key in explained.get(k, ())), key=rank):
            add(symptom)

    for root in roots:
        add(root)
    return order + sorted((key for key in kept if key not in order), key=rank)


def _ahead(outcome: Outcome, signs: Collection[str]) -> Outcome:
    """The same, before what tells of the same harm by another sign where its own was named."""
    if outcome.because is None or not outcome.because.ahead or outcome.case.id not in signs:
        return outcome
    ahead = outcome.because.ahead
    return outcome._replace(because=replace(outcome.because, outranks=(*outcome.because.outranks, *ahead)))


def _finding(
    outcome: Outcome, causes: tuple[str, ...], explains: bool, number: int, asked: bool
) -> tuple[Finding, int]:
    assert outcome.because is not None
    readings = outcome.because.evidence
    severity = outcome.because.severity or outcome.case.check.severity
    evidence = tuple(_evidence(reading, number + i + 1) for i, reading in enumerate(readings))
    finding = Finding(
        key=outcome.key,
        id=outcome.case.id,
        title=outcome.case.words.title,
        subject=str(outcome.subject),
        severity=severity,
        confidence=_confidence(readings, explains),
        # What is normal though it looks wrong is told, and is no headline; nor is a habit that costs nothing, unless somebody asks.
        root=not causes and (severity != "info" or asked),
        because=outcome.because.sentence,
        explained_by=causes,
        evidence=evidence,
        remedies=outcome.remedies,
        pages=(f"failure-modes/{outcome.case.id}", *outcome.case.check.pages),
    )
    return finding, number + len(readings)


def _evidence(reading: Reading, number: int) -> Evidence:
    value = float(reading.value) if isinstance(reading.value, int | float) else None
    said = f"{reading.name} of {reading.subject}: {shown(reading)}"
    moment = datetime.fromtimestamp(reading.at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Evidence(f"e{number}", said, value, reading.unit, reading.source, reading.query, moment)


def _confidence(readings: Sequence[Reading], explains: bool) -> Confidence:
    """Independent kinds of evidence count most; several signals of one kind, and symptoms that follow, count once each."""
    readings = [reading for reading in readings if reading.kind != "limit"]
    kinds = len({reading.kind for reading in readings})
    score = kinds + (len({reading.name for reading in readings}) >= 3) + explains
    return "high" if score >= 3 else "medium" if score == 2 else "low"


def _ruled_out(
    outcomes: Sequence[Outcome],
    scope: frozenset[Subject],
    fired: Collection[Outcome],
    within: Within,
    asked_for: Collection[str],
) -> tuple[RuledOut, ...]:
    """Quiet checks on what was asked for, or on what something fires on: rules asked for first, then those that could have explained it."""
    told = {outcome.subject for outcome in fired}
    symptoms = {outcome.case.id for outcome in fired}
    found: list[tuple[int, RuledOut]] = []
    for outcome in outcomes:
        asked = outcome.case.id in asked_for
        inside = outcome.subject in scope or (asked and outcome.subject == CLUSTER)
        interesting = inside and (asked or not within.everything or outcome.subject in told)
        if outcome.verdict is not Verdict.QUIET or not interesting or not outcome.looked_at:
            continue
        # That it served is why a line on its start is no reason: the line that was not there says more.
        needed = {ask.said for ask in outcome.case.check.needs if ask != LOG_SERVING.now}
        decisive = [reading for reading in outcome.looked_at if reading.name.startswith(tuple(needed))]
        if not decisive:
            continue
        last = decisive[-1]
        own = last.subject == outcome.subject or last.subject.name.startswith(f"{outcome.subject.name}-")
        whom = "" if own else f" of {last.subject}"
        why = f"{last.name}{whom}: {shown(last) or 'none'}"
        rival = any(explains.symptom in symptoms for explains in outcome.case.check.explains)
        found.append((0 if asked else 2 - rival, RuledOut(outcome.case.id, str(outcome.subject), why)))
    return tuple(ruled for _, ruled in sorted(found, key=lambda one: one[0])[:RULED_OUT_MOST])


def _not_so(outcomes: Sequence[Outcome], asked_for: Collection[str], on_gpus: Collection[Subject]) -> tuple[str, ...]:
    """Of the rules asked for those that nobody breaks; not where one of those on GPUs was not judged, as a server that nobody recognises."""
    found: dict[str, dict[Subject, Verdict]] = defaultdict(dict)
    for outcome in outcomes:
        if outcome.case.id in asked_for and outcome.verdict is not Verdict.NOT_APPLICABLE:
            found[outcome.case.id][outcome.subject] = outcome.verdict
    return tuple(
        sorted(
            one
            for one, verdicts in found.items()
            if set(verdicts.values()) == {Verdict.QUIET}
            and (cases()[one].check.on != (On.WORKLOAD,) or verdicts.keys() >= set(on_gpus))
        )
    )


def _concerns(outcome: Outcome, scope: frozenset[Subject], path: frozenset[str]) -> bool:
    return outcome.subject in scope or (outcome.case.check.pipeline and outcome.subject.namespace in path)
