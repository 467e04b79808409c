"""The context limit is many times what is asked for.

## What it means
The engine admits contexts of at least 32,768 tokens, and the 99th percentile of prompts is a small part of that.

## Why it hurts
One stray request may take the whole cache from everybody, and the engine sizes buffers for lengths that never come.

## What would rule it out
Rare long requests that must be served, or a limit that the gateway holds.
"""

from tools.check import Applies, Because, Check, Limit, Limits, Now, On, because
from tools.finding import Change, Remedy
from tools.signals import REQUEST_TOKENS
from tools.vocabulary.configuration import MAX_MODEL_LEN

LONGEST = REQUEST_TOKENS.p99("30m")


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire on a long limit that requests do not come near."""
    most = now.worst(MAX_MODEL_LEN.now)
    if most.number < limits["long"]:
        return None
    longest = now.worst(LONGEST)
    if longest.number * limits["times"] > most.number:
        return None
    return because("The limit is {most}, and 99 of 100 prompts stay below {longest}.", most=most, longest=longest)


def remedies(now: Now, _limits: Limits) -> tuple[Remedy, ...]:
    """A limit of four times the longest prompts, in steps of 4,096."""
    wanted = max(1, -(-4 * int(now.worst(LONGEST).number) // 4096)) * 4096
    return (
        Remedy(
            f'Set the limit to four times the longest prompts. Copy: `args: ["--max-model-len", "{wanted}"]`',
            Change("max-model-len", f"{now.worst(MAX_MODEL_LEN.now).number:.0f}", f"{wanted}"),
            "The log names more concurrency at the maximum length, and no request is refused.",
            ("serving/kv-cache", "model-quality/model-configuration"),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="info",
    needs=(MAX_MODEL_LEN.now, LONGEST),
    fires=fires,
    remedies=remedies,
    limits={
        "long": Limit(32768.0, "tokens", "below that a single request is no danger to the cache"),
        "times": Limit(8.0, "times", "room for growth and for the answer"),
    },
    pages=("serving/kv-cache", "model-quality/model-configuration"),
    phase=2,
    owner="ml",
    rule=True,
    asked=(
        r"\b(?:do|does|did|has|have)\b[^.?!]{0,60}\b(?:needs?|needed|uses?|used|fills?|come near)\b(?! to\b)[^.?!]{0,60}\b(?:context|window|max[-_ ]model|\d+ ?k\b)",
        r"\b(?:context|window|max[-_ ]model[-_ ]len\w*)\b[^.?!]{0,60}\b(?:ever used|never used|unused|wasted|for nothing|far (?:more|larger|longer|bigger) than|too (?:generous|large|long|big))",
        r"\bcould\b[^.?!]{0,30}\b(?:lower|shorten|shrink|cut|reduce|halve)\b[^.?!]{0,30}\b(?:context|window|max[-_ ]model)",
    ),
)
