"""The GPU could not replace a faulty memory row.

## What it means
A row of its memory had an uncorrectable error, and no spare row could be put in its place. NVIDIA's rule is to replace such a GPU.

## Why it hurts
The next error on that row ends whatever runs, and can spoil answers before it is noticed.

## What would rule it out
A pending remap, which a reset applies, or rows that were remapped in the past.
"""

from tools.check import Because, Check, Explains, Limits, Now, On, Where, because
from tools.finding import Remedy
from tools.signals import XID_LAST
from tools.vocabulary.gpu_health import REMAP_FAILED, REMAPPED

FLAG = REMAP_FAILED.now


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when the driver raises the flag."""
    flag = now[FLAG]
    if not flag.number:
        return None
    return because(
        "A row remap failed on this GPU. ({flag})", now.get(REMAPPED.now), now.get(XID_LAST.max("1h")), flag=flag
    )


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """What NVIDIA says of memory repairs."""
    return (
        Remedy(
            "Drain the node and have the GPU replaced; keep `nvidia-smi -q -d ROW_REMAPPER` for the vendor.",
            verify="The replacement reports no failed remap.",
            cites=("gpu/xid-errors",),
        ),
    )


CHECK = Check(
    on=(On.GPU,),
    severity="high",
    needs=(FLAG,),
    helps=(REMAPPED.now, XID_LAST.max("1h")),
    fires=fires,
    explains=(
        Explains("row_remap_pending", Where.ON_THIS_GPU),
        Explains("gpu_unhealthy_not_allocatable", Where.ON_THIS_NODE),
    ),
    remedies=remedies,
    pages=("gpu/xid-errors",),
    owner="platform",
)
