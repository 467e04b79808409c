"""The first token comes late because computing the prompt takes long, not because it waits.

## What it means
The time to first token misses its objective while requests hardly queue: prompts are long, little of them is in the prefix cache, the
token budget of a step is small, or something slows the computation down.

## Why it hurts
Every user with a long prompt waits, and more replicas or more room for the queue change nothing.

## What would rule it out
A time in the queue that makes up most of the wait (unless prompts are so long that their prefill alone misses the objective: then others
queue behind it), or an objective that is met.
"""

from tools.check import Applies, Because, Check, Explains, Limit, Limits, Now, On, because, objective
from tools.finding import Remedy
from tools.reading import Reading
from tools.signals import (
    KV_USAGE,
    PREFILL_TIME,
    PROMPT_TOKENS,
    QUEUE_TIME,
    REQUEST_TOKENS,
    REQUESTS_FINISHED,
    REQUESTS_RUNNING,
    REQUESTS_WAITING,
    TTFT,
)

LATE = TTFT.p95("5m")
QUEUED = QUEUE_TIME.p95("5m")
COMPUTED = PREFILL_TIME.p95("5m")
LONG = REQUEST_TOKENS.p95("5m")
TAKES = PREFILL_TIME.mean("5m")
PROMPT = REQUEST_TOKENS.mean("5m")
# An engine without a histogram of prompts counts their tokens.
TOKENS = PROMPT_TOKENS.increase("10m")
DONE = REQUESTS_FINISHED.increase("10m")
KV = KV_USAGE.avg("10m")
WAITING = REQUESTS_WAITING.avg("10m")


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a replica's p95 misses the objective, prefill is most of it and the queue little."""
    for late in sorted(now.each(LATE), key=lambda reading: -reading.number):
        if late.number <= limits["ttft"]:
            return None
        queued = now.of(late.subject, QUEUED)
        if queued is None and (found := _untimed(now, limits, late)) is not None:
            return found
        queued = queued or now[QUEUED]
        if queued.number > limits["queue_share"] * late.number:
            continue
        computed = now.of(late.subject, COMPUTED)
        if computed is None and (found := _untimed(now, limits, late, queued)) is not None:
            return found
        computed = computed or now[COMPUTED]
        if computed.number < limits["prefill_share"] * late.number:
            continue
        return because(
            "The p95 time to first token of {late_of} is {late} against an objective of {goal}; prefill takes {computed} of it, the queue {queued}.",
            now.get(LONG),
            now.get(REQUESTS_RUNNING.now),
            late=late,
            goal=objective(late, limits["ttft"]),
            computed=computed,
            queued=queued,
        )
    return _too_long_for_the_queue(now, limits)


def _untimed(now: Now, limits: Limits, late: Reading, queued: Reading | None = None) -> Because | None:
    """Long prompts on an engine that does not time their prefill: nobody waits, and there is room in the cache."""
    waiting, room, prompts = now.of(late.subject, WAITING), now.of(late.subject, KV), _prompts(now, limits, late)
    if late.number < limits["clear"] * limits["ttft"] or waiting is None or room is None or prompts is None:
        return None
    if waiting.number >= limits["waiting"] or room.number >= limits["full"]:
        return None
    said, readings = prompts
    return because(
        "The p95 time to first token of {late_of} is {late} against an objective of {goal}; {waiting} wait, the KV cache is {room} full,"
        f" and prompts have {said}.",
        now.get(REQUESTS_RUNNING.now),
        queued,
        severity=None,
        late=late,
        goal=objective(late, limits["ttft"]),
        waiting=waiting,
        room=room,
        **readings,
    )


def _prompts(now: Now, limits: Limits, late: Reading) -> tuple[str, dict[str, Reading]] | None:
    """How long the prompts are where they are long, by their histogram or by what was computed for how many requests."""
    long = now.of(late.subject, PROMPT)
    if long is not None:
        return ("{long} on average", {"long": long}) if long.number >= limits["long"] else None
    tokens, done = now.of(late.subject, TOKENS), now.of(late.subject, DONE)
    if tokens is None or done is None or done.number < limits["few"] or tokens.number < limits["long"] * done.number:
        return None
    return "{tokens} in {done} within 10 min", {"tokens": tokens, "done": done}


def _too_long_for_the_queue(now: Now, limits: Limits) -> Because | None:
    """Long prompts whose prefill alone misses the objective: with room in the cache, what queues waits for just that."""
    for computed in sorted(now.each(TAKES) if now.get(TAKES) is not None else (), key=lambda reading: -reading.number):
        long, room = now.of(computed.subject, PROMPT), now.of(computed.subject, KV)
        if computed.number <= limits["ttft"] or long is None or long.number < limits["long"]:
            continue
        if room is None or room.number >= limits["full"]:
            continue
        return because(
            "Prefill alone takes {computed} on average on {computed_of}, for prompts of {long}, against an objective of {goal} for the first token;"
            " the KV cache is {room} full, so what waits does not wait for room.",
            now.get(LATE),
            now.get(QUEUED),
            computed=computed,
            long=long,
            goal=objective(computed, limits["ttft"]),
            room=room,
        )
    return None


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Compute less of the prompt, or faster."""
    verify = "The p95 prefill time falls, and the time to first token meets its objective for 10 min."
    return (
        Remedy(
            "Make prompts meet in the prefix cache: what they share (system prompt, documents) comes first and is the same byte for byte, and requests"
            " that share it go to the same replica.",
            verify=verify,
            cites=("serving/prefix-caching", "serving/routing-and-load-balancing"),
        ),
        Remedy(
            "Raise --max-num-batched-tokens where users can bear a longer gap between tokens: a larger step finishes a long prompt in fewer of them.",
            verify=f"{verify} The inter-token latency stays within its own objective.",
            cites=("serving/chunked-prefill", "serving/time-to-first-token"),
        ),
        Remedy(
            "If prompts really are that long, prefill needs more compute: FP8 weights on GPUs that have it, a higher tensor parallel size, or a pool of its"
            " own for long prompts.",
            verify=verify,
            cites=("serving/tensor-parallelism", "serving/quantization"),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="high",
    needs=(LATE, QUEUED, COMPUTED),
    helps=(LONG, REQUESTS_RUNNING.now, TAKES, PROMPT, KV, WAITING, TOKENS, DONE),
    limits={
        "ttft": Limit(2.0, "seconds", "a common interactive objective; set your own"),
        "queue_share": Limit(0.3, "ratio", "a third of the wait in the queue is no longer a matter of prefill alone"),
        "prefill_share": Limit(0.5, "ratio", "more than half of the wait is prefill"),
        "long": Limit(8192, "tokens", "the largest common token budget of a step: a longer prompt takes several"),
        "clear": Limit(1.5, "ratio", "where prefill is not timed only a clear miss of the objective is put down to it"),
        "few": Limit(3, "requests", "less in ten minutes is no average"),
        "waiting": Limit(1.0, "requests", "on average less than one: no queue to speak of"),
        "full": Limit(0.9, "ratio", "from there on requests wait for room in the cache"),
    },
    fires=fires,
    explains=(Explains("abort_spike"), Explains("ttft_breach_queueing")),
    remedies=remedies,
    pages=("serving/time-to-first-token", "serving/chunked-prefill", "serving/prefix-caching"),
    owner="ml",
)
