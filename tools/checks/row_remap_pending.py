"""The GPU has a memory repair that waits for a reset.

## What it means
A row of its memory had an uncorrectable error and a spare row is set aside for it; the swap takes effect at the next GPU reset.

## Why it hurts
Until then the faulty row may be used again, and the next error ends the application.

## What would rule it out
A failed remap (then the GPU is replaced), or rows that were remapped before the last reset.
"""

from tools.check import Because, Check, Limits, Now, On, because
from tools.finding import Remedy
from tools.signals import XID_LAST
from tools.vocabulary.gpu_health import REMAP_PENDING, REMAPPED

FLAG = REMAP_PENDING.now


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when the driver raises the flag."""
    flag = now[FLAG]
    if not flag.number:
        return None
    return because(
        "A row remap waits for a reset of this GPU. ({flag})",
        now.get(REMAPPED.now),
        now.get(XID_LAST.max("1h")),
        flag=flag,
    )


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """What NVIDIA says of memory repairs."""
    return (
        Remedy(
            "Reset the GPU in the next quiet hour: cordon the node, let its pods move, then `nvidia-smi --gpu-reset` or reboot.",
            verify="The pending flag is gone after the reset.",
            cites=("gpu/xid-errors",),
        ),
    )


CHECK = Check(
    on=(On.GPU,),
    severity="medium",
    needs=(FLAG,),
    helps=(REMAPPED.now, XID_LAST.max("1h")),
    fires=fires,
    remedies=remedies,
    pages=("gpu/xid-errors",),
    owner="platform",
)
