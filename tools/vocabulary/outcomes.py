"""How requests end: failed, refused, given up; and features of engines that may not pay: drafts, adapters, what was deferred.

A request's end is counted where the engine says so; vLLM's API server counts answers by class of HTTP status. TGI, TEI and
Triton count failures by kind (older Triton names no kind). An absent counter of SGLang or Ray may only not have counted yet.
"""

from __future__ import annotations

import re

from tools.series import Series
from tools.signals import Per, counter, fact, gauge, line

FAILED = counter("llm.requests_failed", "requests", Per.REPLICA, "Requests that the server failed")
REFUSED = counter("llm.requests_refused", "requests", Per.REPLICA, "Requests that the server refused", optional=True)
ABORTED = counter("llm.requests_aborted", "requests", Per.REPLICA, "Requests that clients gave up")
HTTP_REQUESTS = counter("http.requests", "requests", Per.REPLICA, "Answers of the API server", optional=True)
# Where none of these is exported, a log may be read instead, back over this time.
LOG_WINDOW = fact("pod.log_window", "seconds", Per.REPLICA, "Time that its log was read back", "min")
LOG_OVERLOADED = line("log.overloaded", "Line on a request that was refused for overload")
HTTP_5XX = counter("http.errors", "requests", Per.REPLICA, "Answers with status 5xx", optional=True)
HTTP_4XX = counter("http.client_errors", "requests", Per.REPLICA, "Answers with status 4xx", optional=True)

DRAFTED = counter("llm.draft_tokens", "tokens", Per.REPLICA, "Tokens drafted by speculation", optional=True)
ACCEPTED = counter("llm.accepted_tokens", "tokens", Per.REPLICA, "Drafted tokens accepted", optional=True)
DEFERRED = gauge(
    "llm.requests_deferred",
    "requests",
    Per.REPLICA,
    "Requests deferred for another reason than room",
    "sum",
    optional=True,
)

# TGI and TEI, SGLang, Triton, Ray Serve.
PATTERNS = {
    LOG_OVERLOADED: re.compile(
        r"\bno permits available\b|\bModel is overloaded\b|The request queue is full|Exceeds maximum queue size"
        r"|\bBackPressureError\b|Request dropped due to backpressure"
    )
}

SERIES = {
    "vllm": {
        FAILED: (Series("vllm:request_success_total", match='finished_reason="error"'),),
        REFUSED: (Series("vllm:admission_rejections_total"),),
        ABORTED: (Series("vllm:request_success_total", match='finished_reason="abort"'),),
        HTTP_REQUESTS: (Series("http_requests_total", match='handler=~"/v1/.*"'),),
        HTTP_5XX: (Series("http_requests_total", match='handler=~"/v1/.*",status="5xx"'),),
        HTTP_4XX: (Series("http_requests_total", match='handler=~"/v1/.*",status="4xx"'),),
        DRAFTED: (Series("vllm:spec_decode_num_draft_tokens_total"),),
        ACCEPTED: (Series("vllm:spec_decode_num_accepted_tokens_total"),),
        DEFERRED: (Series("vllm:num_requests_waiting_by_reason", match='reason="deferred"'),),
    },
    "ray_vllm": {
        FAILED: (Series("ray_vllm_request_success_total", match='finished_reason="error"'),),
        ABORTED: (Series("ray_vllm_request_success_total", match='finished_reason="abort"'),),
        DEFERRED: (Series("ray_vllm_num_requests_waiting_by_reason", match='reason="deferred"'),),
        HTTP_REQUESTS: (Series("ray_serve_num_http_requests_total"),),
        HTTP_5XX: (Series("ray_serve_num_http_error_requests_total", match='error_code=~"5.."'),),
        HTTP_4XX: (Series("ray_serve_num_http_error_requests_total", match='error_code=~"4.."'),),
    },
    "sglang": {
        ABORTED: (Series("sglang:num_aborted_requests_total"),),
    },
    "tgi": {
        FAILED: (Series("tgi_request_failure", match='err=~"generation|incomplete|dropped"'),),
        REFUSED: (Series("tgi_request_failure", match='err="overloaded"'),),
    },
    "tei": {
        FAILED: (Series("te_request_failure", match='err="inference"'),),
        REFUSED: (Series("te_request_failure", match='err="overloaded"'),),
    },
    "tensorrt_llm": {
        FAILED: (Series("trtllm_request_error_total", match='http_code=~"5.."'),),
        ABORTED: (Series("trtllm_request_success_total", match='finished_reason=~"cancelled|abort"'),),
        HTTP_5XX: (Series("trtllm_request_error_total", match='http_code=~"5.."'),),
        HTTP_4XX: (Series("trtllm_request_error_total", match='http_code=~"4.."'),),
    },
    "triton": {
        FAILED: (Series("nv_inference_request_failure", match='reason=~"BACKEND|OTHER|"'),),
        REFUSED: (Series("nv_inference_request_failure", match='reason="REJECTED"'),),
        ABORTED: (Series("nv_inference_request_failure", match='reason="CANCELED"'),),
    },
    "dynamo": {FAILED: (Series("dynamo_frontend_requests_total", match='status="error"'),)},
}
