"""How one engine process starts: what its arguments resolve to, how memory is planned, and where it can die.

The memory rule is vLLM V1's: what is asked for is ``gpu_memory_utilization`` of the device's total; weights,
the profiled activation peak and what is not torch's come off; the rest holds the KV cache. CUDA graphs come
on top (before v0.21).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from evals.fleet.hardware import GIB, MIB, GpuModel, LanguageModel, gpu_model, language_model
from evals.fleet.recipe import Workload, quantity

# What vLLM 0.11 no longer knows: the V0 engine's flags.
GONE = ("use-v2-block-manager", "num-scheduler-steps", "swap-space-gb", "enable-chunked-context", "worker-use-ray")
# A liveness probe without a startup probe before it: three refusals, ten seconds apart, then SIGTERM and its grace.
LIVENESS_KILLS_AFTER = 62.0
DEFAULT_SHM = 64 * MIB
NCCL_SEGMENT = 33030528  # bytes that one rank of NCCL maps in /dev/shm
QUEUE = 16 * MIB  # what the workers' message queue touches of /dev/shm
BLOCK = 16
CrashKind = Literal[
    "cuda_load", "cuda_runtime", "no_kv", "shm", "host", "gpu_lost", "context_too_long", "argument", "probe"
]


@dataclass(frozen=True)
class Config:
    """What the engine resolves from its arguments and from the GPU that it runs on."""

    model: LanguageModel
    gpu: GpuModel
    tp: int
    utilization: float
    max_num_seqs: int
    max_batched_tokens: int
    max_model_len: int
    prefix_caching: bool
    eager: bool
    kv_width: float
    weight_bytes: float
    load_format: str
    dtype: str
    peers: bool = True
    offload: float = 0.0

    @property
    def linked(self) -> bool:
        """Whether its ranks exchange over NVLink."""
        return self.gpu.nvlink and self.peers

    @cached_property
    def kv_bytes_per_token(self) -> float:
        """Bytes of one token over all ranks; heads are replicated when ranks outnumber them."""
        return self.model.kv_bytes * self.kv_width / 2 * max(1.0, self.tp / self.model.kv_heads)

    @cached_property
    def weights_per_gpu(self) -> float:
        """Bytes of weights that one rank holds on its GPU: without those that it reads from the host at each step."""
        return max(0.0, self.weight_bytes / self.tp * (1.02 if self.tp > 1 else 1.0) - self.offload)

    @cached_property
    def activation(self) -> float:
        """Bytes of the activation peak that the profiling run sees."""
        logits = min(self.max_num_seqs, self.max_batched_tokens) * self.model.vocab * 6 / self.tp
        return self.max_batched_tokens * self.model.hidden * 2 * 14 / math.sqrt(self.tp) + logits

    @cached_property
    def not_torch(self) -> float:
        """Bytes of CUDA's context and NCCL's buffers."""
        return 0.45 * GIB + (0.6 * GIB if self.tp > 1 else 0.0)

    @cached_property
    def graphs(self) -> float:
        """Bytes that captured CUDA graphs take beside the budget."""
        return 0.0 if self.eager else 0.25 * GIB + self.model.layers * 6 * MIB

    @cached_property
    def kv_bytes_per_gpu(self) -> float:
        """Bytes that are left for the KV cache on one GPU; negative when nothing is."""
        return self.gpu.total * self.utilization - self.weights_per_gpu - self.activation - self.not_torch

    @cached_property
    def kv_blocks(self) -> int:
        """Blocks of 16 tokens in the KV cache."""
        return max(0, int(self.kv_bytes_per_gpu * self.tp / self.kv_bytes_per_token / BLOCK))

    @cached_property
    def kv_tokens(self) -> int:
        """Tokens that the KV cache holds."""
        return self.kv_blocks * BLOCK

    @cached_property
    def resident(self) -> float:
        """Bytes that the loaded engine holds on one GPU."""
        held = self.weights_per_gpu + self.activation + self.not_torch + max(0.0, self.kv_bytes_per_gpu)
        return min(float(self.gpu.total), held + self.graphs)


def resolve(workload: Workload, gpu: str) -> Config:
    """Resolve a workload's arguments on a GPU model as vLLM 0.11 does (defaults included)."""
    device, model, args = gpu_model(gpu), language_model(workload.model), workload.args
    large = device.total >= 70 * GIB and "A100" not in device.product
    quantized = str(args.get("quantization", ""))
    width = {"fp8": 1.06, "awq": 0.58, "gptq": 0.58}.get(quantized, 4.0 if args.get("dtype") == "float32" else 2.0)
    return Config(
        model=model,
        gpu=device,
        tp=int(args.get("tensor-parallel-size", 1)),
        utilization=float(args.get("gpu-memory-utilization", 0.9)),
        max_num_seqs=int(args.get("max-num-seqs", 1024 if large else 256)),
        max_batched_tokens=int(args.get("max-num-batched-tokens", 8192 if large else 2048)),
        max_model_len=int(args.get("max-model-len", model.context)),
        prefix_caching=not args.get("no-enable-prefix-caching", False),
        eager=bool(args.get("enforce-eager", False)),
        kv_width=1.0 if str(args.get("kv-cache-dtype", "auto")).startswith("fp8") else 2.0,
        weight_bytes=model.params * width,
        load_format=str(args.get("load-format", "auto")),
        dtype="torch.float32" if args.get("dtype") == "float32" else "torch.bfloat16",
        peers=workload.env.get("NCCL_P2P_DISABLE", "0") != "1",
        offload=float(args.get("cpu-offload-gb", 0)) * GIB,
    )


