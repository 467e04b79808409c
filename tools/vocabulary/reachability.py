"""Whether what should lead to a workload does."""

from __future__ import annotations

from tools.signals import Per, fact

LOST_SERVICE = fact(
    "workload.lost_service",
    "",
    Per.WORKLOAD,
    "Service that should select its pods and selects nobody",
    evidence="config",
    told_by="services",
)
