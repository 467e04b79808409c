"""Who runs where: pods, workloads, nodes, GPUs and autoscalers at one moment, and the steps from one to the other.

Built from the Kubernetes API where it answers, from kube-state-metrics and the exporters' own labels where it does not.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from tools.reading import Subject
from tools.signals import Per

CLUSTER = Subject("cluster", "", "default")
_REPLICASET_POD = re.compile(r"^(?P<name>.+)-(?P<hash>[a-z0-9]{6,10})-[a-z0-9]{5}$")
# What bears an engine's name and is none: routers of SGLang and vLLM, their operators and benchmarks.
IN_FRONT = re.compile(r"(?:^|[-_])(?:router|gateway|proxy|operator|bench(?:mark)?)(?=$|[-_:])")
_ORDINAL_POD = re.compile(r"^(?P<name>.+)-\d+$")


@dataclass(frozen=True)
class Pod:
    """A pod; `ready` is None when that could not be seen, `gpus` the number it requests, `container` the serving one where it was listed."""

    namespace: str
    name: str
    node: str
    workload: Subject
    phase: str = ""
    ready: bool | None = None
    gpus: float = 0.0
    image: str = ""
    ambiguous: bool = False
    container: str = ""

    @cached_property
    def key(self) -> str:
        """The key under which replica readings are kept."""
        return f"{self.namespace}/{self.name}"

    @cached_property
    def subject(self) -> Subject:
        """The pod as a subject."""
        return Subject("pod", self.namespace, self.name)

    @property
    def had(self) -> bool:
        """Whether it held GPUs and failed on them: nothing takes its place, so that what befell it can only be told of itself."""
        return self.phase == "Failed" and self.workload.kind in {"job", "pod"}

    @property
    def active(self) -> bool:
        """Whether its engine can be expected to answer: running, and not known to be unready."""
        return self.phase in {"", "Running"} and self.ready is not False


@dataclass(frozen=True)
class Gpu:
    """A GPU or MIG instance, told by its UUID; `pod` is the key of the pod that it is allocated to.

    `workload` is set where it is known whose it is, but not which of the workload's pods holds it.
    """

    key: str
    node: str
    index: str
    model: str
    pod: str | None
    workload: Subject | None = None

    @cached_property
    def subject(self) -> Subject:
        """The GPU as a subject, `gpu/NODE/INDEX`."""
        return Subject("gpu", "", f"{self.node}/{self.index}")


@dataclass(frozen=True, slots=True)
class Autoscaler:
    """A HorizontalPodAutoscaler and what it scales."""

    namespace: str
    name: str
    target: Subject


@dataclass(frozen=True)
class Topology:
    """The scope's pods, GPUs, nodes and autoscalers by key, which engine serves each workload, and which serves a model.

    `supports` holds troubled workloads, each with the workloads that need it, `addresses` the node by each name and address that it goes by.
    """

    pods: Mapping[str, Pod] = field(default_factory=dict)
    gpus: Mapping[str, Gpu] = field(default_factory=dict)
    nodes: tuple[str, ...] = ()
    autoscalers: tuple[Autoscaler, ...] = ()
    wanted: tuple[Subject, ...] = ()
    engines: Mapping[Subject, str] = field(default_factory=dict)
    models: Mapping[str, Subject] = field(default_factory=dict)
    supports: Mapping[Subject, frozenset[Subject]] = field(default_factory=dict)
    addresses: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def workloads(self) -> dict[Subject, tuple[str, ...]]:
        """Workload to the keys of its pods; workloads without a pod have an empty tuple."""
        found: dict[Subject, list[str]] = defaultdict(list)
        for subject in self.wanted:
            found[subject] = []
        for pod in self.pods.values():
            found[pod.workload].append(pod.key)
        return {subject: tuple(sorted(keys)) for subject, keys in sorted(found.items())}

    @cached_property
    def _gpus_by_pod(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, list[str]] = defaultdict(list)
        for gpu in self.gpus.values():
            if gpu.pod:
                found[gpu.pod].append(gpu.key)
        return {pod: tuple(keys) for pod, keys in found.items()}

    @cached_property
    def _gpus_by_workload(self) -> dict[Subject, tuple[str, ...]]:
        found: dict[Subject, list[str]] = defaultdict(list)
        for gpu in self.gpus.values():
            if gpu.workload and not gpu.pod:
                found[gpu.workload].append(gpu.key)
        return {workload: tuple(keys) for workload, keys in found.items()}

    @cached_property
    def _gpus_by_node(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, list[str]] = defaultdict(list)
        for gpu in self.gpus.values():
            found[gpu.node].append(gpu.key)
        return {node: tuple(keys) for node, keys in found.items()}

    @cached_property
    def _gpus_by_subject(self) -> dict[Subject, str]:
        return {gpu.subject: gpu.key for gpu in self.gpus.values()}

    @cached_property
    def _pods_by_node(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, list[str]] = defaultdict(list)
        for pod in self.pods.values():
            found[pod.node].append(pod.key)
        return {node: tuple(keys) for node, keys in found.items()}

    @cached_property
    def _autoscaler_of(self) -> dict[Subject, Autoscaler]:
        return {scaler.target: scaler for scaler in self.autoscalers}

    def needed_by(self, subject: Subject) -> frozenset[Subject]:
        """The troubled workloads that those of a subject need."""
        users = self.workloads_of(subject)
        return frozenset(one for one, needing in self.supports.items() if needing & users)

    def autoscaler(self, workload: Subject) -> Autoscaler | None:
        """The autoscaler of a workload, if it has one."""
        return self._autoscaler_of.get(workload)

    def pods_of(self, subject: Subject) -> tuple[str, ...]:
        """The keys of the pods that a subject is, has, or carries."""
        if subject.kind == "pod":
            key = f"{subject.namespace}/{subject.name}"
            return (key,) if key in self.pods else ()
        if subject.kind == "node":
            return self._pods_by_node.get(subject.name, ())
        if subject.kind == "gpu":
            gpu = self.gpus.get(self._gpus_by_subject.get(subject, ""))
            return (gpu.pod,) if gpu and gpu.pod and gpu.pod in self.pods else ()
        if subject.kind == "cluster":
            return tuple(self.pods)
        return self.workloads.get(subject, ())

    def gpus_of(self, subject: Subject) -> tuple[str, ...]:
        """The keys of the GPUs that a subject is, holds, or carries."""
        if subject.kind == "gpu":
            key = self._gpus_by_subject.get(subject)
            return (key,) if key else ()
        if subject.kind == "node":
            return self._gpus_by_node.get(subject.name, ())
        if subject.kind == "cluster":
            return tuple(self.gpus)
        held = tuple(key for pod in self.pods_of(subject) for key in self._gpus_by_pod.get(pod, ()))
        return (*held, *self._gpus_by_workload.get(subject, ()))

    def missing_gpus(self, subject: Subject) -> tuple[float, tuple[str, ...]]:
        """How many GPUs the active pods of a subject request (those that failed for good requested) beyond those known to be its own, and which of its nodes nobody is known to hold."""
        pods = [self.pods[key] for key in self.pods_of(subject)]
        requested = sum(pod.gpus for pod in pods if pod.active or pod.had)
        missing = requested - len(self.gpus_of(subject))
        if missing <= 0:
            return 0.0, ()
        return missing, self.unheld_near(subject)

    def unheld_near(self, subject: Subject) -> tuple[str, ...]:
        """The GPUs of a subject's nodes of which nobody knows who holds them; a pod's workload's may be the pod's."""
        near = (self.gpus[key] for node in self.nodes_of(subject) for key in self._gpus_by_node.get(node, ()))
        own = self.workloads_of(subject) if subject.kind == "pod" and subject not in self.workloads else ()
        return tuple(gpu.key for gpu in near if gpu.pod is None and (gpu.workload is None or gpu.workload in own))

    def nodes_of(self, subject: Subject) -> tuple[str, ...]:
        """The names of the nodes that a subject is or runs on."""
        if subject.kind == "node":
            return (subject.name,)
        if subject.kind == "gpu":
            gpu = self.gpus.get(self._gpus_by_subject.get(subject, ""))
            return (gpu.node,) if gpu else ()
        if subject.kind == "cluster":
            return self.nodes
        return tuple(sorted({self.pods[key].node for key in self.pods_of(subject) if self.pods[key].node}))

    def workloads_of(self, subject: Subject) -> frozenset[Subject]:
        """The workloads that a subject is, belongs to, or carries."""
        if subject in self.workloads:
            return frozenset({subject})
        if subject.kind == "gpu":
            gpu = self.gpus.get(self._gpus_by_subject.get(subject, ""))
            if gpu and gpu.workload and not gpu.pod:
                return frozenset({gpu.workload})
        return frozenset(self.pods[key].workload for key in self.pods_of(subject) if key in self.pods)

    def parts(self, subject: Subject, per: Per) -> tuple[str, ...]:
        """The keys under which a subject's readings of a dimension are kept."""
        if per is Per.REPLICA:
            return self.pods_of(subject)
        if per is Per.GPU:
            return self.gpus_of(subject)
        if per is Per.NODE:
            return self.nodes_of(subject)
        if per is Per.CLUSTER:
            return (str(CLUSTER),)
        return tuple(sorted(str(workload) for workload in self.workloads_of(subject)))

    def part_subject(self, per: Per, key: str) -> Subject:
        """The subject behind a key of a dimension."""
        if per is Per.REPLICA:
            if key in self.pods:
                return self.pods[key].subject
            namespace, _, name = key.partition("/")
            return Subject("pod", namespace, name)
        if per is Per.GPU:
            return self.gpus[key].subject if key in self.gpus else Subject("gpu", "", key)
        if per is Per.NODE:
            return Subject("node", "", key)
        if per is Per.CLUSTER:
            return CLUSTER
        return Subject.parse(key)


