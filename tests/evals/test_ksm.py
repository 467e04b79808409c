"""kube-state-metrics as a function of objects: names, labels and quirks of v2.20."""

from __future__ import annotations

import math
from typing import Any

import pytest

from evals.fleet.ksm import samples
from evals.fleet.sample import Sample

AT = 1_770_000_000.0
CREATED, STARTED, ENDED = "2026-02-01T10:00:00Z", "2026-02-01T10:05:00Z", "2026-02-01T10:04:30Z"
SECONDS = {CREATED: 1_769_940_000.0, STARTED: 1_769_940_300.0, ENDED: 1_769_940_270.0}
WHO = {"namespace": "chat", "pod": "vllm-7d-x", "uid": "u-1"}


def a_pod(**status: Any) -> dict[str, Any]:
    running = {
        "name": "server",
        "ready": True,
        "restartCount": 2,
        "image": "docker.io/vllm/vllm-openai:v0.11.0",
        "imageID": "sha256:aa",
        "containerID": "containerd://cc",
        "state": {"running": {"startedAt": STARTED}},
        "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137, "finishedAt": ENDED}},
    }
    conditions = [
        {"type": "Initialized", "status": "True", "lastTransitionTime": CREATED},
        {"type": "PodScheduled", "status": "True", "lastTransitionTime": CREATED},
        {"type": "ContainersReady", "status": "True", "lastTransitionTime": STARTED},
        {"type": "Ready", "status": "True", "lastTransitionTime": STARTED},
    ]
    told = {"phase": "Running", "hostIP": "10.0.0.1", "podIP": "10.1.0.1", "startTime": CREATED}
    return {
        "kind": "Pod",
        "metadata": {
            "namespace": "chat",
            "name": "vllm-7d-x",
            "uid": "u-1",
            "creationTimestamp": CREATED,
            "labels": {"app": "vllm", "team/costCentre": "42", "a.b": "1", "a-b": "2"},
            "ownerReferences": [
                {"kind": "ReplicaSet", "name": "vllm-7d", "controller": True},
                {"kind": "Extra", "name": "e"},
            ],
        },
        "spec": {
            "nodeName": "g1",
            "priorityClassName": "high",
            "containers": [
                {
                    "name": "server",
                    "image": "vllm/vllm-openai:v0.11.0",
                    "resources": {
                        "requests": {"cpu": "500m", "memory": "64Gi", "hugepages-2Mi": "4Mi", "odd": "1"},
                        "limits": {
                            "memory": "64Gi",
                            "nvidia.com/gpu": "2",
                            "kubernetes.io/batch-cpu": "1",
                            "pods": "1",
                        },
                    },
                }
            ],
        },
        "status": {**told, "conditions": conditions, "containerStatuses": [running], **status},
    }


def values(found: list[Sample], name: str) -> dict[tuple[tuple[str, str], ...], float]:
    """Value by labels without the pod's own."""
    return {
        tuple(pair for pair in sample.labels if pair[0] not in WHO): sample.value
        for sample in found
        if sample.name == name
    }


def of(*objects: dict[str, Any], **labels: Any) -> list[Sample]:
    found = list(samples(objects, AT, **labels))
    for sample in found:
        assert sample.labels == tuple(sorted(sample.labels))
        assert len(dict(sample.labels)) == len(sample.labels)
    series = [(sample.name, sample.labels) for sample in found]
    assert len(set(series)) == len(series), "a series twice makes a scrape fail"
    return found


def only(found: list[Sample], name: str) -> dict[str, str]:
    (sample,) = [sample for sample in found if sample.name == name]
    return dict(sample.labels)


def test_who_a_pod_is() -> None:
    found = of(a_pod())
    assert only(found, "kube_pod_info") == {
        **WHO,
        "node": "g1",
        "host_ip": "10.0.0.1",
        "pod_ip": "10.1.0.1",
        "created_by_kind": "ReplicaSet",
        "created_by_name": "vllm-7d",
        "host_network": "false",
        "priority_class": "high",
    }
    owners = values(found, "kube_pod_owner")
    assert [dict(labels)["owner_is_controller"] for labels in owners] == ["true", "false"]
    assert [dict(labels)["owner_name"] for labels in owners] == ["vllm-7d", "e"]
    assert all({**WHO}.items() <= dict(sample.labels).items() for sample in found)


def test_a_pod_without_an_owner_has_empty_labels() -> None:
    pod = a_pod()
    pod["metadata"]["ownerReferences"] = [{"kind": "Extra", "name": "e"}]
    assert only(of(pod), "kube_pod_info")["created_by_kind"] == ""
    del pod["metadata"]["ownerReferences"]
    owner = only(of(pod), "kube_pod_owner")
    assert {key: owner[key] for key in owner if key not in WHO} == {
        "owner_kind": "",
        "owner_name": "",
        "owner_is_controller": "",
    }


