"""The exporter repeats old values of what it measures.

## What it means
Samples arrive on time and nothing in them moves: neither power nor temperature, nor the energy counter, which grows on any live GPU.
The exporter no longer hears from the driver and shows what it heard last; often one GPU hangs and NVML with it.

## Why it hurts
Dashboards and alerts show a healthy past. What these series say of load, heat or clocks is worth nothing until they move again.

## What would rule it out
An energy counter that grows, however slowly, or a GPU that does not count its energy.
"""

from tools.check import Because, Check, Explains, Limits, Now, On, Where, because, counted
from tools.families import named
from tools.finding import Remedy
from tools.reading import Reading
from tools.signals import GPU_POWER, XID_LAST
from tools.vocabulary.gpu_health import GPU_TEMPERATURE
from tools.vocabulary.gpu_reporting import ENERGY

USED = ENERGY.increase("15m")
POWER = GPU_POWER.changes("15m")
HEAT = GPU_TEMPERATURE.changes("15m")
# What frozen values of a GPU may seem to say.
SEEMS = (
    "thermal_throttle",
    "power_brake",
    "power_capped",
    "clocks_locked_low",
    "pcie_bound",
    "nvlink_tp_bound",
    "gpu_idle_no_process",
    "gpu_idle_no_traffic",
    "profiling_metrics_missing",
    "time_slicing_contention",
)


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when GPUs used no energy for 15 min while their power and temperature stayed exactly as they were."""
    used = now.each(USED)
    still = [one for one in used if one.number == 0 and _moves_not(now, one)]
    if not still:
        return None
    first = still[0]
    return because(
        "For 15 min nothing that is told of {count} on the node has moved: {first_of} reports {first} used, and the same power and temperature.",
        now.of(first.subject, POWER),
        now.of(first.subject, HEAT),
        now.get(XID_LAST.max("1h")),
        count=counted(still, "GPUs without any change", "GPUs", now.subject),
        first=first,
    )


def _moves_not(now: Now, one: Reading) -> bool:
    power, heat = now.of(one.subject, POWER), now.of(one.subject, HEAT)
    if power is None or heat is None:
        now.worst(POWER if power is None else HEAT)  # raises when it can be seen of no GPU
        return False
    return power.number == 0 and heat.number == 0


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Bring the exporter back; look for the GPU that hangs."""
    node = now.subject.name
    return (
        Remedy(
            f"Restart the exporter's pod on {node}, and look whether `nvidia-smi` answers there; if it hangs too, look for Xid 119 or 120 in the kernel"
            " log, drain the node and reboot it.",
            verify="The energy counter of every GPU of the node grows between two scrapes.",
            cites=("observability/missing-metrics-and-blind-spots", "gpu/xid-errors"),
        ),
        Remedy(
            "Alert on a counter that stands still, such as increase(DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION[15m]) == 0: an exporter that answers is not enough.",
            verify="The alert fires when the exporter is paused for 15 min.",
            cites=("observability/missing-metrics-and-blind-spots",),
        ),
    )


CHECK = Check(
    on=(On.NODE,),
    severity="medium",
    needs=(USED, POWER, HEAT),
    helps=(XID_LAST.max("1h"),),
    fires=fires,
    explains=tuple(Explains(one.symptom, Where.ON_THIS_NODE) for one in named(*SEEMS)),
    remedies=remedies,
    pages=("observability/missing-metrics-and-blind-spots", "observability/metrics-dcgm"),
    owner="sre",
)
