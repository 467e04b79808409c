"""vLLM: metric names since 0.6, newest first.

Checked against vllm/v1/metrics/loggers.py of the releases 0.6.6 to 0.33: `gpu_cache_usage_perc` became `kv_cache_usage_perc` in
0.9.2 (the old one is gone since 0.12), `time_per_output_token_seconds` became `inter_token_latency_seconds` in 0.10.2.
Despite its name `_perc` is a ratio. `request_success_total` also counts aborted requests.
"""

from __future__ import annotations

from tools.series import Series, Source
from tools.signals import (
    ENGINE_AWAKE,
    GENERATION_TOKENS,
    ITL,
    KV_USAGE,
    PREEMPTIONS,
    PREFILL_TIME,
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
        name="vllm",
        title="vLLM",
        per=Per.REPLICA,
        anchor=("vllm:num_requests_running",),
        keys=("namespace", "pod"),
        signals={
            REQUESTS_RUNNING: (Series("vllm:num_requests_running"),),
            REQUESTS_WAITING: (Series("vllm:num_requests_waiting"),),
            KV_USAGE: (Series("vllm:kv_cache_usage_perc"), Series("vllm:gpu_cache_usage_perc")),
            ENGINE_AWAKE: (Series("vllm:engine_sleep_state", match='sleep_state="awake"'),),
            PREEMPTIONS: (Series("vllm:num_preemptions_total"),),
            REQUESTS_FINISHED: (Series("vllm:request_success_total", match='finished_reason!="abort"'),),
            PROMPT_TOKENS: (Series("vllm:prompt_tokens_total"),),
            GENERATION_TOKENS: (Series("vllm:generation_tokens_total"),),
            PREFIX_CACHE_HITS: (Series("vllm:prefix_cache_hits_total"), Series("vllm:gpu_prefix_cache_hits_total")),
            TTFT: (Series("vllm:time_to_first_token_seconds"),),
            QUEUE_TIME: (Series("vllm:request_queue_time_seconds"),),
            PREFILL_TIME: (Series("vllm:request_prefill_time_seconds"),),
            ITL: (Series("vllm:inter_token_latency_seconds"), Series("vllm:time_per_output_token_seconds")),
            REQUEST_TOKENS: (Series("vllm:request_prompt_tokens"),),
        },
        images=("vllm",),
        serving=True,
        order=10,
        port=8000,
    ),
)
