"""Time for a diagnosis: since when each headline has been there, what changed just before, and what recovered.

The requests are a small constant a headline (its readings once over the look-back, the changes before it once) and a fixed number
for what recovered; they never follow the fleet.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime

from tools.before import WINDOW_S, before
from tools.diagnose import Diagnosis, Overrides
from tools.finding import BlindSpot, Finding, Recovered, Since
from tools.history import history
from tools.moments import clock
from tools.onset import LOOK_BACK_S, STEP_S, candidates, from_states, keys_of, onset, unknown
from tools.outcomes import Outcome, Verdict
from tools.past_reading import Trace
from tools.reading import Blind
from tools.recovered import recovered
from tools.snapshot import Snapshot
from tools.sources.prom import PromSource

HEADLINES_MOST = 6
PARALLEL = 3


@dataclass(frozen=True)
class Timeline:
    """A diagnosis with its times: the findings completed, the traces of their decisive readings by key, what recovered."""

    findings: tuple[Finding, ...]
    traces: Mapping[str, Trace] = field(default_factory=dict)
    recovered: tuple[Recovered, ...] = ()
    blind: tuple[BlindSpot, ...] = ()


def timeline(prom: PromSource | Blind, snapshot: Snapshot, diagnosis: Diagnosis, limits: Overrides) -> Timeline:
    """Look back from a diagnosis. What cannot be told is said; nothing here raises for what a source does."""
    by_key = {one.key: one for one in diagnosis.outcomes}
    roots = [finding for finding in diagnosis.findings if finding.root and finding.key in by_key][:HEADLINES_MOST]
    quiet = [one for one in diagnosis.outcomes if one.verdict in {Verdict.QUIET, Verdict.NOT_APPLICABLE}]
    active = [one for one in diagnosis.outcomes if one.verdict is Verdict.FIRES]
    with ThreadPoolExecutor(PARALLEL, thread_name_prefix="timeline") as pool:
        looking = pool.submit(recovered, prom, snapshot, diagnosis.scope, quiet, active, limits)
        told = dict(pool.map(lambda root: _told(prom, snapshot, root, by_key[root.key], limits), roots))
        looked = looking.result()
    findings = tuple(told[one.key][0] if one.key in told else one for one in diagnosis.findings)
    traces = {key: trace for key, (_, trace) in told.items() if trace is not None}
    blind = (BlindSpot("What recovered lately", looked.unseen),) if looked.unseen else ()
    return Timeline(findings, traces, looked.found, blind)


def _told(
    prom: PromSource | Blind, snapshot: Snapshot, finding: Finding, outcome: Outcome, limits: Overrides
) -> tuple[str, tuple[Finding, Trace | None]]:
    since, trace = _since(prom, snapshot, outcome, limits)
    return finding.key, (_completed(prom, snapshot, finding, outcome, since), trace)


def _since(
    prom: PromSource | Blind, snapshot: Snapshot, outcome: Outcome, limits: Overrides
) -> tuple[Since, Trace | None]:
    assert outcome.because is not None
    asks = candidates(outcome.case, outcome.because, snapshot)
    stated = from_states(snapshot, outcome.because, outcome.subject)
    if isinstance(prom, Blind) or not asks:
        return stated or unknown(snapshot), None
    past = history(prom, snapshot, asks, keys_of(snapshot, outcome.subject), snapshot.at - LOOK_BACK_S, STEP_S)
    if not past.parts:
        why = next(iter(past.blind.values()), None)
        told = Since(f"Since when could not be looked up: {why}.", None) if why else unknown(snapshot)
        return stated or told, None
    return onset(prom, snapshot, past, outcome, limits)


def _completed(
    prom: PromSource | Blind, snapshot: Snapshot, finding: Finding, outcome: Outcome, since: Since
) -> Finding:
    if since.at is None:
        return replace(finding, since=since)
    moment = datetime.fromisoformat(since.at).timestamp()
    if since.at_least and moment <= snapshot.at - LOOK_BACK_S + STEP_S:
        # It began before everything that was looked at: what came before that is not known.
        return replace(
            finding, since=since, unseen_before="What changed before it cannot be told: it began before the look-back."
        )
    happened, unseen = before(prom, snapshot, outcome.subject, moment, since.within_s)
    if not happened:
        minutes = f"{WINDOW_S / 60:.0f} minutes"
        nothing = f"Nothing that can be seen changed in the {minutes} before {clock(moment, snapshot.at)}."
        unseen = f"{nothing} {unseen}".rstrip()
    return replace(finding, since=since, happened=happened, unseen_before=unseen)
