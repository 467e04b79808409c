"""Adapters that compete for the slots of a batch: as many as it may hold run, and the requests of any other wait, whatever room there is.

vLLM passes over a waiting request whose adapter would be one more than `--max-loras` in the batch; SGLang does so with
`--max-loras-per-batch`, where the base model counts as one of them while its requests run.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tools.check import Limits, Now
from tools.reading import Blind, Reading, Reason, Subject
from tools.vocabulary.adapters import (
    ADAPTER_SLOTS,
    ADAPTERS,
    ADAPTERS_AGE,
    BETWEEN,
    POOL_SLOTS,
    POOL_USED,
    SCHEDULERS,
)

USED = POOL_USED.avg("5m")
ASKS = (ADAPTER_SLOTS.now, ADAPTERS.now, ADAPTERS_AGE.now, SCHEDULERS.now, USED, POOL_SLOTS.now)
# Clocks of two machines differ by less; times that are summed over processes lie decades ahead.
_AHEAD_S = 3600.0


@dataclass(frozen=True, slots=True)
class Crowd:
    """Slots of a batch, and either the adapters that ask for them or, where those that wait are not counted, the share that is taken."""

    slots: Reading
    asked: Reading | None = None
    taken: Reading | None = None


@dataclass(frozen=True, slots=True)
class _State:
    slots: int
    running: frozenset[str]
    waiting: frozenset[str]


def in_use(now: Now) -> bool | None:
    """Whether the engine serves adapters, by its series or else its configuration; None where neither can be read."""
    if now.get(ADAPTERS.now) is not None or now.get(USED) is not None:
        return True
    configured = now.get(ADAPTER_SLOTS.now)
    if configured is not None:
        return configured.number > 0
    told = (now.blind(now.subject, ask).blind for ask in (ADAPTERS.now, USED))
    # Its source reports and has no such series: those exist with LoRA on.
    return False if any(why is not None and why.reason is Reason.NOTHING_OBSERVED for why in told) else None


def crowded(now: Now, replica: Subject, limits: Limits) -> Crowd | Blind | None:
    """Who competes for the slots of a replica, None where all find one; why it cannot be told else."""
    state = now.of(replica, ADAPTERS.now)
    if state is not None:
        return _by_names(now, state, limits)
    if now.of(replica, USED) is not None:
        return _by_share(now, replica, limits)
    return Blind(Reason.NO_SERIES, "it serves adapters, and no series of its tells which of them run and which wait")


def most(now: Now) -> Crowd | None:
    """Slots and adapters asked for of the replica of which most are, None where that cannot be read."""
    if now.get(ADAPTERS.now) is None:
        return None
    told = [one for state in now.each(ADAPTERS.now) if (one := _crowd(state)) is not None and one.asked is not None]
    return max(told, key=lambda one: one.asked.number if one.asked else 0.0, default=None)


def _by_names(now: Now, reading: Reading, limits: Limits) -> Crowd | Blind | None:
    state, crowd = _parsed(reading.text), _crowd(reading)
    if state is None or crowd is None:
        return Blind(Reason.PARTIAL, "the labels that list its adapters are not as vLLM writes them")
    age = now.of(reading.subject, ADAPTERS_AGE.now)
    if age is None or age.number < -_AHEAD_S:
        return Blind(
            Reason.PARTIAL, "its API servers add up their times, so that no state of its adapters is the newest"
        )
    if age.number > limits["age"]:
        return Blind(Reason.STALE, f"the newest state of its adapters is {age.number / 60:.0f} min old")
    asked = state.running | state.waiting
    reporting = now.of(reading.subject, SCHEDULERS.now)
    schedulers = int(reporting.number) if reporting is not None else 1
    if len(asked) > state.slots * max(1, schedulers) and (schedulers > 1 or state.running == state.waiting):
        # More than all slots together: that some wait follows, whichever they are.
        return crowd
    if schedulers > 1:
        return Blind(Reason.PARTIAL, f"{schedulers} schedulers of one pod share the series that lists its adapters")
    if len(state.running) > state.slots:
        return Blind(
            Reason.PARTIAL, "more adapters are told to run than a batch may hold: several engines share the series"
        )
    return crowd if len(state.running) == state.slots and state.waiting - state.running else None


def _by_share(now: Now, replica: Subject, limits: Limits) -> Crowd | Blind | None:
    used = now.of(replica, USED)
    slots = now.of(replica, POOL_SLOTS.now) or now.of(replica, ADAPTER_SLOTS.now)
    if used is None or slots is None or slots.number < 1:
        return Blind(Reason.NO_SERIES, "nothing tells how many slots for adapters it has")
    free = slots.number * (1 - used.number)
    if free <= limits["free"]:
        return Crowd(slots, taken=used)
    if free <= 1 + limits["free"]:
        return Blind(
            Reason.PARTIAL,
            "one slot for adapters is left, and requests of the base model, which take one, are not counted",
        )
    return None


def _crowd(reading: Reading) -> Crowd | None:
    state = _parsed(reading.text)
    if state is None:
        return None
    slots = reading._replace(name=f"{reading.name}, slots of a batch", value=float(state.slots), unit="slots")
    asked = float(len(state.running | state.waiting))
    return Crowd(slots, reading._replace(name=f"{reading.name}, how many are asked for", value=asked, unit="adapters"))


def _parsed(text: str) -> _State | None:
    slots, *names = text.split(BETWEEN)
    if len(names) != 2 or not (slots.isascii() and slots.isdecimal() and len(slots) < 7 and int(slots)):
        return None
    running, waiting = (_names(one.split(",")) for one in names)
    return _State(int(slots), running, waiting)


def _names(words: Iterable[str]) -> frozenset[str]:
    return frozenset(word.strip() for word in words if word.strip())
