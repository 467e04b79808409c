"""Symptoms that go together, so that a cause names what it does and not each way in which that shows."""

from __future__ import annotations

from collections.abc import Iterable

from tools.check import Explains, Where


def _all(*symptoms: str) -> tuple[Explains, ...]:
    return tuple(map(Explains, symptoms))


# Too little capacity for the load: what waits, is pushed out, given up or turned away.
QUEUEING = _all(
    "kv_saturation_queueing",
    "kv_memory_cliff",
    "preemption_thrash",
    "ttft_breach_queueing",
    "abort_spike",
    "overload_rejections",
)
# The computation itself is slower than it should be: everything takes longer, and queues form behind it.
SLOW = (
    *_all("ttft_breach_prefill", "itl_breach_batch_too_large", "head_of_line_blocking"),
    *QUEUEING,
)
# A server that dies or stops answering.
FAILING = _all("error_rate_spike", "abort_spike")


def at(family: Iterable[Explains], where: Where) -> tuple[Explains, ...]:
    """The same symptoms, lying otherwise to their cause."""
    return tuple(Explains(one.symptom, where) for one in family)
