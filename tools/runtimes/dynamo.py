"""NVIDIA Dynamo: its frontend, which routes to workers, as the place where requests wait and are timed.

The workers' own engines export their names beside it where their metrics are scraped.
"""

from __future__ import annotations

from tools.series import Series, Source
from tools.signals import (
    GENERATION_TOKENS,
    ITL,
    REQUEST_TOKENS,
    REQUESTS_FINISHED,
    REQUESTS_RUNNING,
    REQUESTS_WAITING,
    TTFT,
    Per,
)

SOURCES = (
    Source(
        name="dynamo",
        title="Dynamo frontend",
        per=Per.REPLICA,
        anchor=("dynamo_frontend_inflight_requests",),
        keys=("namespace", "pod"),
        signals={
            REQUESTS_RUNNING: (Series("dynamo_frontend_inflight_requests"),),
            REQUESTS_WAITING: (Series("dynamo_frontend_queued_requests"),),
            REQUESTS_FINISHED: (Series("dynamo_frontend_requests_total", match='status="success"'),),
            GENERATION_TOKENS: (Series("dynamo_frontend_output_tokens_total"),),
            TTFT: (Series("dynamo_frontend_time_to_first_token_seconds"),),
            ITL: (Series("dynamo_frontend_inter_token_latency_seconds"),),
            REQUEST_TOKENS: (Series("dynamo_frontend_input_sequence_tokens"),),
        },
        images=("ai-dynamo", "dynamo-frontend"),
        serving=True,
        order=18,
    ),
)
