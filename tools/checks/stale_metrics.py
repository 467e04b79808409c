"""The exporter repeats old values of what it measures.

## What it means
Samples arrive on time and nothing in them moves: neither power nor temperature, nor the energy counter, which grows on any live GPU.
The exporter no longer hears from the driver and shows what it heard last; often one GPU hangs and NVML with it. nvidia_gpu_exporter says itself
when it last heard from the driver, which a collection in the background that never returns leaves behind. Where nobody counts energy, an hour
without any change while engines there serve says the same.

## Why it hurts
Dashboards and alerts show a healthy past. What these series say of load, heat or clocks is worth nothing until they move again.

## What would rule it out
An energy counter that grows, however slowly. A GPU that nobody uses and whose energy nobody counts may stand still and be well.
"""

from tools.check import Because, Check, Explains, Limit, Limits, Now, On, Where, because, counted
from tools.families import named
from tools.finding import Remedy
from tools.reading import Reading, Subject
from tools.signals import GENERATION_TOKENS, GPU_POWER, REQUESTS_FINISHED, XID_LAST
from tools.vocabulary.gpu_health import GPU_TEMPERATURE
from tools.vocabulary.gpu_reporting import ENERGY, HEARD_AGO, MOVES

USED = ENERGY.increase("15m")
POWER = GPU_POWER.changes("15m")
HEAT = GPU_TEMPERATURE.changes("15m")
TOKENS = GENERATION_TOKENS.increase("1h")
REQUESTS = REQUESTS_FINISHED.increase("1h")
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
    """Fire when the exporter says that it heard long ago, or GPUs used no energy and stayed exactly as they were, or stayed so at work."""
    heard = now.get(HEARD_AGO.now)
    if heard is not None and heard.number > limits["heard"]:
        return because(
            "The GPU exporter of the node answers, and it last heard from the driver {heard} ago: what it tells of the GPUs is as old as that.",
            now.of(heard.subject, POWER),
            now.of(heard.subject, HEAT),
            now.get(XID_LAST.max("1h")),
            heard=heard,
        )
    if now.get(USED) is None:
        frozen = _frozen_at_work(now, limits)
        if frozen is not None:
            return frozen
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


def _frozen_at_work(now: Now, limits: Limits) -> Because | None:
    """Because nothing told of GPUs moved for an hour in which they worked, by the engines that hold them or by those of the whole node."""
    if now.get(MOVES.now) is None or _done(now, now.subject, limits) is None:
        return None
    told = now.each(MOVES.now)
    still = [one for one in told if one.number == 0]
    # Who holds which GPU may not be told: where all of them stand still, one that works is among them.
    done = {one.subject: _done(now, one.subject, limits) for one in still}
    whole = _done(now, now.subject, limits) if len(still) == len(told) else None
    for one in still:
        work = done[one.subject] or whole
        if work is not None:
            return because(
                "For an hour nothing that is told of {count} on the node has moved, while engines there served {work}.",
                one,
                now.get(XID_LAST.max("1h")),
                count=counted(still, "GPUs without any change", "GPUs", now.subject),
                work=work,
            )
    return None


def _done(now: Now, subject: Subject, limits: Limits) -> Reading | None:
    """What engines did in the last hour, where it is enough to show on a GPU."""
    whole = subject == now.subject
    for ask, least in ((TOKENS, limits["tokens"]), (REQUESTS, limits["requests"])):
        work = now.get(ask) if whole else now.of(subject, ask)
        if work is not None and work.number >= least:
            return work
    return None


def _moves_not(now: Now, one: Reading) -> bool:
    power, heat = now.of(one.subject, POWER), now.of(one.subject, HEAT)
    if power is None or heat is None:
        now.worst(POWER if power is None else HEAT)  # raises when it can be seen of no GPU
        return False
    return power.number == 0 and heat.number == 0


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Bring the exporter back; look for the GPU that hangs."""
    node = now.subject.name
    alert = "increase(DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION[15m]) == 0"
    if now.get(HEARD_AGO.now) is not None:
        alert = f"time() - nvidia_smi_last_collect_success_timestamp_seconds > {limits['heard']:.0f}"
    return (
        Remedy(
            f"Restart the exporter's pod on {node}, and look whether `nvidia-smi` answers there; if it hangs too, look for Xid 119 or 120 in the kernel"
            " log, drain the node and reboot it.",
            verify="The energy counter or the power of every GPU of the node changes between two scrapes.",
            cites=("observability/missing-metrics-and-blind-spots", "gpu/xid-errors"),
        ),
        Remedy(
            f"Alert on values that stand still, such as {alert}: an exporter that answers is not enough.",
            verify="The alert fires when the exporter is paused for 15 min.",
            cites=("observability/missing-metrics-and-blind-spots",),
        ),
    )


CHECK = Check(
    on=(On.NODE,),
    severity="medium",
    needs=(USED, POWER, HEAT),
    helps=(XID_LAST.max("1h"), HEARD_AGO.now, MOVES.now, TOKENS, REQUESTS),
    limits={
        "heard": Limit(300, "seconds", "five minutes, as in the alert that comes with nvidia_gpu_exporter's chart"),
        "tokens": Limit(10_000, "tokens", "in an hour: such work shows in a GPU's power"),
        "requests": Limit(3600, "requests", "one a second for an hour, of servers that do not count tokens"),
    },
    fires=fires,
    explains=tuple(Explains(one.symptom, Where.ON_THIS_NODE) for one in named(*SEEMS)),
    remedies=remedies,
    pages=("observability/missing-metrics-and-blind-spots", "observability/metrics-dcgm"),
    owner="sre",
)
