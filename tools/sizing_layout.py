"""How a model is laid over GPUs: tensor parallelism inside one NVLink island or node, pipeline parallelism for the rest."""

from __future__ import annotations

from dataclasses import dataclass

from tools.catalogue.gpus import Gpu
from tools.catalogue.models import Model

MOST_GPUS = 4096


class LayoutError(ValueError):
    """The model cannot be split like that; the message says why and which splits there are."""


@dataclass(frozen=True, slots=True)
class Layout:
    """`tp` x `pp` GPUs serve one copy of the model; `notes` say what the split costs."""

    tp: int
    pp: int
    notes: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """GPUs of one copy."""
        return self.tp * self.pp

    @property
    def flags(self) -> str:
        """The split as vLLM's arguments."""
        pipeline = f" --pipeline-parallel-size {self.pp}" if self.pp > 1 else ""
        return f"--tensor-parallel-size {self.tp}{pipeline}"


def splits(model: Model, tp: int) -> bool:
    """Whether tensor parallelism of `tp` divides the attention heads, and the KV heads go into it or it into them."""
    if tp < 1 or model.heads % tp:
        return False
    return bool(model.latent) or model.kv_heads % tp == 0 or tp % model.kv_heads == 0


def reach(gpu: Gpu) -> int:
    """GPUs that one tensor-parallel group can span: the NVLink island, or the node where there is none."""
    return max(gpu.island, gpu.per_node)


def lay(model: Model, gpu: Gpu, count: int, tp: int | None = None) -> Layout:
    """The layout on `count` GPUs: the widest tensor parallelism that works, pipeline stages for the rest.

    A given `tp` is taken as it is. Raises LayoutError with the reason and the splits that exist.
    """
    if not 1 <= count <= MOST_GPUS:
        raise LayoutError(f"{count} GPUs is no number that I can size: between 1 and {MOST_GPUS}.")
    widest = min(count, reach(gpu))
    possible = [one for one in range(1, widest + 1) if count % one == 0 and splits(model, one)]
    if tp is not None:
        if tp < 1 or count % tp:
            raise LayoutError(f"Tensor parallelism of {tp} does not go into {count} GPUs.")
        if not splits(model, tp):
            listed = ", ".join(str(one) for one in range(1, 65) if splits(model, one))
            raise LayoutError(f"{model.title} {_heads(model)}: tensor parallelism can be {listed}, not {tp}.")
        if tp > reach(gpu):
            raise LayoutError(
                f"Tensor parallelism of {tp} leaves the {reach(gpu)} {gpu.title} that share a node or NVLink island."
            )
    chosen = tp or max(possible)
    stages = count // chosen
    if stages > model.layers:
        raise LayoutError(f"{model.title} has {model.layers} layers: they cannot fill {stages} pipeline stages.")
    return Layout(chosen, stages, tuple(_notes(model, gpu, chosen, stages)))


def _notes(model: Model, gpu: Gpu, tp: int, stages: int) -> list[str]:
    found = []
    if tp > max(gpu.island, 1) and gpu.island == 1:
        found.append(f"{gpu.title} has no NVLink: tensor parallelism over PCIe is slow, past 2 GPUs it rarely pays.")
    elif tp > gpu.island:
        found.append(f"NVLink joins {gpu.island} {gpu.title}: tensor parallelism of {tp} also crosses PCIe.")
    elif tp > 1 and "bridge" in gpu.link:
        found.append(f"The NVLink bridge between {gpu.title} cards is an option: without it, this runs over PCIe.")
    if stages > 1:
        found.append(f"{stages} pipeline stages add throughput and memory, not speed for a single request.")
        if tp * stages <= reach(gpu) and not splits(model, tp * stages):
            found.append(f"{model.title} {_heads(model)}: they do not split {tp * stages} ways.")
    if not model.latent and tp > model.kv_heads:
        found.append(f"With {model.kv_heads} KV heads the cache per GPU stops shrinking at {model.kv_heads} GPUs.")
    if model.latent and tp > 1:
        found.append("The latent cache (MLA) is copied on every tensor-parallel GPU: data parallelism spreads it.")
    return found


def _heads(model: Model) -> str:
    return f"has {model.heads} attention heads" + ("" if model.latent else f" and {model.kv_heads} KV heads")
