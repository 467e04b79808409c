"""Rollouts, scaling, node events and states, read off raw objects."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tools.worlds import START, stamp
from tools.happenings import KEPT_S, Happenings, happenings
from tools.reading import Subject
from tools.rollouts import differences
from tools.topology import Pod

NOW = START
APP = Subject("deployment", "team", "app")
PODS = {"team/app-1": Pod("team", "app-1", "n1", APP)}


def read(**lists: Any) -> Happenings:
    return happenings(lists, PODS, NOW)


def texts(found: Happenings) -> list[tuple[str, str, float, str]]:
    return [(one.kind, str(one.subject), NOW - one.at, one.text) for one in found.changes]


def replicaset(number: object, ago: float, owner: str = "app", containers: list[Any] | None = None) -> dict[str, Any]:
    return {
        "metadata": {
            "namespace": "team", "name": f"{owner}-{number}", "creationTimestamp": stamp(NOW - ago),
            "annotations": {"deployment.kubernetes.io/revision": str(number)},
            "ownerReferences": [{"kind": "Deployment", "name": owner}],
        },
        "spec": {"template": {"spec": {"containers": containers or [{"name": "engine", "image": f"vllm:{number}"}]}}},
    }  # fmt: skip


def event(kind: str, name: str, reason: str, ago: float, message: str = "", **more: Any) -> dict[str, Any]:
    involved = {"kind": kind, "name": name, "namespace": "team"}
    return {"involvedObject": involved, "reason": reason, "message": message, "lastTimestamp": stamp(NOW - ago), **more}


def test_a_rollout_says_what_differs_and_the_first_revision_is_a_creation() -> None:
    found = read(replicasets=[replicaset(2, 600), replicaset(1, 7200)])
    assert texts(found) == [
        ("rollout", "deployment/team/app", 7200, "was created"),
        ("rollout", "deployment/team/app", 600, "rolled out revision 2 (image vllm:1 to vllm:2)"),
    ]


def test_revisions_are_compared_by_number_not_by_name_or_age() -> None:
    # A roll-back gives an old ReplicaSet a new number.
    found = read(replicasets=[replicaset(10, 5000), replicaset(9, 600)])
    assert [text for *_, text in texts(found)] == [
        "rolled out revision 10 (image vllm:9 to vllm:10)",
        "rolled out revision 9",
    ]


def test_the_scaling_that_carries_a_rollout_out_is_not_told_again_but_another_is() -> None:
    during = event("Deployment", "app", "ScalingReplicaSet", 590, "Scaled up replica set app-2 from 0 to 1")
    later = event("Deployment", "app", "ScalingReplicaSet", 200, "Scaled up replica set app-2 from 1 to 4")
    found = read(replicasets=[replicaset(1, 9e4), replicaset(2, 600)], events=[during, later])
    assert [text for *_, text in texts(found)] == [
        "rolled out revision 2 (image vllm:1 to vllm:2)",
        "scaled up replica set app-2 from 1 to 4",
    ]


def test_node_events_conditions_and_taints_are_told_once() -> None:
    node = {
        "metadata": {"name": "n1", "creationTimestamp": stamp(NOW - 9e6)},
        "spec": {"taints": [{"key": "node.kubernetes.io/unschedulable", "timeAdded": stamp(NOW - 300)},
                            {"key": "nvidia.com/gpu", "timeAdded": stamp(NOW - 300)}]},
        "status": {"conditions": [{"type": "Ready", "status": "False", "lastTransitionTime": stamp(NOW - 100)}]},
    }  # fmt: skip
    events = [event("Node", "n1", "NodeNotReady", 98), event("Node", "n1", "NodeNotSchedulable", 299),
              event("Node", "n1", "Rebooted", 50), event("Node", "n1", "ImageGCFailed", 10)]  # fmt: skip
    assert texts(read(nodes=[node], events=events)) == [
        ("node", "node/n1", 300, "was cordoned"),
        ("node", "node/n1", 100, "became not ready"),
        ("node", "node/n1", 50, "was rebooted"),
    ]


def test_an_autoscalers_decision_is_told_of_what_it_scales() -> None:
    scaler = {
        "metadata": {"namespace": "team", "name": "app-hpa"},
        "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "app"}},
    }
    decided = event(
        "HorizontalPodAutoscaler", "app-hpa", "SuccessfulRescale", 60, "New size: 4; reason: cpu above target"
    )
    stranger = event("HorizontalPodAutoscaler", "gone-hpa", "SuccessfulRescale", 60, "New size: 9")
    found = read(horizontalpodautoscalers=[scaler], events=[decided, stranger])
    assert texts(found) == [
        (
            "autoscaler",
            "deployment/team/app",
            60,
            "was rescaled by its autoscaler (new size: 4; reason: cpu above target)",
        )
    ]


def test_an_event_that_was_counted_is_told_at_both_of_its_times() -> None:
    counted = event("Node", "n1", "Rebooted", 60, firstTimestamp=stamp(NOW - 4000), count=2)
    assert [ago for _, _, ago, _ in texts(read(events=[counted]))] == [4000, 60]


def test_what_is_older_than_a_day_or_not_yet_is_left_out() -> None:
    found = read(events=[event("Node", "n1", "Rebooted", KEPT_S + 1), event("Node", "n1", "Rebooted", -60)])
    assert found.changes == ()


def test_states_say_since_when_and_config_maps_are_known_by_name_alone() -> None:
    pod = {
        "metadata": {"namespace": "team", "name": "app-1"},
        "spec": {
            "volumes": [{"configMap": {"name": "a"}}, {"projected": {"sources": [{"configMap": {"name": "b"}}]}}, {"secret": {}}],
            "containers": [{"envFrom": [{"configMapRef": {"name": "c"}}], "env": [{"valueFrom": {"configMapKeyRef": {"name": "d"}}}]}],
        },
        "status": {
            "conditions": [{"type": "Ready", "status": "False", "lastTransitionTime": stamp(NOW - 120)},
                           {"type": "PodScheduled", "status": "True", "lastTransitionTime": stamp(NOW - 999)}],
            "containerStatuses": [{"lastState": {"terminated": {"finishedAt": stamp(NOW - 70)}}}],
        },
    }  # fmt: skip
    backing = event("Pod", "app-1", "BackOff", 10, firstTimestamp=stamp(NOW - 2000))
    found = read(pods=[pod], events=[backing])
    assert [(one.what, NOW - one.since) for one in found.states["team/app-1"]] == [
        ("has not been ready", 120),
        ("last ended", 70),
        ("has been backing off from restarts", 2000),
    ]
    assert found.configs == {APP: frozenset("abcd")}
    ready = {
        **pod,
        "status": {"conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": stamp(NOW - 5)}]},
    }
    assert read(pods=[ready], events=[backing]).states == {}


@pytest.mark.parametrize(
    "broken",
    [
        {}, {"metadata": None}, {"metadata": "x", "spec": [], "status": 3}, {"metadata": {"name": 7, "creationTimestamp": 5}},
        {"metadata": {"name": "\u202e", "annotations": {"deployment.kubernetes.io/revision": "²"},
                      "ownerReferences": [{"kind": "Deployment", "name": "x"}]}},
        {"metadata": {"name": "n", "annotations": {"deployment.kubernetes.io/revision": "9" * 40}, "ownerReferences": "x"}},
        {"involvedObject": "x", "reason": ["NodeReady"], "lastTimestamp": "yesterday"},
        {"involvedObject": {"kind": "Node", "name": "n1"}, "reason": "NodeReady", "lastTimestamp": None, "series": 3},
        {"status": {"conditions": [None, {"type": "Ready", "status": "False", "lastTransitionTime": "??"}]}, "spec": {"taints": [1]}},
    ],
)  # fmt: skip
def test_broken_objects_tell_nothing(broken: dict[str, Any]) -> None:
    kinds = ("pods", "nodes", "replicasets", "events", "horizontalpodautoscalers")
    found = read(**{kind: [broken] for kind in kinds})
    assert found.changes == ()
    assert found.states == {}


def test_a_huge_or_many_lined_message_is_one_short_line() -> None:
    found = read(events=[event("Deployment", "app", "ScalingReplicaSet", 5, "Scaled\n\n" + "🔥 x" * 50_000)])
    assert len(found.changes[0].text) <= 160
    assert "\n" not in found.changes[0].text


# ------------------------------------------------------------------ what differs


def made(*containers: dict[str, Any]) -> dict[str, Any]:
    return {"spec": {"template": {"spec": {"containers": list(containers)}}}}


def engine(**more: Any) -> dict[str, Any]:
    return {"name": "engine", "image": "vllm:1", **more}


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (engine(), engine(), ""),
        (engine(args=["--a=1", "--b", "2"]), engine(args=["--a", "1", "--b=2"]), ""),
        (engine(args=["--a", "1"]), engine(args=["--a", "2", "--c"]), "--a 1 to 2; --c added"),
        (engine(args=["--a", "1"]), engine(), "--a removed"),
        (engine(command=["vllm", "serve", "m"]), engine(command=["vllm", "serve", "n"]), "argument 3 m to n"),
        (
            engine(resources={"limits": {"memory": "8Gi"}}),
            engine(resources={"limits": {"memory": "4Gi", "cpu": "1"}}),
            "limit cpu unset to 1; limit memory 8Gi to 4Gi",
        ),
    ],
)
def test_differences_are_told_in_a_few_words(before: dict[str, Any], after: dict[str, Any], said: str) -> None:
    assert differences(made(before), made(after)) == said


def test_containers_that_come_and_go_are_named() -> None:
    side = {"name": "side", "image": "x"}
    assert differences(made(engine()), made(engine(), side)) == "container side added"
    assert differences(made(engine(), side), made(engine())) == "container side removed"


def test_secrets_and_values_of_variables_are_never_said() -> None:
    script = "export HF_TOKEN=hf_abc; vllm serve " + "m" * 90
    before = engine(args=["--api-key", "sk-old", script], env=[{"name": "PASSWORD", "value": "hunter1"}])
    after = engine(args=["--api-key=sk-new", script + "x"], env=[{"name": "PASSWORD", "value": "hunter2"}])
    said = differences(made(before), made(after))
    assert "--api-key changed" in said
    assert "environment PASSWORD" in said
    for secret in ("sk-", "hunter", "hf_abc"):
        assert secret not in said


def test_a_long_script_is_not_repeated() -> None:
    before, after = engine(args=["set -e; " + "run; " * 30]), engine(args=["set -e; " + "run; " * 31])
    assert differences(made(before), made(after)) == "argument 1 changed"


def test_of_many_differences_four_are_told_and_the_rest_counted() -> None:
    flags = [f"--f{i}={i}" for i in range(9)]
    assert differences(made(engine()), made(engine(args=flags))).endswith("; --f3 3 added and 5 more")
