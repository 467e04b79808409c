"""A container ends again and again, and Kubernetes waits longer before each new start.

## What it means
The kubelet restarts a container that ends and doubles the pause up to five minutes; one that lives for over ten minutes each time is
started at once, and never seen to wait. Why it ends is told by its exit code and by the
log of the container before. It may be an init container, and then the serving one has not started yet, or a sidecar: kubectl
names it (Init:CrashLoopBackOff), and `kubectl logs` needs `-c` for it. What engines need is looked at, too: a store of leases or an
endpoint picker that ends again and again takes the engines behind it down, or away from their requests.

## Why it hurts
The replica serves nothing, while its GPUs stay allocated to it.

## What would rule it out
Restarts that ended in a container that runs, or a single restart.
"""

from dataclasses import replace

from tools.check import Applies, Because, Check, Limit, Limits, Now, On, Unseen, because
from tools.crashes import needed, of_container
from tools.families import BROKEN, QUEUEING, named
from tools.finding import Remedy
from tools.reading import Reading, Subject
from tools.signals import (
    EXIT_CODE,
    LIVED_FOR,
    LOG_LAST_ERROR,
    RESTARTS,
    RUNNING_FOR,
    TERMINATED_AGO,
    TERMINATION,
    WAITING_REASON,
)
from tools.vocabulary.startup import LOG_UNREACHABLE, START_BLOCKED, TOLD_OF

# How Kubernetes calls the end of a container that was never started: nobody knows how long it lived.
_NEVER_RAN = frozenset({"StartError", "ContainerCannotRun"})
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
    """Fire when a replica waits in CrashLoopBackOff after more than one restart, or ends again and again without waiting."""
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
        if code is None:
            told = because(said, waiting, *also, restarts=restarts)
        else:
            told = because(said + "; it ended with exit code {code}", waiting, *also, restarts=restarts, code=code)
        return of_container(now, _with_error(now, told, waiting.subject), "restarts")
    return _again_and_again(now, limits)


def _with_error(now: Now, told: Because, pod: Subject) -> Because:
    """The same with the error in the program's own words: what to go by where no other check knows the line."""
    error = now.of(pod, LOG_LAST_ERROR.now)
    if error is None or not error.text:
        return replace(told, template=told.template + ".")
    said = told.template + "; the last error of its log: {error}"
    return replace(told, template=said, readings={**told.readings, "error": error})


def _again_and_again(now: Now, limits: Limits) -> Because | None:
    """Who lives longer than ten minutes is started at once each time and never waits: it has ended often, and has not outlived its last run."""
    unseen: Unseen | None = None
    for waiting in now.each(WAITING_REASON.now):
        try:
            told = _often(now, waiting, limits)
        except Unseen as why:
            unseen = unseen or why
            continue
        if told is not None:
            return told
    if unseen is not None:
        raise unseen
    return None


def _often(now: Now, waiting: Reading, limits: Limits) -> Because | None:
    if waiting.text:
        return None  # what waits does not run
    restarts = needed(now, waiting, RESTARTS.now)
    if restarts.number < limits["again"]:
        return None
    reason = needed(now, waiting, TERMINATION.now)
    if not reason.text or reason.text in _NEVER_RAN:
        return None
    code = needed(now, waiting, EXIT_CODE.now)
    if code.number == 0:
        return None
    ago = needed(now, waiting, TERMINATED_AGO.now)
    if ago.number > limits["lately"]:
        return None
    lived, runs = needed(now, waiting, LIVED_FOR.now), needed(now, waiting, RUNNING_FOR.now)
    if lived.number > limits["short"] or not 0 < runs.number <= lived.number:
        return None
    said = "{restarts_of} ends again and again: {restarts}, the last {ago} ago with exit code {code} after {lived}"
    told = because(said, reason, runs, restarts=restarts, ago=ago, code=code, lived=lived)
    return of_container(now, _with_error(now, told, waiting.subject), "restarts")


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
        RUNNING_FOR.now,
        LOG_UNREACHABLE.now,
    ),
    limits={
        "restarts": Limit(2, "restarts", "one restart may be chance"),
        "again": Limit(3, "restarts", "without a wait between them it takes one more to call it a habit"),
        "lately": Limit(3600, "seconds", "an hour: what ended before and runs since has recovered"),
        "short": Limit(3600, "seconds", "an hour: what lives longer is told by what ends it"),
    },
    fires=fires,
    explains=(*QUEUEING, *BROKEN, *named("gpu_held_by_not_ready_pod", "xid_application", "ttft_breach_prefill")),
    remedies=remedies,
    pages=("kubernetes/exit-codes-and-terminations",),
    owner="ml platform",
)
