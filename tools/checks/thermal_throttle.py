"""The GPU is too hot and holds its clock down.

## What it means
Hardware or software lowered the clock because of heat for a good part of the last ten minutes: a fan or filter, the airflow of the
rack, the inlet temperature, or a neighbour that blows hot. The GPU works on, more slowly.

## Why it hurts
Every step on this GPU takes longer, and with tensor parallelism all ranks wait for the slowest.

## What would rule it out
A high temperature without the thermal reasons, a reason that one scrape had and the next had not, a clock that is low because nothing
runs, or a power cap. Exporters leave the reasons out by default: then it takes a hot GPU whose clock stays far below that of others of
its kind.
"""

from tools.check import Because, Check, Explains, Limit, Limits, Now, On, Where, because
from tools.families import SLOW, at
from tools.finding import Remedy
from tools.signals import GPU_UTIL
from tools.vocabulary.gpu_clocks import HEAT, SM_CLOCK_PEERS
from tools.vocabulary.gpu_health import CLOCK_REASONS, GPU_TEMPERATURE, SM_CLOCK

SHARE = HEAT.avg("10m")
TEMPERATURE = GPU_TEMPERATURE.avg("10m")
CLOCK = SM_CLOCK.avg("10m")
BUSY = GPU_UTIL.avg("10m")


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when heat held the clock of a busy GPU down for a good part of ten minutes."""
    share = now.get(SHARE)
    if share is None:
        return _by_temperature(now, limits) or _blind(now)
    if share.number < limits["share"]:
        return None
    busy = now[BUSY]
    if busy.number < limits["busy"]:
        return None
    return because(
        "Heat held the clock down for {share} of the last 10 min, while the GPU was {busy} busy.",
        now.get(GPU_TEMPERATURE.now),
        now.get(CLOCK),
        now.get(CLOCK_REASONS.now),
        share=share,
        busy=busy,
    )


def _by_temperature(now: Now, limits: Limits) -> Because | None:
    """Because a busy GPU is as hot as one that slows down, and slow, where the reasons cannot be read."""
    heat = now.get(TEMPERATURE)
    if heat is None or heat.number < limits["hot"]:
        return None
    clock, peers, busy = now.get(CLOCK), now.get(SM_CLOCK_PEERS.now), now.get(BUSY)
    if clock is None or peers is None or busy is None:
        return None
    if busy.number < limits["busy"] or clock.number > limits["clock"] * peers.number:
        return None
    return because(
        "The GPU stood at {heat} and ran at {clock} over 10 min, where others of its kind reached {peers}; what holds the clock down could not be read.",
        busy,
        heat=heat,
        clock=clock,
        peers=peers,
    )


def _blind(now: Now) -> Because | None:
    """Raise what keeps the reasons from being seen."""
    now[SHARE]
    return None


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Cool it; take load off until then."""
    node = now.subject.name.split("/")[0]
    return (
        Remedy(
            f"Take load off now: cordon {node} and let new replicas start elsewhere, or route less to this one.",
            verify="The latency of the workload returns to that of its other replicas.",
            cites=("gpu/throttling",),
        ),
        Remedy(
            "Have fans, filters, airflow and inlet temperature of the node looked at; compare with the other GPUs of the same node and rack.",
            verify="Under the same load the reasons no longer hold 32 or 64, and the clock is that of its neighbours.",
            cites=("gpu/throttling",),
        ),
    )


CHECK = Check(
    on=(On.GPU,),
    severity="high",
    needs=(SHARE, BUSY),
    helps=(GPU_TEMPERATURE.now, TEMPERATURE, CLOCK, SM_CLOCK_PEERS.now, CLOCK_REASONS.now),
    limits={
        "share": Limit(0.2, "ratio", "two minutes of ten: one scrape of a bit that comes and goes is no throttle"),
        "hot": Limit(83, "°C", "from about here on data-centre GPUs begin to slow themselves down; most alert on it"),
        "clock": Limit(0.8, "ratio", "of others of its kind; the clock of an ordinary load moves within a fifth"),
        "busy": Limit(0.2, "ratio", "below, a lowered clock slows nobody"),
    },
    fires=fires,
    explains=(
        Explains("routing_skew", Where.ON_THIS_GPU),
        Explains("power_capped", Where.ON_THIS_GPU),
        *at(SLOW, Where.ON_THIS_GPU),
    ),
    remedies=remedies,
    pages=("gpu/throttling",),
    owner="platform",
)
