"""Of several headlines that rest on one log, the one whose error was printed first explains those whose error follows from it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

from tools.error_order import before
from tools.reading import Reading
from tools.snapshot import Snapshot
from tools.vocabulary import log_signals
from tools.vocabulary.order import LOG_ORDER

if TYPE_CHECKING:
    from tools.outcomes import Outcome

Explained = dict[str, tuple[str, ...]]


def in_order(explained: Mapping[str, Sequence[str]], fired: Iterable[Outcome], snapshot: Snapshot) -> Explained:
    """The explanations with those that the order of a log adds, between headlines of one workload only."""
    told: Explained = {key: tuple(causes) for key, causes in explained.items()}
    roots: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in fired:
        if not told.get(outcome.key) and _lines(outcome):
            roots[str(outcome.subject)].append(outcome)
    for alike in roots.values():
        for latter in alike if len(alike) > 1 else ():
            causes = [former.key for former in alike if _leads(former, latter, snapshot)]
            if causes:
                told[latter.key] = tuple(sorted(causes))
    return told


def _leads(former: Outcome, latter: Outcome, snapshot: Snapshot) -> bool:
    """Whether an error that the one rests on came before one of the other's in the same log, and none of the other's before it."""
    if former is latter:
        return False
    return _first(former, latter, snapshot) and not _first(latter, former, snapshot)


def _first(former: Outcome, latter: Outcome, snapshot: Snapshot) -> bool:
    for one in _lines(former):
        for other in _lines(latter):
            if one.subject != other.subject:
                continue
            order = snapshot.read(LOG_ORDER.now, f"{one.subject.namespace}/{one.subject.name}")
            if order.blind is None and _signal(other) in before(order.text).get(_signal(one), ()):
                return True
    return False


def _lines(outcome: Outcome) -> tuple[Reading, ...]:
    """The lines of logs that the sentence of an outcome tells."""
    told = outcome.because.readings.values() if outcome.because is not None else ()
    return tuple(reading for reading in told if reading.kind == "log")


@cache
def _names() -> dict[str, str]:
    return {signal.meaning: name for name, signal in log_signals().items()}


def _signal(reading: Reading) -> str:
    return _names().get(reading.name, reading.name)
