"""Whether a workload has too many or too few replicas for what it did: by busy time, queue, KV cache and objective together.

Busy time alone says neither: a GPU is busy with one request as with thirty, and a cache may be full while kernels pause.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Literal

from tools.check import NothingToSee, Unseen, shown
from tools.costs_figures import Query, queries
from tools.present import Present
from tools.reading import Reading, Subject
from tools.signals import GPU_UTIL, HPA_MIN, KV_USAGE, REQUESTS_WAITING, STANDBY, TTFT, Ask
from tools.snapshot import Snapshot

Verdict = Literal["over", "under", "fits", "standby", "cannot tell"]
BUSY_LITTLE = 0.4  # of the time, on average over its GPUs
KV_HALF = 0.6  # where more replicas than needed stand, each is filled up to here: room for a burst
KV_FULL = 0.9
QUEUED = 2.0  # a request or two wait for the next step of any engine
TTFT_S = 2.0  # a common interactive objective; an intent or the settings say a better one


@dataclass(frozen=True, slots=True)
class Provision:
    """The verdict with its reason; `looked_at` are the four readings, as shown. `enough` are replicas that its peak would need."""

    verdict: Verdict
    why: str
    looked_at: tuple[str, ...] = ()
    enough: int | None = None
    queries: tuple[Query, ...] = ()


def asks(window: str) -> frozenset[Ask]:
    """What it reads."""
    return frozenset(
        {
            GPU_UTIL.avg(window),
            REQUESTS_WAITING.max(window),
            REQUESTS_WAITING.avg(window),
            KV_USAGE.max(window),
            TTFT.p95(window),
            STANDBY.now,
            HPA_MIN.now,
        }
    )


def provision(
    snapshot: Snapshot, workload: Subject, window: str, ttft_s: float = TTFT_S, standby: bool = False
) -> Provision:
    """The joint rule on one workload. It says `over` only of the window that was looked at: a rarer peak may need more."""
    now = Present(snapshot, workload)
    declared = now.get(STANDBY.now)
    if standby or (declared is not None and declared.value == 1.0):
        return Provision("standby", "kept warm on purpose, so its idle time is not held against it")
    try:
        busy = now.each(GPU_UTIL.avg(window))
        most, usual = now.each(REQUESTS_WAITING.max(window)), now.total(REQUESTS_WAITING.avg(window))
        cache = now.each(KV_USAGE.max(window))
    except Unseen as unseen:
        return _blind(unseen.reading)
    except NothingToSee as nothing:
        return Provision("cannot tell", f"nothing to look at ({nothing})")
    if now.unseen:  # of one replica that is not seen nobody knows what it carries
        return _blind(now.unseen[0])
    late = now.get(TTFT.p95(window))
    share = sum(one.number for one in busy) / len(busy)
    queue = max(most, key=lambda one: one.number)
    fullest = max(cache, key=lambda one: one.number)
    missed = late is not None and late.number > ttft_s
    told = _told(share, len(busy), queue, usual, fullest, late, ttft_s, window)
    asked = queries((*busy, *most, usual, *cache, late))
    short = usual.number > QUEUED * len(most) or fullest.number >= KV_FULL
    if missed and short and share > BUSY_LITTLE:
        return Provision("under", "it misses its objective while requests wait or the cache is full", told, None, asked)
    if missed:
        why = (
            "it misses its objective, yet no queue and no full cache speak for more replicas: look for the cause first"
        )
        return Provision("fits", why, told, None, asked)
    if late is None:
        return Provision("cannot tell", "nothing tells how long its first tokens take", told, None, asked)
    enough = max(1, ceil(sum(one.number for one in cache) / KV_HALF)) + 1
    calm = queue.number <= QUEUED and share < BUSY_LITTLE
    least = now.get(HPA_MIN.now)
    if calm and enough < len(cache) and least is not None and least.number < len(cache):
        return Provision("fits", "its autoscaler may take replicas away by itself", told, enough, asked)
    if calm and enough < len(cache):
        why = f"all its caches together would fill {enough - 1} to {KV_HALF:.0%} at their peaks in this window; {len(cache)} run"
        return Provision("over", why, told, enough, asked)
    return Provision("fits", "what it did needs what it has", told, None, asked)


def _blind(reading: Reading) -> Provision:
    return Provision("cannot tell", f"{reading.name} of {reading.subject} is not seen ({reading.blind})")


def _told(
    share: float,
    gpus: int,
    queue: Reading,
    usual: Reading,
    fullest: Reading,
    late: Reading | None,
    ttft_s: float,
    window: str,
) -> tuple[str, ...]:
    return (
        f"busy {share:.0%} of {window} on average over {gpus} GPUs",
        f"waiting: {shown(usual)} on average, {shown(queue)} at most on one replica",
        f"KV cache: {shown(fullest)} at most",
        f"time to first token, p95: {shown(late) if late is not None else 'not seen'}, objective {ttft_s:g} s",
    )
