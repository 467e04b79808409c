"""Which agents run in the cluster, told by the names of their pods: what none of them is called may still do the same."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from tools.facts import name_of
from tools.readers import Listed, Told
from tools.rules import NONE
from tools.topology import CLUSTER
from tools.vocabulary import readiness as told

KINDS = ("pods",)
_NAMES = {
    told.STATE_METRICS: re.compile(r"kube-state-metrics"),
    told.POLICY_ENGINE: re.compile(r"kyverno|gatekeeper|kubewarden|jspolicy|kubescape|policy-controller"),
    told.IMAGE_SCANNER: re.compile(
        r"trivy|grype|clair|neuvector|aqua|twistlock|prisma-cloud|falcon|wiz|snyk|sysdig|kubescape|kubevuln|stackrox|anchore"
    ),
    told.BACKUP_AGENT: re.compile(
        r"velero|kasten|k10-|stash|kubestash|trilio|gke-backup|azure-?backup|cohesity|rubrik"
    ),
}
FACTS = tuple(_NAMES)


def read(listed: Listed) -> Iterator[Told]:
    """Facts of the cluster."""
    if "pods" not in listed.items:
        return
    found: dict[str, list[str]] = defaultdict(list)
    for pod in listed.of("pods"):
        namespace, name = name_of(pod)
        for signal, pattern in _NAMES.items():
            if pattern.search(name.lower()):
                found[signal.name].append(f"{namespace}/{name}"[:120])
    facts = {signal: ", ".join(sorted(found[signal.name])[:3]) or NONE for signal in _NAMES}
    yield Told(str(CLUSTER), dict(facts), "pods")