def test_phases_have_a_series_each() -> None:
    assert values(of(a_pod()), "kube_pod_status_phase") == {
        (("phase", "Pending"),): 0.0,
        (("phase", "Succeeded"),): 0.0,
        (("phase", "Failed"),): 0.0,
        (("phase", "Unknown"),): 0.0,
        (("phase", "Running"),): 1.0,
    }
    assert values(of(a_pod(phase="")), "kube_pod_status_phase") == {}


def test_conditions_have_a_series_for_every_status() -> None:
    found = of(a_pod())
    for name in ("kube_pod_status_ready", "kube_pod_status_scheduled"):
        assert values(found, name) == {
            (("condition", "true"),): 1.0,
            (("condition", "false"),): 0.0,
            (("condition", "unknown"),): 0.0,
        }
    unknown = of(a_pod(conditions=[{"type": "Ready", "status": "Unknown"}]))
    assert values(unknown, "kube_pod_status_ready")[("condition", "unknown"),] == 1.0
    times = {"scheduled": CREATED, "initialized": CREATED, "container_ready": STARTED, "ready": STARTED}
    for name, moment in times.items():
        assert values(found, f"kube_pod_status_{name}_time") == {(): SECONDS[moment]}
    assert values(found, "kube_pod_created") == {(): SECONDS[CREATED]}
    assert values(found, "kube_pod_start_time") == {(): SECONDS[CREATED]}


def test_a_pod_that_fits_nowhere() -> None:
    waits = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "lastTransitionTime": CREATED}
    pod = a_pod(phase="Pending", conditions=[waits], containerStatuses=[])
    del pod["spec"]["nodeName"]
    found = of(pod)
    assert values(found, "kube_pod_status_unschedulable") == {(): 1.0}
    assert values(found, "kube_pod_status_unscheduled_time") == {(): SECONDS[CREATED]}
    assert values(found, "kube_pod_status_scheduled_time") == {}
    assert values(found, "kube_pod_container_status_ready") == {}
    assert dict(next(iter(values(found, "kube_pod_container_resource_limits"))))["node"] == ""
    gone = of(a_pod())
    assert values(gone, "kube_pod_status_unschedulable") == {}


def test_resources_are_sanitised_and_carry_units() -> None:
    found = of(a_pod())
    requests = {
        dict(k)["resource"]: (dict(k)["unit"], v)
        for k, v in values(found, "kube_pod_container_resource_requests").items()
    }
    assert requests == {
        "cpu": ("core", 0.5),
        "memory": ("byte", 64.0 * 2**30),
        "hugepages_2Mi": ("byte", 4.0 * 2**20),
        "nvidia_com_gpu": ("integer", 2.0),
    }
    limits = values(found, "kube_pod_container_resource_limits")
    assert {dict(k)["resource"] for k in limits} == {"memory", "nvidia_com_gpu"}
    assert {(dict(k)["node"], dict(k)["container"]) for k in limits} == {("g1", "server")}


def test_a_container_that_ran_before() -> None:
    found = of(a_pod())
    prefix = "kube_pod_container_status_last_terminated"
    assert values(found, f"{prefix}_reason") == {(("container", "server"), ("reason", "OOMKilled")): 1.0}
    assert values(found, f"{prefix}_exitcode") == {(("container", "server"),): 137.0}
    assert values(found, f"{prefix}_timestamp") == {(("container", "server"),): SECONDS[ENDED]}
    assert values(found, "kube_pod_container_state_started") == {(("container", "server"),): SECONDS[STARTED]}
    (restarts,) = [s for s in found if s.name == "kube_pod_container_status_restarts_total"]
    assert (restarts.value, restarts.type) == (2.0, "counter")
    for state, value in (("running", 1.0), ("waiting", 0.0), ("terminated", 0.0)):
        assert values(found, f"kube_pod_container_status_{state}") == {(("container", "server"),): value}
    assert values(found, "kube_pod_container_status_waiting_reason") == {}
    assert only(found, "kube_pod_container_info") == {
        **WHO,
        "container": "server",
        "image": "docker.io/vllm/vllm-openai:v0.11.0",
        "image_id": "sha256:aa",
        "image_spec": "vllm/vllm-openai:v0.11.0",
        "container_id": "containerd://cc",
    }


