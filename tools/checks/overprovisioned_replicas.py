"""More replicas run than the peaks of the last week need.

## What it means
Even added up as if they had come at the same moment, the highest loads of all replicas in the week would fit into fewer of them, with
one to spare. Nothing waited.

## Why it hurts
Each replica too many holds its GPUs day and night, and others may be waiting for them.

## What would rule it out
A declared standby, replicas kept for redundancy (one more than the peak needs), a launch that is about to come, or less than five days
of history.
"""

from math import ceil

from tools.check import Applies, Because, Check, Limit, Limits, Now, On, because
from tools.families import named
from tools.finding import Change, Remedy
from tools.reading import Reading
from tools.signals import (
    ENGINE_AWAKE,
    GPU_REQUEST,
    HPA_MIN,
    KV_USAGE,
    MAX_NUM_SEQS,
    REPLICAS_WANTED,
    REQUESTS_RUNNING,
    REQUESTS_WAITING,
    STANDBY,
    TTFT,
)
from tools.vocabulary.pipelines import HISTORY

PEAKS = KV_USAGE.max("168h")
RUNNING = REQUESTS_RUNNING.max("168h")
WAITING = REQUESTS_WAITING.max("168h")
KNOWN = HISTORY.max("168h")


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when what the peaks need, with one to spare, is less than what runs."""
    running = now.each(RUNNING)
    age = now.least(KNOWN)
    if age.number < limits["settled"]:
        return None
    waited = now.worst(WAITING)
    if waited.number > limits["waited"] or not any(one.number for one in running):
        return None
    standby, awake = now.get(STANDBY.now), now.get(ENGINE_AWAKE.now)
    if (standby is not None and standby.number) or (awake is not None and not awake.number):
        return None
    peaks = now.each(PEAKS)
    enough = _enough(peaks, running, now.get(MAX_NUM_SEQS.now), limits)
    least, wanted = now.get(HPA_MIN.now), now.get(REPLICAS_WANTED.now)
    if enough >= len(peaks) or (least is not None and least.number < len(peaks)):
        return None  # an autoscaler that may scale in decides by itself
    late = now.get(TTFT.p95("1h"))
    if late is not None and late.number >= limits["ttft"]:
        return None
    return because(
        "At most {total} ran at once over all replicas within a week, and no KV cache was fuller than {cache}: "
        f"{enough} replicas would do, one of them to spare.",
        waited,
        age,
        wanted,
        least,
        late,
        now.get(GPU_REQUEST.now),
        total=now.total(RUNNING),
        cache=now.worst(PEAKS),
    )


def _enough(peaks: tuple[Reading, ...], running: tuple[Reading, ...], cap: Reading | None, limits: Limits) -> int:
    """Replicas that would carry all peaks at the same moment, and one more."""
    by_cache = sum(one.number for one in peaks) / limits["cache"]
    by_batch = sum(one.number for one in running) / (0.75 * cap.number if cap is not None else limits["batch"])
    return max(1, ceil(by_cache), ceil(by_batch)) + 1


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Fewer replicas, or an autoscaler that finds the number."""
    peaks, least = now.each(PEAKS), now.get(HPA_MIN.now)
    enough = _enough(peaks, now.each(RUNNING), now.get(MAX_NUM_SEQS.now), limits)
    verify = "Time to first token and inter-token latency keep their objectives through the next peak, and nothing waits for a minute."
    what = "minReplicas" if least is not None else "spec.replicas"
    return (
        Remedy(
            "Run fewer replicas, one step at a time, and watch a peak after each.",
            Change(what, f"{len(peaks)}", f"{enough}"),
            verify,
            ("gpu/idle-gpus", "platform/right-sizing"),
        ),
        Remedy(
            "Let an autoscaler follow waiting requests, with a minimum that carries the quiet hours.",
            None,
            verify,
            ("kubernetes/autoscaling-llm-serving",),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="low",
    needs=(RUNNING, KNOWN, WAITING, PEAKS),
    helps=(
        STANDBY.now,
        ENGINE_AWAKE.now,
        MAX_NUM_SEQS.now,
        HPA_MIN.now,
        REPLICAS_WANTED.now,
        TTFT.p95("1h"),
        GPU_REQUEST.now,
    ),
    limits={
        "settled": Limit(432000, "seconds", "five days hold a working day, whenever they begin"),
        "waited": Limit(2, "requests", "a request or two wait for the next step of any engine"),
        "cache": Limit(0.6, "ratio", "room for a burst beside what is usual"),
        "batch": Limit(32, "requests", "a batch that keeps the gap between tokens short on any current GPU"),
        "ttft": Limit(2.0, "seconds", "a common interactive objective; who misses it has nothing to give away"),
    },
    fires=fires,
    explains=named("small_batches"),
    remedies=remedies,
    pages=("gpu/idle-gpus", "platform/right-sizing", "platform/cost-strategies-compared"),
    owner="finops",
    rule=True,
    asked=(
        "over-?provision",
        "too many replicas",
        "fewer replicas",
        "right-?siz",
        "do we (?:really )?need (?:all|that many|so many|these many)",
        r"(?:give|hand) (?!.{0,30}\b(?:nodes?|machines?|box(?:es)?|hosts?)\b).{0,30}\bback\b",
        r"\bwast(?:e|ed|ing|eful)\b",
        "how many replicas .{0,30}need",
        "how many (?:of (?:them|these|those)|pods|replicas|copies) .{0,60}(?:need|take|enough|necessary|really)",
        "(?:could|can|to) (?:we |it |they )?(?:spare|free up|give up|take away) .{0,30}(?:gpu|card|replica|pod|cop)",
    ),
)
