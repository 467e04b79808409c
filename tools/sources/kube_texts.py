"""What the API server passes on as text, logs and metrics of pods, or why it cannot be had."""

from __future__ import annotations

import re

from tools.reading import Blind, Reason
from tools.sources.kube_http import Answer, of_status
from tools.sources.log_text import plain

METRIC_PATHS = frozenset({"/metrics", "/monitoring/prometheus/metrics"})
MAX_EXPOSITION = 32 * 2**20
_NO_LOG_YET = re.compile(r"previous terminated container .* not found|is waiting to start")
_LOG_GONE = "unable to retrieve container logs for "


def exposition(answer: Answer | Blind, whose: str) -> str | Blind:
    """What a pod shows as metrics, or why it cannot be had."""
    if isinstance(answer, Blind):
        return answer
    if answer.status == 200:
        if len(answer.body) > MAX_EXPOSITION:
            return Blind(Reason.SOURCE_DOWN, f"{whose} shows more than {MAX_EXPOSITION // 2**20} MiB of metrics")
        return answer.body.decode(errors="replace")
    if answer.status == 403:
        return Blind(
            Reason.FORBIDDEN,
            "we may not ask pods for their metrics through the API server; deploy/options/pods-proxy allows it, and a"
            " Prometheus that scrapes them shows more",
        )
    if answer.status == 404:
        return Blind(Reason.NO_SERIES, f"{whose} shows no metrics there")
    return of_status(answer, f"the metrics of {whose}")


def log(answer: Answer | Blind, namespace: str, whose: str, limit: int) -> str | Blind:
    """A log as plain text, empty when the container has not run (again), or why it cannot be had."""
    if isinstance(answer, Blind):
        return answer
    if answer.status == 200:
        # The API passes on what the kubelet says when a log was rotated away, as if it were the log.
        if answer.body.startswith(_LOG_GONE.encode()):
            return Blind(Reason.NOT_KEPT, f"the node no longer keeps the log of {whose}")
        return plain(answer.body[:limit])
    if answer.status == 400 and _NO_LOG_YET.search(answer.message):
        return ""
    if answer.status == 403:
        return Blind(
            Reason.FORBIDDEN,
            f'we may not read logs in namespace {namespace}; add to our role: apiGroups [""], '
            'resources ["pods/log"], verbs ["get"]',
        )
    if answer.status == 404:
        return Blind(Reason.NOT_KEPT, f"the pod of {whose} is gone, and its log with it")
    return of_status(answer, f"the log of {whose}")