def test_containers_that_wait_and_that_ended() -> None:
    waiting = {
        "name": "server",
        "restartCount": 9,
        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {},
    }
    found = of(a_pod(containerStatuses=[waiting]))
    reason = {(("container", "server"), ("reason", "CrashLoopBackOff")): 1.0}
    assert values(found, "kube_pod_container_status_waiting_reason") == reason
    assert values(found, "kube_pod_container_state_started") == {}
    assert values(found, "kube_pod_container_status_last_terminated_reason") == {}
    ended = {"name": "server", "state": {"terminated": {"reason": "Error", "exitCode": 1, "startedAt": STARTED}}}
    found = of(a_pod(containerStatuses=[ended]))
    assert values(found, "kube_pod_container_status_terminated_reason") == {
        (("container", "server"), ("reason", "Error")): 1.0
    }
    assert values(found, "kube_pod_container_state_started") == {(("container", "server"),): SECONDS[STARTED]}
    assert values(found, "kube_pod_container_status_last_terminated_exitcode") == {}


def test_init_containers_have_series_of_their_own() -> None:
    pod = a_pod(initContainerStatuses=[{"name": "fetch", "state": {"waiting": {"reason": "PodInitializing"}}}])
    pod["spec"]["initContainers"] = [{"name": "fetch", "restartPolicy": "Always"}]
    found = of(pod)
    reason = {(("container", "fetch"), ("reason", "PodInitializing")): 1.0}
    assert values(found, "kube_pod_init_container_status_waiting_reason") == reason
    assert only(found, "kube_pod_init_container_info")["restart_policy"] == "Always"
    assert "restart_policy" not in only(found, "kube_pod_container_info")


def test_reasons_only_for_what_holds() -> None:
    assert values(of(a_pod()), "kube_pod_status_reason") == {}
    assert values(of(a_pod(reason="Evicted")), "kube_pod_status_reason") == {(("reason", "Evicted"),): 1.0}
    assert values(of(a_pod(reason="Novel")), "kube_pod_status_reason") == {(("reason", "Other"),): 1.0}
    target = {"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI"}
    found = of(a_pod(conditions=[target]))
    assert values(found, "kube_pod_status_disruption_reason") == {(("reason", "EvictionByEvictionAPI"),): 1.0}
    pod = a_pod()
    pod["metadata"]["deletionTimestamp"] = STARTED
    assert values(of(pod), "kube_pod_deletion_timestamp") == {(): SECONDS[STARTED]}


def test_labels_only_where_they_are_allowed() -> None:
    assert values(of(a_pod()), "kube_pod_labels") == {}
    some = of(a_pod(), labels={"pods": ["app", "team/costCentre", "absent"]})
    assert values(some, "kube_pod_labels") == {(("label_app", "vllm"), ("label_team_cost_centre", "42")): 1.0}
    every = only(of(a_pod(), labels={"pods": ["*"]}), "kube_pod_labels")
    assert (every["label_a_b_conflict1"], every["label_a_b_conflict2"]) == ("2", "1")
    node = {"kind": "Node", "metadata": {"name": "g1", "labels": {"nvidia.com/gpu.product": "H200"}}}
    found = of(node, labels={"nodes": ["nvidia.com/gpu.product"]})
    assert only(found, "kube_node_labels") == {"node": "g1", "label_nvidia_com_gpu_product": "H200"}


def test_a_node() -> None:
    node = {
        "kind": "Node",
        "metadata": {"name": "g1", "creationTimestamp": CREATED},
        "spec": {
            "unschedulable": True,
            "providerID": "p://1",
            "podCIDR": "10.1.0.0/24",
            "taints": [{"key": "nvidia.com/gpu", "effect": "NoSchedule"}],
        },
        "status": {
            "capacity": {
                "cpu": "96",
                "memory": "1Ti",
                "nvidia.com/gpu": "8",
                "pods": "110",
                "ephemeral-storage": "1Ki",
            },
            "allocatable": {"cpu": "95500m", "nvidia.com/gpu": "7"},
            "conditions": [{"type": "Ready", "status": "False"}, {"type": "DiskPressure", "status": "True"}],
            "addresses": [{"type": "Hostname", "address": "g1"}, {"type": "InternalIP", "address": "10.0.0.1"}],
            "nodeInfo": {"kubeletVersion": "v1.33.2", "systemUUID": "su", "kernelVersion": "6.8"},
        },
    }
    found = of(node)
    info = only(found, "kube_node_info")
    assert info["internal_ip"] == "10.0.0.1"
    assert (info["kubeproxy_version"], info["pod_cidr"], info["system_uuid"]) == ("deprecated", "10.1.0.0/24", "su")
    capacity = {
        dict(k)["resource"]: (dict(k)["unit"], v) for k, v in values(found, "kube_node_status_capacity").items()
    }
    assert capacity == {
        "cpu": ("core", 96.0),
        "memory": ("byte", 2.0**40),
        "nvidia_com_gpu": ("integer", 8.0),
        "pods": ("integer", 110.0),
        "ephemeral_storage": ("byte", 1024.0),
    }
    allocatable = {dict(k)["resource"]: v for k, v in values(found, "kube_node_status_allocatable").items()}
    assert allocatable == {"cpu": 95.5, "nvidia_com_gpu": 7.0}
    ready = {k: v for k, v in values(found, "kube_node_status_condition").items() if ("condition", "Ready") in k}
    assert {dict(k)["status"]: v for k, v in ready.items()} == {"true": 0.0, "false": 1.0, "unknown": 0.0}
    taint = only(found, "kube_node_spec_taint")
    assert taint == {"node": "g1", "key": "nvidia.com/gpu", "value": "", "effect": "NoSchedule"}
    assert values(found, "kube_node_spec_unschedulable") == {(("node", "g1"),): 1.0}


