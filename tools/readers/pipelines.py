"""What part a pod plays in a pipeline, how much its weights weigh, and probes that it left without an answer lately."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import lru_cache

from tools.catalogue.models import Model, model
from tools.catalogue.spelling import UnknownNameError
from tools.engines import Configuration, Key, resolve
from tools.engines.manifest import container_of
from tools.facts import Object, at, gpus_requested, last_seen, name_of, serving_container, within
from tools.quantity import seconds
from tools.readers import Listed, Told, Value
from tools.signals import Signal
from tools.sizing_memory import WEIGHT_BYTES, weights_bytes
from tools.vocabulary.pipelines import PROBE_TIMEOUTS, STAGE, WEIGHTS

KINDS = ("pods", "events")
LATELY_S = 600.0
# Images of what chooses an engine or passes requests on. A proxy that is a sidecar is not the serving container.
ROUTERS = re.compile(
    r"(?:^|/)(?:epp|llm-d-inference-scheduler|llm-d-router[\w-]*|lmstack-router|vllm-router|sglang-router|sgl-router|smg"
    r"|litellm[\w-]*|dynamo-frontend|envoy|envoy-gateway|nginx|haproxy|traefik|kong|ai-gateway[\w-]*)(?::|@|$)",
    re.IGNORECASE,
)
# Dynamo's comes in the image of its workers, too.
_FRONTEND = re.compile(r"\bdynamo\.frontend\b")
_EMBEDDERS = re.compile(r"text-embeddings-inference|michaelf34/infinity|fastembed", re.IGNORECASE)
_RERANKER = re.compile(r"rerank|cross-encoder", re.IGNORECASE)
_GUARD = re.compile(
    r"(?:llama|granite|prompt|qwen3?|nemo)-?guard|guardian|shieldgemma|wildguard|safeguard", re.IGNORECASE
)
_EMBEDDING = re.compile(
    r"(?:^|[/_-])(?:bge|gte|e5|embed(?:ding)?s?|nomic-embed|jina-embeddings)(?:[-_]|$)", re.IGNORECASE
)
_ROLES = {"prefill": "prefill", "decode": "decode"}
_KV_ROLES = {"kv_producer": "prefill", "kv_consumer": "decode"}
_TASKS = {"embed": "embedding", "embedding": "embedding", "score": "reranker", "rank": "reranker"}
_FOUR_BITS = {"awq": "int4", "awq_marlin": "int4", "gptq": "int4", "gptq_marlin": "int4"}
# What the kubelet says when nobody answered in time; refused connections and bad answers are something else.
_TIMEOUT = re.compile(
    r"probe failed: .{0,400}?(?:Client\.Timeout exceeded|context deadline exceeded|i/o timeout|health rpc did not complete)",
    re.DOTALL,
)


def read(listed: Listed) -> Iterator[Told]:
    """Facts of pods; time-outs are counted in the last ten minutes."""
    timeouts = _timeouts(listed)
    for pod in listed.of("pods"):
        if not all(name_of(pod)):
            continue
        key = "/".join(name_of(pod))
        yield Told(key, _part(pod), "pods")
        if "events" in listed.items:
            yield Told(key, {PROBE_TIMEOUTS: timeouts.get(key, 0.0)}, "events")


def _part(pod: Object) -> dict[Signal, Value]:
    container = serving_container(pod)
    configuration = resolve(container_of(container))
    facts: dict[Signal, Value] = {STAGE: _stage(pod, container, configuration)}
    weight = _weights(configuration.text(Key.MODEL)[:200], configuration.text(Key.QUANTIZATION)[:40])
    if weight is not None:
        facts[WEIGHTS] = weight
    return facts


def _stage(pod: Object, container: Object, configuration: Configuration) -> str:
    image = str(container.get("image") or "")
    role = _ROLES.get(str(within(pod, "metadata", "labels").get("llm-d.ai/role") or "")) or _pool(configuration.flags)
    if role:
        return role
    served = configuration.text(Key.MODEL)
    if _RERANKER.search(served):
        return "reranker"
    if _GUARD.search(served):
        return "guardrail"
    task = _TASKS.get(configuration.flags.get("task", ""))
    if task or _EMBEDDERS.search(image) or "is-embedding" in configuration.flags or _EMBEDDING.search(served):
        return task or "embedding"
    started = f"{container.get('command')} {container.get('args')}"
    return "router" if ROUTERS.search(image) or (_FRONTEND.search(started) and not gpus_requested(pod)) else ""


def _pool(flags: Mapping[str, str]) -> str:
    """The side of a disaggregated pair that the command line takes."""
    mode = _ROLES.get(flags.get("disaggregation-mode", ""))
    if mode:
        return mode
    try:
        given = json.loads(flags.get("kv-transfer-config") or "{}")
    except (ValueError, RecursionError):
        return ""
    return _KV_ROLES.get(str(given.get("kv_role")), "") if isinstance(given, dict) else ""


@lru_cache(maxsize=2048)
def _weights(served: str, asked: str) -> float | None:
    """The bytes of all weights, for a model of the catalogue in a type that is known."""
    # Of a folder the last part names it, as those who copy weights leave it; another organisation's model of that name may be another.
    known = _known(served.rstrip("/").rpartition("/")[2] if served.startswith("/") else served)
    if known is None:
        return None
    dtype = _FOUR_BITS.get(asked, asked) or known.shipped
    return weights_bytes(known, dtype) if dtype in WEIGHT_BYTES else None


def _known(name: str) -> Model | None:
    try:
        return model(name)
    except UnknownNameError:
        return None


def _timeouts(listed: Listed) -> dict[str, float]:
    """By pod how often a probe ran into its time-out lately; a repeated event is spread evenly over its time."""
    found: dict[str, float] = defaultdict(float)
    for event in listed.of("events"):
        involved = within(event, "involvedObject")
        last = last_seen(event)
        if event.get("reason") != "Unhealthy" or involved.get("kind") != "Pod" or last is None:
            continue
        if listed.now - last > LATELY_S or not _TIMEOUT.search(str(event.get("message") or "")[:2000]):
            continue
        first = seconds(event.get("firstTimestamp") or event.get("eventTime")) or last
        count = at(event, "series", "count") or event.get("count")
        times = float(count) if isinstance(count, int) and count > 0 else 1.0
        lately = min(1.0, LATELY_S / (last - first)) if last > first else 1.0
        found[f"{involved.get('namespace') or ''}/{involved.get('name') or ''}"] += max(1.0, times * lately)
    return {key: round(times) * 1.0 for key, times in found.items()}
