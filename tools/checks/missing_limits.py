"""The serving container asks for no CPU or no memory.

## What it means
The scheduler counts what is requested. A container without a request for CPU or memory is placed as if it needed none; where
only a limit is set, Kubernetes takes it for the request.

## Why it hurts
The node is filled beyond what it has. Then the kernel evicts or throttles the container that promised least, which is this one,
while its GPUs wait.

## What would rule it out
Requests, or limits, for both. The GPU stands in the limits alone, which is enough for it.
"""

from tools.check import Applies, Check, On
from tools.rules import advise, names
from tools.signals import MEM_WORKING_SET
from tools.vocabulary.manifests import REQUESTS_MISSING

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="medium",
    needs=(REQUESTS_MISSING.now,),
    helps=(MEM_WORKING_SET.now,),
    fires=names(REQUESTS_MISSING.now, "{found_of} is placed without a request for {found}.", MEM_WORKING_SET.now),
    remedies=advise(
        (
            "Request the CPU and the memory that the server uses at its peak: weights pass through memory while they "
            "load. Leave the CPU without a limit."
        ),
        "kubectl describe node shows the container's requests, and its QoS class is no longer BestEffort.",
        "kubernetes/cpu-limits-and-throttling",
        "kubernetes/host-memory-limits",
    ),
    pages=(
        "kubernetes/cpu-limits-and-throttling",
        "kubernetes/host-memory-limits",
    ),
    phase=1,
    owner="platform",
    rule=True,
    asked=(
        r"(?:cpu|memory|resource) (?:limits?|requests?)\b.{0,40}(?:missing|not set|unset|forgot)",
        r"(?:missing|without|no) (?:any )?(?:cpu |memory |resource )?(?:limits|requests)\b",
        "set aside",
        "best-?effort",
        r"\bqos\b",
        "(?:goes?|evicted|killed|thrown out) first",
        "no (?:claim|reservation)",
        r"\breserv\w+ .{0,40}(?:cpu|memory|core|host|node)",
    ),
)