def test_a_deployment() -> None:
    stuck = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
    odd = {"type": "Available", "status": "True", "reason": "SomethingNew"}
    deployment = {
        "kind": "Deployment",
        "metadata": {"namespace": "chat", "name": "vllm", "generation": 4},
        "spec": {"replicas": 3},
        "status": {"replicas": 3, "availableReplicas": 1, "unavailableReplicas": 2, "conditions": [stuck, odd]},
    }
    found = of(deployment)
    told = {s.name: s.value for s in found if s.name != "kube_deployment_status_condition"}
    assert told["kube_deployment_spec_replicas"] == 3.0
    assert told["kube_deployment_status_replicas_available"] == 1.0
    assert told["kube_deployment_status_replicas_unavailable"] == 2.0
    assert told["kube_deployment_status_replicas_ready"] == 0.0
    assert told["kube_deployment_metadata_generation"] == 4.0
    held = [dict(s.labels) for s in found if s.name == "kube_deployment_status_condition" and s.value == 1.0]
    assert [(one["condition"], one["status"], one["reason"]) for one in held] == [
        ("Progressing", "false", "ProgressDeadlineExceeded"),
        ("Available", "true", "unknown"),
    ]
    del deployment["spec"]["replicas"]
    assert "kube_deployment_spec_replicas" not in {s.name for s in of(deployment)}


def test_an_autoscaler() -> None:
    hpa = {
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"namespace": "chat", "name": "vllm"},
        "spec": {
            "scaleTargetRef": {"kind": "Deployment", "name": "vllm", "apiVersion": "apps/v1"},
            "minReplicas": 0,
            "maxReplicas": 8,
            "metrics": [
                {
                    "type": "Resource",
                    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}},
                },
                {"type": "Pods", "pods": {"metric": {"name": "queue"}, "target": {"averageValue": "500m"}}},
                {
                    "type": "ContainerResource",
                    "containerResource": {"name": "memory", "container": "server", "target": {"averageValue": "1Gi"}},
                },
                {"type": "External", "external": {"metric": {"name": "ext"}, "target": {"value": "30"}}},
                {"type": "Strange", "strange": 7},
            ],
        },
        "status": {
            "currentReplicas": 2,
            "desiredReplicas": 8,
            "currentMetrics": [
                {
                    "type": "Resource",
                    "resource": {"name": "cpu", "current": {"averageUtilization": 12, "averageValue": "1"}},
                },
                {"type": "Pods"},
            ],
            "conditions": [{"type": "ScalingLimited", "status": "True"}],
        },
    }
    found = of(hpa)
    name = "kube_horizontalpodautoscaler"
    assert only(found, f"{name}_info") == {
        "namespace": "chat",
        "horizontalpodautoscaler": "vllm",
        "scaletargetref_kind": "Deployment",
        "scaletargetref_name": "vllm",
        "scaletargetref_api_version": "apps/v1",
    }
    told = {s.name: s.value for s in found}
    assert (told[f"{name}_spec_min_replicas"], told[f"{name}_spec_max_replicas"]) == (0.0, 8.0)
    assert (told[f"{name}_status_current_replicas"], told[f"{name}_status_desired_replicas"]) == (2.0, 8.0)

    def metrics(part: str) -> set[tuple[str, str, str, float]]:
        rows = [(dict(s.labels), s.value) for s in found if s.name == f"{name}_{part}_target_metric"]
        return {(k["metric_name"], k["metric_target_type"], k["container"], v) for k, v in rows}

    assert metrics("spec") == {
        ("cpu", "utilization", "", 70.0),
        ("queue", "average", "", 0.5),
        ("memory", "average", "server", 2.0**30),
        ("ext", "value", "", 30.0),
    }
    assert metrics("status") == {("cpu", "utilization", "", 12.0), ("cpu", "average", "", 1.0)}
    limited = [dict(s.labels) for s in found if s.name == f"{name}_status_condition" and s.value == 1.0]
    assert [(one["condition"], one["status"]) for one in limited] == [("ScalingLimited", "true")]
    bare = {"kind": "HorizontalPodAutoscaler", "metadata": {"namespace": "a", "name": "b"}, "spec": {"maxReplicas": 2}}
    assert {s.name: s.value for s in of(bare)}[f"{name}_spec_min_replicas"] == 1.0


