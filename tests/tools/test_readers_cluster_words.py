"""What events and nodes tell beside single messages: when they were seen last, what a later one takes back, whom they are about."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tools.scenes import SUBJECTS, scene, snapshot
from tools.diagnose import run
from tools.facts import last_seen
from tools.readers import Listed, autoscaling, keda_said, pods_starting, untolerated
from tools.scheduler_words import Why, refusals
from tools.signals import Signal
from tools.vocabulary.admission import UNTOLERATED
from tools.vocabulary.autoscaling import KEDA_SAID, NO_SCALE_UP
from tools.vocabulary.startup import MOUNT_SAID, SANDBOX_SAID, START_BLOCKED

NOW = 1_790_000_000.0
AGO_5 = "2026-09-21T14:08:20Z"
AGO_10 = "2026-09-21T14:03:20Z"
AGO_2H = "2026-09-21T12:13:20Z"
POD = {"metadata": {"namespace": "team", "name": "app-0"}}
Facts = dict[Signal, float | str]


def facts(reader: Any, key: str, **items: list[dict[str, Any]]) -> Facts:
    found: Facts = {}
    for told in reader.read(Listed(NOW, items)):
        if told.key == key:
            found.update(told.facts)
    return found


def event(reason: str, message: str, at: str = AGO_10, **about: Any) -> dict[str, Any]:
    involved = {"kind": "Pod", "namespace": "team", "name": "app-0", **about}
    return {"reason": reason, "message": message, "involvedObject": involved, "lastTimestamp": at}


# ------------------------------------------------------------------ when


@pytest.mark.parametrize(
    ("told", "seen"),
    [
        ({"lastTimestamp": AGO_5, "eventTime": None}, 300),
        ({"eventTime": AGO_10, "lastTimestamp": None}, 600),
        ({"eventTime": AGO_2H, "series": {"count": 40, "lastObservedTime": AGO_5}}, 300),
        ({"metadata": {"creationTimestamp": AGO_10}}, 600),
        ({"eventTime": "soon", "series": 4, "lastTimestamp": AGO_10}, 600),
    ],
)
def test_an_event_of_a_series_was_seen_when_it_came_last(told: dict[str, Any], seen: float) -> None:
    last = last_seen(told)
    assert last is not None
    assert NOW - last == pytest.approx(seen)


def test_an_event_without_a_time_is_at_no_time() -> None:
    assert last_seen({}) is None
    assert last_seen({"series": {"lastObservedTime": 7}}) is None


def test_a_refusal_that_has_come_for_hours_is_none_of_hours_ago() -> None:
    said = event("NotTriggerScaleUp", "pod didn't trigger scale-up: 1 max node group size reached", AGO_2H)
    assert facts(autoscaling, "team/app-0", pods=[POD], events=[said])[NO_SCALE_UP] == ""
    again = {**said, "series": {"count": 90, "lastObservedTime": AGO_5}}
    assert "max node group" in str(facts(autoscaling, "team/app-0", pods=[POD], events=[again])[NO_SCALE_UP])


# ------------------------------------------------------------------ taints


UNNAMED = "0/5 nodes are available: 3 node(s) had untolerated taint(s), 2 Insufficient nvidia.com/gpu. no new claims to deallocate, preemption: x."


def node(name: str, *taints: tuple[str, str, str], **spec: Any) -> dict[str, Any]:
    told = [{"key": key, "value": value, "effect": effect} for key, value, effect in taints]
    return {"metadata": {"name": name}, "spec": {"taints": told, **spec}}


def waiting(*tolerations: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {**POD, "spec": {"tolerations": list(tolerations), **spec}, "status": {"phase": "Pending"}}


GPU = ("nvidia.com/gpu", "present", "NoSchedule")
SICK = ("node.kubernetes.io/unreachable", "", "NoExecute")
SOFT = ("team", "nlp", "PreferNoSchedule")
HEAD = ("node-role.kubernetes.io/control-plane", "", "NoSchedule")
NODES: list[dict[str, Any]] = [
    node("a", GPU),
    node("b", GPU),
    node("c", GPU, SICK),
    node("d", HEAD),
    node("e", SOFT),
    node("f", SICK, unschedulable=True),
]


@pytest.mark.parametrize(
    ("tolerations", "said"),
    [
        ((), "3 node(s) had untolerated taint {nvidia.com/gpu: present}, 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }"),
        (
            ({"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"},),
            "1 node(s) had untolerated taint {node.kubernetes.io/unreachable: }, 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }",
        ),
        (({"key": "nvidia.com/gpu", "value": "present"}, {"key": "node-role.kubernetes.io/control-plane", "operator": "Exists"}),
         "1 node(s) had untolerated taint {node.kubernetes.io/unreachable: }"),
        (({"key": "nvidia.com/gpu", "value": "absent"}, {"key": "node-role.kubernetes.io/control-plane", "operator": "Exists"}),
         "3 node(s) had untolerated taint {nvidia.com/gpu: present}"),
        (({"operator": "Exists"},), ""),
        (({"operator": "Exists", "effect": "NoExecute"}, {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}),
         "1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }"),
    ],
)  # fmt: skip
def test_the_first_taint_of_each_node_that_is_not_tolerated(tolerations: tuple[dict[str, Any], ...], said: str) -> None:
    assert facts(untolerated, "team/app-0", pods=[waiting(*tolerations)], nodes=NODES)[UNTOLERATED] == said


def test_only_pods_without_a_node_are_asked() -> None:
    assert UNTOLERATED not in facts(untolerated, "team/app-0", pods=[waiting(nodeName="a")], nodes=NODES)
    assert UNTOLERATED not in facts(
        untolerated, "team/app-0", pods=[{**waiting(), "status": {"phase": "Running"}}], nodes=NODES
    )
    assert not facts(untolerated, "team/app-0", pods=[waiting()])


def test_odd_nodes_and_pods_break_nothing() -> None:
    odd: list[dict[str, Any]] = [
        {"metadata": {"name": "x"}, "spec": {"taints": "many"}},
        {"spec": None},
        node("y", ("k" * 900, "v" * 900, "NoExecute")),
    ]
    said = str(facts(untolerated, "team/app-0", pods=[waiting(), {"status": 3}], nodes=odd)[UNTOLERATED])
    assert said.startswith("1 node(s) had untolerated taint {kkk")
    assert len(said) < 250


@pytest.mark.parametrize(
    ("taints", "expected"),
    [
        ("", {Why.TAINT: 3, Why.GPU: 2}),
        ("3 node(s) had untolerated taint {team: nlp}", {Why.TAINT: 3, Why.GPU: 2}),
        (
            "2 node(s) had untolerated taint {node.kubernetes.io/not-ready: }, 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }",
            {Why.HEALTH: 2, Why.CONTROL: 1, Why.GPU: 2},
        ),
    ],
)
def test_taints_that_a_scheduler_does_not_name_are_those_of_the_nodes(taints: str, expected: dict[Why, int]) -> None:
    assert {why: one.nodes for why, one in refusals(UNNAMED, taints).items()} == expected


def test_nodes_that_are_unavailable_as_old_schedulers_and_volcano_say_it() -> None:
    told = refusals("0/4 nodes are unavailable: 4 Insufficient nvidia.com/gpu.")
    assert {why: one.nodes for why, one in told.items()} == {Why.GPU: 4}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (
            "no nodes with enough resources were found: 2 node(s) had untolerated taint(s). \n5 node(s) didn't have enough resources: GPUs.",
            {Why.TAINT: 2, Why.GPU: 5},
        ),
        (
            "Node-Pool 'h100': no nodes with enough resources were found: 2 node(s) didn't have enough resources: GPU memory. \n3 node(s) didn't have enough resources: memory.",
            {Why.GPU: 2, Why.RESOURCE: 3},
        ),
        (
            "no nodes with enough resources were found: 1 node(s) didn't have enough of mig profile: nvidia.com/mig-1g.10gb.",
            {Why.MIG: 1},
        ),
        ("0/3 nodes are available: 3 node(s) were full. See release 1.31 notes.", {Why.OTHER: 3}),
    ],
)
def test_reasons_of_the_kai_scheduler(said: str, expected: dict[Why, int]) -> None:
    assert {why: one.nodes for why, one in refusals(said).items()} == expected


def test_what_a_scheduler_names_stands() -> None:
    told = "0/1 nodes are available: 1 node(s) had untolerated taint {team: nlp}."
    assert set(refusals(told, "1 node(s) had untolerated taint {node.kubernetes.io/not-ready: }")) == {Why.TAINT}


# ------------------------------------------------------------------ starts


DEADLINE = "Unable to attach or mount volumes: unmounted volumes=[w], unattached volumes=[], failed to process volumes=[]: context deadline exceeded"
IN_VAIN = 'Unable to mount volumes for pod "app-0": timeout expired waiting for volumes to attach or mount for pod'
UNSEEN = 'MountVolume.SetUp failed for volume "kube-api-access-1" : object "team"/"kube-root-ca.crt" not registered'
BUSY = 'MountVolume.MountDevice failed for volume "pvc-1" : rpc error: code = Aborted desc = An operation is already in progress'
SECRET = 'MountVolume.SetUp failed for volume "token" : secret "hf-token" not found'


@pytest.mark.parametrize("vain", [DEADLINE, IN_VAIN, UNSEEN])
def test_a_wait_in_vain_says_less_than_its_reason_before_and_after(vain: str) -> None:
    for events in (
        [event("FailedMount", BUSY, AGO_10), event("FailedMount", vain, AGO_5)],
        [event("FailedMount", vain, AGO_10), event("FailedMount", BUSY, AGO_5)],
    ):
        assert facts(pods_starting, "team/app-0", pods=[POD], events=events)[MOUNT_SAID] == BUSY
    assert facts(pods_starting, "team/app-0", pods=[POD], events=[event("FailedMount", vain)])[MOUNT_SAID] == vain


def test_the_newest_reason_is_told() -> None:
    events = [event("FailedMount", BUSY, AGO_10), event("FailedMount", SECRET, AGO_5)]
    assert facts(pods_starting, "team/app-0", pods=[POD], events=events)[MOUNT_SAID] == SECRET
    assert facts(pods_starting, "team/app-0", pods=[POD], events=events[::-1])[MOUNT_SAID] == SECRET


def test_a_network_that_came_is_over_with_the_first_container() -> None:
    down = event("NetworkNotReady", "network is not ready: container runtime network not ready", AGO_10)
    assert facts(pods_starting, "team/app-0", pods=[POD], events=[down])[SANDBOX_SAID] == down["message"]
    begun = [down, event("Created", "Created container: engine", AGO_5)]
    assert facts(pods_starting, "team/app-0", pods=[POD], events=begun)[SANDBOX_SAID] == ""


def test_a_container_that_runs_at_last_is_not_blocked_by_how_it_first_ended() -> None:
    ended = {"terminated": {"reason": "StartError", "message": "unresolvable CDI devices"}}
    runs = {"name": "c", "state": {"running": {"startedAt": AGO_10}}, "lastState": ended}
    waits = {**runs, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}
    for status, told in ((runs, ""), (waits, "c: StartError: unresolvable CDI devices")):
        pod = {**POD, "status": {"containerStatuses": [status]}}
        assert facts(pods_starting, "team/app-0", pods=[pod])[START_BLOCKED] == told


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ('exec: "/start.sh": permission denied', "chmod +x"),
        ('exec: "vllm": executable file not found in $PATH', "is not in the image"),
        ("unresolvable CDI devices nvidia.com/gpu=0", "container toolkit"),
        ("failed to mkdir /data: permission denied", "journalctl"),
    ],
)
def test_what_is_advised_for_a_container_that_is_not_made(said: str, advice: str) -> None:
    world = {
        **scene("container_create_failed")["fires"],
        "pod.start_blocked now": f"engine: StartError: {said}",
    }
    told = next(
        one for one in run(snapshot(world, SUBJECTS["workload"]), {}) if one.case.id == "container_create_failed"
    )
    assert advice in told.remedies[0].text


# ------------------------------------------------------------------ node groups


GREW = "pod triggered scale-up: [{https://c.example/zones/a/instanceGroups/gpu-1 0->1 (max: 4)} {other 1->2 (max: 3)}]"
FAILED = "Scale-up failed for group https://c.example/zones/a/instanceGroups/gpu-1: Out of resource: QUOTA_EXCEEDED"
LATE = "Nodes added to group other failed to register within 15m0s"
STATUS = {"kind": "ConfigMap", "namespace": "kube-system", "name": "cluster-autoscaler-status"}


@pytest.mark.parametrize(
    ("later", "told"),
    [
        (event("FailedToScaleUpGroup", FAILED, AGO_5, **STATUS), FAILED),
        (event("ScaleUpTimedOut", LATE, AGO_5, **STATUS), LATE),
        (event("FailedToScaleUpGroup", FAILED, AGO_2H, **STATUS), ""),
        (event("FailedToScaleUpGroup", FAILED.replace("gpu-1", "gpu-12"), AGO_5, **STATUS), ""),
        (event("ScaledUpGroup", "Scale-up: setting group other size to 2", AGO_5, **STATUS), ""),
    ],
)
def test_a_node_group_that_cannot_grow_is_told_of_the_pods_that_it_was_to_grow_for(
    later: dict[str, Any], told: str
) -> None:
    events = [event("TriggeredScaleUp", GREW), later]
    assert facts(autoscaling, "team/app-0", pods=[POD], events=events)[NO_SCALE_UP] == told
    again = [
        *events,
        event("TriggeredScaleUp", "pod triggered scale-up: [{third 0->1 (max: 1)}]", "2026-09-21T14:10:00Z"),
    ]
    assert facts(autoscaling, "team/app-0", pods=[POD], events=again)[NO_SCALE_UP] == ""


# ------------------------------------------------------------------ KEDA


def hpa(name: str = "keda-hpa-llm", **labels: str) -> dict[str, Any]:
    target = {"kind": "Deployment", "name": "app"}
    return {"metadata": {"namespace": "team", "name": name, "labels": labels}, "spec": {"scaleTargetRef": target}}


def keda(reason: str, at: str = AGO_5, count: Any = 9, name: str = "llm", **more: Any) -> dict[str, Any]:
    about = {"kind": "ScaledObject", "name": name, "apiVersion": "keda.sh/v1alpha1"}
    return {**event(reason, "status: 503", at, **about), "count": count, **more}


@pytest.mark.parametrize(
    ("events", "told"),
    [
        ([keda("KEDAScalerFailed")], "KEDAScalerFailed: status: 503"),
        ([keda("KEDAScalerFailed", count=2)], ""),
        ([keda("KEDAScalerFailed", count=None, series={"count": 3, "lastObservedTime": AGO_5})], "KEDAScalerFailed: status: 503"),
        ([keda("ScaledObjectCheckFailed", count=1)], "ScaledObjectCheckFailed: status: 503"),
        ([keda("KEDAScalerFailed", AGO_10), keda("ScaledObjectReady")], ""),
        ([keda("KEDAScalerFailed", AGO_2H)], ""),
        ([keda("KEDAScalerFailed", name="another")], ""),
        ([keda("KEDAScalersStarted")], ""),
        ([], ""),
    ],
)  # fmt: skip
def test_what_keda_says_of_a_trigger(events: list[dict[str, Any]], told: str) -> None:
    for made in (hpa(), hpa("scaler-of-app", **{"scaledobject.keda.sh/name": "llm"})):
        found = facts(keda_said, "deployment/team/app", horizontalpodautoscalers=[made], events=events)
        assert found[KEDA_SAID] == told


def test_an_autoscaler_that_keda_did_not_make_is_not_spoken_of() -> None:
    assert not facts(
        keda_said, "deployment/team/app", horizontalpodautoscalers=[hpa("llm")], events=[keda("KEDAScalerFailed")]
    )
    assert not facts(keda_said, "deployment/team/app", horizontalpodautoscalers=[hpa()])
