"""What autoscalers' conditions, events and pods tell, on raw objects, hostile ones included."""

from __future__ import annotations

from typing import Any

import pytest

from tools.readers import Listed, Told
from tools.readers.autoscaling import DEFAULT_WINDOW_S, read
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

NOW = 1_790_000_000.0
AGO_10 = "2026-09-21T14:03:20Z"
AGO_2H = "2026-09-21T12:13:20Z"


def facts(**items: list[dict[str, Any]]) -> dict[str, dict[Signal, float | str]]:
    found: dict[str, dict[Signal, float | str]] = {}
    for told in read(Listed(NOW, items)):
        assert isinstance(told, Told)
        found.setdefault(told.key, {}).update(told.facts)
    return found


def hpa(conditions: list[dict[str, Any]], **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"namespace": "team", "name": "app"},
        "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "app"}, **spec},
        "status": {"conditions": conditions},
    }


def event(reason: str, message: str, kind: str, name: str, at: str = AGO_10) -> dict[str, Any]:
    involved = {"kind": kind, "namespace": "team", "name": name}
    return {"reason": reason, "message": message, "involvedObject": involved, "lastTimestamp": at}


def test_the_autoscalers_conditions() -> None:
    limited = {"type": "ScalingLimited", "status": "True", "reason": "TooManyReplicas", "message": "too many"}
    broken = {"type": "ScalingActive", "status": "False", "reason": "FailedGetExternalMetric", "message": "no metric"}
    resting = {"type": "ScalingActive", "status": "False", "reason": "ScalingDisabled", "message": "scaled to zero"}
    key = "deployment/team/app"
    assert facts(horizontalpodautoscalers=[hpa([limited])])[key] == {
        HPA_CALM: DEFAULT_WINDOW_S,
        KEDA_MADE: 0.0,
        HPA_CEILING: "TooManyReplicas: too many",
        HPA_BROKEN: "",
    }
    assert facts(horizontalpodautoscalers=[hpa([broken])])[key][HPA_BROKEN] == "FailedGetExternalMetric: no metric"
    assert facts(horizontalpodautoscalers=[hpa([resting])])[key][HPA_BROKEN] == ""
    assert HPA_BROKEN not in facts(horizontalpodautoscalers=[hpa([])])[key]
    keda = hpa([]) | {"metadata": {"namespace": "team", "name": "keda-hpa-app"}}
    assert facts(horizontalpodautoscalers=[keda])[key][KEDA_MADE] == 1.0
    slow = hpa([resting], behavior={"scaleDown": {"stabilizationWindowSeconds": 60}})
    assert facts(horizontalpodautoscalers=[slow])[key][HPA_CALM] == 60.0


def test_a_refusal_is_told_of_the_workload_behind_the_replicaset_and_grows_old() -> None:
    deployment: dict[str, Any] = {"metadata": {"namespace": "team", "name": "app"}, "status": {"replicas": 1}}
    owner = {"kind": "Deployment", "name": "app"}
    replicaset = {"metadata": {"namespace": "team", "name": "app-5f", "ownerReferences": [owner]}}
    said = "exceeded quota: gpus"
    told = facts(
        deployments=[deployment], replicasets=[replicaset], events=[event("FailedCreate", said, "ReplicaSet", "app-5f")]
    )
    assert told["deployment/team/app"] == {REPLICAS_CREATED: 1.0, CREATE_REFUSED: said}
    old = event("FailedCreate", said, "ReplicaSet", "app-5f", AGO_2H)
    assert (
        facts(deployments=[deployment], replicasets=[replicaset], events=[old])["deployment/team/app"][CREATE_REFUSED]
        == ""
    )
    assert CREATE_REFUSED not in facts(deployments=[deployment])["deployment/team/app"]
    failure = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": said}
    deployment["status"]["conditions"] = [failure]
    assert facts(deployments=[deployment])["deployment/team/app"][CREATE_REFUSED] == said
    failure["status"] = "False"
    assert CREATE_REFUSED not in facts(deployments=[deployment])["deployment/team/app"]


