"""A pod stands behind a scheduling gate that nobody opens.

## What it means
The scheduler does not look at a pod as long as it bears a gate. Whoever set the gate (a queue such as Kueue, an operator that cuts GPUs
into instances, a quota controller) has not let the pod in: its share is used up, or the controller does not run.

## Why it hurts
The replica is missing while GPUs may stand free, and there is no event of the scheduler to read.

## What would rule it out
A pod that was gated a moment ago, or a job that is meant to wait for its turn.
"""

from tools.check import Because, Check, Limit, Limits, Now, On, because
from tools.families import UNPLACED
from tools.finding import Remedy
from tools.pending import PENDING, PENDING_S, PENDING_SOURCE
from tools.signals import REPLICAS_WANTED
from tools.vocabulary.admission import GATES, QUEUE_SAID


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a replica of what serves has been gated for a while."""
    gated = [gates for gates in now.each(GATES.now) if gates.text]
    # A job in a queue is where it belongs.
    if not gated or now.get(REPLICAS_WANTED.now) is None:
        return None
    for gates in gated:
        pending = now.of(gates.subject, PENDING)
        if pending is None:
            now[PENDING]  # raises: how long it waits cannot be seen
            continue
        if pending.number < limits["pending"]:
            continue
        said = now.of(gates.subject, QUEUE_SAID.now)
        if said is not None and said.text:
            return because(
                "{gates_of} has stood behind the gate {gates} for {pending}; its queue says: {said}",
                gates=gates,
                pending=pending,
                said=said,
            )
        return because("{gates_of} has stood behind the gate {gates} for {pending}.", gates=gates, pending=pending)
    return None


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Ask whoever holds the gate."""
    gates = now.get(GATES.now)
    if gates is not None and "kueue" in gates.text:
        first = (
            "See what the queue says: `kubectl describe workload` in the namespace, and `kubectl get clusterqueue` for quota used and pending workloads."
            " A serving workload that must not wait belongs in a queue with quota of its own, or above batch work in priority."
        )
    else:
        first = "Look at the controller that sets this gate: whether it runs, and what its log says of the pod. Only it may open the gate."
    return (
        Remedy(
            first,
            verify="The pod has no more scheduling gates, and the scheduler assigns it a node.",
            cites=("kubernetes/pending-gpu-pods",),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    severity="high",
    needs=(GATES.now, PENDING),
    helps=(QUEUE_SAID.now, REPLICAS_WANTED.now),
    limits={"pending": Limit(PENDING_S, "seconds", PENDING_SOURCE)},
    fires=fires,
    explains=UNPLACED,
    remedies=remedies,
    pages=("kubernetes/pending-gpu-pods",),
    owner="platform",
)
