"""What changed in the traffic of a workload before a finding began: how long its prompts and answers are, how many requests end.

Medians of a while before are held against what came after; the moment is where the one turns into the other. Requests that end are
no arrivals: an engine that is full ends as many as it can.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from tools.check import quantity_shown
from tools.happenings import Happening
from tools.history import History, history
from tools.reading import Subject
from tools.signals import GENERATION_TOKENS, REQUEST_TOKENS, REQUESTS_FINISHED, Ask, Per
from tools.snapshot import Snapshot
from tools.sources.prom import PromSource

PROMPT = REQUEST_TOKENS.mean("5m")
ENDED = REQUESTS_FINISHED.rate("5m")
ANSWER = GENERATION_TOKENS.rate("5m")
STEP_S = 60.0
# How long before the moment a change is looked for, how long the traffic before that is taken for the usual, and how long after counts.
BEFORE_S, USUAL_S, AFTER_S = 1800.0, 1800.0, 600.0
# A window of five minutes shows a step when half of it lies behind it.
LAG_S = 150.0
LEAST = 5


@dataclass(frozen=True, slots=True)
class _Measure:
    """What is held against its past: how it is said, from which ratio on, from which difference on, and whether a fall counts.

    A fall of what an engine gets done is what a fault does, and no change of the traffic.
    """

    unit: str
    says: str
    ratio: float
    least: float
    falls: bool
    of: Callable[[Mapping[Ask, float]], float | None]


def _answers(values: Mapping[Ask, float]) -> float | None:
    ended, tokens = values.get(ENDED), values.get(ANSWER)
    return tokens / ended if ended and tokens is not None else None


_MEASURES = (
    _Measure("tokens", "gets prompts of {now} on average instead of {was}", 1.6, 300.0, True, lambda v: v.get(PROMPT)),
    _Measure("tokens", "gives answers of {now} on average instead of {was}", 1.6, 100.0, False, _answers),
    _Measure("requests/s", "answers {now} instead of {was}", 1.5, 0.1, False, lambda v: v.get(ENDED)),
)


def traffic(prom: PromSource, snapshot: Snapshot, workloads: Sequence[Subject], moment: float) -> list[Happening]:
    """What changed in the traffic of engines in the half hour before a moment; nothing where their past is not told."""
    found: list[Happening] = []
    for one in workloads:
        if one not in snapshot.topology.engines:
            continue
        keys = snapshot.topology.pods_of(one)
        asks = [ask for ask in (PROMPT, ENDED, ANSWER) if ask in snapshot.queries]
        past = history(prom, snapshot, asks, {Per.REPLICA: keys}, moment - BEFORE_S - USUAL_S, STEP_S)
        found += _changes(one, past, keys, moment)
    return found


def _changes(workload: Subject, past: History, keys: Sequence[str], moment: float) -> Iterator[Happening]:
    rows = [_joined(past, i, keys) for i in range(len(past.times))]
    for measure in _MEASURES:
        told = [(at, value) for at, row in zip(past.times, rows, strict=True) if (value := measure.of(row)) is not None]
        step = _turn(told, moment, measure)
        if step is not None:
            at, was, now = step
            said = measure.says.format(now=quantity_shown(now, measure.unit), was=quantity_shown(was, measure.unit))
            yield Happening("traffic", at, workload, said, "engine metrics via Prometheus")


def _joined(past: History, index: int, keys: Sequence[str]) -> dict[Ask, float]:
    """The replicas together: rates are summed, lengths averaged over those that tell one."""
    joined: dict[Ask, float] = {}
    for ask, parts in past.parts.items():
        values = [
            float(value)
            for part in parts[index]
            for key in keys
            if isinstance(value := part.values.get(key), int | float)
        ]
        if values:
            joined[ask] = sum(values) / (len(values) if ask == PROMPT else 1)
    return joined


def _turn(told: Sequence[tuple[float, float]], moment: float, measure: _Measure) -> tuple[float, float, float] | None:
    """When a value turned into another before a moment, from what to what; None where it did not."""
    usual = [value for at, value in told if at <= moment - BEFORE_S]
    if len(usual) < LEAST:
        # Its data begins later than that: what came first, with some distance.
        usual = [value for at, value in told[: 2 * LEAST] if at <= moment - AFTER_S]
    after = [value for at, value in told if moment <= at <= moment + AFTER_S]
    if len(usual) < LEAST or len(after) < LEAST:
        return None
    was, now = median(usual), median(after)
    if now < was and not measure.falls:
        return None
    low, high = sorted((was, now))
    if high - low < measure.least or high < measure.ratio * max(low, 1e-9):
        return None
    middle = (was * now) ** 0.5 if low > 0 else high / 2
    beyond = [(at, (value > middle) == (now > was)) for at, value in told if at <= moment + STEP_S]
    turned = moment
    for at, is_new in reversed(beyond):
        if not is_new:
            break
        turned = at
    return min(turned - LAG_S, moment), was, now