def test_a_daemonset_that_is_refused_its_pods_says_so_until_it_gets_one() -> None:
    said = 'Error creating: pods "plugin-x" is forbidden: violates PodSecurity "restricted:latest"'
    refused = event("FailedCreate", said, "DaemonSet", "plugin")
    assert facts(events=[refused])["daemonset/team/plugin"] == {CREATE_REFUSED: said}
    later = event("SuccessfulCreate", "Created pod: plugin-a", "DaemonSet", "plugin", "2026-09-21T14:05:00Z")
    assert "daemonset/team/plugin" not in facts(events=[refused, later])
    earlier = event("SuccessfulCreate", "Created pod: plugin-a", "DaemonSet", "plugin", AGO_2H)
    assert facts(events=[earlier, refused])["daemonset/team/plugin"] == {CREATE_REFUSED: said}
    given_up = event("FailedCreate", said, "DaemonSet", "plugin", "2026-09-21T13:40:00Z")
    assert "daemonset/team/plugin" not in facts(events=[given_up]), "its controller would have tried again"
    # A ReplicaSet that got one of two pods is still refused the other.
    one_of_two = [
        event("FailedCreate", said, "ReplicaSet", "app-5f"),
        {**later, "involvedObject": {"kind": "ReplicaSet", "namespace": "team", "name": "app-5f"}},
    ]
    deployment = {"metadata": {"namespace": "team", "name": "app"}}
    replicaset = {
        "metadata": {"namespace": "team", "name": "app-5f", "ownerReferences": [{"kind": "Deployment", "name": "app"}]}
    }
    told = facts(deployments=[deployment], replicasets=[replicaset], events=one_of_two)
    assert told["deployment/team/app"][CREATE_REFUSED] == said


def test_a_later_scale_up_takes_the_refusal_back() -> None:
    pod = {"metadata": {"namespace": "team", "name": "app-0"}}
    refused = event("NotTriggerScaleUp", "max node group size reached", "Pod", "app-0")
    assert facts(pods=[pod], events=[refused])["team/app-0"][NO_SCALE_UP] == "max node group size reached"
    up = event("TriggeredScaleUp", "", "Pod", "app-0", "2026-09-21T14:05:20Z")
    assert facts(pods=[pod], events=[refused, up])["team/app-0"][NO_SCALE_UP] == ""
    assert facts(pods=[pod], events=[up, refused | {"lastTimestamp": "2026-09-21T14:06:20Z"}])["team/app-0"][
        NO_SCALE_UP
    ]


def test_karpenter_says_why_it_buys_no_node() -> None:
    pod = {"metadata": {"namespace": "team", "name": "app-0"}}
    words = 'Failed to schedule pod, incompatible with nodepool "gpu", no instance type satisfied resources {"nvidia.com/gpu":"1"}'
    refused = event("FailedScheduling", words, "Pod", "app-0")
    assert facts(pods=[pod], events=[refused])["team/app-0"][NO_SCALE_UP] == words
    scheduler = event("FailedScheduling", "0/3 nodes are available: 3 Insufficient nvidia.com/gpu.", "Pod", "app-0")
    assert facts(pods=[pod], events=[scheduler])["team/app-0"][NO_SCALE_UP] == ""
    bought = event("Nominated", "Pod should schedule on: nodeclaim/gpu-x7k2p", "Pod", "app-0", "2026-09-21T14:05:20Z")
    assert facts(pods=[pod], events=[refused, bought])["team/app-0"][NO_SCALE_UP] == ""


def test_a_node_that_karpenter_could_not_buy_is_told_of_the_pods_that_it_was_for() -> None:
    pods = [{"metadata": {"namespace": "team", "name": name}} for name in ("app-0", "app-1")]
    words = "NodeClaim gpu-x7k2p event: creating instance, insufficient capacity, with fleet error(s), UnfulfillableCapacity"
    claim = event("InsufficientCapacityError", words, "NodeClaim", "gpu-x7k2p", "2026-09-21T14:05:21Z")
    bought = event("Nominated", "Pod should schedule on: nodeclaim/gpu-x7k2p", "Pod", "app-0", "2026-09-21T14:05:20Z")
    found = facts(pods=pods, events=[claim, bought])
    assert (found["team/app-0"][NO_SCALE_UP], found["team/app-1"][NO_SCALE_UP]) == (words, "")
    again = event("Nominated", "Pod should schedule on: nodeclaim/gpu-b2b2b", "Pod", "app-0", "2026-09-21T14:07:20Z")
    assert facts(pods=pods, events=[claim, bought, again])["team/app-0"][NO_SCALE_UP] == ""


