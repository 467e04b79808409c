"""Speculative decoding drafts tokens that are mostly thrown away.

## What it means
The draft guesses and the model rejects: fewer than about half of the drafted tokens are accepted, so that the extra work buys little.

## Why it hurts
At low load it wastes compute, and at high load it makes every step longer: answers come later than without it.

## What would rule it out
An acceptance above a half, or too few drafted tokens to tell.
"""

from tools.check import Applies, Because, Check, Limit, Limits, Now, On, because
from tools.finding import Change, Remedy
from tools.signals import ITL, REQUESTS_RUNNING
from tools.vocabulary.outcomes import ACCEPTED, DRAFTED

DRAFTS = DRAFTED.increase("30m")
KEPT = ACCEPTED.increase("30m")


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when enough tokens were drafted and too few of them accepted."""
    drafts = now[DRAFTS]
    if drafts.number < limits["least"]:
        return None
    kept = now[KEPT]
    if kept.number >= limits["accepted"] * drafts.number:
        return None
    return because(
        "Of {drafts} that were drafted within 30 min, {kept} were accepted.",
        now.get(REQUESTS_RUNNING.now),
        now.get(ITL.p95("5m")),
        drafts=drafts,
        kept=kept,
    )


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Draft less, with a draft that fits, or not at all."""
    return (
        Remedy(
            "Draft fewer tokens per step, and measure with and without speculation at the load that you have: at large batches it seldom pays.",
            Change("num_speculative_tokens", "as set", "2"),
            "The inter-token latency at the same load is shorter than before, and more than half of the drafted tokens are accepted.",
            ("serving/inter-token-latency",),
        ),
        Remedy(
            "Check that the draft belongs to the model (its family, its tokenizer, its fine-tuning): a fine-tuned model leaves a stock draft behind.",
            verify="Acceptance rises above a half.",
            cites=("serving/inter-token-latency",),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="low",
    needs=(DRAFTS, KEPT),
    helps=(REQUESTS_RUNNING.now, ITL.p95("5m")),
    limits={
        "least": Limit(2000, "tokens", "enough to tell a rate from chance"),
        "accepted": Limit(0.4, "ratio", "below, the rejected work outweighs what is saved at common draft lengths"),
    },
    fires=fires,
    remedies=remedies,
    pages=("serving/inter-token-latency",),
    owner="ml",
)
