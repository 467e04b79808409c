"""The garbage collector's pace, set once by whoever starts a process that sweeps fleets."""

from __future__ import annotations

import gc

# A sweep makes readings by the hundred thousand, none of them in a cycle; at Python's own pace (700, 10, 10) a third of its time went
# to walking over them (`python -m evals.bench --only diagnose_wide`).
THRESHOLDS = (100_000, 100, 20)


def unhurried() -> None:
    """Collect after a sweep's worth of objects, not after every few hundred."""
    gc.set_threshold(*THRESHOLDS)