def test_the_smaller_kinds() -> None:
    meta = {"namespace": "chat", "name": "x", "creationTimestamp": CREATED}
    quota = {"hard": {"requests.nvidia.com/gpu": "8"}, "used": {"requests.nvidia.com/gpu": "6"}}
    found = of(
        {"kind": "ResourceQuota", "metadata": meta, "status": quota},
        {"kind": "PodDisruptionBudget", "metadata": meta, "status": {"disruptionsAllowed": 0, "currentHealthy": 2}},
        {
            "kind": "DaemonSet",
            "metadata": meta,
            "status": {"desiredNumberScheduled": 3, "numberReady": 2, "numberUnavailable": 1},
        },
        {"kind": "StatefulSet", "metadata": meta, "spec": {"replicas": 2}, "status": {"readyReplicas": 1}},
        {
            "kind": "PersistentVolumeClaim",
            "metadata": meta,
            "spec": {"storageClassName": "fast", "resources": {"requests": {"storage": "1Ti"}}},
            "status": {"phase": "Pending"},
        },
        {"kind": "Namespace", "metadata": {"name": "chat"}, "status": {"phase": "Active"}},
        {
            "kind": "ReplicaSet",
            "metadata": {**meta, "ownerReferences": [{"kind": "Deployment", "name": "d", "controller": True}]},
            "spec": {"replicas": 3},
        },
        {"kind": "Event", "metadata": meta},
    )
    quotas = {
        (dict(s.labels)["resource"], dict(s.labels)["type"]): s.value for s in found if s.name == "kube_resourcequota"
    }
    assert quotas == {("requests.nvidia.com/gpu", "hard"): 8.0, ("requests.nvidia.com/gpu", "used"): 6.0}
    told = {s.name: s.value for s in found}
    assert told["kube_poddisruptionbudget_status_pod_disruptions_allowed"] == 0.0
    assert told["kube_poddisruptionbudget_status_current_healthy"] == 2.0
    assert told["kube_daemonset_status_number_unavailable"] == 1.0
    assert told["kube_statefulset_replicas"] == 2.0
    assert told["kube_statefulset_status_replicas_ready"] == 1.0
    assert told["kube_persistentvolumeclaim_resource_requests_storage_bytes"] == 2.0**40
    assert only(found, "kube_persistentvolumeclaim_info")["storageclass"] == "fast"
    phases = {dict(s.labels)["phase"]: s.value for s in found if s.name == "kube_persistentvolumeclaim_status_phase"}
    assert phases == {"Lost": 0.0, "Bound": 0.0, "Pending": 1.0}
    assert only(found, "kube_replicaset_owner") == {
        "namespace": "chat",
        "replicaset": "x",
        "owner_kind": "Deployment",
        "owner_name": "d",
        "owner_is_controller": "true",
    }


@pytest.mark.parametrize(
    "item",
    [
        {},
        {"kind": "Pod"},
        {"kind": "Pod", "metadata": None, "spec": None, "status": None},
        {"kind": "Pod", "spec": {"containers": "none"}, "status": {"conditions": [None, 7], "containerStatuses": [{}]}},
        {"kind": "Node", "status": {"capacity": {"cpu": "many", "nvidia.com/gpu": None}, "conditions": [{}]}},
        {"kind": "HorizontalPodAutoscaler", "spec": {"metrics": [{"type": "Pods", "pods": None}, {}]}},
        {"kind": "Deployment", "metadata": {"name": '\U0001f525 {}\n"', "creationTimestamp": "yesterday"}},
        {"kind": "Secret", "metadata": {"name": "s"}},
    ],
)
def test_objects_with_holes_do_no_harm(item: dict[str, Any]) -> None:
    assert all(math.isfinite(sample.value) for sample in of(item))
