"""The GPU waits for its PCIe link.

## What it means
For ten minutes the GPU moved nearly as much over PCIe as the link carries in one direction. A server whose weights and cache
lie in GPU memory moves next to nothing there: something is read from the host at every step (offloaded weights or cache), or tensor
parallelism exchanges its results over PCIe.

## Why it hurts
The link has a fiftieth or less of the bandwidth of GPU memory. Whatever waits for it sets the pace, and a faster GPU or a smaller batch changes nothing.

## What would rule it out
A start that loads weights, which is over after minutes, or traffic far below what the link carries.
"""

from tools.check import Because, Check, Explains, Limit, Limits, Now, On, Where, because, objective
from tools.families import SLOW, at
from tools.finding import Remedy
from tools.reading import Reading
from tools.signals import GPU_TENSOR, GPU_UTIL
from tools.vocabulary.gpu_links import LANE, PCIE_GEN, PCIE_MOST, PCIE_RX, PCIE_TX, PCIE_WIDTH

RECEIVED = PCIE_RX.avg("10m")
SENT = PCIE_TX.avg("10m")
MOST = PCIE_MOST.now
GENERATION = PCIE_GEN.max("10m")
WIDTH = PCIE_WIDTH.max("10m")
TENSOR = GPU_TENSOR.avg("10m")
OFFLOAD = 2.0


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when traffic in one direction nears what the link carries, as it is trained or else by the GPU's model."""
    received, sent = now[RECEIVED], now[SENT]
    busiest = max(received.number, sent.number)
    if busiest < limits["least"]:
        return None
    most, also = _most(now, received)
    if busiest < limits["share"] * most.number:
        return None
    return because(
        "On average over 10 min the GPU received {received} and sent {sent} over PCIe, of {most} that its link carries in one direction.",
        *also,
        now.get(GPU_UTIL.avg("10m")),
        now.get(TENSOR),
        received=received,
        sent=sent,
        most=most,
    )


def _most(now: Now, like: Reading) -> tuple[Reading, tuple[Reading, ...]]:
    generation, width = now.get(GENERATION), now.get(WIDTH)
    if generation is None or width is None or generation.number not in LANE:
        return now[MOST], ()
    carries = LANE[int(generation.number)] * width.number
    return objective(like, carries, "What the link carries"), (generation, width)


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Keep what is read at each step in GPU memory; keep tensor parallelism on NVLink."""
    received, sent = now.get(RECEIVED), now.get(SENT)
    verify = "PCIe traffic falls to a few percent of the link under the same load, and the gap between tokens with it."
    one_way = received is not None and sent is not None and received.number > OFFLOAD * sent.number
    offload = Remedy(
        "Most of it comes from the host: take `--cpu-offload-gb` and offloading of the KV cache out, and make room by FP8 weights or one more GPU."
        if one_way
        else "See whether weights or cache are offloaded to the host (`--cpu-offload-gb`, a KV connector); what is read at each step belongs into GPU memory.",
        verify=verify,
        cites=("serving/quantization", "serving/kv-cache"),
    )
    parallel = Remedy(
        "Without NVLink between its GPUs, split the model by pipeline parallelism or run smaller replicas instead of tensor parallelism; with NVLink,"
        " see with `nvidia-smi topo -m` whether the pod's GPUs share it.",
        verify=verify,
        cites=("serving/tensor-parallelism",),
    )
    return (offload, parallel) if one_way else (parallel, offload)


CHECK = Check(
    on=(On.GPU,),
    severity="medium",
    needs=(RECEIVED, SENT, MOST),
    helps=(GENERATION, WIDTH, TENSOR, GPU_UTIL.avg("10m")),
    limits={
        "least": Limit(2.0, "GB/s", "no link of a server GPU is as slow: below, its capacity need not be known"),
        "share": Limit(
            0.7, "ratio", "of what transfers reach in one direction (26 GB/s for generation 4 with 16 lanes)"
        ),
    },
    fires=fires,
    explains=(Explains("routing_skew", Where.ON_THIS_GPU), *at(SLOW, Where.ON_THIS_GPU)),
    remedies=remedies,
    pages=("serving/tensor-parallelism", "gpu/utilization-and-what-it-hides"),
    owner="mlops",
)
