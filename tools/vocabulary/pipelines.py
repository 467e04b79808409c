"""What lies around an engine: routers in front of it, stages before and after it, KV transfers between pools, its node's CPU.

Also how an engine fares over days: the prompt tokens that its prefix cache spared, and the most that its cache ever held.
"""

from __future__ import annotations

from tools.series import Series
from tools.signals import Per, Signal, counter, fact, gauge, times
from tools.vocabulary.outcomes import HTTP_4XX, HTTP_5XX, HTTP_REQUESTS, REFUSED

# A pod's part in a pipeline: router, embedding, reranker, guardrail, prefill, decode; empty where nothing tells of one.
STAGE = fact("pod.stage", "", Per.REPLICA, "Stage of the pipeline", evidence="config")
PROBE_TIMEOUTS = fact(
    "pod.probe_timeouts",
    "probes",
    Per.REPLICA,
    "Probes without an answer in 10 min",
    evidence="event",
    told_by="events",
)
WEIGHTS = fact("engine.weights", "bytes", Per.REPLICA, "Weights of the model", evidence="config")
REQUEST_TIME = times("llm.request_time", "Time of a whole request")

# Users ask one at a time; what indexes documents sends lists.
SINGLE = counter("llm.single_inputs", "requests", Per.REPLICA, "Requests of one input", optional=True)
BATCHED = counter("llm.batched_inputs", "requests", Per.REPLICA, "Requests of several inputs", optional=True)

# Only routers have these: where a runtime or an exporter has none, there is no router to look at.
ROUTING_TIME = times("router.decision_time", "Time to choose an engine", optional=True)
HELD = gauge("router.held", "requests", Per.REPLICA, "Requests held by the router", "sum", optional=True)
SATURATION = gauge("router.pool_saturation", "ratio", Per.REPLICA, "Saturation of the engines behind", optional=True)
BEHIND_WAITING = gauge(
    "router.pool_waiting", "requests", Per.REPLICA, "Requests waiting per engine behind", optional=True
)
BEHIND_KV = gauge("router.pool_kv_usage", "ratio", Per.REPLICA, "KV cache usage of the engines behind", optional=True)
BEHIND_READY = gauge("router.pool_ready", "engines", Per.REPLICA, "Engines ready behind", "min", optional=True)
ROUTED = counter("router.requests", "requests", Per.REPLICA, "Requests routed", optional=True)
UNROUTED = counter("router.unrouted", "attempts", Per.REPLICA, "Attempts without an engine to send to", optional=True)
LOOP_DELAY = times("server.loop_delay", "Delay of the event loop", optional=True)
IN_FLIGHT = gauge("proxy.in_flight", "requests", Per.REPLICA, "Requests in the sidecar proxy", "sum", optional=True)

# Prefill and decode on different engines.
KV_FAILED = counter("kv.transfers_failed", "transfers", Per.REPLICA, "KV cache transfers that failed", optional=True)
KV_EXPIRED = counter("kv.expired", "requests", Per.REPLICA, "Requests whose prefilled KV expired", optional=True)
KV_UNPAIRED = counter(
    "kv.handshakes_failed", "requests", Per.REPLICA, "Requests whose KV handshake failed", optional=True
)
KV_TRANSFER_TIME = times("kv.transfer_time", "Time of a KV cache transfer", optional=True)
KV_TRANSFER_SIZE = times("kv.transfer_size", "Size of a KV cache transfer", "bytes", optional=True)

PREFIX_QUERIES = counter("llm.prefix_queries", "tokens", Per.REPLICA, "Prompt tokens looked up in the prefix cache")
PREFIX_SHARE = gauge("llm.prefix_share", "ratio", Per.REPLICA, "Prompt tokens found in the prefix cache")

HISTORY = gauge("llm.history", "seconds", Per.REPLICA, "Time for which its load is known", "min")

# The same windows an hour earlier: what a rise is measured against.
CLIENT_ERRORS_BEFORE = counter(
    "http.client_errors_before", "requests", Per.REPLICA, "Answers with status 4xx, an hour before", optional=True
)
ANSWERS_BEFORE = counter(
    "http.requests_before", "requests", Per.REPLICA, "Answers of the API server, an hour before", optional=True
)

NODE_CPU_BUSY = gauge("node.cpu_busy", "ratio", Per.NODE, "CPU busy on the node")
NODE_CPU_PRESSURE = gauge("node.cpu_pressure", "ratio", Per.NODE, "Time in which something waited for a CPU")
NODE_CPUS = gauge("node.cpus", "cores", Per.NODE, "CPUs of the node")


def before(metric: str, match: str = "") -> Series:
    """The growth of a counter in a window that ended an hour ago."""
    inside = f"{match}," if match else ""
    return Series(
        metric, only=("increase",), expr=f"sum by ({{by}}) (increase({metric}{{{{{inside}{{sel}}}}}}[{{w}}] offset 1h))"
    )


def _share(hits: str, queries: str) -> Series:
    # Of the half hours in the window the best: the cache's share when it served.
    rate = "sum by ({by}) (rate(%s{{{sel}}}[30m]))"
    return Series(
        hits, also=(queries,), only=("max",), expr=f"max_over_time(({rate % hits} / {rate % queries} > 0)[{{w}}:30m])"
    )


def _history(metric: str) -> Series:
    # A pod may be older than what is kept of it: the hours with samples are counted.
    return Series(
        metric,
        scale=3600.0,
        only=("max",),
        expr=f"count_over_time((max by ({{by}}) ({metric}{{{{{{sel}}}}}}))[{{w}}:1h])",
    )


