"""What a vLLM 0.11 server exposes on /metrics."""

from __future__ import annotations

import math

from evals.fleet.engine import Engine
from evals.fleet.pods import Pod
from evals.fleet.recipe import Workload
from evals.fleet.sample import Labels, Sample, labels_of

_COUNTERS = (
    ("vllm:prefix_cache_queries", "prefix_queries"),
    ("vllm:prefix_cache_hits", "prefix_hits"),
    ("vllm:num_preemptions", "preemptions"),
    ("vllm:prompt_tokens", "prompt_tokens"),
    ("vllm:generation_tokens", "generation_tokens"),
)


def samples(pod: Pod, spec: Workload) -> list[Sample]:
    """The exposition of one engine; the pod must have one."""
    engine = pod.engine
    assert engine is not None
    stats = engine.stats
    who = labels_of(model_name=spec.served_name or spec.model, engine="0")
    found = [
        Sample("vllm:num_requests_running", who, float(len(engine.running))),
        Sample("vllm:num_requests_waiting", who, float(len(engine.waiting))),
        Sample("vllm:kv_cache_usage_perc", who, round(engine.kv_usage, 6)),
    ]
    for name, field in _COUNTERS:
        found.append(Sample(f"{name}_total", who, float(math.floor(getattr(stats, field))), "counter", name))
    for reason, value in (("stop", stats.stopped), ("length", 0.0), ("abort", stats.aborted)):
        labels = tuple(sorted((*who, ("finished_reason", reason))))
        found.append(Sample("vllm:request_success_total", labels, value, "counter", "vllm:request_success"))
    stats.settle()
    for histogram in stats.histograms:
        if histogram is stats.tpot_old:
            # Deprecated twin of the inter-token latency: the same observations.
            histogram.copy_from(stats.itl)
        found += histogram.samples(who)
    found.append(Sample("vllm:cache_config_info", _cache_config(engine, spec), 1.0))
    return found + _server(pod, engine)


def _cache_config(engine: Engine, spec: Workload) -> Labels:
    config = engine.config
    return labels_of(
        block_size="16",
        cache_dtype=str(spec.args.get("kv-cache-dtype", "auto")),
        calculate_kv_scales="False",
        cpu_kvcache_space_bytes="None",
        cpu_offload_gb="0",
        enable_prefix_caching=str(config.prefix_caching),
        engine="0",
        gpu_memory_utilization=str(config.utilization),
        is_attention_free="False",
        kv_sharing_fast_prefill="False",
        mamba_cache_dtype="auto",
        mamba_page_size_padded="None",
        mamba_ssm_cache_dtype="auto",
        num_cpu_blocks="None",
        num_gpu_blocks=str(config.kv_blocks),
        num_gpu_blocks_override="None",
        prefix_caching_hash_algo="sha256",
        sliding_window="None",
        swap_space="4",
        swap_space_bytes="4294967296",
    )


def _server(pod: Pod, engine: Engine) -> list[Sample]:
    stats = engine.stats
    asked = labels_of(handler="/v1/chat/completions", method="POST", status="2xx")
    return [
        Sample("http_requests_total", asked, stats.stopped, "counter", "http_requests"),
        Sample(
            "process_cpu_seconds_total",
            (),
            round(engine.host.used_seconds * 0.4, 2),
            "counter",
            "process_cpu_seconds",
        ),
        Sample("process_resident_memory_bytes", (), pod.memory * 0.4),
        Sample("process_start_time_seconds", (), round(pod.container.started + 2.1, 2)),
    ]
