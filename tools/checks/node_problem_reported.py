"""A GPU node's own watch reports a problem.

## What it means
An agent on the node (node-problem-detector, the EKS node monitoring agent, AKS's GPU checks and their like) has read the kernel's log
or asked the driver, and set a condition on the Node object: a GPU with an Xid, a read-only file system, a runtime that restarts.

## Why it hurts
What runs there fails or will, and the scheduler goes on placing pods, since such a condition bears no taint by itself.

## What would rule it out
A condition that has gone back, or that some minutes ago was set in passing.
"""

from tools.check import Because, Check, Explains, Limit, Limits, Now, On, Where, because
from tools.finding import Remedy
from tools.signals import NODE_GPUS
from tools.vocabulary.node_problems import NODE_PROBLEM, NODE_PROBLEM_FOR


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a node with GPUs has borne a bad condition for a while."""
    problem = now[NODE_PROBLEM.now]
    if not problem.text or not now[NODE_GPUS.now].number:
        return None
    lasts = now.get(NODE_PROBLEM_FOR.now)
    if lasts is None:
        return because("{problem_of} reports {problem}", now[NODE_GPUS.now], problem=problem)
    if lasts.number < limits["lasts"]:
        return None
    return because("{problem_of} has reported for {lasts}: {problem}", now[NODE_GPUS.now], problem=problem, lasts=lasts)


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Off the node, then mend it."""
    node = now.subject.name
    return (
        Remedy(
            f"Take the node out of scheduling (kubectl cordon {node}) and let its replicas start elsewhere before you mend it.",
            None,
            "The replicas are ready on other nodes.",
            ("playbooks/incident-gpu-fell-over", "gpu/xid-errors"),
        ),
        Remedy(
            "Do what the condition's message asks for: an Xid by the catalogue, a read-only or corrupt disk by replacing the machine, a runtime that"
            " restarts by its log.",
            None,
            "The condition goes back by itself, and stays for a day.",
            ("gpu/xid-errors",),
        ),
    )


CHECK = Check(
    on=(On.NODE,),
    severity="high",
    needs=(NODE_PROBLEM.now, NODE_GPUS.now),
    helps=(NODE_PROBLEM_FOR.now,),
    limits={"lasts": Limit(120, "seconds", "two minutes: agents take a condition back that was set in passing")},
    fires=fires,
    explains=(
        Explains("gpu_unhealthy_not_allocatable", Where.ON_THIS_NODE),
        Explains("pod_sandbox_failed", Where.ON_THIS_NODE),
        Explains("container_create_failed", Where.ON_THIS_NODE),
    ),
    remedies=remedies,
    pages=("playbooks/incident-gpu-fell-over", "gpu/xid-errors"),
    owner="platform",
)
