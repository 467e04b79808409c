"""The node has GPUs, and Kubernetes sees none of them.

## What it means
The kubelet knows a GPU only through the device plugin. On this node the plugin does not run, crashes, or has found nothing to
register, because the driver or the container toolkit beneath it is missing. One that was started anew and finds nothing goes on running:
its log alone tells that from GPUs that it found unhealthy and withdrew.

## Why it hurts
The machine is paid for and holds no GPU pod: what waits for a GPU goes on waiting, with a message that only says that GPUs are
insufficient.

## What would rule it out
A node that gives GPUs, instances or shares of them; one that is cordoned or joined a short while ago; one whose GPUs are passed
through to virtual machines or handed out by a DRA driver. A plugin that runs while its GPUs are withdrawn has found them unhealthy.
"""

from tools.check import Because, Check, Explains, Limit, Limits, Now, On, Where, because
from tools.crashes import needed
from tools.finding import Remedy
from tools.reading import Reading
from tools.rules import NONE
from tools.signals import NODE_GPUS, NODE_READY
from tools.vocabulary.gpu_software import (
    LOG_NO_DEVICES,
    NODE_CORDONED,
    NODE_DEVICES_GIVEN,
    NODE_GPUS_PROMISED,
    NODE_PLUGIN,
    NODE_SETTLED_FOR,
    POD_FAILING,
    RUNS_FOR_NOTHING,
)

GIVEN = NODE_DEVICES_GIVEN.now
HAS = NODE_GPUS.now
PROMISED = NODE_GPUS_PROMISED.now
READY = NODE_READY.now
CORDONED = NODE_CORDONED.now
SETTLED = NODE_SETTLED_FOR.now
PLUGIN = NODE_PLUGIN.now


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a ready node that should have GPUs has given none for a while, and no plugin withdrew them."""
    given = now[GIVEN]
    if given.number:
        return None
    has, promised = now[HAS], now[PROMISED]
    if has.number < 1 and promised.number < 1:
        return None
    if not now[READY].number or now[CORDONED].number or now[SETTLED].number < limits["settled"]:
        return None
    plugin = now[PLUGIN]
    if has.number and not plugin.text:
        # Mostly it has found its GPUs unhealthy and withdrawn them. One that was started anew and found none says so.
        return _found_none(now, has)
    if not has.number:
        said, should = "By its labels the node has {should} at least and gives none", promised
    else:
        said, should = "The node had {should} and gives none", has
    if plugin.value == NONE:
        return because(f"{said}; no device plugin is seen on it.", given, plugin, should=should)
    if not plugin.text:
        return because(f"{said}, although a device plugin runs on it.", given, should=should)
    return because(f"{said}; its device plugin does not run ({{plugin}}).", given, should=should, plugin=plugin)


def _found_none(now: Now, has: Reading) -> Because | None:
    for failing in now.each(POD_FAILING.now) if now.get(POD_FAILING.now) is not None else ():
        if failing.text != RUNS_FOR_NOTHING:
            continue
        line = needed(now, failing, LOG_NO_DEVICES.now)
        if line.text:
            said = "The node had {has} and gives none; its device plugin runs, and its log says: {line}"
            return because(said, failing, has=has, line=line)
    return None


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Up the chain: driver, toolkit, plugin."""
    node = now.subject.name
    plugin = now.get(PLUGIN)
    if plugin is not None and plugin.value == NONE:
        first = (
            f"See why the plugin's DaemonSet places no pod on {node}: its node selector against the node's labels, and its tolerations"
            " against the node's taints."
        )
    else:
        first = f"Read the log of the device plugin's pod on {node}: it names the link that failed (driver, NVML library, runtime)."
    verify = f"kubectl get node {node} shows nvidia.com/gpu under allocatable."
    return (
        Remedy(first, None, verify, ("platform/gpu-operator-and-drivers",)),
        Remedy(
            "Check the chain from below: nvidia-smi on the node, then the container toolkit (a pod with runtimeClassName nvidia), then the"
            " plugin. The plugin's own 'No devices found' is mostly a runtime that is not NVIDIA's.",
            None,
            verify,
            ("platform/gpu-operator-and-drivers", "kubernetes/pending-gpu-pods"),
        ),
    )


CHECK = Check(
    on=(On.NODE,),
    severity="high",
    needs=(GIVEN, HAS, PROMISED, READY, CORDONED, SETTLED, PLUGIN),
    helps=(POD_FAILING.now, LOG_NO_DEVICES.now),
    limits={
        "settled": Limit(
            1800, "seconds", "half an hour, as the GPU Operator's own alert waits: a driver may be built meanwhile"
        )
    },
    fires=fires,
    explains=(
        Explains("gpu_unhealthy_not_allocatable", Where.ON_THIS_NODE),
        # Without driver or toolkit the exporter has nothing to read either.
        Explains("exporter_down", Where.ON_THIS_NODE),
        Explains("pending_insufficient_gpu", Where.IN_CLUSTER),
        # Its selector leads there alone: the scheduler counts the other nodes first.
        Explains("pending_node_selector", Where.IN_CLUSTER),
        Explains("unexpected_admission_error", Where.IN_CLUSTER),
    ),
    remedies=remedies,
    pages=("platform/gpu-operator-and-drivers", "kubernetes/pending-gpu-pods"),
    owner="platform",
)
