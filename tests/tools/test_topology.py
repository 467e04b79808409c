"""Who owns whom, and the steps from one to the other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tools.reading import Subject
from tools.signals import Per
from tools.topology import CLUSTER, Autoscaler, Gpu, Pod, Topology, engine_of_image, owner_of, workload_from_name

APP, OTHER = Subject("deployment", "team", "app"), Subject("statefulset", "lab", "train")
NODE = Subject("node", "", "n1")
WORLD = Topology(
    pods={
        "team/a": Pod("team", "a", "n1", APP, "Running", True, 1.0),
        "team/b": Pod("team", "b", "n2", APP, "Pending", None, 1.0),
        "lab/t": Pod("lab", "t", "n1", OTHER, "Running", True, 1.0),
    },
    gpus={
        "G0": Gpu("G0", "n1", "0", "H100", "team/a"),
        "G1": Gpu("G1", "n1", "1", "H100", "lab/t"),
        "G2": Gpu("G2", "n1", "2", "H100", None),
        "G3": Gpu("G3", "n1", "3", "H100", "gone/pod"),
    },
    nodes=("n1", "n2"),
    autoscalers=(Autoscaler("team", "hpa", APP),),
    wanted=(Subject("deployment", "team", "empty"),),
)


@pytest.mark.parametrize(
    ("pod", "subject"),
    [
        ("app-6c8d9f7b5-x2x9k", "deployment/team/app"),
        ("my-app-2-5d4f8c9b6d-abcde", "deployment/team/my-app-2"),
        ("db-0", "statefulset/team/db"),
        ("db-12", "statefulset/team/db"),
        ("notebook", "pod/team/notebook"),
        ("app-6c8d9f7b5", "pod/team/app-6c8d9f7b5"),
        ("", "pod/team"),
    ],
)
def test_a_name_suggests_a_workload(pod: str, subject: str) -> None:
    assert str(workload_from_name("team", pod)) == subject


@pytest.mark.parametrize(
    ("kind", "name", "owners", "subject"),
    [
        ("ReplicaSet", "app-6c8d9f7b5", {"team/app-6c8d9f7b5": "app"}, "deployment/team/app"),
        ("ReplicaSet", "app-6c8d9f7b5", {}, "deployment/team/app"),
        ("ReplicaSet", "app-6c8d9f7b5", {"other/app-6c8d9f7b5": "wrong"}, "deployment/team/app"),
        ("ReplicaSet", "plain", {}, "deployment/team/plain"),
        ("StatefulSet", "db", {}, "statefulset/team/db"),
        ("Job", "job-x", {}, "job/team/job-x"),
        ("DaemonSet", "ds", {}, "daemonset/team/ds"),
        ("LeaderWorkerSet", "lws", {}, "leaderworkerset/team/lws"),
        ("Node", "n1", {}, "pod/team/p"),
        ("<none>", "<none>", {}, "pod/team/p"),
        ("", "", {}, "pod/team/p"),
        ("Job", "", {}, "pod/team/p"),
    ],
)
def test_the_top_owner(kind: str, name: str, owners: dict[str, str], subject: str) -> None:
    assert str(owner_of("team", "p", kind, name, owners)) == subject


def test_steps_from_each_subject() -> None:
    gpu = Subject("gpu", "", "n1/0")
    assert WORLD.pods_of(APP) == ("team/a", "team/b")
    assert WORLD.pods_of(NODE) == ("team/a", "lab/t")
    assert WORLD.pods_of(gpu) == ("team/a",)
    assert WORLD.pods_of(Subject("pod", "team", "a")) == ("team/a",)
    assert WORLD.gpus_of(APP) == ("G0",)
    assert set(WORLD.gpus_of(NODE)) == {"G0", "G1", "G2", "G3"}
    assert WORLD.gpus_of(gpu) == ("G0",)
    assert WORLD.nodes_of(APP) == ("n1", "n2")
    assert WORLD.nodes_of(gpu) == ("n1",)
    assert WORLD.nodes_of(NODE) == ("n1",)
    assert WORLD.workloads_of(NODE) == {APP, OTHER}
    assert WORLD.workloads_of(gpu) == {APP}
    assert WORLD.workloads_of(APP) == {APP}
    assert set(WORLD.pods_of(CLUSTER)) == set(WORLD.pods)
    assert set(WORLD.gpus_of(CLUSTER)) == set(WORLD.gpus)
    assert WORLD.nodes_of(CLUSTER) == WORLD.nodes


def test_a_workload_without_pods_is_known_and_its_autoscaler_too() -> None:
    assert WORLD.workloads[Subject("deployment", "team", "empty")] == ()
    assert WORLD.autoscaler(APP) == Autoscaler("team", "hpa", APP)
    assert WORLD.autoscaler(OTHER) is None


@pytest.mark.parametrize(
    "subject",
    [Subject("gpu", "", "n9/9"), Subject("pod", "x", "y"), Subject("node", "", "n9"), Subject("job", "x", "y")],
)
def test_what_is_unknown_has_no_parts(subject: Subject) -> None:
    assert WORLD.pods_of(subject) == ()
    assert WORLD.gpus_of(subject) == ()
    assert WORLD.workloads_of(subject) == frozenset()


def test_a_gpu_of_a_pod_that_is_not_known_leads_to_no_pod() -> None:
    """Every key that it hands out can be looked up."""
    assert WORLD.pods_of(Subject("gpu", "", "n1/3")) == ()


def test_the_gpus_that_may_be_its_own() -> None:
    pods = {**WORLD.pods, "team/a": replace(WORLD.pods["team/a"], gpus=2.0)}
    short = replace(WORLD, pods=pods)
    assert short.missing_gpus(APP) == (1.0, ("G2",)), (
        "of two that it requests one is known, and one of its node's is nobody's"
    )
    assert WORLD.missing_gpus(APP) == (0.0, ())
    assert short.missing_gpus(OTHER) == (0.0, ())
    assert short.unheld_near(APP) == ("G2",)


def test_keys_and_subjects_of_each_dimension() -> None:
    assert WORLD.parts(APP, Per.REPLICA) == ("team/a", "team/b")
    assert WORLD.parts(APP, Per.GPU) == ("G0",)
    assert WORLD.parts(APP, Per.NODE) == ("n1", "n2")
    assert WORLD.parts(APP, Per.WORKLOAD) == ("deployment/team/app",)
    assert WORLD.parts(NODE, Per.WORKLOAD) == ("deployment/team/app", "statefulset/lab/train")
    assert WORLD.parts(APP, Per.CLUSTER) == ("cluster/default",)
    for per, key, said in (
        (Per.REPLICA, "team/a", "pod/team/a"), (Per.GPU, "G0", "gpu/n1/0"), (Per.GPU, "G9", "gpu/G9"),
        (Per.NODE, "n1", "node/n1"), (Per.CLUSTER, "", "cluster/default"), (Per.WORKLOAD, "deployment/team/app", "deployment/team/app"),
    ):  # fmt: skip
        assert str(WORLD.part_subject(per, key)) == said


@pytest.mark.parametrize(
    ("phase", "ready", "active"),
    [("Running", True, True), ("Running", None, True), ("", None, True), ("Running", False, False), ("Pending", None, False), ("Terminating", True, False)],
)  # fmt: skip
def test_who_can_be_expected_to_answer(phase: str, ready: bool | None, active: bool) -> None:
    assert Pod("team", "a", "n1", APP, phase, ready).active is active


def test_an_image_gives_the_engine_away() -> None:
    known = [("vllm", ("vllm",)), ("sglang", ("sglang",))]
    assert engine_of_image(["registry.example/vLLM/server:1"], known) == "vllm"
    assert engine_of_image(["nginx", "lmsysorg/sglang:v0.4"], known) == "sglang"
    assert engine_of_image(["nginx", ""], known) == ""
    assert engine_of_image(["registry.corp.example/sglang/sgl-router:v0.2.2"], known) == ""
    assert engine_of_image(["lmsysorg/sglang-router:v0.2.4", "lmsysorg/sglang:v0.4"], known) == "sglang"
    assert engine_of_image(["vllm/production-router-free:1"], known) == "", "it stands in front of engines by its name"
    assert engine_of_image(["gateway.example/vllm/vllm-openai:v0.10.0"], known) == "vllm", (
        "the registry's name says nothing"
    )
