"""What is deployed: every inference workload of a snapshot with model, engine, settings, GPUs, objectives and coverage."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bot.scan_coverage import asks as coverage_asks
from bot.scan_coverage import claims_of, coverage_of, fleet_coverage
from bot.scan_output import Deployed, Fact, GpuFact, Objective, Scan, SettingFact
from tools.catalogue.gpus import product
from tools.diagnose import Within
from tools.finding import BlindSpot, Confidence
from tools.intent import Intent
from tools.intent_bundle import Bundle
from tools.intent_objectives import LATENCIES
from tools.parity import Side
from tools.reading import Reading, Subject
from tools.signals import GPU_REQUEST, HPA_MAX, HPA_MIN, REPLICAS_READY, REPLICAS_WANTED, Ask, Per
from tools.snapshot import Snapshot
from tools.unlisted import unlisted
from tools.vocabulary import configuration, deployed
from tools.vocabulary.costs import NODE_PRODUCT, TEAM

WINDOW = "1h"
_GIB = 1024.0
_FACTS = (
    configuration.MODEL,
    configuration.ENGINE_NAME,
    configuration.ENGINE_VERSION,
    deployed.SERVED_NAME,
    deployed.IMAGE,
    deployed.RESOLVED,
    deployed.FLAGS,
    GPU_REQUEST,
    NODE_PRODUCT,
    TEAM,
    REPLICAS_WANTED,
    REPLICAS_READY,
    HPA_MIN,
    HPA_MAX,
)


def asks() -> frozenset[Ask]:
    """What a scan reads."""
    late = {signal.p95(WINDOW) for _, _, signal in LATENCIES}
    return frozenset({*(signal.now for signal in _FACTS), *late, *coverage_asks()})


def scan(
    snapshot: Snapshot, within: Within | None = None, intents: Sequence[Intent] = (), bundles: Sequence[Bundle] = ()
) -> Scan:
    """The scan of a scope over a snapshot that was taken with `asks`."""
    within = within or Within()
    workloads = [one for one in Side("", snapshot).workloads() if within.holds(one)]
    return Scan(
        at=datetime.fromtimestamp(snapshot.at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        workloads=tuple(_deployed(one, snapshot, intents, bundles) for one in workloads),
        coverage=fleet_coverage(snapshot),
        blind=_blind(snapshot),
    )


def _blind(snapshot: Snapshot) -> tuple[BlindSpot, ...]:
    found = [BlindSpot(one.name, str(one.blind)) for one in snapshot.sources if one.blind is not None]
    why = unlisted(snapshot)
    if why:
        found.append(BlindSpot("Workloads that are not listed", f"there may be more than these: {why}"))
    return tuple(found)


def _deployed(workload: Subject, snapshot: Snapshot, intents: Iterable[Intent], bundles: Sequence[Bundle]) -> Deployed:
    settings = _settings(snapshot, workload)
    flags = _flags(snapshot, workload)
    meant = next((one for one in intents if one.means(workload)), None)
    engine = _engine(snapshot, workload)
    gpus = _gpus(snapshot, workload)
    told = {
        "model": fact(snapshot, workload, configuration.MODEL.now),
        "engine": engine,
        "version": fact(snapshot, workload, configuration.ENGINE_VERSION.now),
        "gpu": gpus.kind,
        "gpus": gpus.per_replica,
        "replicas": fact(snapshot, workload, REPLICAS_WANTED.now),
    }
    return Deployed(
        workload=str(workload),
        namespace=workload.namespace,
        model=told["model"],
        served_name=fact(snapshot, workload, deployed.SERVED_NAME.now),
        engine=engine,
        version=told["version"],
        image=fact(snapshot, workload, deployed.IMAGE.now),
        settings=settings,
        flags=flags,
        gpus=gpus,
        replicas_wanted=told["replicas"],
        replicas_ready=fact(snapshot, workload, REPLICAS_READY.now),
        autoscaler=_autoscaler(snapshot, workload),
        owner=fact(snapshot, workload, TEAM.now),
        intent=meant.source if meant is not None else "",
        objectives=_objectives(snapshot, workload, meant),
        coverage=coverage_of(snapshot, workload),
        claims=claims_of(workload, bundles, told, {one.name: one for one in settings}),
    )


def fact(snapshot: Snapshot, workload: Subject, ask: Ask, confidence: Confidence = "high") -> Fact:
    """What the parts of a workload say of one thing: the one value, or all of them joined where they differ."""
    readings = [snapshot.read(ask, key) for key in snapshot.topology.parts(workload, ask.signal.per)]
    return joined(readings, snapshot.at, confidence)


def joined(readings: Sequence[Reading], now: float, confidence: Confidence = "high") -> Fact:
    """Some readings of one thing as one fact; an empty text is a thing that is not there."""
    seen = [one for one in readings if one.blind is None]
    if not seen:
        first = readings[0] if readings else None
        why = str(first.blind) if first is not None else "no part of it is there"
        return Fact(None, first.unit if first else "", "", "", None, None, why)
    values = list(dict.fromkeys(one.value for one in seen if one.value is not None))
    first = seen[0]
    age = max(0.0, now - min(one.at for one in seen)) if first.at else None
    if values == [""] or not values:
        return Fact(None, first.unit, first.source, first.query, None, age, "nothing states it")
    whole = len(values) == 1 and len(seen) == len(readings)
    value: str | float = values[0] if len(values) == 1 else " | ".join(sorted(_plain(one) for one in values))
    why = "" if whole else "replicas differ" if len(values) > 1 else f"{len(readings) - len(seen)} of {len(readings)} are not seen"  # fmt: skip
    return Fact(value, first.unit, first.source, first.query, confidence if whole else "medium", age, why)


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _engine(snapshot: Snapshot, workload: Subject) -> Fact:
    stated = fact(snapshot, workload, configuration.ENGINE_NAME.now)
    if stated.value is not None:
        return stated
    known = snapshot.topology.engines.get(workload)
    if known is None:
        return (
            stated if stated.why else Fact(None, "", "", "", None, None, "no engine is known by its command or image")
        )
    return Fact(
        known, "", "image or series", "", "low", 0.0, "told by the image's name or by the series that it exports"
    )


def _read(snapshot: Snapshot, workload: Subject, ask: Ask) -> tuple[Mapping[str, Any], bool]:
    """The settings or flags of the first pod that tells them, and whether all pods tell the same."""
    texts = [one.text for key in snapshot.topology.pods_of(workload) if (one := snapshot.read(ask, key)).blind is None]
    if not texts:
        return {}, False
    found = json.loads(texts[0])
    return (found if isinstance(found, dict) else {}), len(set(texts)) == 1


def _settings(snapshot: Snapshot, workload: Subject) -> tuple[SettingFact, ...]:
    told, alike = _read(snapshot, workload, deployed.RESOLVED.now)
    return tuple(
        SettingFact(name, _number(value), str(origin), _sure(str(origin), value, alike))
        for name, (value, origin) in told.items()
    )


def _number(value: Any) -> str | float | bool | None:
    """A setting's value; a whole number is a number like another."""
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _sure(origin: str, value: object, alike: bool) -> Confidence | None:
    if value is None:
        return None
    if not alike:
        return "low"
    return "medium" if origin.startswith("default") else "high"


