"""The objects of the fleet hang together as a real cluster's do, and tell the same story as the series."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any

import pytest

from evals.fleet.recipe import parse
from evals.fleet.world import World, build

END = 1_770_000_000
TAINT = [{"key": "nvidia.com/gpu", "value": "present"}]
CONTENT: dict[str, Any] = {
    "history": "40m",
    "dt": 4,
    "nodes": [
        {"name": "c1", "cpu": "16", "memory": "64Gi"},
        {"name": "g1", "gpu": "l4", "gpus": 4, "memory": "1024Gi", "taints": TAINT, "instance_type": "g6.12xlarge"},
        {"name": "g2", "gpu": "l4", "gpus": 1, "memory": "128Gi", "labels": {"pool": "x"}, "taints": TAINT},
    ],
    "workloads": [
        {
            "namespace": "chat",
            "name": "web",
            "model": "meta-llama/Llama-3.1-8B-Instruct",
            "replicas": 1,
            "memory": "40Gi",
            "args": {"max-model-len": 8192, "enforce-eager": True},
            "cpu_limit": "8",
            "memory_limit": "40Gi",
            "hpa": {"metric": "vllm_num_requests_waiting", "target": 4, "min_replicas": 1, "max_replicas": 5},
            "pdb_min_available": 1,
            "annotations": {"team": "chät 🦜"},
            "traffic": {"rate": 9, "prompt": {"mean": 900}},
            "node_selector": {"kubernetes.io/hostname": "g1"},
        },
        {
            "namespace": "ml",
            "name": "load",
            "kind": "StatefulSet",
            "model": "meta-llama/Llama-3.1-8B-Instruct",
            "args": {"max-model-len": 8192, "load-format": "pt"},
            "memory": "14Gi",
            "memory_limit": "14Gi",
            "created": "-30m",
            "node_selector": {"pool": "x"},
        },
        {
            "namespace": "ml",
            "name": "pad",
            "runtime": "none",
            "gpus": 0,
            "cpu": "1",
            "memory": "1Gi",
            "tolerations": [],
        },
    ],
}


@pytest.fixture(scope="module")
def world() -> World:
    return build(parse(CONTENT), END)


def of(world: World, kind: str, name: str = "") -> list[dict[str, Any]]:
    return [o for o in world.objects if o["kind"] == kind and (not name or o["metadata"]["name"] == name)]


def test_every_object_is_whole_and_named_once(world: World) -> None:
    seen = set()
    for item in world.objects:
        meta = item["metadata"]
        assert item["apiVersion"]
        assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", meta["uid"])
        assert meta["resourceVersion"].isdigit()
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", meta["creationTimestamp"])
        seen.add((item["kind"], meta.get("namespace"), meta["name"]))
    assert len(seen) == len(world.objects)
    assert len({o["metadata"]["uid"] for o in world.objects}) == len(world.objects)
    assert {o["kind"] for o in world.objects} >= {
        "Node",
        "Namespace",
        "Pod",
        "Deployment",
        "ReplicaSet",
        "StatefulSet",
        "DaemonSet",
        "Service",
        "HorizontalPodAutoscaler",
        "PodDisruptionBudget",
        "Event",
    }


def test_owners_exist_and_their_uids_agree(world: World) -> None:
    uids = {o["metadata"]["uid"]: o for o in world.objects}
    owned = 0
    for item in world.objects:
        for owner in item["metadata"].get("ownerReferences", []):
            assert uids[owner["uid"]]["kind"] == owner["kind"]
            assert uids[owner["uid"]]["metadata"]["name"] == owner["name"]
            owned += 1
    assert owned >= 10


def test_selectors_select_their_pods(world: World) -> None:
    for kind in ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"):
        for item in of(world, kind):
            wanted = item["spec"]["selector"]["matchLabels"].items()
            pods = [p for p in of(world, "Pod") if wanted <= p["metadata"].get("labels", {}).items()]
            assert pods, item["metadata"]["name"]
            assert {p["metadata"]["namespace"] for p in pods} == {item["metadata"]["namespace"]}


def test_a_pod_s_spec_is_what_the_recipe_says(world: World) -> None:
    pod = of(world, "Pod")[0]
    (container,) = pod["spec"]["containers"]
    assert "--model=meta-llama/Llama-3.1-8B-Instruct" in container["args"]
    assert "--max-model-len=8192" in container["args"]
    assert "--enforce-eager" in container["args"]
    assert container["resources"]["limits"] == {"cpu": "8", "memory": "40Gi", "nvidia.com/gpu": "1"}
    assert container["readinessProbe"]["httpGet"]["path"] == "/health"
    assert {"name": "dshm", "mountPath": "/dev/shm"} in container["volumeMounts"]
    assert pod["metadata"]["annotations"] == {"team": "chät 🦜"}
    assert pod["metadata"]["name"].startswith(pod["metadata"]["generateName"])


def test_a_failing_pod_s_status_is_a_kubelet_s(world: World) -> None:
    (pod,) = of(world, "Pod", "load-0")
    (status,) = pod["status"]["containerStatuses"]
    last = status["lastState"].get("terminated") or status["state"]["terminated"]
    assert (last["reason"], last["exitCode"]) == ("OOMKilled", 137)
    assert last["startedAt"] < last["finishedAt"]
    assert status["restartCount"] > 2
    if "waiting" in status["state"]:
        assert status["state"]["waiting"]["reason"] == "CrashLoopBackOff"
        assert status["state"]["waiting"]["message"].startswith("back-off ")
    conditions = {c["type"]: c["status"] for c in pod["status"]["conditions"]}
    assert conditions == {
        "PodReadyToStartContainers": "True",
        "Initialized": "True",
        "Ready": "False",
        "ContainersReady": "False",
        "PodScheduled": "True",
    }
    assert pod["status"]["phase"] == "Running"


def test_the_autoscaler_scaled_and_what_found_no_gpu_is_pending(world: World) -> None:
    (hpa,) = of(world, "HorizontalPodAutoscaler")
    assert hpa["status"]["desiredReplicas"] == hpa["spec"]["maxReplicas"] == 5
    limited = next(c for c in hpa["status"]["conditions"] if c["type"] == "ScalingLimited")
    assert (limited["status"], limited["reason"]) == ("True", "TooManyReplicas")
    pending = [p for p in of(world, "Pod") if p["status"]["phase"] == "Pending"]
    assert len(pending) == 1
    (condition,) = pending[0]["status"]["conditions"]
    assert (condition["reason"], condition["status"]) == ("Unschedulable", "False")
    assert condition["message"] == (
        "0/3 nodes are available: 1 Insufficient nvidia.com/gpu, 2 node(s) didn't match Pod's node affinity/selector. "
        "preemption: 0/3 nodes are available: 2 Preemption is not helpful for scheduling, "
        "1 No preemption victims found for incoming pod."
    )
    assert "nodeName" not in pending[0]["spec"]
    events = [e for e in of(world, "Event") if e["involvedObject"]["name"] == pending[0]["metadata"]["name"]]
    assert {e["reason"] for e in events} == {"FailedScheduling"}
    assert condition["message"] in {e["message"] for e in events}
    (web,) = of(world, "Deployment", "web")
    assert (web["spec"]["replicas"], web["status"]["unavailableReplicas"]) == (5, 1)


def test_nodes_carry_capacity_and_gpu_labels(world: World) -> None:
    (node,) = of(world, "Node", "g1")
    assert node["status"]["capacity"]["nvidia.com/gpu"] == node["status"]["allocatable"]["nvidia.com/gpu"] == "4"
    assert node["metadata"]["labels"]["nvidia.com/gpu.product"] == "NVIDIA-L4"
    assert node["spec"]["taints"] == [{"key": "nvidia.com/gpu", "effect": "NoSchedule", "value": "present"}]
    assert {c["type"]: c["status"] for c in node["status"]["conditions"]}["Ready"] == "True"
    (plain,) = of(world, "Node", "c1")
    assert "nvidia.com/gpu" not in plain["status"]["capacity"]


def test_no_gpu_is_held_twice_and_only_by_pods_of_the_node(world: World) -> None:
    held: dict[str, set[int]] = defaultdict(set)
    for pod in world.simulation.pods:
        assert len(pod.devices) == (pod.template.gpus if pod.node else 0)
        for index in pod.devices:
            assert index not in held[pod.node]
            held[pod.node].add(index)
            assert world.simulation.machines[pod.node].devices[index].holder[:2] == pod.key
    assert len(held["g1"]) == 4


def test_events_are_of_the_last_hour_and_about_somebody(world: World) -> None:
    for event in of(world, "Event"):
        assert event["count"] >= 1
        assert event["firstTimestamp"] <= event["lastTimestamp"]
        assert event["lastTimestamp"] >= "2026-02-02T01:40:00Z"
        assert event["involvedObject"]["uid"]
        assert event["type"] in {"Normal", "Warning"}


def test_logs_are_the_engine_s_and_name_no_fault(world: World) -> None:
    web = next(text for (ns, pod, _, previous), text in world.logs.items() if pod.startswith("web-") and not previous)
    for line in web.splitlines():
        assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z ", line)
    for words in (
        "non-default args: {'host': '0.0.0.0', 'model': 'meta-llama/Llama-3.1-8B-Instruct'",
        "Model loading took 14.95",
        "GPU KV cache size: ",
        "Maximum concurrency for 8,192 tokens per request: ",
        "Application startup complete.",
        "Engine 000: Avg prompt throughput: ",
    ):
        assert words in web, words
    assert "Graph capturing" not in web  # --enforce-eager captures none
    killed = world.logs["ml", "load-0", "server", True]
    assert "Starting to load model" in killed
    assert not re.search(r"(?i)oom|killed|memory limit", killed)


def test_stamps_of_a_log_never_go_back(world: World) -> None:
    assert world.logs
    for text in world.logs.values():
        stamps = [line.split(" ", 1)[0] for line in text.splitlines()]
        assert stamps == sorted(stamps)


def test_the_present_goes_on_and_the_past_stays(world: World) -> None:
    # A world of its own: it is moved.
    own = build(parse({**CONTENT, "history": "4m"}), END)
    before = {o["metadata"]["uid"]: o for o in own.objects}
    later = own.objects_at(END + 900)
    assert own.simulation.now == END + 900
    assert own.objects == list(before.values())
    moved = [o for o in later if o["kind"] == "Pod" and o != before.get(o["metadata"]["uid"])]
    assert moved
    assert own.objects_at(END) == later
    logs = own.logs_at(END + 900)
    assert any(len(logs[key]) > len(own.logs[key]) for key in own.logs if key in logs)