def test_a_long_refusal_keeps_its_end() -> None:
    pod = {"metadata": {"namespace": "team", "name": "app-0"}}
    refused = event(
        "FailedScheduling", f"Failed to schedule pod, {'x' * 900} (no instance type had an offering)", "Pod", "app-0"
    )
    said = str(facts(pods=[pod], events=[refused])["team/app-0"][NO_SCALE_UP])
    assert said.startswith("Failed to schedule pod")
    assert said.endswith("(no instance type had an offering)")
    assert len(said) == 300


def test_how_long_a_start_took_is_told_once_and_not_after_a_restart() -> None:
    pod = {
        "metadata": {"namespace": "team", "name": "app-0", "creationTimestamp": "2026-09-21T12:00:00Z"},
        "status": {
            "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-09-21T12:07:00Z"}],
            "containerStatuses": [{"restartCount": 0}],
        },
    }
    assert facts(pods=[pod])["team/app-0"] == {FAILED_REASON: "", STARTUP_TOOK: 420.0}
    pod["status"]["containerStatuses"][0]["restartCount"] = 1  # type: ignore[index]
    assert STARTUP_TOOK not in facts(pods=[pod])["team/app-0"]


def test_a_pod_that_failed_says_why() -> None:
    pod = {
        "metadata": {"namespace": "t", "name": "p"},
        "status": {"reason": "UnexpectedAdmissionError", "message": "x" * 900},
    }
    said = facts(pods=[pod])["t/p"][FAILED_REASON]
    assert str(said).startswith("UnexpectedAdmissionError: x")
    assert len(str(said)) == 600


@pytest.mark.parametrize(
    "item",
    [
        {},
        {"metadata": None, "spec": 7, "status": []},
        {"metadata": {"namespace": "t", "name": "p"}, "status": {"conditions": "no", "containerStatuses": [None, 3]}},
        {"metadata": {"namespace": "t", "name": "p", "creationTimestamp": "yesterday"}, "status": {"replicas": "many"}},
        {"reason": "FailedCreate", "involvedObject": None, "lastTimestamp": "never"},
        {"reason": "FailedCreate", "involvedObject": {"kind": ["ReplicaSet"]}, "lastTimestamp": AGO_10},
    ],
)
def test_objects_that_are_broken_tell_nothing_and_break_nothing(item: dict[str, Any]) -> None:
    kinds = ("pods", "events", "deployments", "statefulsets", "replicasets", "horizontalpodautoscalers")
    for told in read(Listed(NOW, {kind: [item] for kind in kinds})):
        assert all(isinstance(value, float | str) for value in told.facts.values())


@pytest.mark.parametrize(
    ("status", "created"),
    [
        ({"replicas": 4, "updatedReplicas": 4}, 4.0),
        ({"replicas": 4, "updatedReplicas": 1}, 1.0),
        # A status leaves out what is zero: the rollout was refused its first pod, and all old ones still run.
        (
            {"replicas": 4, "conditions": [{"type": "ReplicaFailure", "status": "True", "message": "exceeded quota"}]},
            0.0,
        ),
        ({"replicas": 4}, 4.0),
        ({"replicas": "many"}, 0.0),
        ({}, 0.0),
    ],
)
def test_only_replicas_of_the_present_revision_count(status: dict[str, Any], created: float) -> None:
    item = {"metadata": {"namespace": "team", "name": "app"}, "spec": {"replicas": 4}, "status": status}
    listed = Listed(NOW, {"deployments": (item,)}, {})
    told = {signal: value for one in read(listed) for signal, value in one.facts.items()}
    assert told[REPLICAS_CREATED] == created