def _flags(snapshot: Snapshot, workload: Subject) -> tuple[SettingFact, ...]:
    told, alike = _read(snapshot, workload, deployed.FLAGS.now)
    return tuple(SettingFact(f"--{name}", str(value), "argument", "high" if alike else "low") for name, value in told.items())  # fmt: skip


def _gpus(snapshot: Snapshot, workload: Subject) -> GpuFact:
    topology = snapshot.topology
    kind = fact(snapshot, workload, NODE_PRODUCT.now)
    models = sorted({topology.gpus[key].model for key in topology.gpus_of(workload) if topology.gpus[key].model})
    if kind.value is None and models:
        kind = Fact(" | ".join(models), "", "GPU exporter", "", "high" if len(models) == 1 else "medium", 0.0)
    known = product(str(kind.value)) if kind.value is not None else None
    memory = Fact(None, "GiB", "", "", None, None, "the kind of GPU is not known")
    if known is not None:
        memory = Fact(known.vram_mib / _GIB, "GiB", "catalogue of GPUs", known.title, "high", None)
        kind = Fact(known.title, "", kind.source, kind.query, kind.confidence, kind.age_s, kind.why)
    per = fact(snapshot, workload, GPU_REQUEST.now)
    pods = [topology.pods[key] for key in topology.pods_of(workload)]
    placed = [pod for pod in pods if pod.node and pod.phase not in {"Succeeded", "Failed"}]
    total = float(sum(pod.gpus for pod in placed))
    held = Fact(total, "GPUs", per.source, per.query, per.confidence, per.age_s, per.why)
    why = unlisted(snapshot) if not total else ""
    if why:
        # What pods request is not seen: no GPU is known of, which is not that there is none.
        seen = len(topology.gpus_of(workload))
        held = Fact(float(seen), "GPUs", "GPU exporter", "", "medium", None, why) if seen else Fact(None, "GPUs", "", "", None, None, why)  # fmt: skip
    return GpuFact(kind, per, held, memory, tuple(sorted({pod.node for pod in placed})))