_V1, _SGLANG = 'handler=~"/v1/.*"', 'endpoint=~"/v1/.*|/generate"'
_VLLM_HITS, _VLLM_QUERIES = "vllm:prefix_cache_hits_total", "vllm:prefix_cache_queries_total"
_OLD_HITS, _OLD_QUERIES = "vllm:gpu_prefix_cache_hits_total", "vllm:gpu_prefix_cache_queries_total"

SERIES: dict[str, dict[Signal, tuple[Series, ...]]] = {
    "vllm": {
        REQUEST_TIME: (Series("vllm:e2e_request_latency_seconds"),),
        PREFIX_QUERIES: (Series(_VLLM_QUERIES), Series(_OLD_QUERIES)),
        PREFIX_SHARE: (_share(_VLLM_HITS, _VLLM_QUERIES), _share(_OLD_HITS, _OLD_QUERIES)),
        HISTORY: (_history("vllm:num_requests_running"),),
        KV_FAILED: (Series("vllm:nixl_num_failed_transfers_total"),),
        KV_EXPIRED: (Series("vllm:nixl_num_kv_expired_reqs_total"),),
        KV_TRANSFER_TIME: (Series("vllm:nixl_xfer_time_seconds"),),
        KV_TRANSFER_SIZE: (Series("vllm:nixl_bytes_transferred"),),
        CLIENT_ERRORS_BEFORE: (before("http_requests_total", f'{_V1},status="4xx"'),),
        ANSWERS_BEFORE: (before("http_requests_total", _V1),),
    },
    "ray_vllm": {
        REQUEST_TIME: (Series("ray_vllm_e2e_request_latency_seconds", only=("p50", "p95", "p99")),),
        PREFIX_QUERIES: (Series("ray_vllm_prefix_cache_queries_total"),),
        PREFIX_SHARE: (_share("ray_vllm_prefix_cache_hits_total", "ray_vllm_prefix_cache_queries_total"),),
        HISTORY: (_history("ray_vllm_num_requests_running"),),
        LOOP_DELAY: (Series("ray_serve_event_loop_scheduling_latency_ms", scale=1e-3, only=("p50", "p95", "p99")),),
    },
    "sglang": {
        REQUEST_TIME: (Series("sglang:e2e_request_latency_seconds"),),
        PREFIX_QUERIES: (Series("sglang:prompt_tokens_total"),),
        PREFIX_SHARE: (_share("sglang:cached_tokens_total", "sglang:prompt_tokens_total"),),
        HISTORY: (_history("sglang:num_running_reqs"),),
        KV_FAILED: (Series("sglang:num_transfer_failed_reqs_total"),),
        KV_UNPAIRED: (Series("sglang:num_bootstrap_failed_reqs_total"),),
        KV_TRANSFER_TIME: (Series("sglang:kv_transfer_latency_ms", scale=1e-3),),
        HTTP_REQUESTS: (Series("sglang:http_responses_total", match=_SGLANG),),
        HTTP_5XX: (Series("sglang:http_responses_total", match=f'{_SGLANG},status_code=~"5.."'),),
        HTTP_4XX: (Series("sglang:http_responses_total", match=f'{_SGLANG},status_code=~"4.."'),),
        # "The request queue is full." is a 503.
        REFUSED: (Series("sglang:http_responses_total", match=f'{_SGLANG},status_code=~"503"'),),
        CLIENT_ERRORS_BEFORE: (before("sglang:http_responses_total", f'{_SGLANG},status_code=~"4.."'),),
        ANSWERS_BEFORE: (before("sglang:http_responses_total", _SGLANG),),
    },
    "tgi": {
        REQUEST_TIME: (Series("tgi_request_duration"),),
        HTTP_REQUESTS: (Series("tgi_request_count"),),
        HTTP_4XX: (Series("tgi_request_failure", match='err="validation"'),),
        CLIENT_ERRORS_BEFORE: (before("tgi_request_failure", 'err="validation"'),),
        ANSWERS_BEFORE: (before("tgi_request_count"),),
    },
    "tensorrt_llm": {
        REQUEST_TIME: (Series("trtllm_e2e_request_latency_seconds"),),
        HISTORY: (_history("trtllm_request_success_total"),),
    },
    "tei": {
        REQUEST_TIME: (Series("te_request_duration"),),
        SINGLE: (Series("te_request_count", match='method="single"'),),
        BATCHED: (Series("te_request_count", match='method="batch"'),),
        HTTP_REQUESTS: (Series("te_request_count"),),
        HTTP_4XX: (Series("te_request_failure", match='err=~"validation|tokenization|batch_size"'),),
        CLIENT_ERRORS_BEFORE: (before("te_request_failure", 'err=~"validation|tokenization|batch_size"'),),
        ANSWERS_BEFORE: (before("te_request_count"),),
    },
    "triton": {
        HISTORY: (_history("nv_inference_request_success"),),
        REQUEST_TIME: (
            Series(
                "nv_inference_request_duration_us",
                also=("nv_inference_request_success",),
                scale=1e-6,
                only=("mean",),
                expr=(
                    "sum by ({by}) (rate(nv_inference_request_duration_us{{{sel}}}[{w}]))"
                    " / sum by ({by}) (rate(nv_inference_request_success{{{sel}}}[{w}]))"
                ),
            ),
        ),
    },
    "dynamo": {
        REQUEST_TIME: (Series("dynamo_frontend_request_duration_seconds"),),
        ROUTING_TIME: (Series("dynamo_router_overhead_total_ms", scale=1e-3),),
        HELD: (Series("dynamo_frontend_router_queue_pending_requests"),),
        LOOP_DELAY: (Series("dynamo_frontend_event_loop_delay_seconds"),),
    },
}
