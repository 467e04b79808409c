"""kube-state-metrics' series of pods and their containers."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from evals.fleet.ksm_samples import (
    Object,
    allowed_labels,
    created,
    flag,
    one,
    owners,
    resources,
    statuses,
    text,
    timed,
)
from evals.fleet.sample import Sample
from tools.facts import at, many, name_of

PHASES = ("Pending", "Succeeded", "Failed", "Unknown", "Running")
REASONS = (
    "Evicted",
    "NodeAffinity",
    "NodeLost",
    "PreemptionByScheduler",
    "SchedulingGated",
    "Shutdown",
    "TerminationByKubelet",
    "UnexpectedAdmissionError",
)
DISRUPTIONS = (
    "PreemptionByScheduler",
    "DeletionByTaintManager",
    "EvictionByEvictionAPI",
    "DeletionByPodGC",
    "TerminationByKubelet",
)
_TIMES = {
    "Ready": "ready_time",
    "PodScheduled": "scheduled_time",
    "Initialized": "initialized_time",
    "ContainersReady": "container_ready_time",
}


def pod_samples(item: Object, allowed: Collection[str]) -> Iterator[Sample]:
    """Every series of a pod."""
    namespace, name = name_of(item)
    who = {"namespace": namespace, "pod": name, "uid": text(item, "metadata", "uid")}
    yield _info(item, who)
    for owner in owners(item):
        yield one("kube_pod_owner", **who, **owner)
    yield from allowed_labels("kube_pod_labels", item, allowed, **who)
    yield from created("kube_pod", item, **who)
    yield from timed("kube_pod_start_time", at(item, "status", "startTime"), **who)
    now = text(item, "status", "phase")
    for phase in PHASES if now else ():
        yield one("kube_pod_status_phase", now == phase, phase=phase, **who)
    yield from _reasons(item, who)
    yield from _conditions(item, who)
    for kind, spec, status in (
        ("kube_pod_container", "containers", "containerStatuses"),
        ("kube_pod_init_container", "initContainers", "initContainerStatuses"),
    ):
        yield from _declared(kind, many(item, "spec", spec), who, text(item, "spec", "nodeName"))
        images = {text(c, "name"): c for c in many(item, "spec", spec)}
        for one_status in many(item, "status", status):
            yield from _state(kind, one_status, images.get(text(one_status, "name")), who)


def _info(item: Object, who: Mapping[str, str]) -> Sample:
    references = many(item, "metadata", "ownerReferences")
    controller = next((owner for owner in references if owner.get("controller")), {})
    return one(
        "kube_pod_info",
        **who,
        node=text(item, "spec", "nodeName"),
        host_ip=text(item, "status", "hostIP"),
        pod_ip=text(item, "status", "podIP"),
        created_by_kind=text(controller, "kind"),
        created_by_name=text(controller, "name"),
        host_network=flag(at(item, "spec", "hostNetwork")),
        priority_class=text(item, "spec", "priorityClassName"),
    )


def _reasons(item: Object, who: Mapping[str, str]) -> Iterator[Sample]:
    # Since v2.20 only the reason that holds has a series; it may stand in the status, a condition or a container.
    stated = text(item, "status", "reason")
    held = {stated, *(text(c, "reason") for c in many(item, "status", "conditions"))}
    held |= {text(s, "state", "terminated", "reason") for s in many(item, "status", "containerStatuses")}
    for reason in REASONS:
        if reason in held:
            yield one("kube_pod_status_reason", reason=reason, **who)
    if stated and stated not in REASONS:
        yield one("kube_pod_status_reason", reason="Other", **who)


def _conditions(item: Object, who: Mapping[str, str]) -> Iterator[Sample]:
    for condition in many(item, "status", "conditions"):
        kind, now, changed = condition.get("type"), condition.get("status"), condition.get("lastTransitionTime")
        if kind in {"Ready", "PodScheduled"}:
            series = "ready" if kind == "Ready" else "scheduled"
            yield from statuses(f"kube_pod_status_{series}", now, "condition", **who)
        if kind == "PodScheduled" and now == "False":
            yield one("kube_pod_status_unschedulable", **who)
            yield from timed("kube_pod_status_unscheduled_time", changed, **who)
        if kind in _TIMES and now == "True":
            yield from timed(f"kube_pod_status_{_TIMES[str(kind)]}", changed, **who)
        if kind == "DisruptionTarget":
            reason = text(condition, "reason")
            told = reason if reason in DISRUPTIONS else "Other"
            yield one("kube_pod_status_disruption_reason", reason=told, **who)


def _declared(kind: str, containers: list[Object], who: Mapping[str, str], node: str) -> Iterator[Sample]:
    for container in containers:
        here = {**who, "container": text(container, "name"), "node": node}
        limits = at(container, "resources", "limits") or {}
        # The API server fills a request that is left out from its limit, so that is what the exporter sees.
        requests = {**limits, **(at(container, "resources", "requests") or {})}
        yield from resources(f"{kind}_resource_requests", requests, **here)
        yield from resources(f"{kind}_resource_limits", limits, **here)


def _state(kind: str, status: Object, container: Object | None, who: Mapping[str, str]) -> Iterator[Sample]:
    here = {**who, "container": text(status, "name")}
    if container is not None:
        images = {key: text(status, field) for key, field in (("image", "image"), ("image_id", "imageID"))}
        restart = {"restart_policy": text(container, "restartPolicy")} if "init" in kind else {}
        images |= {"image_spec": text(container, "image"), "container_id": text(status, "containerID")}
        yield one(f"{kind}_info", **here, **images, **restart)
    yield one(f"{kind}_status_restarts_total", status.get("restartCount") or 0, "counter", **here)
    yield one(f"{kind}_status_ready", bool(status.get("ready")), **here)
    state: Mapping[str, Any] = status.get("state") or {}
    for name in ("running", "waiting", "terminated"):
        yield one(f"{kind}_status_{name}", state.get(name) is not None, **here)
    yield from timed(
        f"{kind}_state_started", at(state, "running", "startedAt") or at(state, "terminated", "startedAt"), **here
    )
    for name in ("waiting", "terminated"):
        if state.get(name) is not None:
            yield one(f"{kind}_status_{name}_reason", reason=text(state, name, "reason"), **here)
    last = at(status, "lastState", "terminated")
    if isinstance(last, Mapping):
        yield one(f"{kind}_status_last_terminated_reason", reason=text(last, "reason"), **here)
        yield one(f"{kind}_status_last_terminated_exitcode", last.get("exitCode") or 0, **here)
        yield from timed(f"{kind}_status_last_terminated_timestamp", last.get("finishedAt"), **here)
