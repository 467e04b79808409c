"""The model's files cannot be read from their volume.

## What it means
The volume is mounted, and reading fails: the NFS server was restarted or its export replaced (a stale file handle), the process behind a
FUSE mount of a bucket has died, or the disk has errors.

## Why it hurts
The engine ends while it loads, and each restart meets the same mount: what runs on the old handle may go on until its next restart.

## What would rule it out
A start that gets past loading, or a file that was never there or is damaged (that is a failed download).
"""

from tools.check import Applies, Check, Limits, Now, On
from tools.failed_starts import HELPS, LIMITS, failed_start, needs, told
from tools.families import FAILING, QUEUEING
from tools.finding import Remedy
from tools.vocabulary.volumes import LOG_UNREADABLE


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Mount anew."""
    line = told(now, LOG_UNREADABLE)
    if "Transport endpoint" in line:
        first = "The process behind the FUSE mount has died: look at the CSI driver's pod on the node, and delete the pod so that the volume is mounted anew."
    else:
        first = "Delete the pod rather than waiting for its restarts: only a new pod mounts the volume anew. If it stays, look at the server's export and the node's dmesg."
    return (
        Remedy(
            first,
            verify="A file of the model can be read whole from a pod on that node, and the engine gets past loading.",
            cites=("platform/model-weight-storage", "serving/cold-start"),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="critical",
    needs=needs(LOG_UNREADABLE),
    helps=HELPS,
    limits=LIMITS,
    fires=failed_start(LOG_UNREADABLE),
    explains=(*QUEUEING, *FAILING),
    remedies=remedies,
    pages=("platform/model-weight-storage",),
    owner="platform",
)
