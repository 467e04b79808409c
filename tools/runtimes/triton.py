"""NVIDIA Triton, and TensorRT-LLM in it. Durations are counters in microseconds: only means can be had of them.

`nv_inference_pending_request_count` counts what waits for an instance of a model. The gauges of the TensorRT-LLM backend
(`nv_trt_llm_*`) tell the in-flight batch and the KV cache blocks. Their `fraction` is the share in use, but older reporters fill
labels by position and skip what is missing, so that the quotient of used and max comes first where a moment is asked for.
"""

from __future__ import annotations

from tools.series import Series, Source
from tools.signals import KV_USAGE, QUEUE_TIME, REQUESTS_FINISHED, REQUESTS_RUNNING, REQUESTS_WAITING, Per

SOURCES = (
    Source(
        name="triton",
        title="Triton",
        per=Per.REPLICA,
        anchor=("nv_inference_pending_request_count", "nv_inference_request_success"),
        keys=("namespace", "pod"),
        signals={
            REQUESTS_RUNNING: (Series("nv_trt_llm_request_metrics", match='request_type="scheduled"'),),
            REQUESTS_WAITING: (
                Series("nv_trt_llm_request_metrics", match='request_type="waiting"'),
                Series("nv_inference_pending_request_count"),
            ),
            KV_USAGE: (
                Series(
                    "nv_trt_llm_kv_cache_block_metrics",
                    only=("now",),
                    expr=(
                        'max by ({by}) (nv_trt_llm_kv_cache_block_metrics{{kv_cache_block_type="used",{sel}}})'
                        ' / max by ({by}) (nv_trt_llm_kv_cache_block_metrics{{kv_cache_block_type="max",{sel}}} > 0)'
                    ),
                ),
                Series("nv_trt_llm_kv_cache_block_metrics", match='kv_cache_block_type="fraction"'),
            ),
            REQUESTS_FINISHED: (Series("nv_inference_request_success"),),
            QUEUE_TIME: (
                Series(
                    "nv_inference_queue_duration_us",
                    also=("nv_inference_request_success",),
                    scale=1e-6,
                    only=("mean",),
                    expr=(
                        "sum by ({by}) (rate(nv_inference_queue_duration_us{{{sel}}}[{w}]))"
                        " / sum by ({by}) (rate(nv_inference_request_success{{{sel}}}[{w}]))"
                    ),
                ),
            ),
        },
        images=("tritonserver", "triton-inference-server"),
        serving=True,
        order=14,
        port=8002,
    ),
)
