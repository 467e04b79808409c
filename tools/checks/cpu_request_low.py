"""The container asks for fewer CPU cores than the engine has processes.

## What it means
An engine runs an API server, an engine core and a worker per GPU, each of which wants a core; the CPU request is
below that.

## Why it hurts
On a busy node the container gets no more than it asked for: workers wait for their turn, GPUs wait for their workers,
and the gap between tokens grows.

## What would rule it out
A node that the workload has for itself, or a server that runs one process.
"""

from tools.check import Applies, Because, Check, Limit, Limits, Now, On, because, objective
from tools.finding import Change, Remedy
from tools.signals import GPU_REQUEST
from tools.vocabulary.manifests import CPU_REQUEST


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire where the request lies below two cores and one per GPU."""
    gpus = now.worst(GPU_REQUEST.now)
    cores = now.least(CPU_REQUEST.now)
    # A request of nothing is a rule of its own.
    if gpus.number < 1 or cores.number <= 0 or cores.number >= _wanted(gpus.number, limits):
        return None
    return because(
        "The container asks for {cores} and holds {gpus}; {wanted} are the least.",
        cores=cores,
        gpus=gpus,
        wanted=objective(cores, _wanted(gpus.number, limits)),
    )


def _wanted(gpus: float, limits: Limits) -> float:
    return limits["base"] + gpus


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Ask for what the processes need."""
    cores, wanted = now.least(CPU_REQUEST.now).number, _wanted(now.worst(GPU_REQUEST.now).number, limits)
    text = f"Ask for a core per process. Copy: `resources: {{requests: {{cpu: {wanted:.0f}}}}}`"
    return (
        Remedy(
            text,
            Change("resources.requests.cpu", f"{cores:g}", f"{wanted:.0f}"),
            "The gap between tokens does not grow when the node is busy.",
            ("kubernetes/cpu-limits-and-throttling", "model-quality/runtime-and-hardware"),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="low",
    needs=(GPU_REQUEST.now, CPU_REQUEST.now),
    fires=fires,
    remedies=remedies,
    limits={"base": Limit(2.0, "cores", "vLLM's documentation: 2 + N physical cores for N GPUs")},
    pages=("kubernetes/cpu-limits-and-throttling", "model-quality/runtime-and-hardware"),
    phase=1,
    owner="ml platform",
    rule=True,
    asked=(
        r"\b(?:enough|too few|sufficient|how many|as many|few(?:er)?)\b[^.?!]{0,30}\b(?:v?cpus?|cores?)\b",
        r"\b(?:v?cpus?|cores?)\b[^.?!]{0,60}\b(?:request\w*|reserv\w*|guarante\w*|ask\w*|claim\w*)\b[^.?!]{0,60}\b(?:enough|too (?:few|low|little|small)|process\w*|than)\b",
        r"\b(?:request\w*|reserv\w*|guarante\w*|ask\w*|claim\w*)\b[^.?!]{0,40}\b(?:too )?(?:few|low|little|small|single|one|two)\b[^.?!]{0,20}\b(?:v?cpus?|cores?)\b",
    ),
)
