"""The Kubernetes objects of the fleet, as an API server would return them now."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from evals.fleet import addons
from evals.fleet.happenings import Happening
from evals.fleet.identity import hexes, stamp, uid
from evals.fleet.node_objects import node_object
from evals.fleet.pod_objects import Manifest, metadata, pod_object, pod_spec
from evals.fleet.pods import Pod, Template
from evals.fleet.scheduler import Machine
from evals.fleet.simulation import Simulation
from evals.fleet.workload_objects import workload_objects

Groups = dict[tuple[str, ...], tuple[int, list[Manifest]]]


class Objects:
    """Objects in groups that change together; a group is built again only when its version moved."""

    def __init__(self, simulation: Simulation) -> None:
        """Watch a simulation."""
        self._simulation = simulation
        self._built: Groups = {}

    def groups(self) -> Groups:
        """Every object but Events: key of the group to its version and manifests."""
        simulation = self._simulation
        found: Groups = {}

        def keep(key: tuple[str, ...], version: int, build: Any) -> None:
            kept = self._built.get(key)
            found[key] = kept if kept is not None and kept[0] == version else (version, build())

        for machine in simulation.machines.values():
            keep(("node", machine.spec.name), machine.version, lambda m=machine: [self._node(m)])
        for workload in simulation.workloads.values():
            if workload.created <= simulation.now:
                keep(
                    ("workload", workload.spec.key),
                    workload.version,
                    lambda w=workload: workload_objects(w, simulation.now),
                )
        for pod in simulation.pods:
            keep(("pod", *pod.key), pod.version, lambda p=pod: [pod_object(p, self._address(p))])
        version = sum(pod.version for pod in simulation.addons) * 1000 + len(simulation.addons)
        keep(("static",), version, self._static)
        self._built = found
        return found

    def all(self) -> list[Manifest]:
        """Every object as of now, Events last."""
        found = [manifest for _, manifests in self.groups().values() for manifest in manifests]
        simulation = self._simulation
        return found + [event_object(h) for h in simulation.events.at(simulation.now)]

    def _address(self, pod: Pod) -> str:
        return self._simulation.machines[pod.node].address if pod.node else ""

    def _node(self, machine: Machine) -> Manifest:
        return node_object(machine, self._simulation.recipe, self._simulation.start)

    def _static(self) -> list[Manifest]:
        simulation = self._simulation
        born = min(machine.created for machine in simulation.machines.values())
        names = {
            "default",
            "kube-system",
            "gpu-operator",
            "monitoring",
            *(w.spec.namespace for w in simulation.workloads.values()),
        }
        found = [_namespace(name, born) for name in sorted(names)]
        pods: dict[str, list[Pod]] = defaultdict(list)
        for pod in simulation.addons:
            pods[pod.owner.top_name].append(pod)
        for (namespace, name), form in simulation.daemons.items():
            hosts = [m for m in simulation.machines.values() if addons.wanted_on(name, form, m)]
            found.append(_daemon_set((namespace, name), form, pods[name], len(hosts), born))
            if form.port:
                found.append(service_object(namespace, name, dict(form.labels), form.port, born))
        for pod in pods["kube-state-metrics"]:
            found += _state_metrics(pod)
        return found


def _namespace(name: str, born: float) -> Manifest:
    meta = metadata("", name, uid("namespace", name), born, 1, labels={"kubernetes.io/metadata.name": name})
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": meta,
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    }


def service_object(namespace: str, name: str, selector: dict[str, str], port: tuple[str, int], born: float) -> Manifest:
    """A ClusterIP Service over pods."""
    digits = int(hexes(8, "ip", namespace, name), 16)
    address = f"10.96.{digits % 254 + 1}.{digits // 254 % 254 + 1}"
    ports = [{"name": port[0], "port": port[1], "targetPort": port[1], "protocol": "TCP"}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(namespace, name, uid("service", namespace, name), born, 1, labels=selector),
        "spec": {
            "selector": selector,
            "ports": ports,
            "type": "ClusterIP",
            "clusterIP": address,
            "clusterIPs": [address],
            "sessionAffinity": "None",
            "internalTrafficPolicy": "Cluster",
        },
        "status": {"loadBalancer": {}},
    }


def _daemon_set(key: tuple[str, str], form: Template, pods: list[Pod], wanted: int, born: float) -> Manifest:
    namespace, name = key
    ready = sum(pod.container.ready for pod in pods)
    status = {
        "desiredNumberScheduled": wanted,
        "currentNumberScheduled": len(pods),
        "numberReady": ready,
        "numberAvailable": ready,
        "numberUnavailable": wanted - ready,
        "updatedNumberScheduled": len(pods),
        "numberMisscheduled": 0,
        "observedGeneration": 1,
    }
    meta = metadata(
        namespace,
        name,
        uid("DaemonSet", f"{namespace}/{name}"),
        born,
        ready,
        labels=dict(form.labels),
        generation=1,
    )
    body = {"metadata": {"labels": dict(form.labels)}, "spec": pod_spec(form)}
    spec = {
        "selector": {"matchLabels": dict(form.labels)},
        "template": body,
        "revisionHistoryLimit": 10,
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}},
    }
    return {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": meta, "spec": spec, "status": status}


def _state_metrics(pod: Pod) -> list[Manifest]:
    labels = dict(pod.template.labels)
    hashed = {**labels, "pod-template-hash": pod.revision}
    key = uid("Deployment", f"{pod.namespace}/{pod.owner.top_name}")
    counts = {"replicas": 1, "readyReplicas": 1, "availableReplicas": 1, "observedGeneration": 1}
    meta = metadata(pod.namespace, pod.owner.top_name, key, pod.created, 1, labels=labels, generation=1)
    owner = [
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "name": pod.owner.top_name,
            "uid": key,
            "controller": True,
            "blockOwnerDeletion": True,
        }
    ]
    body = {"metadata": {"labels": hashed}, "spec": pod_spec(pod.template)}
    rs_meta = metadata(
        pod.namespace,
        pod.owner.name,
        uid("rs", pod.namespace, pod.owner.name),
        pod.created,
        1,
        labels=hashed,
        ownerReferences=owner,
    )
    done = stamp(pod.created + 20)
    conditions = [
        {
            "type": "Available",
            "status": "True",
            "reason": "MinimumReplicasAvailable",
            "message": "Deployment has minimum availability.",
            "lastTransitionTime": done,
            "lastUpdateTime": done,
        },
        {
            "type": "Progressing",
            "status": "True",
            "reason": "NewReplicaSetAvailable",
            "message": f'ReplicaSet "{pod.owner.name}" has successfully progressed.',
            "lastTransitionTime": done,
            "lastUpdateTime": done,
        },
    ]
    return [
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": meta,
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": labels},
                "template": {**body, "metadata": {"labels": labels}},
            },
            "status": {**counts, "updatedReplicas": 1, "conditions": conditions},
        },
        {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": rs_meta,
            "spec": {"replicas": 1, "selector": {"matchLabels": hashed}, "template": body},
            "status": {**counts, "fullyLabeledReplicas": 1},
        },
        service_object(pod.namespace, pod.owner.top_name, labels, ("http", 8080), pod.created),
    ]


def event_object(happening: Happening) -> Manifest:
    """An Event (v1) as clients list it."""
    h = happening
    name = f"{h.name}.{hexes(16, h.uid, h.reason, h.message, h.first)}"
    namespace = h.namespace or "default"
    involved = {"kind": h.kind, "name": h.name, "uid": h.uid, "apiVersion": _versions(h.kind)}
    if h.namespace:
        involved["namespace"] = h.namespace
    if h.field:
        involved["fieldPath"] = h.field
    source = {"component": h.component, **({"host": h.host} if h.host else {})}
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": metadata(namespace, name, uid("event", namespace, name), h.first, h.count),
        "involvedObject": involved,
        "reason": h.reason,
        "message": h.message,
        "type": h.type,
        "count": h.count,
        "source": source,
        "firstTimestamp": stamp(h.first),
        "lastTimestamp": stamp(h.last),
        "eventTime": None,
        "reportingComponent": h.component,
        "reportingInstance": h.host,
    }


def _versions(kind: str) -> str:
    return {
        "HorizontalPodAutoscaler": "autoscaling/v2",
        "ReplicaSet": "apps/v1",
        "StatefulSet": "apps/v1",
    }.get(kind, "v1")
