"""What is wrong with those whom a named workload calls, where nothing is wrong with itself."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from tools.callees import callees
from tools.closer_look import closer
from tools.diagnose import Diagnosis, Overrides, Within, diagnose
from tools.finding import Finding
from tools.observe import Cluster
from tools.reading import Blind, Subject
from tools.snapshot import Snapshot
from tools.sources.prom import PromSource

# What an engine could do without (a replica too many, a setting that wastes) fails nobody's calls.
_HARMLESS = frozenset({"low", "info"})


def called(
    prom: PromSource | Blind,
    cluster: Cluster | Blind,
    snapshot: Snapshot,
    named: Collection[Subject],
    limits: Overrides,
) -> tuple[Snapshot, Diagnosis] | None:
    """The diagnosis of named workloads together with whom they call, None where nothing ails those either.

    With it comes what was read for it: those who are called get the closer look that those who are named get.
    """
    others = callees(prom, snapshot, named)
    if not others:
        return None
    told = _ailing(snapshot, frozenset(named), others, limits)
    if told is None:
        nearer = closer(cluster, snapshot, [key for one in sorted(others) for key in snapshot.topology.pods_of(one)])
        if nearer is not snapshot:
            snapshot, told = nearer, _ailing(nearer, frozenset(named), others, limits)
    return None if told is None else (snapshot, told)


def _ailing(
    snapshot: Snapshot, named: frozenset[Subject], others: frozenset[Subject], limits: Overrides
) -> Diagnosis | None:
    wider = diagnose(snapshot, Within(several=named | others), limits)
    ails = [one for one in wider.findings if one.severity not in _HARMLESS and _of(one, others, snapshot)]
    if not any(one.root or one.explained_by for one in ails):
        return None
    return replace(wider, findings=with_causes(ails, wider.findings))


def _of(finding: Finding, others: Collection[Subject], snapshot: Snapshot) -> bool:
    """Whether a finding is about one of these workloads itself: a machine without metrics makes nobody fail."""
    subject = Subject.parse(finding.subject)
    return bool(snapshot.topology.workloads_of(subject) & frozenset(others)) and subject.kind not in {"node", "gpu"}


def with_causes(ails: Collection[Finding], among: Collection[Finding]) -> tuple[Finding, ...]:
    """These findings and the causes of their causes, in the order in which they stood."""
    keys = {one.key for one in ails}
    while more := {key for one in among if one.key in keys for key in one.explained_by} - keys:
        keys |= more
    return tuple(one for one in among if one.key in keys)
