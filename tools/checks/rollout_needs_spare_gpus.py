"""The next rollout needs GPUs that are not there.

## What it means
The strategy first adds a replica and takes none away before that is ready, and no node has as many GPUs free as a
replica needs, of those nodes that its selector, affinity and tolerations let it on.

## Why it hurts
The new pod stays Pending and the old version stays up: the release hangs, and nobody notices until the deadline
passes.

## What would rule it out
Free GPUs, an autoscaler that adds nodes in time, or a strategy that takes a replica away first.
"""

from math import inf

from tools.check import Applies, Because, Check, Limits, Now, On, because
from tools.rules import paste
from tools.signals import CLUSTER_LARGEST_BLOCK, GPU_REQUEST
from tools.vocabulary.admission import ROOM
from tools.vocabulary.manifests import ROLLOUT_DOWN, ROLLOUT_SURGE


def fires(now: Now, _limits: Limits) -> Because | None:
    """Fire where only a surge moves the rollout, and it has no room."""
    down = now[ROLLOUT_DOWN.now]
    surge = now[ROLLOUT_SURGE.now]
    if down.number > 0 or surge.number < 1:
        return None
    gpus = now.worst(GPU_REQUEST.now)
    if gpus.number < 1:
        return None
    # What is free elsewhere is of no use to a pod that may not run there.
    room = min((now[CLUSTER_LARGEST_BLOCK.now], now.get(ROOM.now)), key=lambda one: one.number if one else inf)
    if room is None or room.number >= gpus.number:
        return None
    return because(
        "A rollout adds {surge} of {gpus} before it removes one, and the most free on one node that takes it is {room}.",
        down,
        surge=surge,
        gpus=gpus,
        room=room,
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="medium",
    needs=(ROLLOUT_DOWN.now, ROLLOUT_SURGE.now, GPU_REQUEST.now, CLUSTER_LARGEST_BLOCK.now),
    helps=(ROOM.now,),
    fires=fires,
    remedies=paste(
        "Take one replica away first, at an hour when the others carry the load.",
        "spec: {strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 0, maxUnavailable: 1}}}",
        "kubectl rollout status ends without a Pending pod.",
        "kubernetes/rollouts-without-spare-gpus",
        "playbooks/delivery",
    ),
    pages=("kubernetes/rollouts-without-spare-gpus", "playbooks/delivery"),
    phase=1,
    owner="sre",
    rule=True,
    asked=(
        r"\b(?:next|would|will|could|can|if we|before we|tomorrow\w*|tonight\w*)\b[^.?!]{0,40}\b(?:rollout|roll|deploy\w*|updates?|upgrades?|release|surge)\b[^.?!]{0,80}\b(?:spare|free|enough|extra|room|additional|stuck|capacity|fit|pending)\b",
        r"\b(?:spare|free|enough|extra|room)\b[^.?!]{0,60}\bfor (?:a |the |our |its |the next |another )?(?:rollout|roll|deploy\w*|updates?|upgrades?|release|surge)\b|\bmax ?surge\b",
    ),
)
