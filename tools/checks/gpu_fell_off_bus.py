"""A GPU has gone from the node while its neighbours still report.

## What it means
The driver lost the device on the PCIe bus: power, seating, heat, a hung firmware, or a driver that gave up. The driver reports it as
Xid 79 where an exporter is quick enough to see it (that is xid_critical, which then is the headline); often the GPU's metrics just
end, and processes say that the GPU is lost.

## Why it hurts
Everything that ran on the GPU has failed, and the node counts a GPU that does not exist. It does not come back without a reboot.

## What would rule it out
All GPUs of the node silent together: then the exporter or the node is gone. A GPU that was replaced or cut into instances.
"""

import re
from dataclasses import replace

from tools.check import Because, Check, Explains, Limits, Now, On, Where, because, counted
from tools.failing_pods import HELPS, needs, said_by_a_failing_pod
from tools.families import FAILING, HARDWARE, NO_CUDA, SLOW, at
from tools.finding import Remedy
from tools.signals import NODE_GPUS, NODE_GPUS_REPORTING
from tools.vocabulary.gpu_health import GPU_VANISHED
from tools.vocabulary.gpu_software import LOG_GPU_LOST

REPORTING = NODE_GPUS_REPORTING.now
HAS = NODE_GPUS.now
VANISHED = GPU_VANISHED.now


# The UUID that a pod was given is none of this machine any more.
_UNKNOWN = re.compile(r"device error: [^:]{1,80}: unknown device")


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when some of a node's GPUs fell silent and the others did not, or when a failing pod says that its GPU is lost."""
    reporting, has, gone = now.get(REPORTING), now.get(HAS), now.get(VANISHED)
    some = reporting is not None and has is not None and 0 < reporting.number < has.number
    if some and reporting is not None and has is not None and gone is not None and gone.number:
        count = counted([one for one in now.each(VANISHED) if one.number], VANISHED.said, "GPUs", now.subject)
        return because(
            "{count} of the node no longer reports, {gone_of} first of all; {reporting} of {has} still report.",
            gone,
            count=count,
            gone=gone,
            reporting=reporting,
            has=has,
        )
    # A device plugin that was started anew counts what is left: then it is the pod that held it which cannot start.
    left = gone is not None and gone.number and reporting is not None and reporting.number
    said = said_by_a_failing_pod(now, LOG_GPU_LOST, _UNKNOWN if left else None)
    if said is not None and left and gone is not None:
        return replace(said, also=(*said.also, gone))
    if said is None and now[REPORTING].number and now[REPORTING].number < now[HAS].number:
        now.each(VANISHED)  # raises when nobody tells
    return said


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Off the node, reboot, and replace what returns."""
    node = now.subject.name
    return (
        Remedy(
            f"Take the node out of scheduling and let its workloads move: kubectl cordon {node}; collect nvidia-bug-report.sh first.",
            None,
            "No new pod lands on the node.",
            ("playbooks/incident-gpu-fell-over", "gpu/xid-errors"),
        ),
        Remedy(
            "Power-cycle the machine (a reset of the GPU does not reach a device that is off the bus); check power, seating and heat.",
            None,
            "nvidia-smi lists every GPU, dcgmi diag -r 3 passes, and none is gone for a day; a repeat means replacement.",
            ("playbooks/incident-gpu-fell-over",),
        ),
    )


CHECK = Check(
    on=(On.NODE,),
    severity="critical",
    needs=(*needs(LOG_GPU_LOST), REPORTING, HAS, VANISHED),
    helps=HELPS,
    fires=fires,
    explains=(
        Explains("gpu_unhealthy_not_allocatable", Where.ON_THIS_NODE),
        Explains("device_plugin_missing", Where.ON_THIS_NODE),
        Explains("node_problem_reported", Where.ON_THIS_NODE),
        Explains("event_loop_blocked", Where.ON_THIS_NODE),
        Explains("container_lost_gpu", Where.ON_THIS_NODE),
        Explains("container_create_failed", Where.ON_THIS_NODE),
        Explains("pending_insufficient_gpu", Where.IN_CLUSTER),
        Explains("unexpected_admission_error", Where.IN_CLUSTER),
        *at((*HARDWARE, *NO_CUDA, *SLOW, *FAILING), Where.ON_THIS_NODE),
    ),
    remedies=remedies,
    pages=("playbooks/incident-gpu-fell-over", "gpu/xid-errors"),
    owner="platform",
)
