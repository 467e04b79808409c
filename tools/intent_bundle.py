"""Facts bundles of the PIQC scanner (`piqc-scan.v0.1`): what another tool says that it saw. Untrusted: a claim is never evidence.

Each fact keeps its source, confidence and time as claimed. Facts that the scanner is known to measure wrongly are kept apart with the
reason, and are never shown as a value of anything.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tools.catalogue.spelling import printable
from tools.intent_text import MOST_BYTES, IntentError
from tools.reading import Subject

SCHEMA = "piqc-scan.v0.1"
MOST_OBJECTS, MOST_FACTS = 20_000, 400
_WORKLOAD = re.compile(r"ns/([a-z0-9][-a-z0-9.]{0,252})/([A-Za-z]{1,40})/([a-z0-9][-a-z0-9.]{0,252})")
# What the scanner's code measures otherwise than the fact's name says.
DISTRUSTED: Mapping[str, str] = {
    "obs.vllm.kvCacheUsagePct": "it reads only a gauge that current vLLM no longer has, and calls a ratio percent",
    "obs.vllm.tokensPerSec": "it may be the speed of one stream, not of the replica",
    "obs.vllm.prefixCacheHitRate": "it reads only a gauge that current vLLM no longer has",
    "obs.tps.avg": "it may be the speed of one stream, not of the replica",
    "obs.rps.avg": "it is the requests in the engine at one instant, not a rate",
    "obs.effectiveBatch.p95": "it is the requests running at one instant, not a percentile",
    "obs.tpot.p95Ms": "it is a percentile since the process started, of a deprecated histogram",
    "obs.requestLatency.p95Ms": "it is a percentile since the process started, not of a window",
    "obs.requestLatency.p99Ms": "it is a percentile since the process started, not of a window",
    "autoscaling.enabled": "no autoscaler is ever read, and `false` is written all the same",
    "autoscaling.metricType": "no autoscaler is ever read",
    "obs.gpu.utilAvgPct": "it is one sample of one pod, not an average",
    "obs.gpu.memUtilAvgPct": "it is one sample of one pod, not an average",
    "obs.gpu.temperatureC": "it is one sample of one pod",
    "obs.gpu.powerDrawW": "it is one sample of one pod",
    "model.architecture": "it is guessed from the model's name",
    "model.parameters": "it is guessed from the model's name",
    "model.parameterCount": "it is guessed from the model's name",
}


@dataclass(frozen=True, slots=True)
class Claim:
    """One fact as claimed. `distrust` says why it is not used, empty where nothing speaks against it."""

    workload: str
    key: str
    value: str | float | bool
    unit: str
    source: str
    confidence: str
    observed_at: str
    distrust: str


@dataclass(frozen=True, slots=True)
class Bundle:
    """What a bundle claims, when it was made, and what it says that it could not see."""

    name: str
    generated_at: str
    tool: str
    claims: tuple[Claim, ...]
    missing: tuple[str, ...]

    def of(self, subject: Subject) -> tuple[Claim, ...]:
        """The claims on one workload."""
        return tuple(one for one in self.claims if one.workload == str(subject))


def read_bundle(content: bytes | str, name: str) -> Bundle:
    """A bundle; raises IntentError with all that is wrong with its frame. A fact that is none is left out and counted."""
    name = printable(name)
    data = _json(content, name)
    if data.get("schemaVersion") != SCHEMA:
        shown = printable(str(data.get("schemaVersion")))[:60]
        raise IntentError([f"{name}: schemaVersion must be {SCHEMA}, not {shown!r}"])
    objects = data.get("objects")
    if not isinstance(objects, list) or len(objects) > MOST_OBJECTS:
        raise IntentError([f"{name}: `objects` must be a list of at most {MOST_OBJECTS:,}"])
    claims: list[Claim] = []
    odd = 0
    for one in objects:
        subject = _subject(one)
        facts = one.get("facts") if isinstance(one, dict) else None
        if subject is None or not isinstance(facts, dict):
            odd += 1
            continue
        for key, fact in list(facts.items())[:MOST_FACTS]:
            claim = _claim(subject, str(key), fact)
            if claim is None:
                odd += 1
            else:
                claims.append(claim)
    missing = [
        f"{printable(str(one.get('workloadId')))}: {printable(str(one.get('factKey')))} ({printable(str(one.get('error')))})"
        for one in data.get("factErrors") or ()
        if isinstance(one, dict)
    ]
    if odd:
        missing.append(f"{odd} entries are no facts and were left out")
    tool = data.get("tool")
    told = f"{tool.get('name')} {tool.get('version')}" if isinstance(tool, dict) else ""
    return Bundle(name, _time(data.get("generatedAt")), printable(told), tuple(claims), tuple(missing[:MOST_FACTS]))


def _json(content: bytes | str, name: str) -> dict[str, Any]:
    if len(content) > 32 * MOST_BYTES:
        raise IntentError([f"{name}: it is larger than 32 MiB"])
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        raise IntentError([f"{name}: this is not JSON"]) from None
    if not isinstance(data, dict):
        raise IntentError([f"{name}: a bundle is an object, this is none"])
    return data


def _subject(one: object) -> Subject | None:
    said = str(one.get("workloadId") or "") if isinstance(one, dict) else ""
    match = _WORKLOAD.fullmatch(said)
    return Subject(match[2].lower(), match[1], match[3]) if match else None


def _claim(subject: Subject, key: str, fact: object) -> Claim | None:
    value = fact.get("value") if isinstance(fact, dict) else None
    if not isinstance(fact, dict) or not isinstance(value, str | int | float | bool):
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            value = float(value)
        except OverflowError:
            return None
        if not math.isfinite(value):
            return None
    source = fact.get("source")
    kind = printable(str(source.get("type"))) if isinstance(source, dict) else ""
    return Claim(
        workload=str(subject),
        key=printable(key),
        value=printable(value) if isinstance(value, str) else value,
        unit=printable(str(fact.get("units") or "")),
        source=kind,
        confidence=printable(str(fact.get("dataConfidence") or "")),
        observed_at=_time(fact.get("observedAt")),
        distrust=DISTRUSTED.get(key, ""),
    )


def _time(value: object) -> str:
    try:
        return datetime.fromisoformat(str(value)).isoformat() if value else ""
    except ValueError:
        return ""
