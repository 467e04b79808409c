"""The GPU's PCIe link is degraded.

## What it means
The link had to send packets again thousands of times within the hour, or it trained to fewer lanes or a lower generation than GPU and
slot can do: a bad riser, slot or cable, or a card that is not seated.

## Why it hurts
Loading weights, moving cache and tensor parallelism over PCIe become slow or hang.

## What would rule it out
A handful of replays, which every link has, and a low generation while the GPU is idle: it saves power so and comes back under load.
"""

from tools.check import Because, Check, Explains, Limit, Limits, Now, On, Where, because
from tools.families import SLOW, at
from tools.finding import Remedy
from tools.reading import Reading
from tools.signals import GPU_UTIL, XID_LAST
from tools.vocabulary.gpu_health import PCIE_REPLAYS
from tools.vocabulary.gpu_links import PCIE_GEN, PCIE_GEN_MAX, PCIE_WIDTH, PCIE_WIDTH_MAX

REPLAYS = PCIE_REPLAYS.increase("1h")
WIDTH = PCIE_WIDTH.max("10m")
WIDEST = PCIE_WIDTH_MAX.now
GENERATION = PCIE_GEN.max("10m")
HIGHEST = PCIE_GEN_MAX.now
BUSY = GPU_UTIL.avg("10m")


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when the link replays far more than links do, or is narrower or slower than it can be while the GPU works."""
    replays = now.get(REPLAYS)
    if replays is not None and replays.number >= limits["replays"]:
        return because(
            "The PCIe link repeated {replays} within the hour.",
            now.get(XID_LAST.max("1h")),
            now.get(BUSY),
            replays=replays,
        )
    found = _trained_low(now, limits, replays)
    if found is None:
        _ = now[REPLAYS]  # raises where they cannot be seen: a link of full width may still fail
    return found


def _trained_low(now: Now, limits: Limits, replays: Reading | None) -> Because | None:
    busy = now.get(BUSY)
    if busy is None or busy.number < limits["busy"]:
        return None
    width, widest = now.get(WIDTH), now.get(WIDEST)
    if width is not None and widest is not None and 0 < width.number < widest.number:
        return because(
            "The PCIe link runs with {width} where it could have {widest}, while the GPU is {busy} busy.",
            replays,
            width=width,
            widest=widest,
            busy=busy,
        )
    generation, highest = now.get(GENERATION), now.get(HIGHEST)
    if generation is not None and highest is not None and 0 < generation.number < highest.number:
        return because(
            "The PCIe link stays at generation {generation} where GPU and slot have {highest}, while the GPU is {busy} busy.",
            replays,
            generation=generation,
            highest=highest,
            busy=busy,
        )
    return None


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Reseat or replace."""
    node = now.subject.name.split("/")[0]
    return (
        Remedy(
            f"Look at the link on {node}: `nvidia-smi -q -d PCIE` shows generation and width now and at most. Drain the node and have the card reseated or"
            " the riser replaced.",
            verify="Replays stay below ten an hour under load, at full width and generation.",
            cites=("gpu/xid-errors",),
        ),
    )


CHECK = Check(
    on=(On.GPU,),
    severity="medium",
    needs=(REPLAYS,),
    helps=(XID_LAST.max("1h"), BUSY, WIDTH, WIDEST, GENERATION, HIGHEST),
    limits={
        "replays": Limit(1000, "replays", "healthy links show a few a day; a thousand an hour is a fault"),
        "busy": Limit(0.2, "ratio", "an idle GPU lowers the generation of its link by itself"),
    },
    fires=fires,
    explains=(
        Explains("cold_start_amplification", Where.ON_THIS_GPU),
        Explains("pcie_bound", Where.ON_THIS_GPU),
        Explains("nccl_hang_tp_stall", Where.ON_THIS_GPU),
        Explains("routing_skew", Where.ON_THIS_GPU),
        *at(SLOW, Where.ON_THIS_GPU),
    ),
    remedies=remedies,
    pages=("gpu/xid-errors",),
    owner="platform",
)