def workload_from_name(namespace: str, pod: str) -> Subject:
    """The workload that a pod's name suggests, where no owner can be seen."""
    match = _REPLICASET_POD.match(pod)
    if match:
        return Subject("deployment", namespace, match["name"])
    match = _ORDINAL_POD.match(pod)
    if match:
        return Subject("statefulset", namespace, match["name"])
    return Subject("pod", namespace, pod)


def owner_of(namespace: str, pod: str, kind: str, name: str, replicaset_owner: Mapping[str, str]) -> Subject:
    """The top owner of a pod, from its controller and the owners of ReplicaSets (`namespace/name` to Deployment)."""
    if kind == "ReplicaSet":
        deployment = replicaset_owner.get(f"{namespace}/{name}") or name.rsplit("-", 1)[0] or name
        return Subject("deployment", namespace, deployment) if deployment else Subject("pod", namespace, pod)
    if kind and name and kind not in {"<none>", "Node"}:
        return Subject(kind.lower(), namespace, name)
    return Subject("pod", namespace, pod)


def engine_of_image(images: Iterable[str], known: Iterable[tuple[str, tuple[str, ...]]]) -> str:
    """The runtime that an image's name gives away, empty when none does, or when it stands in front of engines of that name."""
    for image in images:
        if IN_FRONT.search(image.partition("@")[0].rpartition("/")[2].lower()):
            continue
        for runtime, patterns in known:
            if any(pattern in image.lower() for pattern in patterns):
                return runtime
    return ""
