"""Long prompts interrupt everybody else's answers.

## What it means
The gap between tokens is short as a rule and very long at times, and prompts of thousands of tokens arrive: each such prompt takes
whole steps, or a large part of them, from the sequences that are already answering.

## Why it hurts
Chats stutter for seconds whenever somebody sends a document, though the average looks fine.

## What would rule it out
A median as slow as the tail (then the batch is too large), preemptions (then the cache is short), or only short prompts.
"""

from tools.check import Applies, Because, Check, Limit, Limits, Now, On, because
from tools.finding import Remedy
from tools.signals import ITL, PREEMPTIONS, REQUEST_TOKENS

TAIL = ITL.p99("5m")
TYPICAL = ITL.p50("5m")
LONGEST = REQUEST_TOKENS.p99("30m")
EVICTED = PREEMPTIONS.increase("10m")


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when the tail of the gaps is far above their median and long prompts arrive, without preemptions."""
    for tail in sorted(now.each(TAIL), key=lambda reading: -reading.number):
        if tail.number <= limits["documents_tail"]:
            return None
        typical = now.of(tail.subject, TYPICAL) or now[TYPICAL]
        if tail.number < limits["spread"] * typical.number:
            continue
        longest = now.of(tail.subject, LONGEST) or now[LONGEST]
        # The shorter the pause, the longer must the prompts be that it is to come of.
        if longest.number < limits["prompt"] * max(1.0, limits["tail"] / tail.number) ** 2:
            continue
        evicted = now.get(EVICTED)
        if evicted is not None and evicted.number >= limits["preemptions"]:
            return None
        return because(
            "One gap in a hundred between tokens of {tail_of} is longer than {tail}, where the median is {typical}; the longest prompts have {longest}.",
            evicted,
            tail=tail,
            typical=typical,
            longest=longest,
        )
    return None


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Cut long prompts into smaller steps, or send them elsewhere."""
    verify = "The p99 inter-token latency falls below a second while long prompts still arrive."
    return (
        Remedy(
            "Let long prompts take smaller bites: chunked prefill on, and --max-num-batched-tokens down to 2048; the first token of a long prompt then"
            " comes somewhat later.",
            verify=verify,
            cites=("serving/chunked-prefill", "serving/inter-token-latency"),
        ),
        Remedy(
            "Route prompts above some thousand tokens to replicas of their own, so that documents and chats do not meet.",
            verify=verify,
            cites=("serving/routing-and-load-balancing", "serving/queueing-and-admission"),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="medium",
    needs=(TAIL, TYPICAL, LONGEST),
    helps=(EVICTED,),
    limits={
        "tail": Limit(
            1.0,
            "seconds",
            "a pause that every reader notices; half a second now and then is the price of a shared step",
        ),
        "documents_tail": Limit(
            0.4,
            "seconds",
            "the same where prompts are whole documents (six times as long): each of them brings many such steps",
        ),
        "spread": Limit(8, "times", "the median: interruptions, not a slow step"),
        "prompt": Limit(8000, "tokens", "a prompt that takes several steps of the usual token budget"),
        "preemptions": Limit(10, "preemptions", "then the cache is what is short"),
    },
    fires=fires,
    remedies=remedies,
    pages=("serving/chunked-prefill", "serving/inter-token-latency"),
    owner="ml",
)
