"""Where what runs is not what was declared: findings in the shape of every other, what agrees, and what could not be compared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from tools import intent_compare as compare
from tools.burn import Burning, Counts
from tools.burn import asks as burn_asks
from tools.burn_latency import asks as latency_asks
from tools.costs_figures import Figure
from tools.engines import Key, flag
from tools.finding import BlindSpot, Change, Evidence, Finding, Remedy
from tools.intent import Intent
from tools.intent_canary import asks as canary_asks
from tools.intent_compare import Compared
from tools.intent_findings import Held, declared_as, finding_of, moment_of, set_to
from tools.intent_objectives import LATENCIES, WINDOW, budget, canary, objectives
from tools.reading import Reading, Reason, Subject
from tools.signals import (
    GPU_MEM_UTILIZATION,
    GPU_REQUEST,
    HPA_MAX,
    HPA_MIN,
    KV_DTYPE,
    MAX_NUM_SEQS,
    REPLICAS_READY,
    REPLICAS_WANTED,
    STANDBY,
    TENSOR_PARALLEL,
    Ask,
)
from tools.snapshot import Snapshot
from tools.unlisted import unlisted
from tools.vocabulary import configuration as told
from tools.vocabulary.costs import NODE_PRODUCT, TEAM

# Field of the file, its ask, how it is compared, and the engine's setting where it is one.
_ENGINE: tuple[tuple[str, str, Ask, compare.Same, Key | None], ...] = (
    ("name", "engine", told.ENGINE_NAME.now, compare.engine, None),
    ("version", "version of the engine", told.ENGINE_VERSION.now, compare.version, None),
    ("dtype", "data type", told.DTYPE.now, compare.dtype, Key.DTYPE),
    ("quantization", "quantization", told.QUANTIZATION.now, compare.text, Key.QUANTIZATION),
    ("kv_cache_dtype", "data type of the KV cache", KV_DTYPE.now, compare.dtype, Key.KV_CACHE_DTYPE),
    ("max_model_len", "longest request", told.MAX_MODEL_LEN.now, compare.number, Key.MAX_MODEL_LEN),
    ("max_num_seqs", "limit of sequences", MAX_NUM_SEQS.now, compare.number, Key.MAX_NUM_SEQS),
    ("tensor_parallel", "tensor parallel size", TENSOR_PARALLEL.now, compare.number, Key.TENSOR_PARALLEL),
    ("gpu_memory_utilization", "share of GPU memory", GPU_MEM_UTILIZATION.now, compare.number, Key.GPU_MEMORY_UTILIZATION),
    ("prefix_caching", "prefix caching", told.PREFIX_CACHING.now, compare.switch, Key.PREFIX_CACHING),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Drift:
    """One intent held against what runs. `same` are the declared values that hold, `blind` those that could not be compared."""

    intent: Intent
    subjects: tuple[str, ...]
    findings: tuple[Finding, ...]
    same: tuple[str, ...]
    blind: tuple[BlindSpot, ...]
    burns: tuple[tuple[str, str, Burning], ...] = ()


def asks(intents: Iterable[Intent]) -> frozenset[Ask]:
    """Everything that holding intents against what runs may read."""
    found = {ask for _, _, ask, _, _ in _ENGINE}
    found |= {signal.p95(WINDOW) for _, _, signal in LATENCIES}
    facts = (told.MODEL, told.REVISION, GPU_REQUEST, NODE_PRODUCT, TEAM, STANDBY, REPLICAS_WANTED, REPLICAS_READY, HPA_MIN, HPA_MAX)  # fmt: skip
    found |= {signal.now for signal in facts}
    for one in intents:
        if one.spec.objectives is not None and one.spec.objectives.availability_percent is not None:
            found |= burn_asks()
        for field, _, signal in LATENCIES:
            if one.spec.objectives is not None and getattr(one.spec.objectives, field) is not None:
                found |= latency_asks(signal)
        if one.spec.canary is not None:
            found |= canary_asks()
    return frozenset(found)


def drift(intent: Intent, counts: Counts, usd: Mapping[Subject, Figure] | None = None) -> Drift:
    """Hold an intent against (the counts of) a snapshot that was taken with `asks`; `usd` is what workloads cost an hour, where that is known."""
    snapshot = counts.snapshot
    subjects = [one for one in snapshot.topology.workloads if intent.means(one)]
    if not subjects:
        return _absent(intent, snapshot)
    held = [Held(intent, subject, counts) for subject in subjects]
    for one in held:
        for theme in (_model, _engine, _gpus, _replicas, _marks, objectives, canary):
            theme(one)
        budget(one, (usd or {}).get(one.subject))
    return Drift(
        intent,
        tuple(map(str, subjects)),
        tuple(finding for one in held for finding in one.findings),
        tuple(said for one in held for said in one.same),
        tuple(spot for one in held for spot in one.blind),
        tuple((str(one.subject), objective, burning) for one in held for objective, burning in one.burns),
    )


def _absent(intent: Intent, snapshot: Snapshot) -> Drift:
    why = unlisted(snapshot)
    if why:
        return Drift(intent, (), (), (), (BlindSpot(intent.said, f"whether it runs cannot be told: {why}"),))
    evidence = (declared_as("e1", "workload", intent.said, intent), Evidence("e2", f"workloads that are there: {len(snapshot.topology.workloads)}", float(len(snapshot.topology.workloads)), "workloads", "Kubernetes API", "", moment_of(snapshot.at)))  # fmt: skip
    because = f"{intent.said} is declared in {intent.source}, and no workload of that name is there."
    remedy = Remedy("Deploy it, or take it out of the intent file.", None, "It shows in `rackside scan`.")
    return Drift(
        intent,
        (),
        (finding_of("intent_not_deployed", intent.said, "high", because, evidence, (remedy,)),),
        (),
        (),
    )


def _model(held: Held) -> None:
    declared = held.intent.spec.model
    if declared is None:
        return
    names = compare.model(declared.id, *([declared.served_name] if declared.served_name else []))
    apart = held.compare("model", declared.id, told.MODEL.now, names)
    revision = None
    if declared.revision is not None:
        revision = held.compare("revision", declared.revision, told.REVISION.now, compare.text)
    found = [one for one in (apart, revision) if one is not None]
    if found:
        engine = held.snapshot.topology.engines.get(held.subject, "vllm")
        keys = {"model": Key.MODEL, "revision": Key.REVISION}
        held.found(
            "intent_model_drift", "high", found, tuple(set_to(one, flag(engine, keys[one.what])) for one in found)
        )


def _engine(held: Held) -> None:
    declared = held.intent.spec.engine
    if declared is None:
        return
    apart: list[Compared] = []
    remedies: list[Remedy] = []
    name = held.snapshot.topology.engines.get(held.subject, "vllm")
    for field, what, ask, same, key in _ENGINE:
        wanted = getattr(declared, field)
        found = held.compare(what, wanted, ask, same) if wanted is not None else None
        if found is not None:
            apart.append(found)
            remedies.append(set_to(found, flag(name, key) if key is not None else ""))
    if apart:
        held.found("intent_engine_drift", "medium", apart, tuple(remedies))


def _gpus(held: Held) -> None:
    declared = held.intent.spec.gpus
    if declared is None:
        return
    apart = []
    if declared.type is not None:
        apart.append(held.compare("GPU", declared.type, NODE_PRODUCT.now, compare.gpu))
    if declared.count is not None:
        apart.append(held.compare("GPUs of a replica", declared.count, GPU_REQUEST.now, compare.number))
    found = [one for one in apart if one is not None]
    if found:
        change = {"GPU": "nodeSelector", "GPUs of a replica": "resources.limits.nvidia.com/gpu"}
        held.found("intent_gpu_drift", "medium", found, tuple(set_to(one, change[one.what]) for one in found))


def _replicas(held: Held) -> None:
    declared = held.intent.spec.replicas
    if declared is None:
        return
    apart: list[Compared] = []
    for what, limit, ask, good in (
        ("replicas ready, at least", declared.min, REPLICAS_READY.now, _least),
        ("replicas wanted, at least", declared.min, REPLICAS_WANTED.now, _least),
        ("replicas wanted, at most", declared.max, REPLICAS_WANTED.now, _most),
    ):
        if limit is None:
            continue

        def within(
            _wanted: str, reading: Reading, limit: int = limit, good: Callable[[float, int], bool] = good
        ) -> bool | None:
            return good(reading.number, limit) if isinstance(reading.value, int | float) else None

        found = held.compare(what, limit, ask, within)
        apart += [found] if found is not None else []
    if _may_scale(held):
        for what, limit, ask in (
            ("autoscaler's minimum", declared.min, HPA_MIN.now),
            ("autoscaler's maximum", declared.max, HPA_MAX.now),
        ):
            found = held.compare(what, limit, ask, compare.number) if limit is not None else None
            apart += [found] if found is not None else []
    if apart:
        short = any(one.what == "replicas ready, at least" for one in apart)
        have = Change("replicas", apart[-1].raw, apart[-1].wanted)
        remedy = Remedy(
            "Set spec.replicas, or the autoscaler's minReplicas and maxReplicas, to what is declared, or declare what is meant.",
            have,
            "As many replicas are ready as are declared at least.",
        )
        held.found("intent_replica_drift", "high" if short else "medium", apart, (remedy,))


def _may_scale(held: Held) -> bool:
    """Whether it has an autoscaler, or whether that cannot be told: where none could be listed, the declared range is not known to hold."""
    if held.snapshot.topology.autoscaler(held.subject) is not None:
        return True
    blind = held.snapshot.read(HPA_MAX.now, str(held.subject)).blind
    return blind is None or blind.reason is not Reason.NOTHING_OBSERVED


def _marks(held: Held) -> None:
    spec = held.intent.spec
    if spec.owner is not None:
        apart = held.compare("owner", spec.owner, TEAM.now, compare.text)
        if apart is not None:
            held.found("intent_owner_drift", "low", [apart], (set_to(apart, "the label `owner` or `team`"),))
    if spec.warm_standby is not None:
        apart = held.compare("warm standby", spec.warm_standby, STANDBY.now, compare.switch)
        if apart is not None:
            held.found("intent_standby_drift", "low", [apart], (set_to(apart, "the annotation rackside.dev/standby"),))


def _least(have: float, limit: int) -> bool:
    return have >= limit


def _most(have: float, limit: int) -> bool:
    return have <= limit
