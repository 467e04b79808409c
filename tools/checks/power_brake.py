"""The power supply brakes the GPU.

## What it means
An external signal (hardware power brake) cut the clock for a good part of the last ten minutes: a power supply failed or is overloaded,
or the rack's power is capped.

## Why it hurts
Clocks fall to half or less for all GPUs behind that supply, and nothing in the software explains it.

## What would rule it out
A software power cap, which is normal under heavy load, heat, or a brake that one scrape saw and the next did not.
"""

from tools.check import Because, Check, Explains, Limit, Limits, Now, On, Where, because
from tools.families import SLOW, at
from tools.finding import Remedy
from tools.signals import GPU_POWER, GPU_UTIL
from tools.vocabulary.gpu_clocks import BRAKE
from tools.vocabulary.gpu_health import CLOCK_REASONS, SM_CLOCK

SHARE = BRAKE.avg("10m")
BUSY = GPU_UTIL.avg("10m")


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a power brake held the clock of a busy GPU down for a good part of ten minutes."""
    share = now[SHARE]
    if share.number < limits["share"]:
        return None
    busy = now[BUSY]
    if busy.number < limits["busy"]:
        return None
    return because(
        "A power brake held the clock down for {share} of the last 10 min, while the GPU was {busy} busy.",
        now.get(GPU_POWER.avg("10m")),
        now.get(SM_CLOCK.avg("10m")),
        now.get(CLOCK_REASONS.now),
        share=share,
        busy=busy,
    )


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Look at the power of node and rack."""
    node = now.subject.name.split("/")[0]
    return (
        Remedy(
            f"Cordon {node} and move what is latency-bound; then look at the power supplies and the rack's feed (BMC: sensors and event log).",
            verify="The reasons no longer hold 128 under the same load.",
            cites=("gpu/throttling",),
        ),
    )


CHECK = Check(
    on=(On.GPU,),
    severity="high",
    needs=(SHARE, BUSY),
    helps=(GPU_POWER.avg("10m"), SM_CLOCK.avg("10m"), CLOCK_REASONS.now),
    limits={
        "share": Limit(0.2, "ratio", "two minutes of ten: a brake of seconds is how a supply rides through a peak"),
        "busy": Limit(0.2, "ratio", "below, a lowered clock slows nobody"),
    },
    fires=fires,
    explains=(
        Explains("routing_skew", Where.ON_THIS_GPU),
        Explains("power_capped", Where.ON_THIS_GPU),
        *at(SLOW, Where.ON_THIS_GPU),
    ),
    remedies=remedies,
    pages=("gpu/throttling",),
    owner="platform",
)
