"""A container lost its GPU while it ran; the GPU itself is well.

## What it means
The container's right to its device files was taken away. The usual reason is a systemctl daemon-reload on the node (a package upgrade
runs one) where runc leaves cgroups to systemd and /dev/char has no links for the NVIDIA devices; a restart of the container toolkit
can do the same.

## Why it hurts
CUDA and NVML fail inside the container, nvidia-smi on the node shows nothing wrong, and the pod does not recover until it is made anew.
Every GPU container of the node may be hit at once.

## What would rule it out
A container that never served and finds no CUDA device (then it was given no GPU to begin with), an Xid or a GPU that stopped reporting, or a driver of another
version than its libraries.
"""

import re

from tools import failing_replicas
from tools.check import Applies, Because, Check, Explains, Limit, Limits, Now, On, Where, because
from tools.crashes import needed
from tools.families import FAILING, SLOW
from tools.finding import Remedy
from tools.reading import Reading
from tools.signals import GPU_UTIL, LOG_SERVING, POD_READY, RUNNING_FOR, TERMINATED_AGO
from tools.vocabulary.gpu_software import DEVICE_GONE, LOG_DEVICE_GONE
from tools.vocabulary.startup import PROBE_SAID
from tools.vocabulary.turned import UNREADY_FOR

UNKNOWN = re.compile(r"NVML\w{0,20}: Unknown Error")


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a replica that is not ready, or is and fails its requests, says that its GPU is gone (that it had served, where that is common)."""
    for ready in now.each(POD_READY.now):
        if ready.number or not _in_trouble(now, ready, limits):
            continue
        probe = now.of(ready.subject, PROBE_SAID.now)
        printed = probe is not None and DEVICE_GONE.search(probe.text) is not None
        # A probe that runs a command in the container prints what the engine's own log may never say.
        line = probe if printed and probe is not None else needed(now, ready, LOG_DEVICE_GONE.now)
        if not line.text:
            continue
        served = now.of(ready.subject, LOG_SERVING.now)
        lost, ran = now.of(ready.subject, UNREADY_FOR.now), now.of(ready.subject, RUNNING_FOR.now)
        was_ready = lost is not None and ran is not None and lost.number + limits["loaded"] <= ran.number
        # NVML's unknown error is that of a container without rights to its device files; CUDA says the same of one without a GPU.
        if not (UNKNOWN.search(line.text) or was_ready or (served is not None and served.text)):
            continue
        return because(
            f"{{line_of}} is not ready; its {'probe' if printed else 'log'} says: {{line}}",
            ready,
            served,
            lost,
            now.get(GPU_UTIL.max("10m")),
            line=line,
        )
    return failing_replicas.said_while_ready(now, limits["errors"], LOG_DEVICE_GONE)


def _in_trouble(now: Now, ready: Reading, limits: Limits) -> bool:
    """Whether its log is read: it ran unready for a while, or ended a short while ago."""
    ran, ago = now.of(ready.subject, RUNNING_FOR.now), now.of(ready.subject, TERMINATED_AGO.now)
    runs = ran is not None and ran.number > limits["unready"]
    return runs or (ago is not None and ago.number <= limits["recent"])


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """A new pod has its GPU back; then the cause on the node."""
    return (
        Remedy(
            f"Delete the pods that are hit, so that new ones are made: kubectl delete pod POD -n {now.subject.namespace}. A restart inside"
            " the container does not help.",
            None,
            "nvidia-smi answers inside the new pod, and it turns ready.",
            ("platform/gpu-operator-and-drivers",),
        ),
        Remedy(
            "Keep it from coming back: hand devices out by CDI (the container toolkit's and the device plugin's cdi mode), or make the links"
            " with nvidia-ctk system create-dev-char-symlinks --create-all at boot.",
            None,
            "After a systemctl daemon-reload on a drained node nvidia-smi still answers in a test pod.",
            ("platform/gpu-operator-and-drivers",),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="high",
    needs=(POD_READY.now, LOG_DEVICE_GONE.now),
    helps=(
        LOG_SERVING.now,
        UNREADY_FOR.now,
        RUNNING_FOR.now,
        TERMINATED_AGO.now,
        PROBE_SAID.now,
        GPU_UTIL.max("10m"),
        *failing_replicas.HELPS,
    ),
    limits={
        "unready": Limit(60, "seconds", "a minute: from then on its log is read"),
        "recent": Limit(3600, "seconds", "an hour: what ended before and runs since has recovered"),
        "loaded": Limit(300, "seconds", "five minutes: nothing loads, turns ready and is lost again in less"),
        **failing_replicas.LIMITS,
    },
    fires=fires,
    explains=(
        Explains("routing_skew"),
        Explains("gpu_idle_no_process"),
        # Workers that end at once and are started again leave the probes without an answer.
        Explains("event_loop_blocked"),
        # The exporter and the plugin are containers with GPUs too.
        Explains("exporter_down", Where.ON_THIS_NODE),
        Explains("device_plugin_missing", Where.ON_THIS_NODE),
        *SLOW,
        *FAILING,
    ),
    remedies=remedies,
    pages=("platform/gpu-operator-and-drivers",),
    owner="platform",
)
