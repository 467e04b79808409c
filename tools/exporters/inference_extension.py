"""The endpoint picker (EPP) of the Gateway API inference extension and of llm-d's router, which chooses an engine per request.

llm-d's router (0.10) writes `llm_d_epp_*` beside the extension's older names (`inference_extension_*`, `inference_pool_*`,
`inference_objective_*`), which it means to drop. The time to choose has its last edge at 0.1 s: a percentile never shows more.
A queue of its own exists only with flow control, which holds requests back on purpose while the pool is saturated.
"""

from __future__ import annotations

from tools.series import Series, Source
from tools.signals import Per
from tools.vocabulary.pipelines import (
    BEHIND_KV,
    BEHIND_READY,
    BEHIND_WAITING,
    HELD,
    ROUTED,
    ROUTING_TIME,
    SATURATION,
)

SOURCES = (
    Source(
        name="inference_extension",
        title="the endpoint picker",
        per=Per.REPLICA,
        anchor=("llm_d_epp_ready_endpoints", "inference_pool_ready_pods"),
        keys=("namespace", "pod"),
        signals={
            ROUTING_TIME: (
                Series("llm_d_epp_scheduler_e2e_duration_seconds"),
                Series("inference_extension_scheduler_e2e_duration_seconds"),
            ),
            HELD: (
                Series("llm_d_epp_flow_control_queue_size"),
                Series("inference_extension_flow_control_queue_size"),
            ),
            SATURATION: (
                Series("llm_d_epp_flow_control_pool_saturation"),
                Series("inference_extension_flow_control_pool_saturation"),
            ),
            BEHIND_WAITING: (
                Series("llm_d_epp_average_queue_size"),
                Series("inference_pool_average_queue_size"),
            ),
            BEHIND_KV: (
                Series("llm_d_epp_average_kv_cache_utilization"),
                Series("inference_pool_average_kv_cache_utilization"),
            ),
            BEHIND_READY: (Series("llm_d_epp_ready_endpoints"), Series("inference_pool_ready_pods")),
            ROUTED: (Series("llm_d_epp_request_total"), Series("inference_objective_request_total")),
        },
        order=47,
    ),
)
