"""SGLang, started with `--enable-metrics` (off by default): names of sglang/srt metrics collectors up to 0.5.23.

`token_usage` is a ratio from 0 to 1. Retraction is its word for preemption: a counter since 0.5.7, before it only gauges.
Its request and token totals move when a request ends; `realtime_tokens_total` (newer) moves with every step. `cache_hit_rate` falls to 0 at every decode log line, so the hits are read from the token counters. A scheduler that is not of
rank 0 reports only with `--enable-metrics-for-all-schedulers`; with data parallelism the sum over a pod is the pod's.
"""

from __future__ import annotations

from tools.series import Series, Source
from tools.signals import (
    GENERATION_TOKENS,
    ITL,
    KV_USAGE,
    PREEMPTIONS,
    PREFIX_CACHE_HITS,
    PROMPT_TOKENS,
    QUEUE_TIME,
    REQUEST_TOKENS,
    REQUESTS_FINISHED,
    REQUESTS_RUNNING,
    REQUESTS_WAITING,
    TTFT,
    Per,
)

SOURCES = (
    Source(
        name="sglang",
        title="SGLang",
        per=Per.REPLICA,
        anchor=("sglang:num_running_reqs",),
        keys=("namespace", "pod"),
        signals={
            REQUESTS_RUNNING: (Series("sglang:num_running_reqs"),),
            REQUESTS_WAITING: (Series("sglang:num_queue_reqs"),),
            KV_USAGE: (Series("sglang:token_usage"),),
            PREEMPTIONS: (Series("sglang:num_retracted_requests_total"),),
            REQUESTS_FINISHED: (Series("sglang:num_requests_total", at_first_use=True),),
            PROMPT_TOKENS: (Series("sglang:prompt_tokens_total", at_first_use=True),),
            GENERATION_TOKENS: (
                Series("sglang:realtime_tokens_total", match='mode="decode"', at_first_use=True),
                Series("sglang:generation_tokens_total", at_first_use=True),
            ),
            PREFIX_CACHE_HITS: (Series("sglang:cached_tokens_total"),),
            TTFT: (Series("sglang:time_to_first_token_seconds"),),
            QUEUE_TIME: (Series("sglang:queue_time_seconds"),),
            ITL: (Series("sglang:inter_token_latency_seconds"),),
            REQUEST_TOKENS: (Series("sglang:prompt_tokens_histogram"),),
        },
        images=("sglang",),
        serving=True,
        order=11,
        port=30000,
    ),
)
