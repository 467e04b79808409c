"""The driver reported a hardware fault of the GPU.

## What it means
An Xid is the driver's error code. This one is of the class that no restart of the application mends: the vendor's catalogue asks for
a reset of the GPU, a reboot of the node, or a closer look at its links.

## Why it hurts
Whatever runs on the GPU has failed or will, and the scheduler may go on placing work there.

## What would rule it out
An Xid of the application class (13, 31, 43, 45), a recorded row remap (63), or a fault that is old while the GPU has worked since.
"""

from tools.catalogue.xids import XIDS
from tools.check import Because, Check, Explains, Limit, Limits, Now, On, Where, because
from tools.families import FAILING, HARDWARE, SLOW, at
from tools.finding import Remedy
from tools.signals import GPU_UTIL, LOG_XID, XID_BEFORE, XID_LAST

LAST = XID_LAST.max("1h")
CHANGED = XID_LAST.changes("1h")


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire on an Xid that needs a reset, when it is new or the GPU has done nothing since."""
    last = now[LAST]
    known = XIDS.get(int(last.number))
    if known is None or not known.fatal:
        return None
    # The gauge keeps its last value for good, and a new code may arrive as a new series: so it is held against the hour before.
    before, changed = now.get(XID_BEFORE.now), now[CHANGED]
    new = changed.number > 0 or before is None or before.number != last.number
    busy = now.get(GPU_UTIL.max("1h"))
    if not new and busy is not None and busy.number > 0:
        return None
    when = "in the last hour" if new else "more than an hour ago, and the GPU has not worked since"
    return because(
        f"The driver reported Xid {{last}} ({known.text}) {when}.",
        before,
        changed,
        busy,
        now.get(LOG_XID.now),
        last=last,
        severity=known.severity,
    )


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """What the catalogue says for this Xid, after the node has been taken out of scheduling."""
    last = now.get(LAST)
    known = XIDS.get(int(last.number)) if last is not None else None
    node = now.subject.name.split("/")[0]
    return (
        Remedy(
            f"Take the node out of scheduling: kubectl cordon {node}; then let its workloads move.",
            None,
            "No new pod lands on the node.",
            ("gpu/xid-errors",),
        ),
        Remedy(
            known.action if known is not None else "Collect nvidia-bug-report.sh on the node before anything is reset.",
            None,
            "The GPU answers dcgmi diag -r 3 without an error, and no Xid returns for a day; repeat means replacement.",
            ("gpu/xid-errors",),
        ),
    )


CHECK = Check(
    on=(On.GPU,),
    severity="critical",
    needs=(LAST, CHANGED),
    helps=(XID_BEFORE.now, GPU_UTIL.max("1h"), LOG_XID.now),
    limits={"window": Limit(3600, "seconds", "an hour; the gauge keeps its last value for good")},
    fires=fires,
    explains=(
        Explains("routing_skew"),
        Explains("cuda_oom_runtime"),
        Explains("container_lost_gpu"),
        # A container that starts on such a card finds no device, as one without the driver's libraries does.
        Explains("library_missing"),
        Explains("event_loop_blocked"),
        Explains("nccl_hang_tp_stall"),
        Explains("gpu_unhealthy_not_allocatable", Where.ON_THIS_NODE),
        Explains("gpu_fell_off_bus", Where.ON_THIS_NODE),
        Explains("fabric_manager_not_ready", Where.ON_THIS_NODE),
        Explains("node_problem_reported", Where.ON_THIS_NODE),
        Explains("container_create_failed", Where.ON_THIS_NODE),
        *at(HARDWARE, Where.ON_THIS_GPU),
        *SLOW,
        *FAILING,
    ),
    remedies=remedies,
    pages=("gpu/xid-errors",),
    owner="platform",
)
