"""Pods failed at the kubelet's door: the node could not give them what they were placed there for.

## What it means
The scheduler placed the pod, and the kubelet turned it away: the device plugin had not registered yet after a restart, the GPU had
been marked unhealthy, the free GPUs and CPUs lie on different NUMA nodes (TopologyAffinityError), or another pod had taken what was
left (OutOf...). Such pods stay behind as Failed.

## Why it hurts
The replica is missing until its controller makes another; where the reason lasts the next one fails too, one after another.

## What would rule it out
A failed pod with another reason (Evicted, NodeLost), or one that failed days ago. Where all replicas that are wanted are ready since, the
failed pods are left over and nothing is wrong.
"""

import re

from tools.check import Because, Check, Limit, Limits, Now, On, because, counted
from tools.finding import Remedy
from tools.signals import POD_AGE, REPLICAS_READY, REPLICAS_WANTED
from tools.vocabulary.autoscaling import FAILED_REASON
from tools.vocabulary.startup import FAILED_AGO

# The kubelet's reasons at admission (lifecycle predicates, device manager, topology manager, CPU manager, shutdown manager); of late each of its
# messages begins in the same way. What it turns away for want of memory or disk it calls evicted, which is another matter.
_TURNED_AWAY = re.compile(
    r"(?!Evicted:)(?:(?:UnexpectedAdmissionError|TopologyAffinityError|SMTAlignmentError|OutOf[\w./-]{1,80}"
    r"|NodeAffinity|NodePorts|NodeName|TaintToleration|NodeShutdown|InvalidNodeInfo)(?::|$)"
    r"|[\w./-]{1,100}: Pod (?:Pod )?was rejected\b)"
)

_NOT_NAMED = "^(?!.*admission)"


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when the kubelet turned pods of the last day away."""
    failed = []
    for reason in now.each(FAILED_REASON.now):
        if not _TURNED_AWAY.match(reason.text):
            continue
        age, failed_ago = now.of(reason.subject, POD_AGE.now), now.of(reason.subject, FAILED_AGO.now)
        if age is None:
            now[POD_AGE.now]  # raises: whether it is old cannot be seen
            continue
        # One that ran for weeks is admitted anew when its kubelet starts again.
        if failed_ago is not None and failed_ago.number < age.number:
            age = failed_ago
        if age.number <= limits["recent"]:
            failed.append((reason, age))
    if not failed:
        return None
    reason, age = min(failed, key=lambda one: one[1].number)
    count = counted([one for one, _ in failed], "Pods failed for lack of what they asked for", "pods", now.subject)
    said = "{count} failed at admission, the last one {age} ago: {reason}"
    wanted, ready = now.get(REPLICAS_WANTED.now), now.get(REPLICAS_READY.now)
    if wanted is not None and ready is not None and ready.number >= max(1.0, wanted.number):
        # Others took their places: what lies there is litter, and red.
        said += ". All {wanted} that are wanted are ready since: nothing is missing."
        return because(said, ready, count=count, age=age, reason=reason, wanted=wanted, severity="info")
    return because(said, count=count, age=age, reason=reason)


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Clear the failed pods once the devices are back."""
    if any("Topology" in one.text for one in now.each(FAILED_REASON.now)):
        return (
            Remedy(
                "No NUMA node of that machine has as many free GPUs and CPUs as the pod asks for: move the small pods that use a GPU of each half, or"
                " set the kubelet's topologyManagerPolicy to best-effort on this pool.",
                verify="The next pod of the workload is admitted.",
                cites=("kubernetes/pending-gpu-pods",),
            ),
            Remedy(
                "Scale the workload down to what fits meanwhile: the scheduler knows nothing of NUMA nodes, and its controller makes failed pods"
                " without an end. Then delete those that lie there.",
                verify="No new pod of the workload is Failed.",
                cites=("kubernetes/pending-gpu-pods",),
            ),
        )
    return (
        Remedy(
            "Look at the node's GPUs first: `kubectl get node NODE -o jsonpath={.status.allocatable}` must show nvidia.com/gpu. If it is short, see the"
            " device plugin's log for a GPU that it marked unhealthy.",
            verify="The node's allocatable GPUs equal its capacity.",
            cites=("gpu/xid-errors", "kubernetes/pending-gpu-pods"),
        ),
        Remedy(
            "Then delete the failed pods; their controller makes new ones.",
            verify="No pod of the workload is Failed.",
            cites=("kubernetes/pending-gpu-pods",),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    severity="medium",
    needs=(FAILED_REASON.now, POD_AGE.now),
    helps=(FAILED_AGO.now, REPLICAS_WANTED.now, REPLICAS_READY.now),
    limits={"recent": Limit(86_400, "seconds", "a day: failed pods may lie around for weeks")},
    fires=fires,
    # All that are wanted may be there since: who asks about those that lie around asks about them.
    asked=(
        r"\b(?:pods?|corpses|left ?overs?)\b.{0,200}\bwhat (?:were|are) (?:they|those|these|all of them)\s*\?",
        r"\bwhat (?:were|are) (?:all )?(?:those|these)(?: [\w-]+){0,3} (?:pods?|corpses|left ?overs?)\s*\?",
        # Dead ones that somebody wants to be rid of.
        rf"{_NOT_NAMED}.*\b(?:dead|failed|broken|red|evicted|terminated) (?:[\w-]+ ){{0,3}}pods?\b.*\b(?:throw|delete|remove|get rid of|clean|clear|bin|purge)\b",
        # Red in what kubectl shows, or more of them than were asked for. Who names the error knows what they are, and asks about something else.
        rf"{_NOT_NAMED}.*\bpods?\b[^?]{{0,160}}\bred\b",
        rf"{_NOT_NAMED}.*\bred\b[^?]{{0,160}}\bpods?\b",
        rf"{_NOT_NAMED}.*\bpods? (?:although|though|but|while|where|when) (?:we|i|you|they|it|only)\b[^?]{{0,30}}\b(?:ask\w*|want\w*|set|need\w*|configured)\b",
    ),
    remedies=remedies,
    pages=("kubernetes/pending-gpu-pods", "gpu/xid-errors"),
    owner="platform",
)
