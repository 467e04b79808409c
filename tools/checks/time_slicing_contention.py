"""Pods that take turns by time-slicing keep each other waiting.

## What it means
Several pods hold the same GPU, the GPU is busy nearly all the time, and an engine there is slow at a load of its own that does not explain
it. With time-slicing the GPU runs one pod after the other; nothing reserves a share for any of them.

## Why it hurts
The gap between tokens becomes the length of everybody's turn, and follows what the neighbours do.

## What would rule it out
A GPU with time to spare, a batch of the engine's own that is large enough to explain its pace, or pods on different GPUs of the node.
"""

from collections.abc import Sequence

from tools.check import Because, Check, Explains, Limit, Limits, Now, On, Where, because, counted
from tools.families import BROKEN, SLOW, at
from tools.finding import Remedy
from tools.reading import Reading
from tools.signals import GPU_UTIL, ITL, REQUESTS_RUNNING
from tools.vocabulary.gpu_reporting import HOLDERS
from tools.vocabulary.pipelines import REQUEST_TIME
from tools.vocabulary.readiness import SHARED_GPU

SHARED = SHARED_GPU.now
BY_TIME = ("time-slicing", "time-sharing")  # as the device plugin and as GKE call it; MPS runs pods side by side
BUSY = GPU_UTIL.avg("10m")
GAP = ITL.p95("5m")
GAP_NOW, GAP_USUAL = ITL.mean("5m"), ITL.mean("3h")
TOOK_NOW, TOOK_USUAL = REQUEST_TIME.mean("5m"), REQUEST_TIME.mean("3h")
OWN = REQUESTS_RUNNING.avg("10m")


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire on a node where pods share a busy GPU and an engine with little to do is slow."""
    shared = [one for one in now.each(SHARED) if str(one.value).startswith(BY_TIME)]
    if len(shared) < 2:
        return None
    busy = now.worst(BUSY)
    if busy.number < limits["busy"] or not _on_one(now, len(shared)):
        return None
    count = counted(shared, "Pods without a GPU of their own", "pods", now.subject)
    said = "{count} share GPUs of the node by {how}; {busy_of} is {busy} busy, and "
    risen = _risen(now, limits, shared)
    if risen is not None:
        took, usual, own = risen
        said += "{took_of} takes {took}, where it took {usual} on average over 3 h, at {own} of its own at once."
        return because(
            said, now.get(HOLDERS.now), count=count, how=shared[0], busy=busy, took=took, usual=usual, own=own
        )
    felt = _felt(now, limits)
    if felt is None:
        return None
    gap, own = felt
    said += "{gap_of} has a p95 gap between tokens of {gap} at {own} of its own at once."
    return because(said, now.get(HOLDERS.now), count=count, how=shared[0], busy=busy, gap=gap, own=own)


def _on_one(now: Now, pods: int) -> bool:
    """Whether two of the pods must share one: more pods than GPUs, or series that name several for one GPU."""
    holders = now.get(HOLDERS.now)
    return pods > len(now.each(BUSY)) or (holders is not None and holders.number >= 2)


def _risen(now: Now, limits: Limits, sharing: Sequence[Reading]) -> tuple[Reading, Reading, Reading] | None:
    """One of those that share and has little to do, whose tokens, or whole requests, take clearly longer than they took."""
    for lately, before in ((GAP_NOW, GAP_USUAL), (TOOK_NOW, TOOK_USUAL)):
        for pod in sharing:
            took, usual, own = (now.of(pod.subject, ask) for ask in (lately, before, OWN))
            if took is None or usual is None or own is None or not 0 < own.number <= limits["own"]:
                continue
            if took.number >= limits["least"] and took.number >= limits["rise"] * usual.number:
                return took, usual, own
    return None


def _felt(now: Now, limits: Limits) -> tuple[Reading, Reading] | None:
    for gap in sorted(now.each(GAP), key=lambda reading: -reading.number):
        if gap.number < limits["itl"]:
            return None
        own = now.of(gap.subject, OWN) or now[OWN]
        if 0 < own.number <= limits["own"]:
            return gap, own
    return None


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """A GPU or a MIG slice of its own for what is latency-bound."""
    return (
        Remedy(
            "Give the engine a GPU of its own, or a MIG slice where the GPU can be cut: only that reserves time and memory. Keep time-slicing for what may wait.",
            verify="The p95 gap between tokens no longer follows the neighbours' load.",
            cites=("gpu/mig-and-sharing",),
        ),
        Remedy(
            "If it has to be shared, move the neighbour that keeps the GPU busy to another node, or use MPS with a share of threads for each.",
            verify="The GPU has time to spare at the engine's usual load.",
            cites=("gpu/mig-and-sharing",),
        ),
    )


CHECK = Check(
    on=(On.NODE,),
    severity="medium",
    needs=(SHARED, BUSY, GAP, OWN),
    helps=(HOLDERS.now, GAP_NOW, GAP_USUAL, TOOK_NOW, TOOK_USUAL),
    limits={
        "busy": Limit(0.9, "ratio", "below, there is time left for everybody"),
        "itl": Limit(0.1, "seconds", "the objective for the gap between tokens"),
        "rise": Limit(
            1.25,
            "times",
            "of what rose by half an hour ago the three hours hold a third: it is then 1.28 times their mean",
        ),
        "least": Limit(0.02, "seconds", "below, nobody feels it"),
        "own": Limit(16, "requests", "a larger batch lengthens the step by itself"),
    },
    fires=fires,
    explains=(
        *at(SLOW, Where.ON_THIS_NODE),
        *at(BROKEN, Where.ON_THIS_NODE),
        Explains("routing_skew", Where.ON_THIS_NODE),
    ),
    remedies=remedies,
    pages=("gpu/mig-and-sharing",),
    owner="platform",
)
