"""A rollout may take every replica down at once.

## What it means
The strategy allows as many replicas to be unavailable as there are.

## Why it hurts
Each release is an outage as long as a cold start: minutes of image, weights and graphs.

## What would rule it out
A strategy that leaves replicas up, or a service that may be away during releases.
"""

from tools.check import Applies, Because, Check, Limits, Now, On, because
from tools.rules import paste
from tools.signals import REPLICAS_WANTED
from tools.vocabulary.manifests import ROLLOUT, ROLLOUT_DOWN


def fires(now: Now, _limits: Limits) -> Because | None:
    """Fire where several replicas may all be down."""
    down = now[ROLLOUT_DOWN.now]
    wanted = now[REPLICAS_WANTED.now]
    if wanted.number < 2 or down.number < wanted.number:
        return None
    return because("A rollout may take down {down} of {wanted}.", now.get(ROLLOUT.now), down=down, wanted=wanted)


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="medium",
    needs=(ROLLOUT_DOWN.now, REPLICAS_WANTED.now),
    helps=(ROLLOUT.now,),
    fires=fires,
    remedies=paste(
        "Replace one replica at a time. Where no GPU is spare, none may come on top.",
        "spec: {strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 0, maxUnavailable: 1}}}",
        "During the next release the ready replicas never fall by more than one.",
        "kubernetes/rollouts-without-spare-gpus",
        "playbooks/delivery",
    ),
    pages=("kubernetes/rollouts-without-spare-gpus", "playbooks/delivery"),
    phase=1,
    owner="sre",
    rule=True,
    asked=(
        r"\b(?:each|every|during|while|would|will|could|next|any|the) (?:[\w-]+ ){0,3}?(?:rollout|deploy\w*|updates?|upgrades?|release|recreate)\b[^.?!]{0,80}\b(?:down ?time|at once|whole service|nobody (?:answers|left)|gap|dark|interrupt\w*)\b",
        r"\bmax ?unavailable\b|\bzero[- ]downtime\b|\bwithout (?:any )?(?:downtime|interruption|a gap)\b",
    ),
)
