"""Which of the faults that nothing explains are headlines: not those that harm nobody by themselves while something else is wrong."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from tools.families import QUEUEING
from tools.outcomes import Outcome
from tools.topology import Topology

# Wrong, and harmful to nobody by itself: beside a fault of the same workload that it does not explain it is told, and is no headline.
LATENT = frozenset({"config_drift_args_vs_runtime", "small_batches"})
# The same of what is only measured less well than it could be: beside any fault.
UNMEASURED = frozenset({"profiling_metrics_missing"})
# Beside any fault likewise, and a fault where it is alone: what is measured is put down to nobody.
_BESIDE_ANY = UNMEASURED | {"gpu_metrics_misattributed"}
_LOAD = frozenset({"ttft_breach_prefill", *(one.symptom for one in QUEUEING)})


def beside_a_fault(
    outcome: Outcome,
    kept: Mapping[str, Outcome],
    explained: Mapping[str, Sequence[str]],
    topology: Topology,
    asked_for: Collection[str] = (),
) -> bool:
    """Whether it is of a kind that harms nobody by itself, while something that it does not explain is wrong with the same workload.

    What is `asked_for` is wrong, however little it harms.
    """
    if _slight(outcome, kept, explained):
        return True
    if outcome.case.id not in LATENT | _BESIDE_ANY:
        return False
    faults = {
        key
        for key, other in kept.items()
        if other.case.id not in LATENT | _BESIDE_ANY
        and not any(cause in kept for cause in explained.get(key, ()))
        and other.because is not None
        and (other.case.id in asked_for or (other.because.severity or other.case.check.severity) != "info")
    }
    if outcome.case.id in _BESIDE_ANY:
        return bool(faults)
    # A fault of a GPU that nobody is known to hold is this workload's by what it explains there.
    ailing = {key: topology.workloads_of(kept[key].subject) for key in faults}
    for key, other in kept.items():
        for cause in faults.intersection(explained.get(key, ())):
            ailing[cause] |= topology.workloads_of(other.subject)
    mine = topology.workloads_of(outcome.subject)
    return any(mine & whose for whose in ailing.values())


def _slight(outcome: Outcome, kept: Mapping[str, Outcome], explained: Mapping[str, Sequence[str]]) -> bool:
    """Whether it weighs little and causes nothing that is seen, beside something grave of the same workload.

    What is slow or idle there mostly follows from that, on a way that no relation names; what only shows the load is not meant.
    """
    if _severity(outcome) not in {"medium", "low"} or outcome.subject.kind in {"gpu", "node", "cluster"}:
        return False
    if any(outcome.key in causes for causes in explained.values()):
        return False
    return any(
        other.subject == outcome.subject
        and other.case.id not in _LOAD
        and _severity(other) in {"critical", "high"}
        and not any(cause in kept for cause in explained.get(key, ()))
        for key, other in kept.items()
    )


def _severity(outcome: Outcome) -> str:
    return (outcome.because.severity if outcome.because else None) or outcome.case.check.severity
