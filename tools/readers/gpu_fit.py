"""Whether a pod suits where it runs: a number format that its GPU computes in, a fast network where several pods make a replica."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from tools.engines import Configuration, Key, resolve
from tools.engines.manifest import container_of
from tools.facts import Object, at, many, name_of, serving_container, within
from tools.readers import Listed, Told
from tools.vocabulary.readiness import FABRIC_MISSING, PRECISION_BEYOND

KINDS = ("nodes", "pods")
FACTS = (PRECISION_BEYOND, FABRIC_MISSING)
_CAPABILITY = ("nvidia.com/gpu.compute.major", "nvidia.com/gpu.compute.minor")
# Format, setting, the least compute capability that computes in it, and what happens below.
_FORMATS = (
    (re.compile(r"^(bfloat16|bf16)$"), Key.DTYPE, (8, 0), "does not compute in bfloat16"),
    (re.compile(r"fp8"), Key.QUANTIZATION, (8, 9), "keeps weights in FP8 and computes in 16 bit"),
    (re.compile(r"nvfp4|modelopt_fp4"), Key.QUANTIZATION, (10, 0), "does not compute in FP4"),
)
_FABRICS = re.compile(
    r"^(rdma/|vpc\.amazonaws\.com/efa|networking\.gke\.io\.networks/|nvidia\.com/(?:hca|roce|ib)|.*infiniband)"
)
_GROUP = "leaderworkerset.sigs.k8s.io/name"


def read(listed: Listed) -> Iterator[Told]:
    """Facts of pods."""
    nodes = {name_of(item)[1]: item for item in listed.of("nodes")}
    for pod in listed.of("pods"):
        key = "/".join(name_of(pod))
        if not all(name_of(pod)):
            continue
        configuration = resolve(container_of(serving_container(pod)))
        yield Told(key, {FABRIC_MISSING: _fabric(pod, configuration)}, "pods")
        capability = _capability(nodes.get(str(at(pod, "spec", "nodeName") or ""), {}))
        if capability and configuration.engine:
            yield Told(key, {PRECISION_BEYOND: _beyond(configuration, capability)}, "nodes")


def _capability(node: Object) -> tuple[int, int] | None:
    labels = within(node, "metadata", "labels")
    major, minor = (str(labels.get(name) or "") for name in _CAPABILITY)
    return (int(major), int(minor)) if re.fullmatch(r"\d{1,3}", major) and re.fullmatch(r"\d{1,3}", minor) else None


def _beyond(configuration: Configuration, capability: tuple[int, int]) -> str:
    for pattern, key, least, what in _FORMATS:
        said = configuration.text(key)
        if pattern.search(said.lower()) and capability < least:
            shown = f"{capability[0]}.{capability[1]}"
            return f"{said[:40]} needs compute capability {least[0]}.{least[1]}, and a GPU of {shown} {what}"
    return ""


def _fabric(pod: Object, configuration: Configuration) -> str:
    """What a replica over several pods talks by, where neither a device nor the host's network is given to it."""
    several = _GROUP in within(pod, "metadata", "labels") or _count(configuration.flags) > 1
    if not several or at(pod, "spec", "hostNetwork") is True:
        return ""
    for container in many(pod, "spec", "containers"):
        asked = {**within(container, "resources", "limits"), **within(container, "resources", "requests")}
        if any(_FABRICS.match(str(key)) for key in asked):
            return ""
    return "the pod network"


def _count(flags: Mapping[str, str]) -> int:
    text = flags.get("nnodes", "1")
    return int(text) if text.isdecimal() and len(text) < 5 else 1
