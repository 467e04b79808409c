"""How far things can be observed, in three states and an honest fourth; and a scanner's claims held against what was seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.scan_output import Claimed, Cover, Coverage, Fact, Held, SettingFact
from tools.catalogue.gpus import product
from tools.intent_bundle import Bundle, Claim
from tools.reading import Reason, Subject
from tools.signals import ENGINE_REPORTING, NODE_GPUS, NODE_GPUS_REPORTING, POD_READY, TTFT, Ask, Per
from tools.snapshot import Snapshot
from tools.unlisted import unlisted
from tools.vocabulary.outcomes import HTTP_REQUESTS

_LATENCY = TTFT.p95("1h")
_REQUESTS = HTTP_REQUESTS.increase("1h")
# What a bundle calls a setting, and what the engine's resolution calls it.
_SETTINGS = {
    "vllm.dtype": "dtype",
    "runtime.dtype": "dtype",
    "vllm.maxModelLen": "max_model_len",
    "model.maxModelLen": "max_model_len",
    "vllm.maxNumSeqs": "max_num_seqs",
    "vllm.tensorParallelSize": "tensor_parallel",
    "runtime.tensorParallel": "tensor_parallel",
    "vllm.pipelineParallelSize": "pipeline_parallel",
    "vllm.gpuMemoryUtilization": "gpu_memory_utilization",
    "vllm.enablePrefixCaching": "prefix_caching",
    "model.quantization": "quantization",
}
_FACTS = {
    "runtime.engineType": "engine",
    "runtime.engineVersion": "version",
    "model.name": "model",
    "hardware.gpuType": "gpu",
    "hardware.gpuCount": "gpus",
    "k8s.replicas": "replicas",
}
# Nobody was asked, or nobody answered: what they would have shown is not absent.
_UNASKED = frozenset({Reason.SOURCE_DOWN, Reason.FORBIDDEN, Reason.PARTIAL, Reason.NOT_SET})
_DTYPES = {"bf16": "bfloat16", "fp16": "float16", "half": "float16"}


def asks() -> frozenset[Ask]:
    """What it reads."""
    facts = (ENGINE_REPORTING, POD_READY, NODE_GPUS, NODE_GPUS_REPORTING)
    return frozenset({*(signal.now for signal in facts), _LATENCY, _REQUESTS})


def coverage_of(snapshot: Snapshot, workload: Subject) -> tuple[Coverage, ...]:
    """How far one workload can be observed."""
    topology = snapshot.topology
    pods = [key for key in topology.pods_of(workload) if topology.pods[key].active]
    found = [
        _parts(snapshot, "readiness", POD_READY.now, topology.pods_of(workload)),
        _reporting(snapshot, pods),
        _parts(snapshot, "latencies", _LATENCY, pods, nothing_counts=True),
        _parts(snapshot, "request counts", _REQUESTS, pods, nothing_counts=True),
    ]
    wanted = round(sum(topology.pods[key].gpus for key in pods))
    if wanted:
        seen = min(wanted, len(topology.gpus_of(workload)))
        why = "" if seen else _prometheus(snapshot) or "no GPU exporter speaks of its GPUs"
        found.append(Coverage("GPU metrics", _state(seen, wanted, blind=_blind(snapshot)), seen, wanted, why))
    return tuple(found)


def fleet_coverage(snapshot: Snapshot) -> tuple[Coverage, ...]:
    """How far a cluster can be observed: its sources, and the GPU nodes whose exporter reports."""
    found = [
        Coverage(one.name, "detected" if one.blind is None else "unknown" if _down(str(one.blind)) else "absent", one.subjects, one.subjects, str(one.blind or ""))
        for one in snapshot.sources
    ]  # fmt: skip
    nodes = []
    for name in snapshot.topology.nodes:
        told = snapshot.read(NODE_GPUS.now, name).value
        if isinstance(told, int | float) and told > 0:
            nodes.append(name)
    if nodes:
        readings = [snapshot.read(NODE_GPUS_REPORTING.now, name) for name in nodes]
        seen = sum(1 for one in readings if isinstance(one.value, int | float) and one.value > 0)
        why = "" if seen == len(nodes) else "; ".join(f"{name} is not seen" for name, one in zip(nodes, readings, strict=True) if not isinstance(one.value, int | float) or not one.value)[:300]  # fmt: skip
        found.append(Coverage("GPU exporter on GPU nodes", _state(seen, len(nodes), blind=_blind(snapshot)), seen, len(nodes), why))  # fmt: skip
    else:
        hidden = unlisted(snapshot)
        if hidden:
            found.append(Coverage("GPU exporter on GPU nodes", "unknown", 0, 0, f"no GPU node is known: {hidden}"))
    return tuple(found)


def _reporting(snapshot: Snapshot, keys: Sequence[str]) -> Coverage:
    """How many replicas have fresh samples of their engine in Prometheus."""
    if not keys:
        return Coverage("engine metrics", "unknown", 0, 0, "no pod of it is up")
    readings = [snapshot.read(ENGINE_REPORTING.now, key) for key in keys]
    seen = sum(1 for one in readings if one.value == 1.0)
    silent = next((one for one in readings if one.value != 1.0), None)
    why = "" if silent is None else str(silent.blind or "no fresh sample of its engine")
    return Coverage("engine metrics", _state(seen, len(keys), blind=_blind(snapshot)), seen, len(keys), why)


def _parts(snapshot: Snapshot, what: str, ask: Ask, keys: Sequence[str], *, nothing_counts: bool = False) -> Coverage:
    """How many parts say it. Where nothing was observed in the window the series is there all the same."""
    readings = [snapshot.read(ask, key) for key in keys]
    seen = [
        one for one in readings if one.blind is None or (nothing_counts and one.blind.reason is Reason.NOTHING_OBSERVED)
    ]
    if not readings:
        return Coverage(what, "unknown", 0, 0, "no pod of it is up")
    unseen = next((one for one in readings if one not in seen), None)
    why = "" if unseen is None else str(unseen.blind)
    measured = ask.signal.per is not Per.REPLICA or ask.signal.evidence == "metric"
    unsaid = unseen is not None and unseen.blind is not None and unseen.blind.reason in _UNASKED
    blind = unsaid or (measured and _blind(snapshot))
    return Coverage(what, _state(len(seen), len(readings), blind=blind), len(seen), len(readings), why)


def _state(seen: int, of: int, *, blind: bool) -> Cover:
    if seen == of:
        return "detected"
    if seen:
        return "partial"
    return "unknown" if blind else "absent"


def _blind(snapshot: Snapshot) -> bool:
    """Whether Prometheus itself could not be asked: then what it would show is not absent."""
    return bool(_prometheus(snapshot))


def _prometheus(snapshot: Snapshot) -> str:
    return next((str(one.blind) for one in snapshot.sources if one.name == "Prometheus" and one.blind is not None), "")


def _down(why: str) -> bool:
    return not why.startswith("not set")


def claims_of(
    workload: Subject, bundles: Sequence[Bundle], facts: Mapping[str, Fact], settings: Mapping[str, SettingFact]
) -> tuple[Claimed, ...]:
    """What bundles claim of a workload, each held against what was seen."""
    found = []
    for bundle in bundles:
        for claim in bundle.of(workload):
            held, why = _held(claim, facts, settings)
            source = f"{bundle.name} ({bundle.tool or 'unknown tool'}, {claim.source or 'unknown source'})"
            found.append(Claimed(claim.key, claim.value, claim.unit, source, claim.confidence, claim.observed_at, held, why))  # fmt: skip
    return tuple(found)


def _held(claim: Claim, facts: Mapping[str, Fact], settings: Mapping[str, SettingFact]) -> tuple[Held, str]:
    if claim.distrust:
        return "distrusted", claim.distrust
    seen: object = None
    if claim.key in _SETTINGS and _SETTINGS[claim.key] in settings:
        seen = settings[_SETTINGS[claim.key]].value
    elif claim.key in _FACTS:
        seen = facts[_FACTS[claim.key]].value
    if seen is None:
        return "not compared", "nothing that was seen here says it"
    if _alike(claim.value, seen, gpu=claim.key == "hardware.gpuType"):
        return "agrees", ""
    return "contradicts", f"{seen:g} was seen" if isinstance(seen, float) else f"{seen} was seen"


def _alike(claimed: object, seen: object, *, gpu: bool) -> bool:
    if isinstance(claimed, bool) or isinstance(seen, bool):
        return claimed == seen
    if isinstance(claimed, float) and isinstance(seen, float):
        return claimed == seen
    one, two = str(claimed).lower(), str(seen).lower()
    if gpu:
        first, second = product(one), product(two)
        return first is not None and second is not None and first.id == second.id
    return _DTYPES.get(one, one) == _DTYPES.get(two, two)
