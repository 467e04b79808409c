"""Tensor parallelism waits for the links between its GPUs.

## What it means
After every layer the GPUs of a tensor-parallel group add up their results. Either NVLink is nearly full while the tensor cores have little
to do, or nothing goes over NVLink at all although the GPUs have it, and PCIe carries what it should.

## Why it hurts
More GPUs for one replica then make each step hardly shorter: the GPUs are paid for and wait for each other.

## What would rule it out
Links with room, tensor cores at work, a replica of one GPU, or a counter that stays at zero on a GPU whose PCIe link is silent too.
"""

from tools.check import Applies, Because, Check, Explains, Limit, Limits, Now, On, Where, because
from tools.families import SLOW
from tools.finding import Remedy
from tools.signals import GPU_REQUEST, GPU_TENSOR, GPU_UTIL, TENSOR_PARALLEL
from tools.vocabulary.gpu_links import NVLINK, NVLINK_MOST, PCIE_TX

TRAFFIC = NVLINK.avg("10m")
MOST = NVLINK_MOST.now
TENSOR = GPU_TENSOR.avg("10m")
BUSY = GPU_UTIL.avg("10m")
PCIE = PCIE_TX.avg("10m")


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when replicas of several GPUs fill NVLink with idle tensor cores, or exchange over PCIe in spite of NVLink."""
    if now.worst(GPU_REQUEST.now).number < 2:
        return None
    traffic, most = now.worst(TRAFFIC), now.least(MOST)
    tensor = now.of(traffic.subject, TENSOR) or now[TENSOR]
    if traffic.number >= limits["share"] * most.number and tensor.number < limits["tensor"]:
        return because(
            "{traffic_of} exchanged {traffic} over NVLink on average in 10 min, of {most} that it carries, with tensor cores at {tensor}.",
            now.get(TENSOR_PARALLEL.now),
            now.get(BUSY),
            traffic=traffic,
            most=most,
            tensor=tensor,
        )
    if traffic.number > limits["silent"]:
        return None
    busy, pcie = now.get(BUSY), now.get(PCIE)
    if busy is None or pcie is None or busy.number < limits["busy"] or pcie.number < limits["pcie"]:
        return None
    return because(
        "NVLink carried {traffic} in 10 min although it could carry {most}; {pcie_of} sent {pcie} over PCIe instead, while it was {busy} busy.",
        now.get(TENSOR_PARALLEL.now),
        tensor,
        severity="medium",
        traffic=traffic,
        most=most,
        pcie=pcie,
        busy=busy,
    )


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Use NVLink where it lies idle; fewer GPUs for a replica where it is full."""
    traffic = now.get(TRAFFIC)
    if traffic is not None and traffic.number <= limits["silent"]:
        return (
            Remedy(
                "Let NCCL use NVLink: take NCCL_P2P_DISABLE=1 and --disable-custom-all-reduce out, and see in `nvidia-smi topo -m` inside of the pod that its"
                " GPUs are linked (NV, not SYS or PHB); a virtual machine may pass GPUs through without their links.",
                verify="NVLink traffic rises with the load and PCIe traffic falls.",
                cites=("serving/tensor-parallelism",),
            ),
        )
    return (
        Remedy(
            "Halve the tensor parallel size if the model and its cache fit, and run twice the replicas; measure throughput of all GPUs together.",
            verify="Tokens a second over all GPUs rise, and NVLink has room.",
            cites=("serving/tensor-parallelism",),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="low",
    needs=(GPU_REQUEST.now, TRAFFIC, MOST, TENSOR),
    helps=(BUSY, PCIE, TENSOR_PARALLEL.now),
    limits={
        "share": Limit(0.6, "ratio", "of both directions together; all-reduces come in bursts"),
        "tensor": Limit(0.3, "ratio", "above, the GPUs compute while they exchange"),
        "silent": Limit(0.005, "GB/s", "a few MB/s: nothing that an all-reduce would leave"),
        "busy": Limit(0.5, "ratio", "below, there is little to exchange"),
        "pcie": Limit(1.0, "GB/s", "a server that is not tensor-parallel over PCIe sends a few MB/s there"),
    },
    fires=fires,
    explains=(Explains("pcie_bound", Where.ON_THIS_GPU), *SLOW),
    remedies=remedies,
    pages=("serving/tensor-parallelism",),
    owner="mlops",
)
