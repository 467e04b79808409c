"""The GPU's memory had uncorrectable errors within the hour.

## What it means
The error counter of the GPU's memory rose by errors that its code could not correct. The driver ends what used the page, and may remap
the row at the next reset.

## Why it hurts
Applications die, and repeated errors mean that the memory is failing.

## What would rule it out
Corrected errors alone, or a count that has stood since long before.
"""

from tools.check import Because, Check, Explains, Limits, Now, On, Where, because
from tools.families import FAILING, at
from tools.finding import Remedy
from tools.signals import XID_LAST
from tools.vocabulary.gpu_health import ECC_DOUBLE, REMAPPED

COUNT = ECC_DOUBLE.max("1h")
LEAST = ECC_DOUBLE.min("1h")


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when the count of uncorrectable errors rose within the hour."""
    count, least = now[COUNT], now[LEAST]
    if count.number <= least.number:
        return None
    return because(
        "The count of uncorrectable memory errors rose from {least} to {count} within the hour.",
        now.get(REMAPPED.now),
        now.get(XID_LAST.max("1h")),
        least=least,
        count=count,
    )


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Reset, and replace at the second time."""
    node = now.subject.name.split("/")[0]
    return (
        Remedy(
            f"Cordon {node}, let its pods move, and reset the GPU so that the faulty row is remapped; replace the GPU if errors return.",
            verify="dcgmi diag -r 3 passes, and the count stays for a week.",
            cites=("gpu/xid-errors",),
        ),
    )


CHECK = Check(
    on=(On.GPU,),
    severity="high",
    needs=(COUNT, LEAST),
    helps=(REMAPPED.now, XID_LAST.max("1h")),
    fires=fires,
    explains=(
        Explains("row_remap_pending", Where.ON_THIS_GPU),
        Explains("gpu_unhealthy_not_allocatable", Where.ON_THIS_NODE),
        *at(FAILING, Where.ON_THIS_GPU),
    ),
    remedies=remedies,
    pages=("gpu/xid-errors",),
    owner="platform",
)
