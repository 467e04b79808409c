"""A container lacks a right of the system that it needs: a capability, or the use of a GPU's counters.

## What it means
What reads the GPU's profiling counters or resets it, and what shares memory between processes, needs more than a plain container has:
CAP_SYS_ADMIN (or counters that are opened to all), CAP_SYS_PTRACE, or a device file that a security profile withholds. So does what listens
on a port below 1024 without being root: NET_BIND_SERVICE.

## Why it hurts
An exporter ends, and its GPUs are unseen; an engine that hands memory from process to process does not start.

## What would rule it out
A path that may not be written (that is a right on files), or the same line in a process that goes on without what it asked for.
"""

import re

from tools.check import Check, Limits, Now, On
from tools.ended_with import LIMITS, ended_with, helps, needs
from tools.failed_starts import told
from tools.families import FAILING, QUEUEING, UNEQUIPPED, named
from tools.finding import Change, Remedy
from tools.vocabulary.container_rights import RUNS_AS
from tools.vocabulary.gpu_software import LOG_GPU_LOST, LOG_VERSIONS
from tools.vocabulary.host_faults import LOG_CAPABILITY

_OTHERWISE = (LOG_GPU_LOST, LOG_VERSIONS)
_TRACED = re.compile(r"pidfd_getfd")
_THREAD = re.compile(r"what\(\)")
_BINDS = re.compile(r"\bbind")
_VERIFY = "The container gets past that line, and what it reads or shares is there."


def remedies(now: Now, _limits: Limits) -> tuple[Remedy, ...]:
    """The one right that is asked for, not all of them."""
    if _TRACED.search(told(now, LOG_CAPABILITY)):
        return (
            Remedy(
                "Processes of one pod hand each other GPU memory by file descriptor, which needs the right to look into each other.",
                Change("securityContext.capabilities.add", "not set", "SYS_PTRACE"),
                _VERIFY,
                ("platform/gpu-containers-on-a-host",),
            ),
        )
    if _BINDS.search(told(now, LOG_CAPABILITY)):
        return (
            Remedy(
                "A port below 1024 is for the superuser alone: let the server listen on a port above (8000, 8080), and keep the old one as the"
                " Service's port, with targetPort and probes on the new one.",
                Change("the server's port, containerPort, targetPort, probes", "below 1024", "8080"),
                _VERIFY,
                ("kubernetes/system-limits-and-ports",),
            ),
            Remedy(
                "Where the port must stay, give the container NET_BIND_SERVICE alone, or let the pod begin unprivileged ports at 80 by its sysctl.",
                Change("securityContext.capabilities.add", "not set", "NET_BIND_SERVICE"),
                _VERIFY,
                ("kubernetes/system-limits-and-ports",),
            ),
        )
    if _THREAD.search(told(now, LOG_CAPABILITY)):
        return (
            Remedy(
                "The container runtime's seccomp profile is older than the image's C library and forbids a call that starts threads (clone3): update"
                " containerd, runc and libseccomp on the node; a pod with seccompProfile Unconfined shows whether that is it.",
                Change(
                    "container runtime and libseccomp of the node", "older than the image", "the newest of its release"
                ),
                _VERIFY,
                ("platform/gpu-containers-on-a-host",),
            ),
        )
    return (
        Remedy(
            "Give the exporter alone the capability (its chart sets it by default; a policy or a changed securityContext may drop it), or leave the"
            " profiling fields out of its list of metrics.",
            Change("securityContext.capabilities.add", "not set", "SYS_ADMIN"),
            _VERIFY,
            ("observability/dcgm-exporter-questions", "platform/gpu-containers-on-a-host"),
        ),
        Remedy(
            "Or open the counters on the node for all, by the driver's module option, and load the module anew.",
            Change("NVreg_RestrictProfilingToAdminUsers", "1", "0"),
            "cat /proc/driver/nvidia/params on the node shows RmProfilingAdminOnly: 0.",
            ("platform/gpu-operator-and-drivers",),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    severity="high",
    needs=needs(LOG_CAPABILITY),
    helps=helps(_OTHERWISE, RUNS_AS.now),
    limits=LIMITS,
    fires=ended_with(LOG_CAPABILITY, unless=_OTHERWISE, helps=(RUNS_AS.now,)),
    explains=(*QUEUEING, *FAILING, *UNEQUIPPED, *named("nccl_init_failure")),
    remedies=remedies,
    pages=("platform/gpu-containers-on-a-host", "observability/dcgm-exporter-questions"),
    owner="platform",
)
