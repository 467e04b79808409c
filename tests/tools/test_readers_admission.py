"""Scheduling gates and the words of the queue behind them, on raw objects, hostile ones included."""

from __future__ import annotations

from typing import Any

import pytest

from tools.readers import Listed
from tools.readers.admission import LONGEST, read
from tools.signals import Signal
from tools.vocabulary.admission import GATES, QUEUE_SAID

NOW = 1_790_000_000.0
AGO_10 = "2026-09-21T14:03:20Z"
AGO_5 = "2026-09-21T14:08:20Z"
AGO_2H = "2026-09-21T12:13:20Z"
GATED = {"spec": {"schedulingGates": [{"name": "kueue.x-k8s.io/admission"}]}, "status": {"phase": "Pending"}}


def facts(pod: dict[str, Any], *events: dict[str, Any], listed: bool = True) -> dict[Signal, float | str]:
    meta = {"namespace": "team", "name": "app-0", **pod.get("metadata", {})}
    items: dict[str, list[dict[str, Any]]] = {"pods": [{**pod, "metadata": meta}]}
    if listed:
        items["events"] = list(events)
    found: dict[Signal, float | str] = {}
    for told in read(Listed(NOW, items)):
        assert told.key == "team/app-0"
        found.update(told.facts)
    return found


def event(name: str, message: str, at: str = AGO_10, **involved: str) -> dict[str, Any]:
    about = {"apiVersion": "kueue.x-k8s.io/v1beta1", "kind": "Workload", "namespace": "team", "name": name} | involved
    return {"reason": "Pending", "message": message, "involvedObject": about, "lastTimestamp": at}


def test_gates_of_a_pod_that_waits() -> None:
    two = {"spec": {"schedulingGates": [{"name": "a"}, {"name": "b"}]}, "status": {"phase": "Pending"}}
    assert facts(two)[GATES] == "a, b"
    assert facts({"status": {"phase": "Pending"}})[GATES] == ""
    assert facts({**two, "status": {"phase": "Running"}})[GATES] == ""


def test_the_newest_word_of_the_queue_about_its_own_workload() -> None:
    words = (
        event("pod-app-0-3f1c2", "quota"),
        event("pod-app-0-3f1c2", "older", AGO_2H),
        event("pod-app-0-3f1c2", "newest", AGO_5),
    )
    assert facts(GATED, *words)[QUEUE_SAID] == "Pending: newest"
    assert facts(GATED, event("pod-app-01-3f1c2", "another pod's"))[QUEUE_SAID] == ""
    assert facts(GATED, event("pod-app-0-3f1c2", "x", namespace="other"))[QUEUE_SAID] == ""
    assert facts(GATED, event("pod-app-0-3f1c2", "x", apiVersion="example.org/v1"))[QUEUE_SAID] == ""
    assert facts(GATED, event("pod-app-0-3f1c2", "x", kind="Pod"))[QUEUE_SAID] == ""


def test_the_workload_of_a_group() -> None:
    of_set = {**GATED, "metadata": {"ownerReferences": [{"kind": "StatefulSet", "name": "app"}]}}
    assert facts(of_set, event("statefulset-app-9d2e1", "quota"))[QUEUE_SAID] == "Pending: quota"
    assert facts(of_set, event("statefulset-apple-9d2e1", "quota"))[QUEUE_SAID] == ""
    grouped = {**GATED, "metadata": {"labels": {"kueue.x-k8s.io/pod-group-name": "night"}}}
    assert facts(grouped, event("night", "quota"))[QUEUE_SAID] == "Pending: quota"


def test_a_pod_without_gates_waits_for_no_queue() -> None:
    free = {"status": {"phase": "Pending"}}
    assert facts(free, event("pod-app-0-3f1c2", "quota"))[QUEUE_SAID] == ""


def test_events_that_could_not_be_listed_are_not_told() -> None:
    assert QUEUE_SAID not in facts(GATED, listed=False)


@pytest.mark.parametrize(
    "pod",
    [
        {"spec": {"schedulingGates": "x"}, "status": {"phase": "Pending"}},
        {"spec": {"schedulingGates": [None, 3, {}]}, "status": {"phase": "Pending"}},
        {"spec": None, "status": "Pending", "metadata": {"ownerReferences": [3], "labels": "x"}},
    ],
)
def test_broken_objects_are_read_as_far_as_they_go(pod: dict[str, Any]) -> None:
    broken = {"reason": None, "message": None, "involvedObject": 3, "lastTimestamp": "soon"}
    assert QUEUE_SAID in facts(pod, broken, event("", "x"))


def test_a_giant_message_is_cut() -> None:
    assert len(str(facts(GATED, event("pod-app-0-1", "x" * 10_000))[QUEUE_SAID])) == LONGEST
