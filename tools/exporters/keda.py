"""KEDA's operator: how its triggers fare. A ScaledObject's autoscaler is named `keda-hpa-` and its name, which tells the workload."""

from __future__ import annotations

from tools.series import Source
from tools.signals import Per

SOURCES = (
    Source(
        name="keda",
        title="KEDA",
        per=Per.WORKLOAD,
        pods=("kedacore/keda:", "kedacore/keda@"),
        anchor=("keda_scaler_active",),
        keys=("namespace", "scaledObject"),
        signals={},
        order=45,
    ),
)
