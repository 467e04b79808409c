"""What the fleet is made of: GPU and model figures that the serving model computes with.

Units: bytes, bytes per second, FLOP per second, watts, MHz. GPU memory is what NVML reports; CUDA sees a
little less.
"""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1024**2
GIB = 1024**3
LANES = 16


@dataclass(frozen=True, slots=True)
class GpuModel:
    """Figures of one GPU model. ``product`` is the name that the driver prints."""

    product: str
    memory_mib: int
    reserved_mib: int
    bandwidth: float
    flops: float
    tdp: float
    idle_power: float
    sm_clock: int
    mem_clock: int
    nvlink: bool
    hbm: bool
    compute: str
    pcie: int = 4

    @property
    def total(self) -> int:
        """Bytes that CUDA reports as the device's total: NVML's less what the driver keeps."""
        return (self.memory_mib - self.reserved_mib) * MIB

    @property
    def wire(self) -> float:
        """Bytes per second that transfers over its PCIe link (16 lanes) reach in one direction."""
        return 1.5e9 * LANES * 2.0 ** (self.pcie - 4)


GPUS: dict[str, GpuModel] = {
    "h100": GpuModel(
        product="NVIDIA H100 80GB HBM3",
        memory_mib=81559,
        reserved_mib=551,
        bandwidth=3.35e12,
        flops=989e12,
        tdp=700,
        idle_power=72,
        sm_clock=1980,
        mem_clock=2619,
        nvlink=True,
        hbm=True,
        compute="9.0",
        pcie=5,
    ),
    "a100": GpuModel(
        product="NVIDIA A100-SXM4-80GB",
        memory_mib=81920,
        reserved_mib=768,
        bandwidth=2.039e12,
        flops=312e12,
        tdp=400,
        idle_power=61,
        sm_clock=1410,
        mem_clock=1593,
        nvlink=True,
        hbm=True,
        compute="8.0",
    ),
    "l4": GpuModel(
        product="NVIDIA L4",
        memory_mib=23034,
        reserved_mib=456,
        bandwidth=300e9,
        flops=121e12,
        tdp=72,
        idle_power=13,
        sm_clock=2040,
        mem_clock=6251,
        nvlink=False,
        hbm=False,
        compute="8.9",
    ),
}


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """Figures of one model.

    ``kv_bytes`` is one token's cache over all layers in 16-bit, summed over the ranks.
    """

    name: str
    params: float
    active: float
    layers: int
    hidden: int
    kv_heads: int
    vocab: int
    kv_bytes: int
    weight_bytes: float
    context: int

    @property
    def architecture(self) -> str:
        """The class that the engine resolves."""
        return "Qwen2ForCausalLM" if "qwen" in self.name.lower() else "LlamaForCausalLM"


def _model(name: str, params: float, shape: tuple[int, int, int, int], vocab: int, context: int) -> LanguageModel:
    layers, hidden, kv_heads, head_dim = shape
    return LanguageModel(
        name,
        params,
        params,
        layers,
        hidden,
        kv_heads,
        vocab,
        4 * layers * kv_heads * head_dim,
        params * 2.0,
        context,
    )


MODELS: dict[str, LanguageModel] = {
    model.name: model
    for model in (
        _model("meta-llama/Llama-3.1-8B-Instruct", 8.030e9, (32, 4096, 8, 128), 128256, 131072),
        _model("meta-llama/Llama-3.3-70B-Instruct", 70.554e9, (80, 8192, 8, 128), 128256, 131072),
        _model("mistralai/Mistral-7B-Instruct-v0.3", 7.248e9, (32, 4096, 8, 128), 32768, 32768),
        _model("Qwen/Qwen2.5-7B-Instruct", 7.616e9, (28, 3584, 4, 128), 152064, 32768),
        _model("Qwen/Qwen2.5-Coder-7B-Instruct", 7.616e9, (28, 3584, 4, 128), 152064, 32768),
        _model("Qwen/Qwen2.5-72B-Instruct", 72.706e9, (80, 8192, 8, 128), 152064, 32768),
        _model("Qwen/Qwen2.5-32B-Instruct", 32.764e9, (64, 5120, 8, 128), 152064, 32768),
        _model("BAAI/bge-m3", 0.568e9, (24, 1024, 16, 64), 250002, 8192),
    )
}


def gpu_model(name: str) -> GpuModel:
    """Look a GPU model up; raises ValueError with the names that are known."""
    try:
        return GPUS[name]
    except KeyError:
        raise ValueError(f"no GPU model {name!r}: write one of {', '.join(sorted(GPUS))}") from None


def language_model(name: str) -> LanguageModel:
    """Look a model up; raises ValueError with the names that are known."""
    try:
        return MODELS[name]
    except KeyError:
        raise ValueError(f"no model {name!r}: write one of {', '.join(sorted(MODELS))}") from None
