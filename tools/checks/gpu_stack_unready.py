"""Part of the GPU stack is not ready on a node.

## What it means
A DaemonSet pod of the GPU software (driver, toolkit, device plugin or DRA driver, discovery, MIG manager, validator,
exporter) on this node is not ready. Where one of its containers does not get on, it is named: the validator's init
containers (driver-validation, toolkit-validation, cuda-validation, plugin-validation) are named after what they miss.

## Why it hurts
Without the plugin no GPU is given out, without the driver none works, without the exporter nobody sees it.

## What would rule it out
A node that has just joined: the stack takes some minutes.
"""

import re
from dataclasses import replace

from tools.asked import asking
from tools.check import Because, Check, Explains, Limits, Now, On, Where
from tools.rules import advise, names
from tools.vocabulary.readiness import STACK_UNREADY

# Where the driver or the toolkit does not come up, the operator lets no plugin onto the node. A plugin that is there and fails is its own cause.
_BENEATH = re.compile(r"^(?!.*plugin)[\w-]*(?:driver|toolkit)")
_ABOVE = (Explains("device_plugin_missing", Where.ON_THIS_NODE),)
_named = names(STACK_UNREADY.now, "Not ready on {found_of}: {found}.")


def fires(now: Now, limits: Limits) -> Because | None:
    """Name the pods of the stack that are not ready; what stands above the first of them follows from it."""
    found = _named(now, limits)
    if found is None:
        return None
    return replace(found, explains=_ABOVE if _BENEATH.search(now[STACK_UNREADY.now].text) else ())


CHECK = Check(
    on=(On.NODE,),
    severity="high",
    needs=(STACK_UNREADY.now,),
    fires=fires,
    explains=_ABOVE,
    remedies=advise(
        "Read the log of the pod that comes first in the order driver, toolkit, plugin: the later ones wait for it.",
        "Every pod of the GPU stack on the node is ready, and allocatable nvidia.com/gpu equals capacity.",
        "platform/gpu-operator-and-drivers",
        "production-readiness/gpu-nodes",
    ),
    pages=(
        "platform/gpu-operator-and-drivers",
        "production-readiness/gpu-nodes",
    ),
    phase=1,
    owner="platform",
    rule=True,
    asked=(
        *asking(
            r"\b(?:gpu[- ]operator|gpu (?:stack|software)|operands?)\b[^.?!]{0,60}\b(?:ready|healthy|complete|fine|ok|everywhere|all nodes)\b",
            40,
        ),
    ),
)
