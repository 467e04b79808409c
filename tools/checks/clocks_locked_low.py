"""The GPU's clock is held low by a setting.

## What it means
The GPU is busy, and its clock stays far below what it can do although neither heat nor power holds it down. Somebody locked
it (`nvidia-smi -lgc` or `-ac`, left behind by a benchmark), or the driver never raised it after a fault.

## Why it hurts
Everything that computes takes longer in proportion: prefill, large batches, and every rank that waits for this one.

## What would rule it out
A GPU that has little to do, heat, a power brake, or a GPU at its power limit.
"""

from tools.check import Because, Check, Explains, Limit, Limits, Now, On, Where, because
from tools.families import SLOW, at
from tools.finding import Change, Remedy
from tools.signals import GPU_UTIL
from tools.vocabulary.gpu_clocks import BRAKE, CAPPED, HEAT, SET_LOW, SM_CLOCK_MAX, SM_CLOCK_PEERS
from tools.vocabulary.gpu_health import SM_CLOCK

CLOCK = SM_CLOCK.max("10m")
MOST = SM_CLOCK_MAX.now
PEERS = SM_CLOCK_PEERS.now
BUSY = GPU_UTIL.avg("10m")
OTHERS = (HEAT.avg("10m"), BRAKE.avg("10m"), CAPPED.avg("10m"))
SETTING = SET_LOW.avg("10m")


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a busy GPU never came near its highest clock for ten minutes, or near that of others of its kind, and nothing else held it down."""
    clock, own = now[CLOCK], now.get(MOST)
    most = own or now.get(PEERS) or now[MOST]
    if clock.number >= limits["clock"] * most.number:
        return None
    busy = now[BUSY]
    if busy.number < limits["busy"]:
        return None
    if any(now[share].number >= limits["others"] for share in OTHERS):
        return None
    bound = (
        "of {most} at most in 10 min"
        if own is not None
        else "at most in 10 min, where others of its kind reached {most}"
    )
    return because(
        f"The SM clock reached {{clock}} {bound}, while the GPU was {{busy}} busy and neither heat nor power held it down.",
        now.get(SETTING),
        *(now.get(share) for share in OTHERS),
        clock=clock,
        most=most,
        busy=busy,
    )


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Take the lock off."""
    node, _, index = now.subject.name.partition("/")
    clock, most = now.get(CLOCK), now.get(MOST) or now.get(PEERS)
    change = None
    if clock is not None and most is not None:
        change = Change("SM clock in MHz", f"{clock.number:.0f}", f"up to {most.number:.0f}")
    gpu = index.split(":")[0]
    return (
        Remedy(
            f"Take the lock off on {node}: `nvidia-smi -i {gpu} -rgc` and `nvidia-smi -i {gpu} -rac`, with persistence mode on; then find the script that sets it.",
            change,
            "Under load the clock is within a tenth of its highest, after a restart of the node too.",
            ("gpu/throttling",),
        ),
        Remedy(
            "If the clock stays low without a lock, drain the node and reset the GPU or reboot: a driver that stays in a low performance state"
            " after a fault does not leave it by itself.",
            verify="The performance state is P0 under load.",
            cites=("gpu/throttling",),
        ),
    )


CHECK = Check(
    on=(On.GPU,),
    severity="medium",
    needs=(MOST, CLOCK, BUSY, *OTHERS),
    helps=(SETTING, PEERS),
    limits={
        "clock": Limit(0.7, "ratio", "of the highest; the clock of an ordinary load moves within a fifth of it"),
        "busy": Limit(0.5, "ratio", "an idle GPU lowers its clock by itself"),
        "others": Limit(0.1, "ratio", "a minute of ten: more, and heat or power is the reason"),
    },
    fires=fires,
    explains=(Explains("routing_skew", Where.ON_THIS_GPU), *at(SLOW, Where.ON_THIS_GPU)),
    remedies=remedies,
    pages=("gpu/throttling",),
    owner="platform",
)
