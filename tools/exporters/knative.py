"""Knative's queue-proxy, the sidecar before every KServe or Knative server: how requests end, whatever the server behind it is.

Exported on port 9091 where `config-observability` asks for it (`request-metrics-protocol: prometheus`). The names with a dot turned
into an underscore are OpenTelemetry's (serving 1.19 and newer), `revision_*` those before. `kn_serving_queue_depth` counts what runs
and what waits, is written only as a request arrives, and not at all without a concurrency limit: it is no queue length.
"""

from __future__ import annotations

from tools.series import Series, Source
from tools.signals import Per
from tools.vocabulary.outcomes import HTTP_4XX, HTTP_5XX, HTTP_REQUESTS
from tools.vocabulary.pipelines import ANSWERS_BEFORE, CLIENT_ERRORS_BEFORE, IN_FLIGHT, before

_NEW, _OLD = "kn_serving_invocation_duration_seconds_count", "revision_request_count"


def _answers(new: str = "", old: str = "") -> tuple[Series, ...]:
    # The new one is the count of a histogram.
    counted = f"sum by ({{by}}) (increase({_NEW}{{{{{new}{{sel}}}}}}[{{w}}]))"
    return (Series(_NEW, only=("increase",), expr=counted), Series(_OLD, match=old))


SOURCES = (
    Source(
        name="knative",
        title="Knative's queue-proxy",
        per=Per.REPLICA,
        anchor=("kn_serving_invocation_duration_seconds_count", "revision_request_count"),
        keys=("namespace", "pod"),
        signals={
            HTTP_REQUESTS: _answers(),
            HTTP_4XX: _answers('http_response_status_code=~"4..",', 'response_code_class="4xx"'),
            HTTP_5XX: _answers('http_response_status_code=~"5..",', 'response_code_class="5xx"'),
            CLIENT_ERRORS_BEFORE: (
                before(_NEW, 'http_response_status_code=~"4.."'),
                before(_OLD, 'response_code_class="4xx"'),
            ),
            ANSWERS_BEFORE: (before(_NEW), before(_OLD)),
            IN_FLIGHT: (Series("kn_serving_queue_depth"),),
        },
        order=48,
    ),
)
