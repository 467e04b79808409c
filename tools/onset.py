"""Since when a finding has been there: its check is run again over the past of the readings that it rests on.

Each step of a bounded look-back is judged with the readings of then and everything else as it is now, so that what is found is
the moment at which the decisive reading crossed its threshold. What no series tells is taken from the times that objects state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tools.casebook import Case
from tools.check import Because, duration_shown, quantity_shown
from tools.diagnose import Overrides
from tools.finding import Since
from tools.history import History, has_past, history
from tools.measure import Query
from tools.moments import clock, rfc3339
from tools.outcomes import Outcome
from tools.past_reading import Trace
from tools.reading import Subject
from tools.replay import CODES, Replay, Spell, spell, window_s
from tools.signals import Ask, Per
from tools.snapshot import Snapshot
from tools.sources.prom import PromSource

LOOK_BACK_S = 3 * 3600.0
STEP_S = 60.0
ASKS_MOST = 8
FLAPPING = 3
# What lags behind by its window, and the window that is short enough to say when it began.
SMOOTH = frozenset({"avg", "rate", "p50", "p95", "p99", "mean"})
SHORT_S = 120.0


def candidates(case: Case, because: Because, snapshot: Snapshot) -> list[Ask]:
    """The asks whose past may tell when it began, in the order in which the finding speaks of them."""
    by_name = {ask.said: ask for ask in case.check.asks}
    told = [by_name.get(reading.name.split(" (sum of ")[0]) for reading in because.evidence]
    known = dict.fromkeys(ask for ask in (*told, *case.check.needs) if ask is not None)
    return [ask for ask in known if has_past(snapshot, ask)][:ASKS_MOST]


def keys_of(snapshot: Snapshot, subject: Subject) -> Mapping[Per, tuple[str, ...]]:
    """The parts of a subject in every dimension."""
    return {per: snapshot.topology.parts(subject, per) for per in Per}


def onset(
    prom: PromSource, snapshot: Snapshot, past: History, outcome: Outcome, limits: Overrides
) -> tuple[Since, Trace | None]:
    """When a finding began, and the reading that decided it over time. At most one request more than the past has cost."""
    replay = Replay(snapshot, past, outcome, limits)
    asks = [ask for ask in past.parts if ask in outcome.case.check.asks]
    firing = replay.firing(asks)
    found = spell(firing)
    decisive = replay.decisive(candidates(outcome.case, replay.because, snapshot), found.quiet)
    stated = None if found.quiet is not None else from_states(snapshot, replay.because, outcome.subject)
    if decisive is None:
        return stated or unknown(snapshot), None
    trace = replay.trace(decisive, firing)
    begun = past.times[found.first]
    if stated is not None and (trace.threshold is None or (stated.at or "") > rfc3339(begun)):
        return stated, None
    held = replay.window_before(decisive, trace, found, asks)
    within = past.step_s * (found.first - found.quiet if found.quiet is not None else 1)
    name = trace.name
    if held:
        begun -= held
    elif found.quiet is not None and decisive.statistic in SMOOTH and window_s(decisive) > SHORT_S:
        begun, name = _nearer(prom, snapshot, replay, decisive, trace, found)
        # What no shorter window tells lags by its own.
        within += window_s(decisive) if name == trace.name else 0.0
    since = Since(
        text=_said(snapshot, replace(trace, name=name), found, past, begun, within),
        at=rfc3339(begun),
        at_least=found.quiet is None,
        within_s=within,
        times=found.times,
        query=trace.query,
        source=trace.source,
    )
    return since, replace(trace, onset=begun)


def _nearer(
    prom: PromSource, snapshot: Snapshot, replay: Replay, ask: Ask, trace: Trace, found: Spell
) -> tuple[float, str]:
    """When the same reading over two minutes crossed the threshold: an average over ten does so minutes later."""
    crossed = trace.times[found.first]
    window = window_s(ask)
    if trace.threshold is None:
        return crossed, trace.name
    # A gauge is at its average's level from the first sample on; what counts needs two.
    statistic = ("max" if trace.above else "min") if ask.statistic == "avg" else ask.statistic
    short = ask.signal.ask(statistic, f"{SHORT_S / 60:.0f}m")
    queries = tuple(
        Query.of(short, one.source, found_series, one.identity)
        for one in snapshot.queries.get(ask, ())
        if (found_series := [series for series in one.found if not series.only or short.statistic in series.only])
    )
    asked = replace(
        snapshot,
        at=crossed,
        queries={short: queries},
        columns={**snapshot.columns, short: snapshot.columns[ask]},
    )
    keys = keys_of(snapshot, replay.subject)
    values = replay.values(asked, history(prom, asked, [short], keys, crossed - window, STEP_S), short, ask)
    begun = crossed
    for moment, value in reversed(values[:-1]):
        if value is None or (value < trace.threshold if trace.above else value > trace.threshold):
            break
        begun = moment
    # That the short window crossed no earlier is known too, where it has data.
    return begun, short.said if any(value is not None for _, value in values) else trace.name


def _said(snapshot: Snapshot, trace: Trace, found: Spell, past: History, begun: float, within: float) -> str:
    now = snapshot.at
    length = duration_shown(now - begun)
    # What is held against other readings has no threshold of its own.
    beyond = "out of line"
    if trace.threshold is not None:
        beyond = f"past its threshold of {quantity_shown(trace.threshold, trace.unit)}"
    what = f'the reading "{trace.name}" on {trace.of}'
    if found.quiet is None:
        ends = "where the look-back ends" if found.first == 0 else "where its data begins"
        return f"For at least {length}: {what} was {beyond} already at {clock(begun, now)}, {ends}."
    quiet = past.times[found.quiet]
    lasting = length if now - begun >= 1 else "just now"
    when = f"Since {clock(begun, now)} ({lasting}), to within {duration_shown(within)}"
    if found.first - found.quiet > 1:
        when = f"Since some time between {clock(quiet, now)} and {clock(begun, now)}, with no data in between"
    if found.times >= FLAPPING:
        window = duration_shown(now - past.times[0])
        often = f"{what} went {beyond} {found.times} times in the last {window}"
        return f"Flapping: {often}. This time: {_lower(when)}."
    if trace.unit in CODES:
        return f"{when}: {what} turned then to what it shows now."
    gap = f", {duration_shown(found.unseen * past.step_s)} of that without data" if found.unseen else ""
    return f"{when}: {what} has been {beyond} since then{gap}."


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def from_states(snapshot: Snapshot, because: Because, subject: Subject) -> Since | None:
    """When the objects that a finding speaks of came to be as they are, where they state it."""
    if snapshot.happenings is None:
        return None
    topology = snapshot.topology
    keys: dict[str, None] = {}
    for reading in because.evidence:
        if reading.kind not in {"state", "event", "log"}:
            continue
        about = reading.subject if reading.subject.kind in {"pod", "node"} else subject
        names = (about.name,) if about.kind == "node" else topology.pods_of(about)
        keys.update(dict.fromkeys(names))
    states = [(key, state) for key in keys for state in snapshot.happenings.states.get(key, ())]
    lasting = [one for one in states if one[1].what != "last ended"]
    if lasting:
        key, state = min(lasting, key=lambda one: (one[1].since, one[0]))
    elif states:
        key, state = max(states, key=lambda one: (one[1].since, one[0]))
    else:
        return None
    name = key.rpartition("/")[2]
    when = f"{clock(state.since, snapshot.at)} ({duration_shown(snapshot.at - state.since)}"
    text = f"{name} {state.what} since {when}), says {state.said}."
    if not lasting:
        text = f"{name} {state.what} at {when} before), says {state.said}."
    return Since(text, rfc3339(state.since), within_s=1.0, query=state.said, source="Kubernetes API")


def unknown(snapshot: Snapshot) -> Since:
    """What is said where nothing tells when it began."""
    if snapshot.past:
        return Since("Since when cannot be told: Kubernetes keeps no past, and no series tells of it.", None)
    return Since("Since when cannot be told: neither a series nor an object states the time.", None)
