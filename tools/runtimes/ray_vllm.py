"""vLLM under Ray Serve: the engine's metrics leave through Ray's agent, prefixed `ray_` (older Ray: `ray_vllm:...` with the colon).

The pod is the Ray node's, which may carry several replicas. Ray drops increments of zero: a counter that never counted does not
exist, so that absence is blind and not zero. Its histograms are rebuilt from bucket midpoints: an empty queue has a mean of 0.15 s,
so that means are not asked for, only percentiles.
"""

from __future__ import annotations

from dataclasses import replace

from tools.runtimes import vllm
from tools.series import Series, Source
from tools.signals import Kind, Signal

_ENGINE = vllm.SOURCES[0]


def _under_ray(signal: Signal, series: Series) -> tuple[Series, ...]:
    bare = series.metric.removeprefix("vllm:")
    only = ("p50", "p95", "p99") if signal.kind is Kind.HISTOGRAM else ()
    return tuple(replace(series, metric=f"ray_vllm{joint}{bare}", only=only) for joint in ("_", ":"))


SOURCES = (
    Source(
        name="ray_vllm",
        title="vLLM under Ray Serve",
        per=_ENGINE.per,
        anchor=("ray_vllm_num_requests_running", "ray_vllm:num_requests_running"),
        keys=_ENGINE.keys,
        signals={
            signal: tuple(one for series in found for one in _under_ray(signal, series))
            for signal, found in _ENGINE.signals.items()
        },
        images=("rayproject/ray", "ray-llm", "ray-ml"),
        serving=True,
        order=15,
        port=8080,
        agent=True,
    ),
)
