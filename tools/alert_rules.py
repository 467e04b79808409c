"""Read the rules that Prometheus evaluates, and say which of them watch what: by the metrics that an alert comes down to.

An alert on a recorded series watches what the recording reads. Names and labels of rules prove nothing; expressions do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from tools.facts import Object, many
from tools.inventory import runtimes
from tools.reading import Subject
from tools.rules import NONE
from tools.signals import Signal
from tools.topology import CLUSTER
from tools.vocabulary import watching as told

_STRING = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|`[^`]*`")
_NAMED = re.compile(r"__name__\s*=~?\s*[\"']([^\"']+)[\"']")
_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_NAMESPACE = re.compile(r"\bnamespace\s*(=~|=)\s*[\"']([^\"']*)[\"']")
# Gateways and meshes see the same requests as the engine.
_GATEWAYS = (
    "http_", "istio_", "envoy_", "nginx_ingress_", "traefik_", "gateway_", "kong_", "litellm_", "haproxy_", "apisix_",
    "inference_", "llm_d_", "revision_",
)  # fmt: skip
_EXPORTERS = ("DCGM_", "nvidia_smi_", "nvidia_gpu_", "gpu_")
_LATENCY = re.compile(r"first_token|ttft|inter_token|per_output_token|latency|duration|queue_time|prefill|decode_time")
_ENDINGS = re.compile(r"fail|error|abort|reject|success|status|5xx")
_CODE = re.compile(r"5\.|5xx|\b50[0-9]|error|code", re.IGNORECASE)
_DOWN = re.compile(
    r"^up$|^kube_(deployment|statefulset)_status|^kube_pod_(status_ready|status_phase|container_status)|^probe_success$"
)
_QUEUE = re.compile(r"waiting|queue|pending|kv_cache|cache_usage|token_usage|kv_block|preempt")
_TOKENS = re.compile(r"generation_token|gen_throughput|request_success|output_token|generated_token|inference_count")
_BUSY = re.compile(r"running|waiting|in_?flight|pending|queue|batch_current_size")
_LOW = re.compile(r"==\s*0(\.0*)?\b|<")
_FAULT = re.compile(r"XID|ECC|REMAP|RETIRED|NVLINK\w*ERR|HEALTH", re.IGNORECASE)
_WORK = re.compile(r"GPU_UTIL|GR_ENGINE|utilization|TENSOR_ACTIVE|POWER_USAGE", re.IGNORECASE)
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as Prometheus tells it; `failing` is its last error."""

    name: str
    query: str
    recording: bool = False
    failing: str = ""
    runbook: bool = False


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert with all that its expression comes down to: metric names, and the text of every expression on the way."""

    rule: Rule
    metrics: frozenset[str]
    text: str


def parse(data: object) -> tuple[Rule, ...]:
    """The rules of `/api/v1/rules`; what has not the shape of a rule is left out."""
    groups = data.get("groups") if isinstance(data, Mapping) else None
    found = []
    for group in groups if isinstance(groups, list) else ():
        rules = group.get("rules") if isinstance(group, Mapping) else None
        for one in rules if isinstance(rules, list) else ():
            if isinstance(one, Mapping) and one.get("name") and isinstance(one.get("query"), str):
                notes = one.get("annotations")
                marks = notes if isinstance(notes, Mapping) else {}
                failing = str(one.get("lastError") or "unknown") if one.get("health") == "err" else ""
                runbook = any("runbook" in str(key).lower() and value for key, value in marks.items())
                found.append(
                    Rule(str(one["name"])[:80], one["query"], one.get("type") == "recording", failing, runbook)
                )
    return tuple(found)


def declared(objects: Iterable[Object]) -> tuple[Rule, ...]:
    """The rules of PrometheusRule objects, which an operator hands to a Prometheus or a ruler; what has not the shape of a rule is left out."""
    groups = [group for item in objects for group in many(item, "spec", "groups")]
    return parse({"groups": [{"rules": [_evaluated(one) for one in many(group, "rules")]} for group in groups]})


def _evaluated(rule: Object) -> dict[str, object]:
    """A rule as it is written, in the words in which Prometheus tells of it."""
    recording = bool(rule.get("record"))
    expr = rule.get("expr")
    return {
        "name": rule.get("record") or rule.get("alert"),
        "query": str(expr) if isinstance(expr, str | int | float) else None,
        "type": "recording" if recording else "alerting",
        "annotations": rule.get("annotations"),
    }


def alerts(rules: Iterable[Rule]) -> tuple[Alert, ...]:
    """The alerts among the rules, each with what it comes down to."""
    rules = tuple(rules)
    recorded: dict[str, list[str]] = {}
    for rule in rules:
        if rule.recording:
            recorded.setdefault(rule.name, []).append(rule.query)
    return tuple(_expanded(rule, recorded) for rule in rules if not rule.recording)


def _expanded(rule: Rule, recorded: Mapping[str, list[str]]) -> Alert:
    names: set[str] = set()
    texts, waiting = [], [rule.query]
    while waiting:
        query = waiting.pop()
        texts.append(query)
        for name in _names(query) - names:
            names.add(name)
            waiting.extend(recorded.get(name, ()))
    return Alert(rule, frozenset(names), "\n".join(texts))


def _names(query: str) -> set[str]:
    return {*_METRIC.findall(_STRING.sub("", query)), *_NAMED.findall(query)}


@cache
def prefixes_of(engine: str) -> tuple[str, ...]:
    """What the metric names of an engine begin with, none where the engine is not known."""
    anchor = next((source.anchor[0] for source in runtimes() if source.name == engine), "")
    match = re.match(r":?[a-zA-Z]+[:_]", anchor)
    # Some pipelines turn the colon into an underscore.
    return (match[0], f"{match[0][:-1]}_") if match else ()


def _own(alert: Alert, engine: str) -> list[str]:
    return _starting(alert, prefixes_of(engine))


def _latency(alert: Alert, engine: str) -> bool:
    served = [*_own(alert, engine), *_starting(alert, _GATEWAYS)]
    return any(_LATENCY.search(name) for name in served)


def _errors(alert: Alert, engine: str) -> bool:
    if any(_ENDINGS.search(name) for name in _own(alert, engine)):
        return True
    return bool(_starting(alert, _GATEWAYS)) and bool(_CODE.search(alert.text))


def _down(alert: Alert, engine: str) -> bool:
    absent = any(name.startswith("absent") for name in alert.metrics) and bool(_own(alert, engine))
    return absent or any(_DOWN.search(name) for name in alert.metrics)


def _queue(alert: Alert, engine: str) -> bool:
    return any(_QUEUE.search(name) for name in _own(alert, engine))


def _silent(alert: Alert, engine: str) -> bool:
    return any(_TOKENS.search(name) for name in _own(alert, engine)) and bool(_LOW.search(alert.text))


def _stall(alert: Alert, engine: str) -> bool:
    return _silent(alert, engine) and any(_BUSY.search(name) for name in _own(alert, engine))


def _scaler(alert: Alert, _engine: str) -> bool:
    return bool(_starting(alert, ("kube_horizontalpodautoscaler_", "keda_")))


_OF_WORKLOAD: dict[Signal, Callable[[Alert, str], bool]] = {
    told.ALERT_LATENCY: _latency,
    told.ALERT_ERRORS: _errors,
    told.ALERT_DOWN: _down,
    told.ALERT_QUEUE: _queue,
    told.ALERT_STALL: _stall,
    told.ALERT_SCALER: _scaler,
}


def _starting(alert: Alert, prefixes: tuple[str, ...]) -> list[str]:
    return [name for name in alert.metrics if name.startswith(prefixes)]


def _fault(alert: Alert) -> bool:
    return any(_FAULT.search(name) for name in _starting(alert, _EXPORTERS))


def _idle(alert: Alert, engines: Iterable[str]) -> bool:
    works = any(_WORK.search(name) for name in _starting(alert, _EXPORTERS))
    return (works and bool(_LOW.search(alert.text))) or any(
        _silent(alert, one) and not _while_busy(alert, one) for one in engines
    )


def _while_busy(alert: Alert, engine: str) -> bool:
    """Whether it asks for requests that are there: what stands still with them is stuck, and not idle."""
    busy = (re.escape(name) for name in _own(alert, engine) if not _TOKENS.search(name))
    return any(re.search(rf"{name}(?:\{{[^}}]*\}})?[^<>=!]*>", alert.text) for name in busy)


def covers(alert: Alert, namespace: str) -> bool:
    """Whether an alert looks into a namespace: it does unless all its matchers name others."""
    matchers = _NAMESPACE.findall(alert.text)
    return not matchers or any(_holds(how, wanted, namespace) for how, wanted in matchers)


def _holds(how: str, wanted: str, namespace: str) -> bool:
    if how == "=":
        return wanted == namespace
    # Only plain alternatives are read: anything else is taken to match, since a rule must not be missed.
    plain = re.fullmatch(r"[\w.|()-]*", wanted)
    return plain is None or namespace in wanted.strip("()").split("|") or ".*" in wanted or ".+" in wanted


def facts(rules: tuple[Rule, ...], engines: Mapping[Subject, str]) -> dict[Signal, dict[str, float | str]]:
    """What the rules watch: by signal, for each workload and the cluster, the names of the alerts or `none`."""
    known = alerts(rules)
    found: dict[Signal, dict[str, float | str]] = {signal: {} for signal in told.OF_RULES}
    kinds = sorted(set(engines.values()))
    # Judged once an engine and namespace, not once a workload: fleets have thousands of rules and of workloads.
    watching = {
        engine: {signal: [one for one in known if watches(one, engine)] for signal, watches in _OF_WORKLOAD.items()}
        for engine in kinds
    }
    bare = {engine: [one for one in known if _own(one, engine) and not one.rule.runbook] for engine in kinds}
    by_place: dict[tuple[str, str], dict[Signal, str]] = {}
    for workload, engine in engines.items():
        place = engine, workload.namespace
        if place not in by_place:
            near = {signal: [one for one in of if covers(one, place[1])] for signal, of in watching[engine].items()}
            by_place[place] = {signal: _listed(of) for signal, of in near.items()}
            without = [one for one in bare[engine] if covers(one, place[1])]
            by_place[place][told.NO_RUNBOOK] = _listed(without) if without else ""
        for signal, names in by_place[place].items():
            found[signal][str(workload)] = names
    found[told.ALERT_GPU_FAULT][str(CLUSTER)] = _listed(one for one in known if _fault(one))
    found[told.ALERT_GPU_IDLE][str(CLUSTER)] = _listed(one for one in known if _idle(one, kinds))
    failing = [f"{rule.name}: {rule.failing}"[:120] for rule in rules if rule.failing]
    found[told.RULES_FAILING][str(CLUSTER)] = "; ".join(failing[:_SHOWN])
    return found


def _listed(alerts_of: Iterable[Alert]) -> str:
    names = list(dict.fromkeys(one.rule.name for one in alerts_of))
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more if names else NONE
