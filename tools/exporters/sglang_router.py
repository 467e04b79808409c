"""SGLang's router and the model gateway that it became (`smg_*`), which find their engines by the labels of pods.

How many engines it knows is not read: `sgl_router_active_workers` stays 0 in releases that serve well (0.2.4). How often it had none to send to
is: that error type is counted at each attempt. The others say nothing of whose fault it was: `request_failed` is any answer but a success.
"""

from __future__ import annotations

from tools.series import Series, Source
from tools.signals import Per
from tools.vocabulary.pipelines import ROUTED, UNROUTED

_NONE = 'error_type="no_available_workers"'

SOURCES = (
    Source(
        name="sglang_router",
        title="SGLang's router",
        per=Per.REPLICA,
        anchor=("sgl_router_requests_total", "smg_router_requests_total"),
        keys=("namespace", "pod"),
        signals={
            ROUTED: (Series("smg_router_requests_total"), Series("sgl_router_requests_total")),
            UNROUTED: (
                Series("smg_router_request_errors_total", match=_NONE),
                Series("sgl_router_request_errors_total", match=_NONE),
            ),
        },
        order=48,
        port=29000,
    ),
)
