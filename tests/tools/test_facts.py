"""Facts of Kubernetes objects, well-formed and hostile."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tools.worlds import START, crashed, hpa, node, owned, pod, stamp
from tools.casebook import asks
from tools.diagnose import Within, diagnose
from tools.facts import (
    autoscaler_facts,
    autoscaler_target,
    cordoned_gpus,
    free_gpus,
    gpus_requested,
    node_facts,
    serving_container,
    workload_facts,
)
from tools.observe import KINDS
from tools.pod_facts import pod_facts
from tools.reading import Blind, Reason
from tools.signals import (
    EXIT_CODE,
    GPU_REQUEST,
    HPA_DESIRED,
    HPA_MAX,
    HPA_METRICS,
    HPA_MIN,
    KEPT_WARM,
    LIVED_FOR,
    MEMORY_LIMIT,
    NODE_GPUS,
    NODE_READY,
    PENDING_FOR,
    POD_AGE,
    POD_PHASE,
    POD_READY,
    REPLICAS_READY,
    REPLICAS_WANTED,
    RESTARTS,
    RUNNING_FOR,
    SHM_SIZE,
    STANDBY,
    TERMINATED_AGO,
    TERMINATION,
    UNSCHEDULABLE,
    WAITING_REASON,
)
from tools.sources.kube_fake import FakeKube
from tools.survey import survey
from tools.vocabulary.turned import ENDING_FOR


def test_a_running_pod() -> None:
    facts = pod_facts(pod("a", gpus=2, args=["--tensor-parallel-size=2"], limits={"memory": "8Gi"}), START)
    assert facts[GPU_REQUEST] == 2
    assert facts[POD_PHASE] == "Running"
    assert facts[POD_READY] == 1
    assert facts[POD_AGE] == 7200
    assert facts[RUNNING_FOR] == 7200
    assert facts[PENDING_FOR] == 0
    assert facts[RESTARTS] == 0
    assert facts[TERMINATION] == ""
    assert facts[WAITING_REASON] == ""
    assert facts[UNSCHEDULABLE] == ""
    assert facts[MEMORY_LIMIT] == 8 * 2**30
    assert facts[SHM_SIZE] == 64 * 2**20
    assert EXIT_CODE not in facts
    assert TERMINATED_AGO not in facts


def test_a_crashed_pod() -> None:
    facts = pod_facts(pod("a", status=crashed(300, code=137, reason="OOMKilled")), START)
    assert facts[TERMINATION] == "OOMKilled"
    assert facts[EXIT_CODE] == 137
    assert facts[TERMINATED_AGO] == 300
    assert facts[LIVED_FOR] == 60
    assert facts[WAITING_REASON] == "CrashLoopBackOff"
    assert facts[RUNNING_FOR] == 0


def test_a_container_that_is_down_now_tells_of_this_end_not_of_the_one_before() -> None:
    status = crashed(300)
    status["containerStatuses"][0]["state"] = {
        "terminated": {"reason": "Completed", "exitCode": 0, "finishedAt": stamp(START - 10)}
    }
    facts = pod_facts(pod("a", status=status), START)
    assert (facts[TERMINATION], facts[EXIT_CODE], facts[TERMINATED_AGO]) == ("Completed", 0, 10)
    assert LIVED_FOR not in facts


def test_a_container_that_never_began_has_lived_no_time() -> None:
    status = crashed(60, code=128, reason="StartError")
    status["containerStatuses"][0]["lastState"]["terminated"]["startedAt"] = "1970-01-01T00:00:00Z"
    facts = pod_facts(pod("a", status=status), 1_700_000_000.0)
    assert facts[EXIT_CODE] == 128
    assert LIVED_FOR not in facts


def test_a_pod_that_is_being_removed() -> None:
    assert pod_facts(pod("a", deleted=True), START)[POD_PHASE] == "Terminating"


@pytest.mark.parametrize(
    ("grace", "after", "told"), [(21_600, 13_700, 7_900.0), (30, -3_600, 3_630.0), (None, -60, 60.0), (30, 600, 0.0)]
)
def test_since_when_a_pod_is_being_removed(grace: int | None, after: float, told: float) -> None:
    """Its deletionTimestamp is when the grace period is over."""
    one = pod("a")
    one["metadata"]["deletionTimestamp"] = stamp(START + after)
    if grace is not None:
        one["metadata"]["deletionGracePeriodSeconds"] = grace
    assert pod_facts(one, START)[ENDING_FOR] == told
    assert ENDING_FOR not in pod_facts(pod("a"), START)


def test_a_pod_in_its_init_containers_has_no_facts_of_a_container_that_never_was() -> None:
    facts = pod_facts(pod("a", phase="Pending", status={"containerStatuses": None}), START)
    assert not {RESTARTS, TERMINATION, EXIT_CODE, RUNNING_FOR, WAITING_REASON} & set(facts)
    assert facts[PENDING_FOR] == 7200


def test_why_it_is_not_scheduled() -> None:
    said = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": "0/3 nodes: Insufficient nvidia.com/gpu",
    }
    waiting = pod("a", phase="Pending", status={"conditions": [said]})
    assert pod_facts(waiting, START)[UNSCHEDULABLE] == said["message"]
    events = [
        {"reason": "FailedScheduling", "message": "first"},
        {"reason": "FailedScheduling", "message": "last"},
        {"reason": "Pulled", "message": "no"},
    ]
    assert pod_facts(pod("a", phase="Pending", status={"conditions": []}), START, events)[UNSCHEDULABLE] == "last"
    placed = pod("a", phase="Pending", status={"conditions": [{"type": "PodScheduled", "status": "True"}]})
    assert pod_facts(placed, START, events)[UNSCHEDULABLE] == ""
    assert pod_facts(pod("a"), START, events)[UNSCHEDULABLE] == ""


@pytest.mark.parametrize(
    ("volume", "memory", "size"),
    [
        ({"emptyDir": {"medium": "Memory", "sizeLimit": "8Gi"}}, "16Gi", 8 * 2**30),
        ({"emptyDir": {"medium": "Memory"}}, "16Gi", 16 * 2**30),
        ({"emptyDir": {"medium": "Memory"}}, None, float("inf")),
        (None, None, float("inf")),
    ],
)
def test_shared_memory(volume: dict[str, Any] | None, memory: str | None, size: float) -> None:
    item = pod("a", limits={"memory": memory} if memory else {})
    item["spec"]["containers"][0]["volumeMounts"] = [{"name": "shm", "mountPath": "/dev/shm"}]
    item["spec"]["volumes"] = [{"name": "shm", **volume}] if volume else []
    assert pod_facts(item, START)[SHM_SIZE] == size
    assert pod_facts({**item, "spec": {**item["spec"], "hostIPC": True}}, START)[SHM_SIZE] == float("inf")


def test_the_serving_container_is_the_one_with_the_gpu() -> None:
    item = pod("a", gpus=4)
    sidecar = {"name": "proxy", "resources": {"limits": {"cpu": "1"}}}
    item["spec"]["containers"].insert(0, sidecar)
    assert serving_container(item)["name"] == "engine"
    assert gpus_requested(item) == 4
    assert serving_container({"spec": {"containers": [sidecar]}})["name"] == "proxy"
    assert serving_container({}) == {}
    mig = {"spec": {"containers": [{"resources": {"requests": {"nvidia.com/mig-1g.10gb": "2"}}}]}}
    assert gpus_requested(mig) == 2


@pytest.mark.parametrize(
    ("name", "labels", "annotations", "kept"),
    [
        ("app", {"role": "standby"}, {}, 1),
        ("app", {}, {"example.com/failover": "Warm standby"}, 1),
        ("app", {"example.com/standby": "true"}, {}, 1),
        ("app", {"example.com/standby": "false"}, {}, 0),
        ("app", {"example.com/has-standby-cluster": "true"}, {}, 0),
        ("app", {}, {"note": "has a standby in the other zone"}, 0),
        ("app", {"role": "active"}, {"peer": "app-standby"}, 0),
        ("app-standby", {}, {}, 1),
        ("app-hot-standby-2", {}, {}, 1),
        ("standbyme", {}, {}, 0),
    ],
)
def test_who_is_said_to_wait_for_another_to_fail(
    name: str, labels: dict[str, str], annotations: dict[str, str], kept: float
) -> None:
    item = owned("Deployment", name)
    item["metadata"] |= {"labels": labels, "annotations": annotations}
    assert workload_facts(item)[KEPT_WARM] == kept
    assert workload_facts(item)[STANDBY] == 0, "that forgives more, and is declared to us"


def test_a_workload_an_autoscaler_and_a_node() -> None:
    facts = workload_facts(owned("Deployment", "app"))
    assert (facts[REPLICAS_WANTED], facts[REPLICAS_READY], facts[STANDBY]) == (1, 1, 0)
    asleep = owned("Deployment", "app")
    asleep["metadata"]["annotations"] = {"rackside.dev/standby": "True"}
    assert workload_facts(asleep)[STANDBY] == 1
    asleep["metadata"]["labels"] = {"role": "standby"}
    asleep["metadata"]["annotations"] = {"rackside.dev/standby": "false"}
    assert workload_facts(asleep)[STANDBY] == 0
    assert workload_facts(asleep)[KEPT_WARM] == 0, "ours is said on purpose"
    assert REPLICAS_WANTED not in workload_facts({"metadata": {"name": "x"}})
    scaler = hpa("app")
    scaler["spec"]["metrics"].append({"type": "Pods", "pods": {"metric": {"name": "vllm_waiting"}}})
    told = autoscaler_facts(scaler)
    assert told == {HPA_METRICS: "cpu, vllm_waiting", HPA_MIN: 1, HPA_MAX: 8, HPA_DESIRED: 2}
    assert str(autoscaler_target(scaler)) == "deployment/team/app"
    del scaler["spec"]["minReplicas"]
    assert autoscaler_facts(scaler)[HPA_MIN] == 1
    assert node_facts(node(gpus=4)) == {NODE_GPUS: 4, NODE_READY: 1}
    assert node_facts(node(ready="Unknown"))[NODE_READY] == 0
    assert node_facts({"metadata": {"name": "cpu-only"}}) == {NODE_GPUS: 0}


def test_free_gpus_count_what_runs_and_not_what_ended_or_may_not_be_used() -> None:
    nodes = [node("n1", 8), node("n2", 8, unschedulable=True), node("n3", 8, ready="False")]
    pods = [pod("a", gpus=2), pod("b", gpus=4, phase="Succeeded"), pod("c", gpus=1, phase="Pending", node="")]
    assert free_gpus(nodes, pods) == {"n1": (6, 8), "n2": (0, 8), "n3": (0, 8)}
    assert free_gpus(nodes[:1], [pod("a", gpus=99)]) == {"n1": (0, 8)}


def test_what_cordoned_nodes_keep_back_is_what_no_pod_holds_there() -> None:
    nodes = [
        node("n1", 8), node("n2", 8, unschedulable=True), node("n3", 4, unschedulable=True),
        node("n4", 16, ready="False", unschedulable=True),
    ]  # fmt: skip
    assert cordoned_gpus(nodes, [pod("a", gpus=6, node="n2")]) == 4
    assert cordoned_gpus(nodes, [pod("a", gpus=1, node="n2")]) == 7
    assert cordoned_gpus(nodes[:1], []) == 0
    assert cordoned_gpus([], []) == 0


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("x" * 10_000) | st.just("💥\u202e\x00"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
WELL: dict[str, dict[str, Any]] = {
    "pods": pod("a", status=crashed(30), limits={"memory": "8Gi"}, args=["--tp", "2"]),
    "nodes": node(),
    "horizontalpodautoscalers": hpa("app"),
    "deployments": owned("Deployment", "app"),
    "replicasets": owned("ReplicaSet", "app-6c8d9f7b5", "app"),
    "events": {"involvedObject": {"kind": "Pod", "namespace": "team", "name": "a"}, "reason": "FailedScheduling", "lastTimestamp": "t"},
}  # fmt: skip


def paths(item: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = item.items() if isinstance(item, dict) else enumerate(item) if isinstance(item, list) else ()
    return [here, *(path for key, value in inner for path in paths(value, (*here, key)))]


def replaced(item: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    if isinstance(item, dict):
        return {key: replaced(inner, path[1:], value) if key == path[0] else inner for key, inner in item.items()}
    return [replaced(inner, path[1:], value) if i == path[0] else inner for i, inner in enumerate(item)]


WHERE = [(kind, path) for kind, item in WELL.items() for path in paths(item) if path]


def survives(kind: str, path: tuple[Any, ...], junk: Any) -> None:
    objects = {**{one: [] for one in KINDS}, **{one: [item] for one, item in WELL.items()}}
    objects[kind] = [replaced(WELL[kind], path, junk)]
    kube = FakeKube(objects)
    kube._logs = AnyLog()  # type: ignore[assignment]
    taken = survey(Blind(Reason.NOT_SET, "no Prometheus"), kube, asks(), START)
    diagnose(taken, Within("team"))


class AnyLog(dict[Any, str]):
    """A log for whoever asks: names may be anything here."""

    def __contains__(self, key: object) -> bool:
        return True

    def __missing__(self, key: object) -> str:
        return "CUDA out of memory. Tried to allocate 1 GiB"


@pytest.mark.parametrize(
    "junk",
    [None, "", "x", 7, -1.5, True, [], ["x"], {}, {"x": "y"}, [{"x": []}], "9" * 5000, "💥\u202e\x00"],
    ids=lambda x: repr(x)[:12],
)
def test_no_field_of_any_type_anywhere_raises(junk: Any) -> None:
    for kind, path in WHERE:
        survives(kind, path, junk)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(where=st.sampled_from(WHERE), junk=JUNK)
def test_no_junk_raises(where: tuple[str, tuple[Any, ...]], junk: Any) -> None:
    survives(*where, junk)
