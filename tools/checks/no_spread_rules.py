"""Nothing keeps the replicas apart.

## What it means
The workload wants several replicas, and its pods have neither anti-affinity nor topology spread constraints.

## Why it hurts
The scheduler may put them all on one node or into one zone, where a single fault takes the service away.

## What would rule it out
Rules that spread them, or a cluster-wide default for topology spread.
"""

from tools.check import Applies, Because, Check, Limits, Now, On, because
from tools.rules import NONE, paste
from tools.signals import REPLICAS_WANTED
from tools.vocabulary.manifests import SPREAD


def fires(now: Now, _limits: Limits) -> Because | None:
    """Fire on two or more replicas without a rule."""
    wanted = now[REPLICAS_WANTED.now]
    if wanted.number < 2:
        return None
    loose = [one for one in now.each(SPREAD.now) if one.value == NONE]
    if not loose:
        return None
    return because("{wanted} are wanted, and no rule keeps them apart.", loose[0], wanted=wanted)


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="low",
    needs=(REPLICAS_WANTED.now, SPREAD.now),
    fires=fires,
    remedies=paste(
        "Spread the replicas over nodes, and over zones where the weights allow it.",
        "topologySpreadConstraints: [{maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: ScheduleAnyway, labelSelector: {matchLabels: {app: NAME}}}]",
        "kubectl get pods -o wide shows the replicas on different nodes.",
        "production-readiness/manifests",
        "playbooks/deployment-architecture",
    ),
    pages=("production-readiness/manifests", "playbooks/deployment-architecture"),
    phase=1,
    owner="platform",
    rule=True,
    asked=(
        "topology ?spread",
        "anti-?affinity",
        "(?:all|both) (?:replicas|pods) .{0,30}(?:same|one) (?:node|zone|rack|machine|host)",
    ),
)
