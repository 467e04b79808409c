"""A container ends again and again, and Kubernetes waits longer before each new start.

## What it means
The kubelet restarts a container that ends and doubles the pause up to five minutes. Why it ends is told by its exit code and by the
log of the container before. It may be an init container, and then the serving one has not started yet, or a sidecar: kubectl
names it (Init:CrashLoopBackOff), and `kubectl logs` needs `-c` for it. What engines need is looked at, too: a store of leases or an
endpoint picker that ends again and again takes the engines behind it down, or away from their requests.

## Why it hurts
The replica serves nothing, while its GPUs stay allocated to it.

## What would rule it out
Restarts that ended in a container that runs, or a single restart.
"""

from tools.check import Applies, Because, Check, Limit, Limits, Now, On, because
from tools.crashes import needed, of_container
from tools.families import BROKEN, QUEUEING, named
from tools.finding import Remedy
from tools.signals import EXIT_CODE, LIVED_FOR, LOG_LAST_ERROR, RESTARTS, TERMINATED_AGO, TERMINATION, WAITING_REASON
from tools.vocabulary.startup import LOG_UNREACHABLE, START_BLOCKED, TOLD_OF

_CODES = {
    0: "It ended without an error: a server that returns has lost its main process or was given a one-off command.",
    2: "Exit code 2 is usually an argument that the engine does not know: read the last lines of the log.",
    126: "The command cannot be executed: check command and file mode in the image.",
    127: "The command is not in the image: check command and entrypoint.",
    132: "The processor lacks an instruction that the binary uses: take a build for this machine type.",
    134: "The process aborted itself: a failed assertion in native code, often NCCL or CUDA; read the lines above.",
    135: "A bus error: mostly /dev/shm that is full.",
    137: "The container was killed: by a probe, an eviction or the kernel's memory limit.",
    139: "A segmentation fault in native code: look for a mismatch of driver, CUDA and engine.",
    143: "The container was asked to end: by a probe or by hand.",
}


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a replica waits in CrashLoopBackOff after more than one restart."""
    for waiting in now.each(WAITING_REASON.now):
        if waiting.text != "CrashLoopBackOff":
            continue
        restarts = needed(now, waiting, RESTARTS.now)
        if restarts.number < limits["restarts"]:
            continue
        code = now.of(waiting.subject, EXIT_CODE.now)
        also = tuple(
            now.of(waiting.subject, ask)
            for ask in (TERMINATION.now, TERMINATED_AGO.now, LIVED_FOR.now, START_BLOCKED.now, LOG_UNREACHABLE.now)
        )
        said = "{restarts_of} is in a crash loop after {restarts}"
        told = {"restarts": restarts}
        if code is not None:
            told["code"] = code
            said += "; it ended with exit code {code}"
        # The error in the program's own words: what to go by where no other check knows the line.
        error = now.of(waiting.subject, LOG_LAST_ERROR.now)
        if error is not None and error.text:
            told["error"] = error
            said += "; the last error of its log: {error}"
        else:
            said += "."
        return of_container(now, because(said, waiting, *also, **told), "restarts")
    return None


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Read why, by exit code."""
    code, part = now.get(EXIT_CODE.now), now.get(TOLD_OF.now)
    whom = f" -c {part.text.rpartition(' ')[2]}" if part is not None and part.text else ""
    said = _CODES.get(int(code.number), "") if code is not None else ""
    return (
        Remedy(
            f"Read the log of the container before: kubectl logs POD{whom} --previous -n {now.subject.namespace}. {said}".strip(),
            None,
            "The container has run for longer than twice its usual load time without a restart.",
            ("kubernetes/exit-codes-and-terminations",),
        ),
        Remedy(
            "If it began with a rollout, roll back first and look afterwards.",
            None,
            "The replicas of the former revision are ready.",
            ("kubernetes/rollouts-without-spare-gpus",),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.NEEDED,
    severity="critical",
    needs=(WAITING_REASON.now, RESTARTS.now),
    helps=(
        EXIT_CODE.now,
        TERMINATION.now,
        TERMINATED_AGO.now,
        LIVED_FOR.now,
        START_BLOCKED.now,
        TOLD_OF.now,
        LOG_LAST_ERROR.now,
        LOG_UNREACHABLE.now,
    ),
    limits={"restarts": Limit(2, "restarts", "one restart may be chance")},
    fires=fires,
    explains=(*QUEUEING, *BROKEN, *named("gpu_held_by_not_ready_pod", "xid_application")),
    remedies=remedies,
    pages=("kubernetes/exit-codes-and-terminations",),
    owner="ml platform",
)
