"""Users' ModelSpec documents (`piqc.ai/v1alpha1`) read as intent, and intents of what runs written as such.

ModelSpec names no workload: the document's name is taken for it, unless labels or annotations `rackside.dev/workload` and
`rackside.dev/namespace` say better. Its names are used, nothing of its text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from tools.catalogue.spelling import printable
from tools.intent import Intent, IntentFile, number, problems_of
from tools.intent_text import Document, IntentError, Path

API_VERSIONS = ("piqc.ai/v1alpha1",)
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_NEEDED: tuple[Path, ...] = (
    ("metadata", "name"),
    ("spec", "identity", "model", "id"),
    ("spec", "identity", "model", "family"),
    ("spec", "identity", "model", "task"),
    ("spec", "identity", "model", "framework"),
    ("spec", "runtime", "accelerator", "vendor"),
    ("spec", "runtime", "accelerator", "type"),
    ("spec", "runtime", "accelerator", "count"),
)
# What it may say and Rackside does not compare: said, so that nobody believes it is watched.
_NOT_COMPARED: tuple[tuple[Path, str], ...] = (
    (("spec", "operations", "scaling", "targetLatencyMsP95"), "which latency targetLatencyMsP95 means is not said; declare ttftP95Seconds or e2eP95Seconds"),
    (("spec", "operations", "scaling", "targetRps"), "whether targetRps is per replica is not said"),
    (("spec", "operations", "serving"), "probes, port and protocol of serving are not compared"),
    (("spec", "runtime", "resources"), "CPU, memory and disk are not compared"),
    (("spec", "runtime", "environment"), "environment variables are not compared"),
    (("spec", "pipeline"), "the pipeline is not compared"),
    (("spec", "governance", "compliance", "pii"), "rules on personal data cannot be seen from a cluster"),
    (("spec", "governance", "compliance", "retention"), "retention cannot be seen from a cluster"),
    (("spec", "governance", "cost", "targetCostPer1kTokensUsd"), "the cost of 1k tokens is told by `rackside cost`"),
)  # fmt: skip


def imported(document: Document, name: str) -> Intent:
    """One ModelSpec document as an intent; raises IntentError naming what is missing or of another type."""
    data = document.data
    problems = [
        f"{name} line {document.line(path)}: {'.'.join(map(str, path))} is missing or no plain value"
        for path in _NEEDED
        if not isinstance(value := _at(data, path), str | int | float) or value == ""
    ]
    if problems:
        raise IntentError(problems)
    marks = {**_mapping(data, ("metadata", "annotations")), **_mapping(data, ("metadata", "labels"))}
    called = str(_at(data, ("metadata", "name")))
    workload = str(marks.get("rackside.dev/workload") or called)
    namespace = marks.get("rackside.dev/namespace")
    remarks = [said for path, said in _NOT_COMPARED if _at(data, path) is not None]
    if "rackside.dev/workload" not in marks:
        remarks.append(f"ModelSpec names no workload; {printable(workload)!r} is taken from the document's name")
    if not _NAME.fullmatch(workload):
        line = document.line(("metadata", "name"))
        raise IntentError([f"{name} line {line}: {printable(workload)!r} is no name of a workload; set the annotation rackside.dev/workload"])  # fmt: skip
    spec: dict[str, Any] = {"selector": {"workload": workload}}
    if namespace:
        spec["selector"]["namespace"] = str(namespace)
    _put(spec, ("model", "id"), _model(data))
    _put(spec, ("engine", "name"), str(_at(data, ("spec", "identity", "model", "framework"))).lower())
    _put(spec, ("engine", "dtype"), _precision(data))
    _put(spec, ("engine", "maxNumSeqs"), _at(data, ("spec", "runtime", "batch", "maxBatchSize")))
    _put(spec, ("engine", "maxModelLen"), _at(data, ("spec", "runtime", "batch", "maxSequenceLengthTokens")))
    _put(spec, ("gpus", "type"), str(_at(data, ("spec", "runtime", "accelerator", "type"))))
    _put(spec, ("gpus", "count"), _at(data, ("spec", "runtime", "accelerator", "count")))
    _put(spec, ("replicas", "min"), _at(data, ("spec", "operations", "scaling", "minReplicas")))
    _put(spec, ("replicas", "max"), _at(data, ("spec", "operations", "scaling", "maxReplicas")))
    _put(spec, ("owner",), _at(data, ("spec", "governance", "compliance", "governance", "owner")))
    if number(_at(data, ("spec", "operations", "scaling", "warmPool", "size"))):
        remarks.append("a warm pool within the replicas is not told from them; declare warmStandby for a workload of its own")  # fmt: skip
    own = {"apiVersion": "rackside/v1", "kind": "Intent", "metadata": {"name": called}, "spec": spec}
    try:
        read = IntentFile.model_validate(own)
    except ValidationError as error:
        where = Document(own, {(): document.line(("spec",))})
        raise IntentError(problems_of(error, where, name)) from None
    return Intent(called, read.spec, f"{name} line {document.line(('metadata',))} (ModelSpec)", tuple(remarks))


def exported(name: str, namespace: str, told: Mapping[str, Any]) -> dict[str, Any]:
    """What runs, as a ModelSpec document. `told` has model, family, task, engine, dtype, gpu, gpus, batch, length, min, max, owner.

    What the format demands and nobody could see is `unknown`, which is a text that it allows.
    """
    model: dict[str, Any] = {
        "id": told.get("model") or "unknown",
        "family": told.get("family") or "unknown",
        "task": told.get("task") or "unknown",
        "framework": told.get("engine") or "unknown",
    }
    _put(model, ("precision",), told.get("dtype"))
    runtime: dict[str, Any] = {
        "accelerator": {
            "vendor": "nvidia",
            "type": told.get("gpu") or "unknown",
            "count": max(1, int(told.get("gpus") or 1)),
        }
    }
    _put(runtime, ("batch", "maxBatchSize"), told.get("batch"))
    _put(runtime, ("batch", "maxSequenceLengthTokens"), told.get("length"))
    spec: dict[str, Any] = {"identity": {"model": model}, "runtime": runtime}
    _put(spec, ("operations", "scaling", "minReplicas"), told.get("min"))
    _put(spec, ("operations", "scaling", "maxReplicas"), told.get("max"))
    _put(spec, ("governance", "compliance", "governance", "owner"), told.get("owner"))
    marks = {"rackside.dev/workload": name, "rackside.dev/namespace": namespace}
    return {
        "apiVersion": API_VERSIONS[0],
        "kind": "ModelSpec",
        "metadata": {"name": name, "annotations": marks},
        "spec": spec,
    }


def _at(data: Any, path: Path) -> Any:
    for key in path:
        if not isinstance(data, Mapping):
            return None
        data = data.get(str(key))
    return data if not isinstance(data, dict | list) or data else None


def _mapping(data: Any, path: Path) -> Mapping[str, Any]:
    found = _at(data, path)
    return found if isinstance(found, Mapping) else {}


def _model(data: Any) -> str:
    """What an engine would load: the place of the weights where it is a hub's, else the logical id."""
    place = str(_at(data, ("spec", "identity", "model", "artifacts", "modelUri")) or "")
    return place.removeprefix("hf://") if place.startswith("hf://") else str(_at(data, ("spec", "identity", "model", "id")))  # fmt: skip


def _precision(data: Any) -> str | None:
    said = _at(data, ("spec", "identity", "model", "precision"))
    return str(said) if said is not None else None


def _put(target: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    if value is None or value == "":
        return
    for key in path[:-1]:
        target = target.setdefault(key, {})
    target[path[-1]] = value
