"""Replicas that were preempted, on raw events and pods, hostile ones included."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tools.worlds import stamp
from tools.readers import Listed
from tools.readers.displaced import LONGEST, read
from tools.reading import Subject
from tools.topology import Pod
from tools.vocabulary.displaced import PREEMPTED, PREEMPTED_AGO, TOOK_PLACE

NOW = 1_790_000_000.0
Object = dict[str, Any]
APP = Subject("deployment", "team", "app")
UID = "5f1c8e36-97f2-4d2e-8a67-0d1c5b7be0a1"
BATCH: Object = {
    "metadata": {"namespace": "batch", "name": "eval-8c5xk", "uid": UID},
    "spec": {"priority": 100000, "priorityClassName": "batch-high"},
}
BY_UID = f"Preempted by pod {UID} on node n1"


def _event(name: str, message: str, ago: float = 600.0, reason: str = "Preempted", **more: Any) -> Object:
    about = {"kind": "Pod", "namespace": "team", "name": name, **more.pop("about", {})}
    return {"reason": reason, "message": message, "involvedObject": about, "lastTimestamp": stamp(NOW - ago), **more}


def _told(*events: Object, pods: tuple[Object, ...] = (BATCH,), kind: str = "Deployment", name: str = "app") -> Any:
    meta = {"namespace": "team", "name": f"{name}-6c8d9f7b5", "ownerReferences": [{"kind": kind, "name": name}]}
    items: dict[str, list[Any]] = {
        "pods": list(pods),
        "events": list(events),
        "replicasets": [{"metadata": meta}],
        "deployments": [{"metadata": {"namespace": "team", "name": name}}],
    }
    known = {}
    for pod in pods:
        named = pod.get("metadata")
        if isinstance(named, dict) and named.get("name"):
            space, called = str(named["namespace"]), str(named["name"])
            owner = Subject(str(named.get("of", "job")), space, str(named.get("whose", called.rpartition("-")[0])))
            known[f"{space}/{called}"] = Pod(space, called, "n1", owner)
    return {told.key: told.facts for told in read(Listed(NOW, items, known))}


def test_a_pod_that_is_gone_is_told_of_its_deployment_with_who_took_its_place() -> None:
    told = _told(_event("app-6c8d9f7b5-aaaaa", BY_UID))
    assert told[str(APP)] == {
        PREEMPTED: f"app-6c8d9f7b5-aaaaa: {BY_UID}",
        PREEMPTED_AGO: 600.0,
        TOOK_PLACE: "pod batch/eval-8c5xk of priority 100000 (batch-high)",
    }
    assert told["job/batch/eval"] == {PREEMPTED: "", TOOK_PLACE: ""}


@pytest.mark.parametrize(
    ("message", "more", "who"),
    [
        ("Preempted by batch/eval-8c5xk on node n1", {}, "pod batch/eval-8c5xk of priority 100000 (batch-high)"),
        ("Preempted by batch/gone-1 on node n1", {}, "pod batch/gone-1"),
        ("Preempted by pod 77 on node n1", {}, ""),
        (
            "Preempted by pod 77 on node n1",
            {"related": {"kind": "Pod", "namespace": "batch", "name": "gone-1"}},
            "pod batch/gone-1",
        ),
        (
            "Preempted by pod 77 on node n1",
            {"related": {"kind": "Pod", "namespace": "batch", "name": "eval-8c5xk"}},
            "pod batch/eval-8c5xk of priority 100000 (batch-high)",
        ),
        ("Preempted by a pod on node n1", {}, ""),
    ],
    ids=[
        "by name, before 1.27",
        "by the name of one that is gone",
        "an unknown uid",
        "the related object",
        "the related object that is there",
        "no name",
    ],
)
def test_who_took_the_place(message: str, more: Object, who: str) -> None:
    assert _told(_event("app-6c8d9f7b5-aaaaa", message, **more))[str(APP)][TOOK_PLACE] == who


def test_the_newest_within_the_day() -> None:
    kept = _event("app-6c8d9f7b5-aaaaa", BY_UID, 7200.0)
    assert _told(kept)[str(APP)][PREEMPTED_AGO] == 7200.0
    old = _event("app-6c8d9f7b5-aaaaa", BY_UID, 24 * 3600.0 + 60.0)
    assert _told(old)[str(APP)][PREEMPTED] == ""
    late = _event("app-6c8d9f7b5-bbbbb", "Preempted by pod 77 on node n2", 60.0)
    first = _event("app-6c8d9f7b5-aaaaa", BY_UID)
    assert _told(late, first)[str(APP)][PREEMPTED_AGO] == 60.0
    assert _told(_event("app-6c8d9f7b5-aaaaa", BY_UID, -600.0))[str(APP)][PREEMPTED] == "", "it has not happened yet"


def test_other_ends_are_no_preemption() -> None:
    words = "Evicting pod"
    told = _told(
        _event("app-6c8d9f7b5-aaaaa", words, reason="Evict"),
        _event("app-6c8d9f7b5-aaaaa", words, reason="Evicted"),
        _event("app-6c8d9f7b5-aaaaa", words, reason="TaintManagerEviction"),
        _event("n1", BY_UID, about={"kind": "Node"}),
    )
    assert told[str(APP)][PREEMPTED] == ""
    volcano = _event("app-6c8d9f7b5-aaaaa", "Pod is evicted, because of preempt", reason="Evict")
    assert _told(volcano)[str(APP)][PREEMPTED].endswith("because of preempt")


def test_a_workload_that_kueue_put_back() -> None:
    said = "Preempted to accommodate a workload (UID: 1f0e, JobUID: 77a1) due to prioritization in the ClusterQueue"
    about = {"kind": "Workload", "apiVersion": "kueue.x-k8s.io/v1beta1"}
    told = _told(_event("pod-app-6c8d9f7b5-aaaaa-3f1c2", said, about=about))
    assert told[str(APP)][PREEMPTED] == f"app-6c8d9f7b5-aaaaa: {said}"
    other = _told(_event("pod-app-6c8d9f7b5-aaaaa-3f1c2", said, about={**about, "apiVersion": "example.org/v1"}))
    assert other[str(APP)][PREEMPTED] == ""


def test_pods_that_are_there_still() -> None:
    condition = {"type": "DisruptionTarget", "status": "True", "lastTransitionTime": stamp(NOW - 20)}
    words = "default-scheduler: preempting to accommodate a higher priority pod"
    meta = {"namespace": "team", "name": "app-6c8d9f7b5-aaaaa", "of": "deployment", "whose": "app"}
    leaving = {
        "metadata": meta,
        "status": {"conditions": [{**condition, "reason": "PreemptionByScheduler", "message": words}]},
    }
    assert _told(pods=(leaving,))[str(APP)][PREEMPTED] == f"app-6c8d9f7b5-aaaaa: {words}"
    # The scheduler's event beside it names the other pod.
    both = _told(_event("app-6c8d9f7b5-aaaaa", BY_UID, 20.0), pods=(leaving, BATCH))
    assert both[str(APP)][TOOK_PLACE].startswith("pod batch/eval-8c5xk")
    critical = {
        "phase": "Failed",
        "reason": "Preempting",
        "message": "Preempted in order to admit critical pod",
        "conditions": [{**condition, "reason": "TerminationByKubelet", "message": "x"}],
    }
    told = _told(pods=({"metadata": meta, "status": critical},))
    assert told[str(APP)][PREEMPTED] == "app-6c8d9f7b5-aaaaa: Preempted in order to admit critical pod"
    # The same condition stands where a node was short of memory.
    evicted = {**critical, "reason": "Evicted", "message": "The node was low on resource: memory."}
    assert _told(pods=({"metadata": meta, "status": evicted},))[str(APP)][PREEMPTED] == ""


def test_a_worker_of_a_group_by_the_longest_name_that_is_there() -> None:
    sibling = {"metadata": {"namespace": "team", "name": "ray-gpu-worker-x", "of": "raycluster", "whose": "ray"}}
    longer = {"metadata": {"namespace": "team", "name": "ray-gpu-1-x", "of": "raycluster", "whose": "ray-gpu"}}
    told = _told(_event("ray-gpu-worker-q2w3e", BY_UID), pods=(sibling, longer, BATCH))
    assert told["raycluster/team/ray-gpu"][PREEMPTED]
    assert not told["raycluster/team/ray"][PREEMPTED]


def test_hostile_objects() -> None:
    assert list(read(Listed(NOW, {"pods": [BATCH]}))) == [], "events could not be listed: nothing is claimed"
    odd: list[Any] = [
        {},
        {"reason": "Preempted"},
        {"reason": "Preempted", "involvedObject": None, "message": 7},
        _event("", BY_UID),
        _event("ноутбук-💥", "Preempted by pod " + "\u202e" * 9),
        {**_event("app-6c8d9f7b5-aaaaa", BY_UID), "lastTimestamp": "soon"},
    ]
    pods: tuple[Any, ...] = (
        {"metadata": None},
        {"metadata": {"namespace": "team", "name": "p"}, "spec": [], "status": {"conditions": "no"}},
    )
    assert _told(*odd, pods=pods)[str(APP)][PREEMPTED] == ""
    huge = _told(_event("app-6c8d9f7b5-aaaaa", "Preempted by pod " + "x" * 100_000))
    assert len(huge[str(APP)][PREEMPTED]) == LONGEST
