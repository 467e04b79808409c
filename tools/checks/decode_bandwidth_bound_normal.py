"""The GPUs are busy with memory, as decoding is.

## What it means
Utilisation is near 100 % and tensor cores hardly work. That looks like waste and is how generation of tokens runs: each step reads all
weights and the cache once and computes little with them, so memory bandwidth sets its pace.

## Why it hurts
It does not. It is said so that nobody looks for a fault where there is none, or buys tensor cores that would idle too.

## What would rule it out
Memory with bandwidth to spare: then the GPUs wait for something else. Tensor cores at work, or a gap between tokens above its objective.
"""

from tools.check import Applies, Because, Check, Limit, Limits, Now, On, because
from tools.finding import Remedy
from tools.signals import GENERATION_TOKENS, GPU_DRAM, GPU_TENSOR, GPU_UTIL, ITL, REQUESTS_RUNNING

BUSY = GPU_UTIL.avg("10m")
MEMORY = GPU_DRAM.avg("10m")
TENSOR = GPU_TENSOR.avg("10m")
RUNNING = REQUESTS_RUNNING.avg("10m")
GAP = ITL.p95("5m")


def fires(now: Now, limits: Limits) -> Because | None:
    """Tell busy GPUs whose memory works and whose tensor cores do not, while requests run at an acceptable pace."""
    memory = now.least(MEMORY)
    if memory.number < limits["memory"]:
        return None
    busy, tensor, running = now.least(BUSY), now.worst(TENSOR), now.total(RUNNING)
    if busy.number < limits["busy"] or tensor.number >= limits["tensor"] or running.number < limits["running"]:
        return None
    gap = now.get(GAP)
    if gap is not None and gap.number > limits["itl"]:
        return None
    return because(
        "GPUs are {busy} busy with memory bandwidth at {memory} and tensor cores at {tensor}, with {running} at once on average.",
        gap,
        now.get(GENERATION_TOKENS.rate("10m")),
        busy=busy,
        memory=memory,
        tensor=tensor,
        running=running,
    )


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Nothing to mend; what would make more of it."""
    return (
        Remedy(
            "Nothing has to be mended. For more tokens of the same GPUs let more requests share a step as long as the gap between tokens meets its"
            " objective, or read less a step: FP8 weights and cache, or speculative decoding.",
            verify="Tokens a second rise and the p95 gap between tokens stays within its objective.",
            cites=("gpu/utilization-and-what-it-hides", "serving/continuous-batching", "serving/quantization"),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="info",
    needs=(MEMORY, BUSY, TENSOR, RUNNING),
    helps=(GAP, GENERATION_TOKENS.rate("10m")),
    limits={
        "memory": Limit(0.6, "ratio", "decoding reaches 60 to 80 % of what the data sheet says"),
        "busy": Limit(0.9, "ratio", "below, nobody would take it for a fault"),
        "tensor": Limit(0.15, "ratio", "prefill and large batches keep tensor cores busier"),
        "running": Limit(1, "requests", "an idle server decodes nothing"),
        "itl": Limit(0.1, "seconds", "above, the pace itself is the matter"),
    },
    fires=fires,
    asked=(
        r"\btensor[- ](?:cores?|pipes?)\b",
        r"\b(?:memory|dram) bandwidth\b",
        # What a full utilisation means: whether that is all that the GPU can do.
        r"^(?=.*\b(?:utili[sz]ation|\d\d ?%|100 ?%|(?:\d\d|100|hundred) ?percent|pinned|busy)).*\b(?:maxed out|saturated|at (?:its|their|the) limits?|(?:buy|order|get|need) (?:\w+ )?(?:more|another|a second))\b",
    ),
    remedies=remedies,
    pages=("gpu/utilization-and-what-it-hides", "serving/inter-token-latency"),
    owner="mlops",
)
