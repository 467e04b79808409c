"""Alerts go nowhere.

## What it means
Prometheus knows no Alertmanager to send to.

## Why it hurts
Rules fire, and nobody is told: every alert of the fleet is a line on a page that nobody has open.

## What would rule it out
A ruler beside Prometheus that sends alerts itself (Grafana, vmalert, Mimir), or a Prometheus that only stores.
"""

from tools.check import Check, On
from tools.rules import lacks, paste
from tools.vocabulary.watching import ALERTMANAGERS

CHECK = Check(
    on=(On.CLUSTER,),
    severity="high",
    needs=(ALERTMANAGERS.now,),
    fires=lacks(ALERTMANAGERS.now, "Prometheus knows no Alertmanager to send to."),
    remedies=paste(
        "Name the Alertmanager in the settings of Prometheus.",
        "spec: {alerting: {alertmanagers: [{namespace: monitoring, name: alertmanager-operated, port: web}]}}",
        "/api/v1/alertmanagers lists an active one, and a test alert reaches the pager.",
        "platform/prometheus-stack",
        "platform/incident-tooling",
    ),
    pages=(
        "platform/prometheus-stack",
        "platform/incident-tooling",
    ),
    phase=2,
    owner="sre",
    rule=True,
    asked=(
        r"\balertmanager\b",
        r"\balerts?\b[^.?!]{0,40}\b(?:go|goes|sent|arrives?|reach\w*|delivered|end up)\b[^.?!]{0,40}\b(?:any(?:where|body|one)|nowhere|no(?:body| one)|pager|somewhere|us|on-?call)\b",
        r"\bwho\b[^.?!]{0,20}\b(?:gets?|receives?)\b[^.?!]{0,20}\balerts?\b",
    ),
)
