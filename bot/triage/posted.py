"""Alerts that other bots post as messages: rule, labels and state, as far as a message tells them.

Known by their usual shapes: Alertmanager, Grafana, PagerDuty, Datadog, and plain lines that begin with a state. What is not
clearly an alert is none.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from bot.triage.alert import Alert, Notice, State, clean
from bot.triage.scope import place

_LONGEST = 6000
_LINK = re.compile(r"<([^|>\s]+)\|([^>]*)>")
_BARE = re.compile(r"<((?:https?|mailto):[^>\s]+)>")
_STATES = (
    "firing|triggered|alerting|resolved|recovered|ok|cleared|closed|acknowledged|warn(?:ing)?|no data|problem|critical"
)
_OPENINGS = (
    re.compile(rf"^[^\w\[]*\[\s*(?P<state>{_STATES})\b(?P<more>[^\]\n]{{0,300}})\]\s*(?P<rest>.*)", re.IGNORECASE),
    re.compile(rf"^\W*(?P<state>{_STATES})\b(?P<more>[^:\n]{{0,80}}?)(?::|\s-|$)\s*(?P<rest>.*)", re.IGNORECASE),
)
_OVER = {"resolved", "recovered", "ok", "cleared", "closed"}
_PAIR = re.compile(r"^\W*([A-Za-z_][\w.]{0,60})\s*(?:=|:)\s*\"?([^\"\n]{1,250}?)\"?\s*$")
_INLINE = re.compile(r"(?<![\w/])([A-Za-z_][\w.]{1,60})(?:=|:)\"?([\w./-]{1,250})\"?")
_NUMBER = re.compile(r"^#?(\d{1,12}|[A-Z0-9]{10,20})\b:?\s*")
_ALIASES = {
    "kube_namespace": "namespace",
    "pod_name": "pod",
    "kube_deployment": "deployment",
    "kube_stateful_set": "statefulset",
    "host": "node",
    "kube_node": "node",
    "kube_cluster_name": "cluster",
    "cluster_name": "cluster",
}
# What is worth keeping of a message: names of objects, and what alerts are called and rated by.
_KEPT = {
    "alertname", "severity", "namespace", "pod", "deployment", "statefulset", "daemonset", "workload", "node", "hostname", "cluster",
    "instance", "job", "uuid", "exported_pod", "exported_namespace", "runbook_url", "runbook", "summary", "description", "message",
    "service", "priority",
}  # fmt: skip
_ANNOTATIONS = {"runbook_url", "runbook", "summary", "description", "message"}


def read(message: Mapping[str, Any], at: float) -> Notice | None:
    """The notice in a message of another bot, told at `at` (seconds since the epoch); None where it is no alert."""
    lines = list(_lines(message))
    opening = next((match for line in lines[:4] for shape in _OPENINGS if (match := shape.match(line))), None)
    if opening is None:
        return None
    found = _labels(lines)
    rest = opening["rest"].strip()
    number = _NUMBER.match(rest)
    rest = rest[number.end() :] if number else rest
    rule = found.get("alertname") or _rule(rest) or _rule(opening["more"])
    if not rule:
        return None
    found["alertname"] = rule
    over = opening["state"].lower() in _OVER
    for tag in re.findall(r"\{([^}]{1,200})\}", opening["more"]):
        found |= {name: value for name, value in _inline(tag) if name not in found}
    labels = {name: value for name, value in found.items() if name not in _ANNOTATIONS}
    annotations = {name: value for name, value in found.items() if name in _ANNOTATIONS}
    state: State = "resolved" if over else "firing"
    key = f"#{number[1]}" if number else json.dumps([rule, place(labels).thing])
    alert = Alert(labels, annotations, state, at if not over else 0.0, at if over else 0.0, given="")
    return Notice("message", key, (alert,))


def _rule(text: str) -> str:
    """A rule's name out of a title: Alertmanager puts values of labels behind it, in brackets and without."""
    named = text.partition(" (")[0].strip(" -:[](){}.,")
    first = named.split(" ", 1)[0]
    camel = re.fullmatch(r"\w+", first) and re.search(r"[a-z0-9][A-Z]", first)
    rule = clean(first if camel else named, 120)
    return rule if any(char.isalpha() for char in rule) else ""


def _labels(lines: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in lines:
        pair = _PAIR.match(line)
        pairs = [(pair[1], pair[2])] if pair else list(_inline(line))
        for written, value in pairs:
            name = _ALIASES.get(written.lower(), "Hostname" if written.lower() == "hostname" else written)
            if (name in _KEPT or name.lower() in _KEPT) and name not in found and value.strip():
                found[name] = clean(value.strip(), 300)
    return found


def _inline(line: str) -> Iterator[tuple[str, str]]:
    for name, value in _INLINE.findall(line):
        yield _ALIASES.get(name.lower(), name), value.rstrip(".,")


def _lines(message: Mapping[str, Any]) -> Iterator[str]:
    """What a message says, line by line, titles first, without Slack's mark-up."""
    texts: list[str] = []
    for one in _dicts(message.get("attachments")):
        texts += [str(one.get(name) or "") for name in ("title", "pretext")]
    texts.append(str(message.get("text") or ""))
    for one in _dicts(message.get("attachments")):
        texts.append(str(one.get("text") or ""))
        texts += [f"{field.get('title', '')}: {field.get('value', '')}" for field in _dicts(one.get("fields"))]
        texts += list(_in_blocks(one.get("blocks")))
        if not any(part.strip() for part in texts):
            texts.append(str(one.get("fallback") or ""))
    texts += list(_in_blocks(message.get("blocks")))
    whole = "\n".join(text for text in texts if text.strip())[:_LONGEST]
    for line in _plain(whole).splitlines():
        if line.strip():
            yield line.strip()[:600]


def _plain(text: str) -> str:
    said = _BARE.sub(r"\1", _LINK.sub(r"\2", text))
    return re.sub(r"[*`]|:[a-z_]+:(?=\s)", "", html.unescape(said))


def _in_blocks(blocks: Any) -> Iterator[str]:
    for block in _dicts(blocks):
        for part in (block.get("text"), *_dicts(block.get("fields"))):
            if isinstance(part, Mapping) and isinstance(part.get("text"), str):
                yield part["text"]


def _dicts(found: Any) -> list[Mapping[str, Any]]:
    return [one for one in found[:20] if isinstance(one, Mapping)] if isinstance(found, list) else []
