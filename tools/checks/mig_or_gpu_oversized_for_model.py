"""The GPU is far larger than the model on it needs.

## What it means
The weights, the cache at the busiest moment of the week and what an engine keeps for itself would fit into a small part of the GPU's
memory, and the GPU computes little. An engine fills its share of the memory at start, so used memory does not show it.

## Why it hurts
A whole large GPU is paid for and held where a slice of it, or a small card, would serve as well.

## What would rule it out
A GPU that is busy, a cache that fills at peaks, long requests still to come, a declared standby; of less than five days of history, a cache that
was used for more than a trace.
"""

from tools.check import Applies, Because, Check, Limit, Limits, Now, On, because, objective
from tools.finding import Remedy
from tools.reading import Reading
from tools.signals import (
    ENGINE_AWAKE,
    GPU_MEM_FREE,
    GPU_MEM_USED,
    GPU_REQUEST,
    GPU_UTIL,
    KV_USAGE,
    REQUESTS_RUNNING,
    STANDBY,
)
from tools.vocabulary.pipelines import HISTORY, WEIGHTS

GIB = 2.0**30
PEAK = KV_USAGE.max("168h")
BUSY = GPU_UTIL.avg("24h")
RAN = REQUESTS_RUNNING.max("168h")
KNOWN = HISTORY.max("168h")


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when weights, the busiest cache twice over and a reserve fit into a part of the memory, and the GPU is hardly busy."""
    peak = now.worst(PEAK)
    if peak.number >= limits["cache"] or not now.worst(RAN).number:
        return None
    age = now.least(KNOWN)
    if age.number < limits["glimpse"]:
        return None
    # Of a few hours little is known: what was seen must be very little.
    times = limits["settled_times"] if age.number >= limits["settled"] else limits["glimpse_times"]
    standby, awake = now.get(STANDBY.now), now.get(ENGINE_AWAKE.now)
    if (standby is not None and standby.number) or (awake is not None and not awake.number):
        return None
    busy = now.worst(BUSY)
    if busy.number >= limits["busy"]:
        return None
    memory = _memory(now)
    if memory.number < limits["memory"]:
        return None
    weights, gpus = now.worst(WEIGHTS.now), max(1.0, now.worst(GPU_REQUEST.now).number)
    need = _need(weights.number, times * peak.number, memory.number * gpus, gpus, limits)
    if need >= limits["part"] * memory.number * gpus:
        return None
    return because(
        "The model's weights are {weights}, its KV cache was never above {peak} in the {age} that are known, and a GPU of {memory} was busy {busy}"
        " of what is known of the last day: {need} would do.",
        now.get(GPU_REQUEST.now),
        age=age,
        weights=weights,
        peak=peak,
        memory=memory,
        busy=busy,
        need=objective(memory, need, "Memory that would do"),
    )


def _memory(now: Now) -> Reading:
    """The memory of the smallest GPU that it holds, in bytes."""
    sizes = [(used, now.of(used.subject, GPU_MEM_FREE.now)) for used in now.each(GPU_MEM_USED.now)]
    whole = [objective(used, used.number + free.number, "GPU memory") for used, free in sizes if free is not None]
    return min(whole, key=lambda one: one.number) if whole else now.worst(GPU_MEM_FREE.now)


def _need(weights: float, peak: float, memory: float, gpus: float, limits: Limits) -> float:
    """Bytes for the weights, a part of the cache, and a reserve for each GPU."""
    cache = max(0.0, 0.9 * memory - weights)
    return weights + min(1.0, peak) * cache + gpus * limits["reserve"]


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """A slice, a smaller card, or company on the same GPU."""
    verify = "The model starts there with room for its cache, and keeps its objectives through a peak."
    return (
        Remedy(
            "Move it to a slice of a GPU (MIG) or a smaller card that holds what it needs.",
            verify=verify,
            cites=("gpu/mig-and-sharing", "platform/right-sizing"),
        ),
        Remedy(
            "Or let it share: give it a smaller part of the memory, and run a second small model beside it.",
            verify=verify,
            cites=("gpu/mig-and-sharing", "gpu/memory-accounting"),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="low",
    needs=(PEAK, RAN, KNOWN, BUSY, GPU_MEM_USED.now, GPU_MEM_FREE.now, WEIGHTS.now, GPU_REQUEST.now),
    helps=(STANDBY.now, ENGINE_AWAKE.now),
    limits={
        "cache": Limit(0.1, "ratio", "a tenth of the cache at the busiest moment of a week"),
        "settled_times": Limit(2, "times", "twice the cache that was ever in use in days"),
        "glimpse": Limit(7200, "seconds", "two hours show what an hour of the day is like"),
        "glimpse_times": Limit(50, "times", "of hours alone: a peak of fifty times as much would fit"),
        "settled": Limit(432000, "seconds", "five days hold a working day, whenever they begin"),
        "busy": Limit(0.3, "ratio", "who computes for a third of a day may need the large GPU for its speed"),
        "memory": Limit(38 * GIB, "bytes", "smaller cards are the remedy, not the waste"),
        "part": Limit(0.5, "ratio", "half of the GPU is the largest slice that saves anything"),
        "reserve": Limit(2 * GIB, "bytes", "context, graphs and activations of a small model"),
    },
    fires=fires,
    remedies=remedies,
    pages=("gpu/mig-and-sharing", "platform/right-sizing", "gpu/idle-gpus"),
    owner="finops",
    rule=True,
    asked=(
        "over-?sized",
        "right-?siz",
        "too (?:big|large) (?:a )?(?:gpu|card)",
        "smaller (?:gpu|card|slice|instance)",
        "cheaper (?:gpu|card)",
        r"\bwast(?:e|ed|ing|eful)\b",
        "(?:something|anything) (?:much |far )?(?:smaller|cheaper)",
        r"(?:pays?|paying|needs?|uses?|occup\w+) .{0,15}\bwhole (?:gpu|card|[abhl]\d{2,3}s?)\b",
        r"reason for (?:that|the|such|this) (?:\w+ )?(?:card|gpu|size)",
        "need .{0,30}(?:a whole|an entire|such a big|that big)",
    ),
)