def _autoscaler(snapshot: Snapshot, workload: Subject) -> str:
    scaler = snapshot.topology.autoscaler(workload)
    if scaler is None:
        return ""
    least, most = (fact(snapshot, workload, signal.now).value for signal in (HPA_MIN, HPA_MAX))
    shown = [_plain(one) if one is not None else "?" for one in (least, most)]
    return f"{scaler.namespace}/{scaler.name}: {shown[0]} to {shown[1]}"


def _objectives(snapshot: Snapshot, workload: Subject, intent: Intent | None) -> tuple[Objective, ...]:
    declared = intent.spec.objectives if intent is not None else None
    if intent is None or declared is None:
        return ()
    found = []
    for field, what, signal in LATENCIES:
        limit = getattr(declared, field)
        if limit is not None:
            keys = [key for key in snapshot.topology.parts(workload, Per.REPLICA) if snapshot.topology.pods[key].active]
            readings = [snapshot.read(signal.p95(WINDOW), key) for key in keys]
            found.append(Objective(f"{what}, p95", limit, "seconds", intent.source, _slowest(readings, snapshot.at)))
    if declared.availability_percent is not None:
        unread = Fact(None, "%", "", "", None, None, "`rackside intent drift` tells how its error budget burns")
        found.append(Objective("availability", declared.availability_percent, "%", intent.source, unread))
    return tuple(found)


def _slowest(readings: Sequence[Reading], now: float) -> Fact:
    seen = [one for one in readings if isinstance(one.value, int | float)]
    if not seen:
        return joined([one for one in readings if one.blind is not None], now)
    most = max(seen, key=lambda one: one.number)
    why = "" if len(seen) == len(readings) else f"{len(readings) - len(seen)} of {len(readings)} replicas are not seen"
    return Fact(
        most.number, most.unit, most.source, most.query, "medium" if why else "high", max(0.0, now - most.at), why
    )


def modelspecs(found: Scan) -> list[dict[str, Any]]:
    """The workloads as ModelSpec documents; what nobody could see is `unknown`."""
    from tools.intent_modelspec import exported

    documents = []
    for one in found.workloads:
        settings = {each.name: each.value for each in one.settings}
        _, namespace, name = one.workload.split("/", 2)
        told = {
            "model": one.model.value,
            "engine": one.engine.value,
            "dtype": settings.get("dtype"),
            "gpu": one.gpus.kind.value,
            "gpus": one.gpus.per_replica.value if isinstance(one.gpus.per_replica.value, float) else None,
            "batch": _whole(settings.get("max_num_seqs")),
            "length": _whole(settings.get("max_model_len")),
            "min": _whole(one.replicas_wanted.value),
            "owner": one.owner.value if one.owner.value != "none" else None,
        }
        documents.append(exported(name, namespace, told))
    return documents


def _whole(value: object) -> int | None:
    return int(value) if isinstance(value, float) and value == int(value) and value >= 0 else None
