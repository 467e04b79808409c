"""A limit of the operating system is reached: open files, threads, processes or locked memory.

## What it means
The container runtime, the kubelet or the image sets how many files a process may open, how many tasks a pod may have and how much memory
may be locked. Large models open many shards and sockets, libraries start a thread for each core of the node, and RDMA locks memory.

## Why it hurts
A start ends at it; a server that runs refuses new connections, fails requests, or dies when it wants one thread more.

## What would rule it out
The same line once, in a server that goes on without failures.
"""

import re

from tools import failing_replicas
from tools.check import Applies, Because, Check, Limit, Limits, Now, On, because
from tools.crashes import log_line, of_container, recent
from tools.failed_starts import DECISIVE, HELPS, LIMITS, needs, standing, told
from tools.families import FAILING, QUEUEING, named
from tools.finding import Change, Remedy
from tools.signals import CPU_LIMIT, LOG_SERVING, POD_READY, RESTARTS
from tools.vocabulary.refused_starts import LOG_OS_LIMITS
from tools.vocabulary.turned import UNREADY_FOR

_FILES = re.compile(r"[Ee]rrno 24|[Tt]oo many open files")
_LOCKED = re.compile(r"max locked memory|ulimit -l")
_CURRENT = re.compile(r"\(current: (\d{1,12} \w{1,8})\)")
_OF = re.compile(r"for thread \d{1,5} of (\d{1,5})")
_CITES = ("kubernetes/system-limits-and-ports",)


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a replica ended lately with such a line, whether or not it had served, runs unready over it, or is ready and fails its requests."""
    for crash in recent(now, limits["recent"]):
        line = log_line(now, crash, LOG_OS_LIMITS)
        if not line.text or crash.reason.text == "OOMKilled" or failing_replicas.told_by(now, line.subject, DECISIVE):
            continue
        served = log_line(now, crash, LOG_SERVING)
        said = "{code_of} ended with exit code {code} {ago} ago"
        said += " after it had served" if served.text else " before it served anything"
        also = (crash.reason, now.get(RESTARTS.now), served)
        return of_container(
            now, because(f"{said}; its log says: {{line}}", *also, code=crash.code, ago=crash.ago, line=line)
        )
    return (
        standing(now, limits["standing"], LOG_OS_LIMITS, DECISIVE)
        or _deaf(now, limits)
        or failing_replicas.said_while_ready(now, limits["errors"], LOG_OS_LIMITS, failing_replicas.BREAKING)
    )


def _deaf(now: Now, limits: Limits) -> Because | None:
    """Because a server that was ready has not been for a while, runs on, and says so: it cannot take a connection, the probe's included."""
    for ready in now.each(POD_READY.now) if now.get(POD_READY.now) is not None else ():
        line, lost = now.of(ready.subject, LOG_OS_LIMITS.now), now.of(ready.subject, UNREADY_FOR.now)
        if ready.number or line is None or not line.text or lost is None or lost.number < limits["deaf"]:
            continue
        return because("{line_of} has not been ready for {lost}; its log says: {line}", ready, lost=lost, line=line)
    return None


def remedies(now: Now, _limits: Limits) -> tuple[Remedy, ...]:
    """By which limit it is."""
    line = told(now, LOG_OS_LIMITS)
    current, threads, cores = _CURRENT.search(line), _OF.search(line), now.get(CPU_LIMIT.now)
    if _LOCKED.search(line):
        return (
            Remedy(
                "RDMA has to lock the memory that it registers: give the container the capability, and its runtime no limit (LimitMEMLOCK=infinity"
                " for containerd).",
                Change(
                    "securityContext.capabilities.add",
                    f"locked memory: {current[1]}" if current else "not set",
                    "IPC_LOCK",
                ),
                "ulimit -l in the container says unlimited, and the transfer registers its memory.",
                (*_CITES, "hardware/rdma-in-kubernetes"),
            ),
        )
    if _FILES.search(line):
        return (
            Remedy(
                "Raise the limit of open files (kubectl exec POD -- sh -c 'ulimit -Sn; ulimit -Hn' shows it): sh -c 'ulimit -n 65536 && exec ...' as the"
                " command where the hard limit allows it, else LimitNOFILE of the node's containerd.",
                None,
                "The process stays well below the limit (ls /proc/1/fd | wc -l) over a day.",
                _CITES,
            ),
            Remedy(
                "If the number of open files only grows, it is a leak: see whether they are sockets to clients that never close, or files under"
                " /dev/shm, and update the engine.",
                None,
                "The number of open files follows the number of open requests.",
                _CITES,
            ),
        )
    fewer = f"{max(1.0, cores.number):.0f}" if cores is not None and cores.number else "8"
    return (
        Remedy(
            "Libraries start a thread for each core of the node, not of the pod: bound them.",
            Change(
                "env OMP_NUM_THREADS and OPENBLAS_NUM_THREADS",
                f"not set ({threads[1]} threads)" if threads else "not set",
                fewer,
            ),
            "The engine starts, and the pod's count of tasks (pids.current of its cgroup) stays below pids.max.",
            _CITES,
        ),
        Remedy(
            "If the pod's limit of tasks is low (podPidsLimit of the kubelet, often 1024 to 4096), raise it on GPU nodes.",
            None,
            "pids.max in the container's cgroup shows the new limit.",
            _CITES,
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.NEEDED,
    severity="critical",
    needs=needs(LOG_OS_LIMITS),
    helps=(
        *HELPS,
        *(signal.now for signal in DECISIVE),
        CPU_LIMIT.now,
        UNREADY_FOR.now,
        *failing_replicas.HELPS,
        *(signal.now for signal in failing_replicas.BREAKING),
    ),
    limits={
        **LIMITS,
        **failing_replicas.LIMITS,
        "deaf": Limit(
            90, "seconds", "nine probes of ten seconds: one or two that fail in a burst are no standing trouble"
        ),
    },
    fires=fires,
    # What needs one file, thread or locked page more fails in its own words.
    explains=(
        *QUEUEING,
        *FAILING,
        *named(
            "nccl_init_failure",
            "model_download_failure",
            "build_tools_missing",
            "unsupported_model",
            "engine_config_refused",
            "pd_disaggregation_transfer",
            "readiness_never_true",
            "event_loop_blocked",
        ),
    ),
    remedies=remedies,
    pages=("kubernetes/system-limits-and-ports",),
    owner="platform",
)
