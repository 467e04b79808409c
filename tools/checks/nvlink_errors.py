"""The GPU's NVLink counts transmission errors.

## What it means
Packets between GPUs arrive damaged and are sent again: a bad connector, cable or NVSwitch, or a GPU that is failing.

## Why it hurts
Tensor parallelism waits for every retry, and the link may end in an Xid 74 that stops all its GPUs.

## What would rule it out
A few errors in a day, or GPUs without NVLink.
"""

from tools.check import Because, Check, Explains, Limit, Limits, Now, On, Where, because
from tools.families import SLOW, at
from tools.finding import Remedy
from tools.signals import XID_LAST
from tools.vocabulary.gpu_health import NVLINK_ERRORS

ERRORS = NVLINK_ERRORS.increase("1h")


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when errors of the link are more than a slip."""
    errors = now[ERRORS]
    if errors.number < limits["errors"]:
        return None
    return because("NVLink counted {errors} within the hour.", now.get(XID_LAST.max("1h")), errors=errors)


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Find which end is bad."""
    return (
        Remedy(
            "See which link and peer: `nvidia-smi nvlink -e` on the node. Drain it, reset the linked GPUs together, and have connector or baseboard looked"
            " at if errors return.",
            verify="The counters stay for a day under load.",
            cites=("gpu/xid-errors",),
        ),
    )


CHECK = Check(
    on=(On.GPU,),
    severity="medium",
    needs=(ERRORS,),
    helps=(XID_LAST.max("1h"),),
    limits={"errors": Limit(100, "errors", "one every half minute; single flips are corrected and harmless")},
    fires=fires,
    explains=(
        Explains("nccl_hang_tp_stall", Where.ON_THIS_GPU),
        Explains("routing_skew", Where.ON_THIS_GPU),
        *at(SLOW, Where.ON_THIS_GPU),
    ),
    remedies=remedies,
    pages=("gpu/xid-errors",),
    owner="platform",
)
