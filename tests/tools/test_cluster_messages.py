"""What clusters say, word for word: each message of the table stands in one world, which is read and diagnosed once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.tools.worlds import listings, node, owned, stamp
from tools.casebook import asks
from tools.diagnose import run
from tools.facts import name_of
from tools.reading import Blind, Reason
from tools.sources.kube_fake import FakeKube
from tools.survey import survey

NOW = 1_790_000_000.0
ROWS: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent / "data" / "cluster_messages.yaml").read_text(encoding="utf-8")
)
NOWHERE = Blind(Reason.NOT_SET, "no Prometheus here")
QUEUE = "kueue.x-k8s.io/v1beta1"
Object = dict[str, Any]


def _event(reason: str, message: str, kind: str, space: str, name: str, ago: float = 600.0, **more: Any) -> Object:
    involved = {"kind": kind, "namespace": space, "name": name, **more}
    return {"reason": reason, "message": message, "involvedObject": involved, "lastTimestamp": stamp(NOW - ago)}


def _pod(space: str, **status: Any) -> Object:
    """A pod of the deployment that is 20 minutes old, has its node (unless it waits for one) and waits to start."""
    engine = {"name": "engine", "image": "vllm/vllm-openai:v0.11.0", "resources": {"limits": {"nvidia.com/gpu": "1"}}}
    waits = {"name": "engine", "restartCount": 0, "state": {"waiting": {"reason": "ContainerCreating"}}}
    return {
        "metadata": {
            "namespace": space,
            "name": "app-6c8d9f7b5-aaaaa",
            "creationTimestamp": stamp(NOW - 1200),
            "ownerReferences": [{"kind": "ReplicaSet", "name": "app-6c8d9f7b5", "controller": True}],
        },
        "spec": {"nodeName": "n1", "containers": [engine]},
        "status": {
            "phase": "Pending",
            "conditions": [{"type": "Ready", "status": "False", "lastTransitionTime": stamp(NOW - 1200)}],
            "containerStatuses": [waits],
            **status,
        },
    }


class Told:
    """The objects of the whole table, each row in a namespace of its own."""

    def __init__(self) -> None:
        self.items: dict[str, list[Object]] = {"nodes": [node("n1", 0)]}
        for number, row in enumerate(ROWS):
            where, *words = row["at"].split()
            getattr(self, f"_{where}")(f"row{number}", row["says"], *words)

    def add(self, kind: str, item: Object) -> None:
        self.items.setdefault(kind, []).append(item)

    def _workload(self, space: str, pod: Object | None, replicas: int = 1) -> None:
        self.add("deployments", owned("Deployment", "app", namespace=space, status={"replicas": replicas}))
        self.add("replicasets", owned("ReplicaSet", "app-6c8d9f7b5", "app", namespace=space))
        if pod is not None:
            self.add("pods", pod)

    def _unplaced(self, space: str, message: str, **spec: Any) -> Object:
        condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
        pod = _pod(space, conditions=[condition], containerStatuses=[])
        pod["spec"] = {"containers": pod["spec"]["containers"], **spec}
        return pod

    def _scheduler(self, space: str, says: str) -> None:
        self._workload(space, self._unplaced(space, says))

    def _event(self, space: str, says: str, reason: str) -> None:
        pod = _pod(space)
        self._workload(space, pod)
        self.add("events", _event(reason, says, "Pod", space, pod["metadata"]["name"]))

    def _waiting(self, space: str, says: str, reason: str) -> None:
        state = {"waiting": {"reason": reason, "message": says}}
        self._workload(space, _pod(space, containerStatuses=[{"name": "engine", "restartCount": 0, "state": state}]))

    def _ended(self, space: str, says: str, reason: str) -> None:
        ended = {
            "reason": reason,
            "message": says,
            "exitCode": 128,
            "startedAt": "1970-01-01T00:00:00Z",
            "finishedAt": stamp(NOW - 60),
        }
        waits = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container"}}
        status = {"name": "engine", "restartCount": 6, "state": waits, "lastState": {"terminated": ended}}
        self._workload(space, _pod(space, phase="Running", containerStatuses=[status]))

    def _failed(self, space: str, says: str, reason: str) -> None:
        status = {"phase": "Failed", "reason": reason, "message": says, "startTime": stamp(NOW - 600)}
        # The kubelet sets this condition on whatever it ends for the node's sake.
        ended = {"type": "DisruptionTarget", "status": "True", "reason": "TerminationByKubelet", "message": says}
        by_kubelet = [{**ended, "lastTransitionTime": stamp(NOW - 600)}] if reason in {"Preempting", "Evicted"} else []
        self._workload(space, _pod(space, **status, conditions=by_kubelet, containerStatuses=[]))

    def _preempted(self, space: str, says: str, reason: str) -> None:
        """The victim is gone, and its successor has only just been made."""
        successor = self._unplaced(space, "0/1 nodes are available: 1 Insufficient nvidia.com/gpu.")
        successor["metadata"]["creationTimestamp"] = stamp(NOW - 60)
        self._workload(space, successor)
        self.add("events", _event(reason, says, "Pod", space, "app-6c8d9f7b5-gone0", 60))

    def _unbound(self, space: str, says: str, reason: str) -> None:
        """The scheduler only says that the claim is unbound; why stands at the claim."""
        self._claiming(space, "pod has unbound immediate PersistentVolumeClaims")
        self.add("events", _event(reason, says, "PersistentVolumeClaim", space, "weights"))

    def _provision(self, space: str, says: str, reason: str) -> None:
        """The scheduler has chosen a node and says nothing until the volume is made there."""
        self._claiming(space, "")
        self.add("events", _event(reason, says, "PersistentVolumeClaim", space, "weights"))

    def _claiming(self, space: str, message: str) -> None:
        volumes = [{"name": "models", "persistentVolumeClaim": {"claimName": "weights"}}]
        self._workload(space, self._unplaced(space, message, volumes=volumes))

    def _create(self, space: str, says: str) -> None:
        self._workload(space, None, replicas=0)
        self.add("events", _event("FailedCreate", says, "ReplicaSet", space, "app-6c8d9f7b5"))

    def _set(self, space: str, says: str) -> None:
        self.add("statefulsets", owned("StatefulSet", "app", namespace=space, status={"replicas": 0}))
        self.add("events", _event("FailedCreate", says, "StatefulSet", space, "app"))

    def _daemons(self, space: str, says: str) -> None:
        """A DaemonSet that never got a pod."""
        self.add("events", _event("FailedCreate", says, "DaemonSet", space, "app"))

    def _ray(self, space: str, says: str, reason: str) -> None:
        """A group of Ray whose head runs, and whose worker is refused."""
        pod = _pod(space, phase="Running", conditions=[{"type": "Ready", "status": "True"}], containerStatuses=[])
        owner = {"kind": "RayCluster", "name": "app", "controller": True}
        pod["metadata"] |= {"name": "app-head-x", "ownerReferences": [owner]}
        self.add("pods", pod)
        self.add("events", _event(reason, says, "RayCluster", space, "app"))

    def _autoscaler(self, space: str, name: str, *conditions: Object) -> None:
        self.add(
            "horizontalpodautoscalers",
            {
                "metadata": {"namespace": space, "name": name},
                "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "app"}, "maxReplicas": 4},
                "status": {"conditions": list(conditions)},
            },
        )

    def _hpa(self, space: str, says: str, kind: str, reason: str) -> None:
        self._workload(space, _pod(space))
        self._autoscaler(space, "app", {"type": kind, "status": "False", "reason": reason, "message": says})

    def _scaledobject(self, space: str, says: str, reason: str, broken: str = "") -> None:
        self._workload(space, _pod(space))
        condition = {"type": "ScalingActive", "status": "False", "reason": broken, "message": "no metrics returned"}
        self._autoscaler(space, "keda-hpa-engines", *[condition] if broken else [])
        told = _event(reason, says, "ScaledObject", space, "engines", apiVersion="keda.sh/v1alpha1")
        self.add("events", {**told, "count": 1 if reason.startswith("ScaledObject") else 9})

    def _pending(self, space: str) -> str:
        pod = self._unplaced(space, "0/1 nodes are available: 1 Insufficient nvidia.com/gpu.")
        self._workload(space, pod)
        return str(pod["metadata"]["name"])

    def _pod(self, space: str, says: str, reason: str) -> None:
        self.add("events", _event(reason, says, "Pod", space, self._pending(space)))

    def _claim(self, space: str, says: str, reason: str) -> None:
        name = self._pending(space)
        where = "Pod should schedule on: nodeclaim/gpu-" + space
        self.add("events", _event("Nominated", where, "Pod", space, name, 700))
        self.add("events", _event(reason, says, "NodeClaim", "", f"gpu-{space}"))

    def _group(self, space: str, says: str, reason: str) -> None:
        name, group = self._pending(space), f"gpu-pool-{space}"
        grew = f"pod triggered scale-up: [{{{group} 0->1 (max: 4)}}]"
        self.add("events", _event("TriggeredScaleUp", grew, "Pod", space, name, 1100))
        status = "cluster-autoscaler-status"
        told = says.replace("gpu-pool", group)
        self.add("events", _event(reason, told, "ConfigMap", "kube-system", status, 300))

    def _queue(self, space: str, says: str, reason: str) -> None:
        pod = self._unplaced(space, "", schedulingGates=[{"name": "kueue.x-k8s.io/admission"}])
        pod["status"]["conditions"] = []
        self._workload(space, pod)
        name = f"pod-{pod['metadata']['name']}-1f0e"
        self.add("events", _event(reason, says, "Workload", space, name, apiVersion=QUEUE))

    def _tainted(self, space: str, says: str, key: str) -> None:
        """Nodes that bear a taint which this pod alone does not tolerate, and a scheduler that names none."""
        self.add("nodes", {**node(space, 0), "spec": {"taints": [{"key": key, "effect": "NoSchedule"}]}})
        keys = {row["at"].split()[1] for row in ROWS if row["at"].startswith("tainted ")}
        tolerations = [{"key": other, "operator": "Exists"} for other in keys - {key}]
        self._workload(space, self._unplaced(space, says, tolerations=tolerations))

    def _notready(self, space: str, says: str, reason: str, status: str) -> None:
        item = node(space, 8)
        ready = {"type": "Ready", "status": status, "reason": reason, "message": says}
        item["status"]["conditions"] = [{**ready, "lastTransitionTime": stamp(NOW - 1200)}]
        self.add("nodes", item)

    def _node(self, space: str, says: str, kind: str) -> None:
        item = node(space, 8)
        since = stamp(NOW - 1200)
        bad = {"type": kind, "status": "True", "reason": kind, "message": says, "lastTransitionTime": since}
        item["status"]["conditions"].append(bad)
        item["spec"] = {"unschedulable": True}
        self.add("nodes", item)


@pytest.fixture(scope="module")
def fired() -> dict[str, set[str]]:
    """The checks that fire, by the namespace of the workload or the name of the node."""
    told = Told().items
    logs = {(*name_of(pod), "engine", before): "" for pod in told["pods"] for before in (True, False)}
    kube = FakeKube(listings(**told), logs)
    found: dict[str, set[str]] = {}
    for outcome in _outcomes(kube):
        if outcome.because is not None:
            subject = outcome.subject
            found.setdefault(subject.namespace or subject.name, set()).add(outcome.case.id)
    return found


def _outcomes(kube: FakeKube) -> Iterator[Any]:
    yield from run(survey(NOWHERE, kube, asks(), NOW), {})


@pytest.mark.parametrize("number", range(len(ROWS)), ids=[row["at"] for row in ROWS])
def test_what_the_cluster_says_proves(fired: dict[str, set[str]], number: int) -> None:
    row = ROWS[number]
    told = fired.get(f"row{number}", set())
    proven = row.get("proves")
    assert not proven or proven in told, f"{row['says']!r} ({row['read']}) makes {sorted(told) or 'nothing'} fire"
    assert not told & set(row.get("not", ())), f"{row['says']!r} makes {sorted(told)} fire"


def test_the_table_names_its_sources() -> None:
    assert len(ROWS) >= 100
    assert all(row["read"] and row["says"] and (row.get("proves") or row["not"]) for row in ROWS)
    assert len({(row["at"], row["says"]) for row in ROWS}) == len(ROWS)
