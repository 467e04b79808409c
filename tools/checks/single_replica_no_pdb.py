"""One failure or one drained node takes the service away.

## What it means
The workload has a single replica, or several without a disruption budget, so that nothing keeps a drain from taking all at once.

## Why it hurts
Loading a model takes minutes, and for as long nobody is served: at each node upgrade, spot reclaim or crash.

## What would rule it out
Two replicas or more on different nodes with a budget of at most one unavailable, or a declared standby.
"""

from tools.check import Applies, Because, Check, Limits, Now, On, because
from tools.finding import Remedy
from tools.rules import NONE
from tools.signals import REPLICAS_WANTED, STANDBY
from tools.vocabulary.manifests import AUTOSCALER, BUDGET, SPREAD


def fires(now: Now, _limits: Limits) -> Because | None:
    """Fire for a single replica, or for several without a budget."""
    wanted = now[REPLICAS_WANTED.now]
    standby = now.get(STANDBY.now)
    if wanted.number < 1 or (standby is not None and standby.number >= 1):
        return None
    if wanted.number == 1:
        return because("{wanted_of} runs {wanted}.", now.get(BUDGET.now), now.get(AUTOSCALER.now), wanted=wanted)
    budget = now[BUDGET.now]
    if budget.value != NONE:
        return None
    return because(
        "{wanted_of} runs {wanted} and no disruption budget covers them.",
        budget,
        now.get(SPREAD.now),
        wanted=wanted,
        severity="low",
    )


def remedies(now: Now, _limits: Limits) -> tuple[Remedy, ...]:
    wanted = now.get(REPLICAS_WANTED.now)
    verify = "A drain of one node leaves a ready replica, and the budget shows one disruption allowed."
    cites = ("kubernetes/rollouts-without-spare-gpus", "platform/kubernetes-deployment-for-vllm")
    budget = Remedy("Make a PodDisruptionBudget with maxUnavailable: 1 that selects the pods.", None, verify, cites)
    if wanted is None or wanted.number > 1:
        return (budget,)
    return (
        Remedy(
            "Run a second replica on another node, or say in writing that minutes without service are accepted. A budget on a single"
            " replica would only block drains.",
            None,
            verify,
            cites,
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="medium",
    needs=(REPLICAS_WANTED.now, BUDGET.now),
    helps=(STANDBY.now, AUTOSCALER.now, SPREAD.now),
    fires=fires,
    remedies=remedies,
    pages=("platform/kubernetes-deployment-for-vllm",),
    phase=1,
    owner="platform",
    rule=True,
    asked=(
        r"\bpdbs?\b",
        "disruption ?budget",
        "single point of failure",
        "(?:survive|lose|losing) .{0,30}(?:drain|node|maintenance|upgrade)",
        r"(?:drain|node upgrade|maintenance) .{0,60}(?:safe\b|outage|take .{0,20}down|downtime)",
        r"^(?=.*\b(?:machine|node|host|box|drain|patch|maintenance|reboot)).*\b(?:will|would|does|can) (?:it|that|this|ours?|we|\w+) .{0,60}\b(?:again|survive|next time|stay up|go (?:dark|down))",
    ),
)
