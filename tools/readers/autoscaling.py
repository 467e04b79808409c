"""Conditions of autoscalers, refusals to create pods, pods that failed at admission, and how long replicas took to be ready."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

from tools.facts import Object, at, autoscaler_target, last_seen, many, name_of, within
from tools.quantity import seconds
from tools.readers import Listed, Told, Value
from tools.reading import Subject
from tools.refused_creation import GROUPS
from tools.signals import Signal
from tools.vocabulary.autoscaling import (
    CREATE_REFUSED,
    FAILED_REASON,
    HPA_BROKEN,
    HPA_CALM,
    HPA_CEILING,
    KEDA_MADE,
    NO_SCALE_UP,
    REPLICAS_CREATED,
    STARTUP_TOOK,
)

KINDS = ("horizontalpodautoscalers", "events", "replicasets", "deployments", "statefulsets", "pods")
LATELY_S = 3600.0
LONGEST = 300
# What a device plugin or the kubelet says of a failed pod ends with the reason.
LONGEST_FAILURE = 600
_UPS = frozenset({"TriggeredScaleUp"})
_REFUSED = frozenset({"NotTriggerScaleUp", "FailedScaleUp", "FailedScheduling"})
_KARPENTER = re.compile(r"(?:Failed to|Could not) schedule pod, ")
_NOMINATED = re.compile(r"Pod should schedule on: nodeclaim/([\w.-]{1,253})")
# A node that Karpenter could not buy, and a node group that the cluster autoscaler could not make grow: told of them, not of the pods.
_NO_NODE = frozenset({"InsufficientCapacityError", "NodeClassNotReady"})
_NO_GROWTH = frozenset({"FailedToScaleUpGroup", "ScaleUpFailed", "ScaleUpTimedOut"})
_GROWS = re.compile(r"\{(\S{1,400}) \d{1,6}->\d{1,6} \(max: \d{1,6}\)\}")
# What Kubernetes waits before it believes a smaller number, where the autoscaler says nothing of it.
DEFAULT_WINDOW_S = 300.0
_OWNERS = {"ReplicaSet", "StatefulSet", "Job", "RayCluster", "DaemonSet"}
_REFUSALS = frozenset({"FailedCreate", "FailedToCreateHeadPod", "FailedToCreateWorkerPod"})
# A controller that tells no number of replicas tries again within minutes (that of DaemonSets after 1,000 s at most) as long as it is
# refused, and says so when it is not.
_TRIES_AGAIN_S = 1200.0
_CREATED = {
    "RayCluster": frozenset({"CreatedHeadPod", "CreatedWorkerPod"}),
    "DaemonSet": frozenset({"SuccessfulCreate"}),
}


def read(listed: Listed) -> Iterator[Told]:
    """Facts of autoscalers, workloads and pods."""
    for item in listed.of("horizontalpodautoscalers"):
        yield Told(str(autoscaler_target(item)), _autoscaler(item), "horizontalpodautoscalers")
    refused = _refusals(listed)
    for kind in ("deployments", "statefulsets"):
        for item in listed.of(kind):
            subject = str(Subject(kind.removesuffix("s"), *name_of(item)))
            # The condition outlives the event, which is gone after an hour.
            failed = _replica_failure(item)
            yield Told(subject, {REPLICAS_CREATED: _created(item, bool(failed))}, kind)
            if failed or "events" in listed.items:
                yield Told(subject, {CREATE_REFUSED: refused.get(subject) or failed}, kind if failed else "events")
    if "events" in listed.items:
        for group in sorted({one for one in listed.by_workload if one.kind in GROUPS} | set(refused_groups(listed))):
            yield Told(str(group), {CREATE_REFUSED: refused.get(str(group), "")}, "events")
    answers = _scale_ups(listed)
    for item in listed.of("pods"):
        key = "/".join(name_of(item))
        if not all(name_of(item)):
            continue
        yield Told(key, _pod(item), "pods")
        if "events" in listed.items:
            yield Told(key, {NO_SCALE_UP: answers.get(key, "")}, "events")


def _created(item: Object, failed: bool) -> float:
    """Replicas of the present revision that exist: in a rollout that is refused its first pod the old ones are all still there."""
    created, updated = at(item, "status", "replicas"), at(item, "status", "updatedReplicas")
    if not isinstance(created, int):
        return 0.0
    if isinstance(updated, int):
        return float(min(created, updated))
    # A status leaves out what is zero.
    return 0.0 if failed else float(created)


def _autoscaler(item: Object) -> dict[Signal, Value]:
    conditions = {str(one.get("type")): one for one in many(item, "status", "conditions")}
    window = at(item, "spec", "behavior", "scaleDown", "stabilizationWindowSeconds")
    made = name_of(item)[1].startswith("keda-hpa-") or "scaledobject.keda.sh/name" in within(item, "metadata", "labels")
    facts: dict[Signal, Value] = {
        HPA_CALM: float(window) if isinstance(window, int) else DEFAULT_WINDOW_S,
        KEDA_MADE: float(made),
    }
    if not conditions:
        return facts  # a new autoscaler has not judged yet
    limited = conditions.get("ScalingLimited", {})
    facts[HPA_CEILING] = _said(limited) if limited.get("status") == "True" else ""
    broken = ""
    for kind in ("ScalingActive", "AbleToScale"):
        one = conditions.get(kind, {})
        # With no replicas the autoscaler rests: that is how it is switched off.
        if one.get("status") == "False" and one.get("reason") != "ScalingDisabled":
            broken = broken or _said(one)
    facts[HPA_BROKEN] = broken
    return facts


def _said(condition: Mapping[str, object]) -> str:
    return f"{condition.get('reason') or 'no reason'}: {condition.get('message') or ''}".strip(": ")[:300]


def _replica_failure(item: Object) -> str:
    conditions = many(item, "status", "conditions")
    failed = next(
        (one for one in conditions if one.get("type") == "ReplicaFailure" and one.get("status") == "True"), {}
    )
    return str(failed.get("message") or "")[:300]


def _lately(event: Object, now: float) -> float | None:
    when = last_seen(event)
    return when if when is not None and now - when <= LATELY_S else None


def _refusals(listed: Listed) -> dict[str, str]:
    """The newest refusal to create a pod within the hour, by workload."""
    owners = {
        "/".join(name_of(item)): str(owner.get("name"))
        for item in listed.of("replicasets")
        for owner in many(item, "metadata", "ownerReferences")
        if owner.get("kind") == "Deployment"
    }
    newest: dict[str, tuple[float, str]] = {}
    for event in listed.of("events"):
        involved = within(event, "involvedObject")
        when = _lately(event, listed.now)
        reason, made = str(event.get("reason")), str(involved.get("kind"))
        if reason not in _REFUSALS | _CREATED.get(made, frozenset()) or made not in _OWNERS or when is None:
            continue
        namespace, name = str(involved.get("namespace") or ""), str(involved.get("name") or "")
        kind = made.lower()
        if kind in GROUPS and listed.now - when > _TRIES_AGAIN_S:
            continue
        if kind == "replicaset":
            kind, name = "deployment", owners.get(f"{namespace}/{name}", name)
        key = str(Subject(kind, namespace, name))
        if when >= newest.get(key, (0.0, ""))[0]:
            newest[key] = (when, str(event.get("message") or "")[:300] if reason in _REFUSALS else "")
    return {key: said for key, (_, said) in newest.items()}


def refused_groups(listed: Listed) -> tuple[Subject, ...]:
    """Groups that are refused a pod now: one that never got any is told of by nothing else."""
    told = ((Subject.parse(key), said) for key, said in _refusals(listed).items())
    return tuple(sorted(subject for subject, said in told if said and subject.kind in GROUPS))


def _scale_ups(listed: Listed) -> dict[str, str]:
    """The newest refusal of the cluster autoscaler, or of Karpenter, within the hour, by pod; a later scale-up takes it back."""
    newest: dict[str, tuple[float, str]] = {}
    # By the node or the node group that was to come: the pods that it was meant for.
    meant: dict[str, list[str]] = defaultdict(list)
    later: list[tuple[float, str, str]] = []
    stalled: list[tuple[float, str]] = []
    for event in listed.of("events"):
        when = _lately(event, listed.now)
        if when is None:
            continue
        reason, message = str(event.get("reason")), str(event.get("message") or event.get("reason"))
        involved = within(event, "involvedObject")
        key = f"{involved.get('namespace') or ''}/{involved.get('name') or ''}"
        if reason in _NO_NODE and involved.get("kind") == "NodeClaim":
            later.append((when, str(involved.get("name") or ""), message))
            continue
        if reason in _NO_GROWTH:
            stalled.append((when, message))
            continue
        claim = _NOMINATED.match(message) if reason == "Nominated" else None
        if claim:
            meant[claim[1]].append(key)
        if reason in _UPS:
            for group in _GROWS.findall(message[:8000]):
                meant[group].append(key)
        if reason == "FailedScheduling" and not _KARPENTER.match(message):
            continue  # the scheduler's own
        if reason in _UPS or claim or reason in _REFUSED:
            said = "" if reason in _UPS or claim else _both_ends(message)
            newest[key] = max(newest.get(key, (0.0, "")), (when, said))
    later += [
        (when, name, message)
        for when, message in stalled
        for name in meant
        if re.search(f"group {re.escape(name)}[: ]", message)
    ]
    for when, name, message in later:
        for key in meant.get(name, ()):
            newest[key] = max(newest[key], (when, _both_ends(message)))
    return {key: said for key, (_, said) in newest.items()}


def _both_ends(message: str) -> str:
    """A message cut in the middle: Karpenter's begins with the node pool and ends with the reason."""
    return message if len(message) <= LONGEST else f"{message[: LONGEST // 2]} ... {message[5 - LONGEST // 2 :]}"


def _pod(item: Object) -> dict[Signal, Value]:
    reason = str(at(item, "status", "reason") or "")
    message = str(at(item, "status", "message") or "")
    facts: dict[Signal, Value] = {FAILED_REASON: f"{reason}: {message}"[:LONGEST_FAILURE] if reason else ""}
    ready = next((one for one in many(item, "status", "conditions") if one.get("type") == "Ready"), None)
    created = seconds(at(item, "metadata", "creationTimestamp"))
    turned = seconds(ready.get("lastTransitionTime")) if ready and ready.get("status") == "True" else None
    restarts = [one.get("restartCount") for one in many(item, "status", "containerStatuses")]
    # After a restart the condition tells of the second start.
    if created is not None and turned is not None and not any(restarts):
        facts[STARTUP_TOOK] = max(0.0, turned - created)
    return facts
