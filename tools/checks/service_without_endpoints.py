"""The Service that should lead to the workload selects nobody.

## What it means
Its selector asks for a label that the pods do not have (mostly since a change of labels or of a chart), so it has no endpoints. The pods are
ready and nobody reaches them: callers get a refused connection, or 503 with no healthy upstream.

## Why it hurts
All requests through the Service fail while everything is green, and the GPUs are idle.

## What would rule it out
Requests that arrive all the same (a router that finds the pods by itself), another Service that selects the pods, or a Service that is meant
for pods that are not there yet.
"""

from tools.check import Applies, Because, Check, Limits, Now, On, because
from tools.crashes import needed
from tools.families import named
from tools.finding import Change, Remedy
from tools.signals import POD_READY, REQUESTS_FINISHED, REQUESTS_RUNNING
from tools.vocabulary.reachability import LOST_SERVICE

DONE = REQUESTS_FINISHED.increase("10m")
BEFORE = REQUESTS_FINISHED.increase("1h")


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when the workload's Service selects nobody, and its ready replicas get no request."""
    lost = now[LOST_SERVICE.now]
    if not lost.text:
        return None
    ready = [one for one in now.each(POD_READY.now) if one.number]
    if not ready:
        return None
    done = now.total(DONE)
    if done.number:
        return None
    first = needed(now, ready[0], POD_READY.now)
    before = now.get(BEFORE)
    said = "{lost}; its replicas are ready and answered {done} within 10 min"
    if before is not None and before.number:
        # They were asked within the hour: it is the way to them that is lost.
        return because(
            said + ", after {before} in the hour.",
            first,
            now.get(REQUESTS_RUNNING.now),
            lost=lost,
            done=done,
            before=before,
        )
    return because(said + ".", first, lost=lost, done=done, severity="high")


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Let selector and labels be the same again."""
    return (
        Remedy(
            f"Make the Service's selector name labels that the pods have (kubectl get pods -n {now.subject.namespace} --show-labels), or give the pod"
            " template the label that it asks for. A Deployment's own selector cannot be changed: keep its labels.",
            Change("spec.selector of the Service", "a label that no pod has", "labels of the pod template"),
            "kubectl get endpointslices lists an address for each ready replica, and a call through the Service answers.",
            ("platform/kubernetes-deployment-for-vllm", "serving/routing-and-load-balancing"),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="critical",
    needs=(LOST_SERVICE.now, POD_READY.now, DONE),
    helps=(BEFORE, REQUESTS_RUNNING.now),
    fires=fires,
    explains=named("gpu_idle_no_traffic", "gateway_router_overloaded", "abort_spike"),
    remedies=remedies,
    pages=("platform/kubernetes-deployment-for-vllm", "serving/routing-and-load-balancing"),
    owner="platform",
)
