"""CUDA does not start on the node because its NVLink fabric is not up.

## What it means
On machines with an NVSwitch every GPU waits until the fabric manager has configured the switches. Until then CUDA answers each process
with error 802, even one that wants a single GPU. The service is stopped, failed, or of another version than the driver.

## Why it hurts
No GPU pod starts on the node, while the driver, nvidia-smi and the device plugin look well and the scheduler goes on placing pods there.

## What would rule it out
The same image starting on this node, a machine without an NVSwitch, or error 803 or 804: those are about the versions of driver and CUDA.
"""

from tools.check import Because, Check, Limits, Now, On, Where, because
from tools.failing_pods import HELPS, needs, said_by_a_failing_pod
from tools.families import FAILING, NO_CUDA, QUEUEING, at
from tools.finding import Remedy
from tools.vocabulary.gpu_health import FABRIC_STATE
from tools.vocabulary.gpu_software import FABRIC, LOG_FABRIC

STATE = FABRIC_STATE.max("10m")


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a pod of the node crashes over CUDA's error 802, or when the fabric of a GPU has not come up for ten minutes."""
    state = now.get(STATE)
    if state is not None and 1 <= state.number < 3:
        return because("The NVLink fabric of {state_of} has not come up: {state}, where 3 is completed.", state=state)
    return said_by_a_failing_pod(now, LOG_FABRIC, FABRIC)


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Bring the fabric up; compare the versions before anything is restarted."""
    node = now.subject.name
    verify = "nvidia-smi -q on the node shows the fabric's state Completed and status Success for every GPU, and the pods start."
    return (
        Remedy(
            f"Take {node} out of scheduling, then read systemctl status nvidia-fabricmanager and its log there; start it if it is stopped.",
            None,
            verify,
            ("platform/gpu-operator-and-drivers",),
        ),
        Remedy(
            "If it refuses to start, install the fabric manager of exactly the driver's version; if it reports an NVSwitch or NVLink"
            " fault, look for SXid lines in the kernel's log and reboot the node.",
            None,
            verify,
            ("platform/gpu-operator-and-drivers", "gpu/xid-errors"),
        ),
    )


CHECK = Check(
    on=(On.NODE,),
    severity="critical",
    needs=needs(LOG_FABRIC),
    helps=(*HELPS, STATE),
    fires=fires,
    explains=at((*NO_CUDA, *QUEUEING, *FAILING), Where.ON_THIS_NODE),
    remedies=remedies,
    pages=("platform/gpu-operator-and-drivers", "hardware/interconnect"),
    owner="platform",
)
