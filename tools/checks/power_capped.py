"""The GPU's power limit was set below its default, and the GPU runs into it.

## What it means
The driver lowers the clock so that the board stays within its power limit. At the default limit that is normal: dense computation uses
what the board may draw. Here somebody lowered the limit, so the clock falls earlier than it should.

## Why it hurts
Prefill and large batches get slower, by less than the watts that are saved. A single lowered GPU also holds back every
rank of its tensor-parallel group, and every replica beside it looks fast.

## What would rule it out
The default limit: then the cap is what full load looks like. A cap for moments only, or a GPU that hardly works.
"""

from tools.check import Because, Check, Explains, Limit, Limits, Now, On, Where, because
from tools.families import SLOW, at
from tools.finding import Change, Remedy
from tools.signals import GPU_POWER, GPU_UTIL
from tools.vocabulary.gpu_clocks import CAPPED, POWER_LIMIT, POWER_LIMIT_DEFAULT
from tools.vocabulary.gpu_health import SM_CLOCK

SHARE = CAPPED.avg("10m")
BUSY = GPU_UTIL.avg("10m")
LIMIT = POWER_LIMIT.now
DEFAULT = POWER_LIMIT_DEFAULT.now


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a busy GPU is at its power limit for most of ten minutes, and that limit is well below the default."""
    share = now[SHARE]
    if share.number < limits["share"]:
        return None
    busy = now[BUSY]
    if busy.number < limits["busy"]:
        return None
    limit, default = now[LIMIT], now[DEFAULT]
    if limit.number >= limits["lowered"] * default.number:
        return None
    return because(
        "For {share} of the last 10 min the GPU was at its power limit of {limit}, where {default} is the default, while it was {busy} busy.",
        now.get(GPU_POWER.avg("10m")),
        now.get(SM_CLOCK.avg("10m")),
        share=share,
        limit=limit,
        default=default,
        busy=busy,
    )


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Put the limit back, or keep it knowingly."""
    node, _, index = now.subject.name.partition("/")
    limit, default = now.get(LIMIT), now.get(DEFAULT)
    change = None
    if limit is not None and default is not None:
        change = Change("power limit in watts", f"{limit.number:.0f}", f"{default.number:.0f}")
    return (
        Remedy(
            f"Put the limit back on {node} (`nvidia-smi -i {index.split(':')[0]} -pl` with the default), and find what sets it: a script at boot,"
            " a DaemonSet, or the power management of the rack.",
            change,
            "Under the same load the clock is that of GPUs of its kind, and the limit in force is the default after the next boot too.",
            ("gpu/throttling",),
        ),
        Remedy(
            "Where the limit saves power on purpose, give every GPU of a workload the same, and measure throughput per watt with it.",
            verify="The replicas of the workload generate tokens alike.",
            cites=("gpu/throttling",),
        ),
    )


CHECK = Check(
    on=(On.GPU,),
    severity="low",
    needs=(SHARE, BUSY, LIMIT, DEFAULT),
    helps=(GPU_POWER.avg("10m"), SM_CLOCK.avg("10m")),
    limits={
        "share": Limit(0.5, "ratio", "half of ten minutes: a GPU at full load touches its limit now and then"),
        "busy": Limit(0.5, "ratio", "below, a lowered clock slows few"),
        "lowered": Limit(0.9, "ratio", "a tenth below the default costs little; less is noise of rounding"),
    },
    fires=fires,
    explains=(Explains("routing_skew", Where.ON_THIS_GPU), *at(SLOW, Where.ON_THIS_GPU)),
    remedies=remedies,
    pages=("gpu/throttling",),
    owner="platform",
)
