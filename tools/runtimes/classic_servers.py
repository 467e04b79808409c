"""TorchServe and TensorFlow Serving: whole-request servers, no tokens and no KV cache.

TorchServe exports nothing to Prometheus until `metrics_mode=prometheus`. Its latencies are counters in microseconds, of which only
means can be had. TensorFlow Serving needs `--monitoring_config_file`; its names hold colons.
"""

from __future__ import annotations

from tools.series import Series, Source
from tools.signals import QUEUE_TIME, REQUESTS_FINISHED, Per

TORCHSERVE = Source(
    name="torchserve",
    title="TorchServe",
    per=Per.REPLICA,
    anchor=("ts_inference_requests_total", "MemoryUtilization"),
    keys=("namespace", "pod"),
    signals={
        REQUESTS_FINISHED: (Series("ts_inference_requests_total"),),
        QUEUE_TIME: (
            Series(
                "ts_queue_latency_microseconds",
                also=("ts_inference_requests_total",),
                scale=1e-6,
                only=("mean",),
                expr=(
                    "sum by ({by}) (rate(ts_queue_latency_microseconds{{{sel}}}[{w}]))"
                    " / sum by ({by}) (rate(ts_inference_requests_total{{{sel}}}[{w}]))"
                ),
            ),
        ),
    },
    images=("torchserve",),
    serving=True,
    order=16,
    port=8082,
)

TENSORFLOW_SERVING = Source(
    name="tensorflow_serving",
    title="TensorFlow Serving",
    per=Per.REPLICA,
    anchor=(":tensorflow:serving:request_count",),
    keys=("namespace", "pod"),
    signals={REQUESTS_FINISHED: (Series(":tensorflow:serving:request_count", match='status="OK"'),)},
    images=("tensorflow/serving",),
    serving=True,
    order=17,
    port=8501,
    path="/monitoring/prometheus/metrics",
)

SOURCES = (TORCHSERVE, TENSORFLOW_SERVING)
