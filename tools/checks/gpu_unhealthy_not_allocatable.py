"""The node holds GPUs back: it has more than it can give.

## What it means
Fewer GPUs are allocatable than the node has. The device plugin marks a GPU unhealthy after a critical Xid, and takes it back only when
it is restarted.

## Why it hurts
The cluster is short of a GPU that everybody counts on, and the scheduler says only that GPUs are insufficient.

## What would rule it out
As many allocatable GPUs as the node has, a node that is not ready at all, or one that is cordoned because somebody works on it.
"""

from tools.check import Because, Check, Explains, Limits, Now, On, Where, because
from tools.finding import Remedy
from tools.signals import NODE_GPUS, NODE_READY, XID_LAST
from tools.vocabulary.gpu_health import NODE_GPUS_ALLOCATABLE
from tools.vocabulary.gpu_software import NODE_CORDONED

HAS = NODE_GPUS.now
GIVES = NODE_GPUS_ALLOCATABLE.now
READY = NODE_READY.now
CORDONED = NODE_CORDONED.now


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a ready node that is not cordoned has more GPUs than it can give."""
    has = now[HAS]
    if has.number < 1:
        return None
    gives, cordoned = now[GIVES], now.get(CORDONED)
    if gives.number >= has.number or not now[READY].number or (cordoned is not None and cordoned.number):
        return None
    return because("The node has {has} and can give {gives}.", now.get(XID_LAST.max("1h")), has=has, gives=gives)


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Find the unhealthy GPU, mend it, restart the plugin."""
    node = now.subject.name
    return (
        Remedy(
            f"Read the device plugin's log on {node}: it names the GPU and the Xid that made it unhealthy. Reset that GPU once nothing runs on it.",
            verify="dcgmi diag -r 3 passes on it.",
            cites=("gpu/xid-errors",),
        ),
        Remedy(
            "Then restart the device plugin's pod on the node: it does not take a GPU back by itself.",
            verify="Allocatable GPUs equal the node's capacity again.",
            cites=("kubernetes/pending-gpu-pods",),
        ),
    )


CHECK = Check(
    on=(On.NODE,),
    severity="high",
    needs=(HAS, GIVES, READY),
    helps=(XID_LAST.max("1h"), CORDONED),
    fires=fires,
    explains=(
        Explains("pending_insufficient_gpu", Where.IN_CLUSTER),
        Explains("unexpected_admission_error", Where.IN_CLUSTER),
    ),
    remedies=remedies,
    pages=("gpu/xid-errors", "kubernetes/pending-gpu-pods"),
    owner="platform",
)
