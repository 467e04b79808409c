"""The GPU's PCIe link repeats what it sends.

## What it means
The link had to send packets again thousands of times within the hour: a bad riser, slot or cable, or a link that trained badly.

## Why it hurts
Loading weights, moving cache and tensor parallelism over PCIe become slow or hang.

## What would rule it out
A handful of replays, which every link has.
"""

from tools.check import Because, Check, Explains, Limit, Limits, Now, On, Where, because
from tools.finding import Remedy
from tools.signals import GPU_UTIL, XID_LAST
from tools.vocabulary.gpu_health import PCIE_REPLAYS

REPLAYS = PCIE_REPLAYS.increase("1h")


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when the link replays far more than links do."""
    replays = now[REPLAYS]
    if replays.number < limits["replays"]:
        return None
    return because(
        "The PCIe link repeated {replays} within the hour.",
        now.get(XID_LAST.max("1h")),
        now.get(GPU_UTIL.avg("10m")),
        replays=replays,
    )


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Reseat or replace."""
    node = now.subject.name.split("/")[0]
    return (
        Remedy(
            f"Look at the link on {node}: `nvidia-smi -q -d PCIE` shows generation and width now and at most. Drain the node and have the card reseated or"
            " the riser replaced.",
            verify="Replays stay below ten an hour under load, at full width and generation.",
            cites=("gpu/xid-errors",),
        ),
    )


CHECK = Check(
    on=(On.GPU,),
    severity="medium",
    needs=(REPLAYS,),
    helps=(XID_LAST.max("1h"), GPU_UTIL.avg("10m")),
    limits={"replays": Limit(1000, "replays", "healthy links show a few a day; a thousand an hour is a fault")},
    fires=fires,
    explains=(
        Explains("itl_breach_batch_too_large", Where.ON_THIS_GPU),
        Explains("cold_start_amplification", Where.ON_THIS_GPU),
    ),
    remedies=remedies,
    pages=("gpu/xid-errors",),
    owner="platform",
)
