"""Where an alert is, from its labels: only names that could be a Kubernetes object's are believed."""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bot.advisor.question import Question
from bot.triage.alert import Alert, shared

_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_GPU = re.compile(r"(GPU|MIG)-[0-9a-f-]{8,64}")
_WORKLOAD = (
    "workload", "deployment", "statefulset", "daemonset", "leaderworkerset", "inferenceservice", "llminferenceservice", "job_name",
)  # fmt: skip
_NODE = ("node", "Hostname", "hostname", "kubernetes_node", "nodename", "node_name", "exported_node")
# A scrape target's own pod is not what the alert is about.
_EXPORTER = re.compile(r"dcgm|exporter|kube-state-metrics|prometheus|node-problem-detector")
UNNAMED = "cluster"


@dataclass(frozen=True, slots=True)
class Place:
    """Where: the smallest object that is named, and all that holds it. '' where nothing is."""

    cluster: str = ""
    namespace: str = ""
    workload: str = ""
    pod: str = ""
    node: str = ""
    gpu: str = ""

    @property
    def thing(self) -> str:
        """The object, as it is compared and shown."""
        if self.pod or self.workload:
            return f"{self.namespace}/{self.pod or self.workload}" if self.namespace else self.pod or self.workload
        if self.gpu or self.node:
            return " ".join(part for part in (self.node, self.gpu) if part)
        return self.namespace or self.cluster or UNNAMED


def place(labels: Mapping[str, str]) -> Place:
    """Where an alert with these labels is. `exported_` labels win: they are the series' own, the others its scraper's."""

    def named(*names: str) -> str:
        for name in (*(f"exported_{one}" for one in names), *names):
            value = labels.get(name, "")
            if _NAME.fullmatch(value):
                return value
        return ""

    pod, namespace, gpu = named("pod", "pod_name"), named("namespace", "kubernetes_namespace"), _gpu(labels)
    if pod and _EXPORTER.search(pod) and pod == labels.get("pod"):
        pod, namespace = "", named("exported_namespace") if gpu or _node(labels, named) else namespace
    return Place(
        cluster=labels.get("cluster", "") if len(labels.get("cluster", "")) <= 253 else "",
        namespace=namespace,
        workload=named(*_WORKLOAD),
        pod=pod,
        node=_node(labels, named),
        gpu=gpu,
    )


def _gpu(labels: Mapping[str, str]) -> str:
    for name in ("UUID", "uuid", "gpu_uuid", "gpu_UUID"):
        if _GPU.fullmatch(labels.get(name, "")):
            return labels[name]
    return ""


def _node(labels: Mapping[str, str], named: object) -> str:
    found = str(named(*_NODE))  # type: ignore[operator]
    if found:
        return found
    host = labels.get("instance", "").rpartition(":")[0] or labels.get("instance", "")
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        # Only a host exporter's address is a node's name.
        return host if _NAME.fullmatch(host) and "node" in labels.get("job", "") else ""
    return ""


@dataclass(frozen=True, slots=True)
class Asked:
    """The question that diagnoses a group, or why none can be asked."""

    question: Question | None
    why_not: str = ""


def question(alerts: Iterable[Alert], clusters: Mapping[str, str], known: Iterable[str]) -> Asked:
    """One question for the alerts of a group: the narrowest scope that holds all of them.

    `clusters` maps values of the label `cluster` to clusters of the settings, `known` are the latter's names.
    """
    places = [place(alert.labels) for alert in alerts]
    said = Counter(one.cluster for one in places if one.cluster)
    known = set(known)
    cluster = None
    if said and known:
        label = said.most_common(1)[0][0]
        cluster = clusters.get(label, label)
        if cluster not in known:
            return Asked(None, f"The alerts are of cluster {label[:80]}, which the settings do not know.")
    if not places:
        return Asked(Question(None, cluster))
    same = shared(
        {name: getattr(one, name) for name in ("namespace", "workload", "pod", "node") if getattr(one, name)}
        for one in places
    )
    thing, namespace, node = same.get("pod") or same.get("workload"), same.get("namespace"), same.get("node")
    if thing:
        return Asked(
            Question(f"What is wrong with {thing}{f' in namespace {namespace}' if namespace else ''}?", cluster)
        )
    if namespace:
        return Asked(Question(None, cluster, namespace))
    if node:
        return Asked(Question(f"What is wrong on node {node}?", cluster))
    return Asked(Question(None, cluster))
