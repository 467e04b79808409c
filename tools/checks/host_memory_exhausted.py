"""The host has no memory for what a process asks of it.

## What it means
An allocation in the host's memory failed (not in the GPU's): for weights that are read, buffers that are pinned for transfers, a cache that is
offloaded to the CPU, or huge pages that nobody reserved. Nobody was killed: the process was told no, and ended itself or failed the request.

## Why it hurts
A start ends where weights or caches are placed, again and again; a server that runs loses the process that asked.

## What would rule it out
The reason OOMKilled (then the kernel ended it at its limit), or a line that tells of the GPU's memory.
"""

import re

from tools.check import Applies, Check, Limits, Now, On
from tools.ended_with import LIMITS, ended_with, helps, needs
from tools.failed_starts import DECISIVE, told
from tools.families import FAILING, QUEUEING, named
from tools.finding import Change, Remedy
from tools.signals import MEM_WORKING_SET, MEMORY_LIMIT, SHM_SIZE
from tools.vocabulary.host_faults import LOG_HOST_MEMORY

GIB = 2.0**30
_CITES = ("kubernetes/host-memory-limits", "gpu/out-of-memory-kinds")
_ASKED = re.compile(r"(?:allocate|mmap|allocation of) (\d{6,20}) bytes")
# What was asked for by a setting, and the setting.
_BY_SETTING = (
    (re.compile(r"[Ss]wap space"), "--swap-space", "systems/vllm"),
    (
        re.compile(r"hierarchical cache|device memory with the current protocol"),
        "--hicache-size or --hicache-ratio",
        "systems/sglang-operations",
    ),
    (re.compile(r"huge pages|LMCache|lmcache"), "LMCACHE_MAX_LOCAL_CPU_SIZE", "systems/kv-offload-and-lmcache"),
    (re.compile(r"[Oo]ffload"), "--cpu-offload-gb or the size of the KV offload", "systems/kv-offload-and-lmcache"),
)
_WORKING = MEM_WORKING_SET.max("1h")


def remedies(now: Now, _limits: Limits) -> tuple[Remedy, ...]:
    """Ask for less where a setting asks for it; else give the pod, or the node, more."""
    line = told(now, LOG_HOST_MEMORY)
    cap, shm, working = now.get(MEMORY_LIMIT.now), now.get(SHM_SIZE.now), now.get(_WORKING)
    found = []
    for pattern, setting, page in _BY_SETTING:
        if pattern.search(line):
            what = f"A setting asks for more memory than the host has ({setting}): lower it, for each rank of the node has its own."
            found.append(
                Remedy(
                    what, Change(setting, "as set", "what the node has free, divided by its ranks"), _VERIFY, (page,)
                )
            )
            break
    asked = _ASKED.search(line)
    wanted = float(asked[1]) if asked else 0.0
    if cap is not None and cap.number < float("inf"):
        target = max(cap.number * 1.5, cap.number + wanted + 8 * GIB)
        change = Change("resources.limits.memory", f"{cap.number / GIB:g}Gi", f"{-(-target // GIB):.0f}Gi")
        found.append(
            Remedy(
                "Raise the pod's memory, request and limit alike, so that its node keeps it free.",
                change,
                _VERIFY,
                _CITES,
            )
        )
    else:
        used = f" (it used {working.number / GIB:.0f} GiB)" if working is not None else ""
        found.append(
            Remedy(
                f"The pod has no limit of memory: its node has none left{used}. Request what a load needs, and see who else is on the node"
                " (kubectl top pod -A; free -g on the node; vm.overcommit_memory and reserved huge pages).",
                Change("resources.requests.memory", "not set", "what a load needs, and 8 GiB"),
                _VERIFY,
                _CITES,
            )
        )
    if shm is not None and GIB < shm.number < float("inf"):
        found.append(
            Remedy(
                "Count the memory-backed /dev/shm in: what is written there is memory of the pod.",
                None,
                "Limit minus /dev/shm still holds the working set.",
                ("kubernetes/shared-memory",),
            )
        )
    return tuple(found)


_VERIFY = "The replica loads, turns ready, and its working set stays below 90 % of the limit."
CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.NEEDED,
    severity="critical",
    needs=needs(LOG_HOST_MEMORY),
    helps=helps(DECISIVE, MEMORY_LIMIT.now, SHM_SIZE.now, _WORKING),
    limits=LIMITS,
    fires=ended_with(LOG_HOST_MEMORY, unless=DECISIVE, helps=(MEMORY_LIMIT.now, _WORKING)),
    explains=(
        *QUEUEING,
        *FAILING,
        *named(
            "native_crash",
            "engine_config_refused",
            "unsupported_model",
            "os_limits_reached",
            "pd_disaggregation_transfer",
        ),
    ),
    remedies=remedies,
    pages=_CITES,
    owner="ml platform",
)
