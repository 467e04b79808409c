"""The model's files cannot be read from their volume.

## What it means
The volume is mounted, and reading fails: the NFS server was restarted or its export replaced (a stale file handle), the process behind a
FUSE mount of a bucket has died, or the disk has errors. Or the files lie there and are not whole: a copy that broke off, or the pointers that
git clone leaves without Git LFS. The server says that it found them and fetched nothing, and fails at the first one.

## Why it hurts
The engine ends while it loads, and each restart meets the same files: what runs on the old handle may go on until its next restart.

## What would rule it out
A start that gets past loading, or a file that was never there, or is damaged without a word on who put it there (that is a failed download).
"""

from tools.check import Applies, Because, Check, Limits, Now, On
from tools.damaged_files import FETCH_AGAIN, LIES_WHERE, lay_there
from tools.failed_starts import HELPS, LIMITS, failed_start, needs, told
from tools.families import FAILING, QUEUEING
from tools.finding import Remedy
from tools.vocabulary.startup import LOG_DOWNLOAD
from tools.vocabulary.volumes import LOG_FILES_THERE, LOG_UNREADABLE

_UNREAD = failed_start(LOG_UNREADABLE)
_DAMAGED = failed_start(LOG_DOWNLOAD)


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a replica ended at its start over files that its volume does not give, or that lay there and are not whole."""
    found = _UNREAD(now, limits)
    if found is not None or not told(now, LOG_DOWNLOAD):
        return found
    found = _DAMAGED(now, limits)
    return found if found is not None and lay_there(now, found.readings["line"]) else None


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Mount anew, or put whole files there."""
    line = told(now, LOG_UNREADABLE)
    if "Transport endpoint" in line:
        first = "The process behind the FUSE mount has died: look at the CSI driver's pod on the node, and delete the pod so that the volume is mounted anew."
    elif line:
        first = "Delete the pod rather than waiting for its restarts: only a new pod mounts the volume anew. If it stays, look at the server's export and the node's dmesg."
    else:
        first = FETCH_AGAIN
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
    helps=(*HELPS, LOG_DOWNLOAD.now, LOG_FILES_THERE.now, *LIES_WHERE),
    limits=LIMITS,
    fires=fires,
    explains=(*QUEUEING, *FAILING),
    remedies=remedies,
    pages=("platform/model-weight-storage",),
    owner="platform",
)
