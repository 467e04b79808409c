"""What decides whether a workload survives the loss of a node, a restart or a rollout: placement, images, probes, volumes."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from math import inf

from tools.check import quantity_shown
from tools.engines import Key, resolve
from tools.engines.manifest import container_of
from tools.facts import Object, at, gpus_requested, many, name_of, serving_container, within
from tools.quantity import quantity
from tools.readers import Listed, Told, Value
from tools.readers.services import Whose, around
from tools.signals import Signal
from tools.vocabulary import readiness as told

KINDS = ("pods", "deployments", "statefulsets", "persistentvolumeclaims")
FACTS = (
    told.ON_ONE_NODE,
    told.IMAGES_APART,
    told.NO_ROLLBACK,
    told.CLAIM_SINGLE,
    told.BARE,
    told.LIVENESS_AS_READINESS,
    told.LIVENESS_TIMEOUT,
    told.MEMORY_UNGUARANTEED,
    told.SCRATCH_UNBOUNDED,
    told.WEIGHTS_WRITABLE,
    told.CACHE_LOST,
    told.REGISTRY_PUBLIC,
    told.UNMAINTAINED,
    told.CRASH_UNSAID,
)
_PASSING = {"emptyDir", "secret", "configMap", "projected", "downwardAPI"}
_ONE_NODE = {"ReadWriteOnce", "ReadWriteOncePod"}
_PUBLIC = {"docker.io", "ghcr.io", "quay.io", "nvcr.io", "registry.k8s.io", "public.ecr.aws", "gcr.io"}
# What the projects' own README files say; the pages on TGI and TorchServe have the sources.
_ENDED = (
    (re.compile(r"text-generation-inference"), "TGI is in maintenance mode: small fixes only"),
    (re.compile(r"torchserve"), "TorchServe is no longer maintained, not even for security"),
)
_LAST_LINES = "FallbackToLogsOnError"
_HASHES = ("pod-template-hash", "controller-revision-hash")


def read(listed: Listed) -> Iterator[Told]:
    """Facts of pods and workloads."""
    for item in listed.of("pods"):
        if all(name_of(item)):
            yield Told("/".join(name_of(item)), _pod(item), "pods")
    for subject, pods in listed.by_workload.items():
        facts: dict[Signal, Value] = {told.ON_ONE_NODE: _one_node(pods), told.IMAGES_APART: _digests(pods)}
        yield Told(str(subject), facts, "pods")
    for item in listed.of("deployments"):
        kept = at(item, "spec", "revisionHistoryLimit")
        none = "0" if kept == 0 and not isinstance(kept, bool) else ""
        yield Told("/".join(("deployment", *name_of(item))), {told.NO_ROLLBACK: none}, "deployments")
    if "persistentvolumeclaims" in listed.items:
        modes = {"/".join(name_of(one)): at(one, "spec", "accessModes") for one in listed.of("persistentvolumeclaims")}
        for whose in around(listed):
            yield Told(str(whose.subject), {told.CLAIM_SINGLE: _single(whose, modes)}, "persistentvolumeclaims")


def _pod(pod: Object) -> dict[Signal, Value]:
    one = serving_container(pod)
    alive = within(one, "livenessProbe")
    image = str(one.get("image") or "")
    return {
        told.BARE: "no controller" if _bare(pod) else "",
        told.LIVENESS_AS_READINESS: _hasty(one),
        told.LIVENESS_TIMEOUT: _number(alive, "timeoutSeconds", 1.0) if alive else inf,
        told.MEMORY_UNGUARANTEED: _memory(one),
        told.SCRATCH_UNBOUNDED: _scratch(pod, one),
        told.WEIGHTS_WRITABLE: _writable(pod, one),
        told.CACHE_LOST: _cache(pod, one, image),
        told.REGISTRY_PUBLIC: image[:200] if image and _registry(image) in _PUBLIC else "",
        told.CRASH_UNSAID: "" if one.get("terminationMessagePolicy") == _LAST_LINES else "the exit code alone",
        told.UNMAINTAINED: next((words for name, words in _ENDED if name.search(image.lower())), ""),
    }


def _one_node(pods: Sequence[Object]) -> str:
    nodes = [str(at(pod, "spec", "nodeName") or "") for pod in pods if at(pod, "status", "phase") == "Running"]
    return nodes[0][:150] if len(nodes) > 1 and len(set(nodes)) == 1 else ""


def _digests(pods: Sequence[Object]) -> str:
    """Different digests under one tag of one revision: a rollout runs several images on purpose."""
    found: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for pod in pods:
        one, labels = serving_container(pod), within(pod, "metadata", "labels")
        revision = next((str(labels[key]) for key in _HASHES if key in labels), "")
        for status in many(pod, "status", "containerStatuses"):
            _, _, digest = str(status.get("imageID") or "").partition("@")
            if status.get("name") == one.get("name") and digest:
                found[revision, str(one.get("image"))][digest[:19]] += 1
    apart = next(((image, seen) for (_, image), seen in found.items() if len(seen) > 1), None)
    return f"{apart[0][:120]} as {' and '.join(sorted(apart[1]))}"[:250] if apart else ""


def _single(whose: Whose, modes: Mapping[str, object]) -> str:
    wanted = at(whose.item, "spec", "replicas")
    if whose.subject.kind != "deployment" or not isinstance(wanted, int) or wanted < 2:
        return ""
    for volume in many(whose.form, "spec", "volumes"):
        claim = str(at(volume, "persistentVolumeClaim", "claimName") or "")
        mode = modes.get(f"{whose.subject.namespace}/{claim}")
        if claim and isinstance(mode, list) and mode and all(str(one) in _ONE_NODE for one in mode):
            return f"claim {claim} is {', '.join(str(one) for one in mode)}"[:200]
    return ""


def _bare(pod: Object) -> bool:
    mirror = "kubernetes.io/config.mirror" in within(pod, "metadata", "annotations")
    return bool(gpus_requested(pod)) and not mirror and not many(pod, "metadata", "ownerReferences")


def _hasty(container: Object) -> str:
    ready, alive = within(container, "readinessProbe"), within(container, "livenessProbe")
    asked = [(at(one, "httpGet", "path"), at(one, "httpGet", "port")) for one in (ready, alive)]
    if not asked[0][0] or asked[0] != asked[1]:
        return ""
    patience = [_number(one, "periodSeconds", 10) * _number(one, "failureThreshold", 3) for one in (ready, alive)]
    if patience[1] > patience[0]:
        return ""
    said = [quantity_shown(seconds, "seconds") for seconds in patience]
    return f"both ask {str(asked[0][0])[:80]}, liveness gives up after {said[1]}, readiness after {said[0]}"


def _memory(container: Object) -> str:
    asked = quantity(at(container, "resources", "requests", "memory") or "")
    most = quantity(at(container, "resources", "limits", "memory") or "")
    if asked is None or most is None or asked >= most:
        return ""
    return f"{quantity_shown(asked, 'bytes')} requested, {quantity_shown(most, 'bytes')} allowed"


def _scratch(pod: Object, container: Object) -> str:
    if at(container, "resources", "limits", "ephemeral-storage"):
        return ""
    mounted = {str(mount.get("name")) for mount in many(container, "volumeMounts")}
    open_ones = [
        str(volume.get("name"))
        for volume in many(pod, "spec", "volumes")
        if isinstance(volume.get("emptyDir"), Mapping)
        and within(volume, "emptyDir").get("medium") != "Memory"
        and not within(volume, "emptyDir").get("sizeLimit")
        and str(volume.get("name")) in mounted
    ]
    return f"emptyDir {', '.join(open_ones)}"[:200] if open_ones else ""


def _kept(pod: Object, container: Object) -> Iterator[tuple[str, str, bool]]:
    """Mounts that outlive the pod: volume, path, whether it is read-only."""
    volumes = {str(one.get("name")): one for one in many(pod, "spec", "volumes")}
    for mount in many(container, "volumeMounts"):
        volume = volumes.get(str(mount.get("name")), {})
        if volume and not _PASSING & set(volume) and not within(volume, "image"):
            fixed = mount.get("readOnly") is True or at(volume, "persistentVolumeClaim", "readOnly") is True
            fixed = fixed or at(volume, "csi", "readOnly") is True or at(volume, "nfs", "readOnly") is True
            yield str(mount.get("name"))[:80], str(mount.get("mountPath") or ""), fixed


def _writable(pod: Object, container: Object) -> str:
    configuration = resolve(container_of(container))
    # A server of one's own may name its model in the usual way.
    words = [
        configuration.text(Key.MODEL),
        *(configuration.flags.get(name, "") for name in ("model", "model-path", "model-id")),
    ]
    model = next((word for word in words if word.startswith("/")), "")
    for name, path, fixed in _kept(pod, container):
        if model and path and not fixed and f"{model}/".startswith(f"{path.rstrip('/')}/"):
            return f"volume {name} at {path}"[:200]
    return ""


def _cache(pod: Object, container: Object, image: str) -> str:
    """Where vLLM keeps compiled graphs, when nothing there outlives the pod."""
    if "vllm" not in image.lower() or "enforce-eager" in resolve(container_of(container)).flags:
        return ""
    env = {str(one.get("name")): str(one.get("value") or "") for one in many(container, "env")}
    root = env.get("VLLM_CACHE_ROOT") or (f"{env['XDG_CACHE_HOME']}/vllm" if env.get("XDG_CACHE_HOME") else "")
    kept = [path.rstrip("/") for _, path, fixed in _kept(pod, container) if path and not fixed]
    if root:
        return "" if any(f"{root}/".startswith(f"{path}/") for path in kept) else root[:150]
    # Which home the image's user has cannot be told: any kept cache is taken for it.
    return "" if any("cache" in path for path in kept) else "~/.cache/vllm"


def _registry(image: str) -> str:
    first, slash, _ = image.partition("/")
    return first if slash and ("." in first or ":" in first or first == "localhost") else "docker.io"


def _number(probe: Object, name: str, default: float) -> float:
    value = probe.get(name)
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else default