@dataclass(frozen=True, slots=True)
class Crash:
    """How a container ends.

    Its cause, the seconds after its start (load only), and what the kubelet reports.
    """

    kind: CrashKind
    after: float
    exit_code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Startup:
    """The phases of a start, in seconds after the container's start, and where it dies, if it does."""

    imported: float
    weights: float
    compiled: float
    ready: float
    crash: Crash | None


def plan(workload: Workload, config: Config) -> Startup:
    """Walk through a start: import, NCCL, weights, profiling, graphs.

    The first thing that cannot be had ends it.
    """
    imported = 14.0
    weights = imported + 6.0 + config.weight_bytes / 2.6e9
    compiled = weights + (4.0 if config.eager else 24.0 + config.model.layers * 0.25)
    ready = compiled + (3.0 if config.eager else 18.0)
    crash: Crash | None = None
    shm = quantity(workload.shm) if workload.shm else DEFAULT_SHM
    if any(name in GONE for name in workload.args):
        crash = Crash("argument", 9.0, 2, "Error")
    elif config.tp > 1 and shm < QUEUE + config.tp * NCCL_SEGMENT:
        crash = Crash("shm", imported + 5.0, 1, "Error")
    elif workload.memory_limit and (share := _host_overflow(workload, config)):
        crash = Crash("host", imported + 6.0 + share * (weights - imported - 6.0), 137, "OOMKilled")
    elif config.weights_per_gpu + config.not_torch > config.gpu.total:
        share = (config.gpu.total - config.not_torch) / config.weights_per_gpu
        crash = Crash("cuda_load", imported + 6.0 + share * 3.0, 1, "Error")
    elif config.kv_blocks == 0:
        crash = Crash("no_kv", compiled - 8.0, 1, "Error")
    elif config.kv_tokens < config.max_model_len:
        crash = Crash("context_too_long", compiled - 8.0, 1, "Error")
    kills = workload.probes and not workload.startup_probe and ready > LIVENESS_KILLS_AFTER
    if kills and (crash is None or crash.after > LIVENESS_KILLS_AFTER):
        crash = Crash("probe", LIVENESS_KILLS_AFTER, 137, "Error")
    return Startup(imported, weights, compiled, ready, crash)


def host_base(config: Config) -> float:
    """Host bytes of the API server, the engine core and the workers before weights are read."""
    return (2.6 + 1.5 + 2.1 * (config.tp if config.tp > 1 else 0)) * GIB


def host_staged(config: Config) -> float:
    """Host bytes that loading holds at its peak beside the base.

    Pickled weights are read whole by each worker.
    """
    if config.load_format == "pt":
        return config.weight_bytes * (1.0 + 0.15 * (config.tp - 1))
    return 1.2 * GIB * config.tp


def _host_overflow(workload: Workload, config: Config) -> float:
    # The share of the load at which the cgroup's limit is hit; 0 when it never is.
    room = quantity(workload.memory_limit or "0") - host_base(config)
    staged = host_staged(config)
    return 0.0 if room >= staged else max(0.01, room / staged)
