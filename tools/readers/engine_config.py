"""The configuration of each pod's engine as the engine resolves it, and where it is not the one that its workload has now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tools.engines import Configuration, Key, ray_serve, resolve
from tools.engines.manifest import container_of
from tools.facts import Object, at, many, name_of, serving_container, within
from tools.quantity import quantity
from tools.readers import Listed, Told, Value
from tools.reading import Subject
from tools.signals import GPU_MEM_UTILIZATION, KV_DTYPE, MAX_NUM_SEQS, TENSOR_PARALLEL, Signal
from tools.vocabulary import configuration as told
from tools.vocabulary.adapters import ADAPTER_SLOTS

_RAY = "rayservices.ray.io"
KINDS = ("pods", "nodes", "deployments", "statefulsets", _RAY)
_CLUSTER = "ray.io/cluster"
_NUMBERS = {
    Key.TENSOR_PARALLEL: TENSOR_PARALLEL,
    Key.MAX_NUM_SEQS: MAX_NUM_SEQS,
    Key.MAX_MODEL_LEN: told.MAX_MODEL_LEN,
}
_TEXTS = {
    Key.MODEL: told.MODEL,
    Key.REVISION: told.REVISION,
    Key.DTYPE: told.DTYPE,
    Key.QUANTIZATION: told.QUANTIZATION,
    Key.KV_CACHE_DTYPE: KV_DTYPE,
}
# Engines whose share is one of the whole GPU; others count it of what the weights leave.
_WHOLE_SHARE = {"", "vllm", "sglang", "dynamo_vllm", "dynamo_sglang", "ray_vllm", "ray_sglang"}
# What a server that runs tells of itself under the same names.
_COMPARED = (Key.GPU_MEMORY_UTILIZATION, Key.KV_CACHE_DTYPE, Key.PREFIX_CACHING)
_LONGEST = 300
# Worth a word only where somebody sets them.
_DULL = {
    Key.PIPELINE_PARALLEL,
    Key.DATA_PARALLEL,
    Key.DTYPE,
    Key.LOAD_FORMAT,
    Key.TRUST_REMOTE_CODE,
    Key.ADAPTERS,
    Key.ADAPTER_SLOTS,
}
# By identity, with the configuration itself so that it stays alive.
Known = dict[int, tuple[Configuration, dict[Signal, Value]]]
_GROUP_OF_PODS = {"LWS_GROUP_SIZE", "LWS_LEADER_ADDRESS"}


def read(listed: Listed) -> Iterator[Told]:
    """Facts of pods whose configuration can be read."""
    gpus = {name_of(node)[1]: _gpu(node) for node in listed.of("nodes")}
    known: Known = {}
    for item in listed.of("pods"):
        key = "/".join(name_of(item))
        if not all(name_of(item)):
            continue
        node = str(at(item, "spec", "nodeName") or "")
        configuration = resolve(container_of(serving_container(item), gpu=gpus.get(node, ("", 0.0))))
        yield Told(key, _facts(item, configuration, known), "pods")
    for kind in ("deployments", "statefulsets"):
        for item in listed.of(kind):
            yield from _outdated(item, kind, listed)
    yield from _ray(listed, known)


def _ray(listed: Listed, known: Known) -> Iterator[Told]:
    """What the GPU pods of a RayService serve, where its cluster serves one model."""
    serving: dict[tuple[str, str], Configuration] = {}
    for item in listed.of(_RAY):
        found = ray_serve.configurations(at(item, "spec", "serveConfigV2"))
        cluster = str(at(item, "status", "activeServiceStatus", "rayClusterName") or "")
        if len(found) == 1 and cluster:
            serving[name_of(item)[0], cluster] = next(iter(found.values()))
    for pod in listed.of("pods") if serving else ():
        namespace, name = name_of(pod)
        cluster = str(within(pod, "metadata", "labels").get(_CLUSTER) or "")
        if name and (namespace, cluster) in serving and any(map(_holds, many(pod, "spec", "containers"))):
            # How many pods share a model is Ray's choice, so nothing is said of the GPUs of one.
            yield Told(f"{namespace}/{name}", _facts(pod, serving[namespace, cluster], known), _RAY)


def _facts(pod: Object, configuration: Configuration, known: Known) -> dict[Signal, Value]:
    """The facts of a pod; those of its configuration are made once for all replicas, which share it."""
    if id(configuration) not in known:
        known[id(configuration)] = configuration, _of(configuration)
    facts = dict(known[id(configuration)][1])
    if configuration.gpus is not None and _alone(pod):
        facts[told.GPUS_USED] = float(configuration.gpus)
    return facts


def _of(configuration: Configuration) -> dict[Signal, Value]:
    facts: dict[Signal, Value] = {}
    for key, signal in _NUMBERS.items():
        number = configuration.number(key)
        if number is not None:
            facts[signal] = number
    for key, signal in _TEXTS.items():
        if text := configuration.text(key):
            facts[signal] = text[:150]
    share = configuration.number(Key.GPU_MEMORY_UTILIZATION)
    if share is not None and configuration.engine in _WHOLE_SHARE:
        facts[GPU_MEM_UTILIZATION] = share
    caching = configuration.on(Key.PREFIX_CACHING)
    if caching is not None:
        facts[told.PREFIX_CACHING] = 1.0 if caching else 0.0
    adapters = configuration.on(Key.ADAPTERS)
    slots = configuration.number(Key.ADAPTER_SLOTS) if adapters else 0.0
    if adapters is not None and slots is not None:
        facts[ADAPTER_SLOTS] = slots
    if not configuration.engine:
        return facts
    facts[told.ENGINE_NAME] = configuration.engine
    if configuration.version:
        facts[told.ENGINE_VERSION] = configuration.version
    facts[told.CONFIGURED_BY] = _origins(configuration)
    facts[told.STATED] = _stated(configuration) if configuration.engine == "vllm" else ""
    return facts


def _alone(pod: Object) -> bool:
    """Whether one container holds all GPUs of the pod, and the pod is all of its engine."""
    holding = [one for one in many(pod, "spec", "containers") if _holds(one)]
    if len(holding) != 1:
        return False
    env = holding[0].get("env")
    declared = env if isinstance(env, list) else ()
    return not any(isinstance(one, dict) and str(one.get("name")) in _GROUP_OF_PODS for one in declared)


def _holds(container: Object) -> bool:
    wanted = {**within(container, "resources", "limits"), **within(container, "resources", "requests")}
    return any(str(name).startswith("nvidia.com/") for name in wanted)


def _origins(configuration: Configuration) -> str:
    known = [
        f"{key} {_shown(setting.value)} ({setting.said})"
        for key, setting in configuration.settings.items()
        if setting.value is not None and key is not Key.PORT and (setting.stated or key not in _DULL)
    ]
    return "; ".join(known)[:_LONGEST]


def _stated(configuration: Configuration) -> str:
    settings = {key: configuration[key] for key in _COMPARED}
    found = [f"{key}={_shown(one.value)}" for key, one in settings.items() if one.stated]
    return ", ".join(found)[:_LONGEST]


def _outdated(item: Object, kind: str, listed: Listed) -> Iterator[Told]:
    """Where a workload keeps its pods as they were (paused, or replaced only on deletion), what they do not have yet."""
    held = at(item, "spec", "paused") is True
    held = held or (kind == "statefulsets" and at(item, "spec", "updateStrategy", "type") == "OnDelete")
    form = serving_container(within(item, "spec", "template"))
    wanted = resolve(container_of(form)) if held else None
    for pod in listed.by_workload.get(Subject(kind.removesuffix("s"), *name_of(item)), ()):
        apart = ""
        if wanted is not None and str(at(pod, "status", "phase")) == "Running":
            apart = _apart(resolve(container_of(serving_container(pod))), wanted)
        yield Told("/".join(name_of(pod)), {told.OUTDATED: apart}, kind)


def _apart(mine: Configuration, wanted: Configuration) -> str:
    parts = []
    for key, setting in wanted.settings.items():
        own = mine[key]
        if (setting.stated or own.stated) and own.value != setting.value and None not in (own.value, setting.value):
            parts.append(f"{key} {_shown(own.value)} here, {_shown(setting.value)} in the workload")
    return "; ".join(parts)[:_LONGEST]


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, int | float):
        return f"{value:.15g}"
    return str(value)[:80]


def _gpu(node: Object) -> tuple[str, float]:
    """Product and memory of a node's GPUs, as their discovery labels it (in MiB)."""
    labels: Mapping[str, object] = within(node, "metadata", "labels")
    memory = quantity(str(labels.get("nvidia.com/gpu.memory") or "")[:20]) or 0.0
    return str(labels.get("nvidia.com/gpu.product") or "")[:80], max(0.0, memory) * 2**20
