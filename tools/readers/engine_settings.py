"""Which settings of vLLM and SGLang the command line leaves open. A configuration file hides them: then nothing is told."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from tools.engine_args import flags
from tools.facts import Object, at, many, name_of, serving_container
from tools.quantity import quantity
from tools.readers import Listed, Told, Value
from tools.readers.services import command_of
from tools.signals import Signal
from tools.vocabulary import readiness as told

KINDS = ("pods",)
FACTS = (
    told.REVISION_OPEN,
    told.CONTEXT_IMPLICIT,
    told.BATCH_IMPLICIT,
    told.PRECISION_IMPLICIT,
    told.PARALLEL_APART,
)
_HUB_ID = re.compile(r"^[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*$")
_COMMIT = re.compile(r"^[0-9a-f]{40}$")
_CONTEXT = {"vllm": "max-model-len", "sglang": "context-length"}
_BATCH = {"vllm": ("max-num-seqs", "max-num-batched-tokens"), "sglang": ("max-running-requests",)}
# With these the GPUs of one pod are only a share of what the sizes count.
_SEVERAL_NODES = {
    "nnodes",
    "node-rank",
    "data-parallel-size-local",
    "data-parallel-address",
    "dist-init-addr",
    "headless",
}
_SIZES = {
    "tensor": ("tensor-parallel-size", "tp", "tp-size"),
    "pipeline": ("pipeline-parallel-size", "pp", "pp-size"),
    "data": ("data-parallel-size", "dp", "dp-size"),
    "context": ("prefill-context-parallel-size", "pcp"),
}


def read(listed: Listed) -> Iterator[Told]:
    """Facts of pods whose engine's command line can be read."""
    for item in listed.of("pods"):
        facts = _settings(item)
        if facts and all(name_of(item)):
            yield Told("/".join(name_of(item)), facts, "pods")


def _settings(pod: Object) -> dict[Signal, Value]:
    one = serving_container(pod)
    command = command_of(one)
    known = f"{one.get('image') or ''} {' '.join(command[:3])}".lower()
    engine = next((name for name in ("sglang", "vllm") if name in known), "")
    said = flags(command)
    model = _model(command, said)
    if not engine or not model or "config" in said:
        return {}
    batch = [name for name in _BATCH[engine] if name not in said]
    chosen = said.get("dtype", "auto") != "auto" or "quantization" in said
    return {
        told.REVISION_OPEN: _revision(model, said),
        told.CONTEXT_IMPLICIT: "" if _CONTEXT[engine] in said else _CONTEXT[engine],
        told.BATCH_IMPLICIT: ", ".join(batch) if len(batch) == len(_BATCH[engine]) else "",
        told.PRECISION_IMPLICIT: "" if chosen else f"dtype {said.get('dtype', 'not set')}"[:60],
        told.PARALLEL_APART: _parallel(one, said),
    }


def _model(command: Sequence[str], said: Mapping[str, str]) -> str:
    words = [said.get(name, "") for name in ("model", "model-path")]
    words += [command[i + 1] for i, word in enumerate(command[:-1]) if word == "serve"]
    return next((word for word in words if word and not word.startswith(("-", "$"))), "")


def _revision(model: str, said: Mapping[str, str]) -> str:
    revision = said.get("revision", "")
    if not _HUB_ID.match(model) or _COMMIT.match(revision):
        return ""
    return f"{model[:120]} at {revision[:40] or 'the newest commit'}"


def _parallel(container: Object, said: Mapping[str, str]) -> str:
    asked = at(container, "resources", "limits", "nvidia.com/gpu") or at(
        container, "resources", "requests", "nvidia.com/gpu"
    )
    gpus = quantity(asked) if isinstance(asked, str | int) and not isinstance(asked, bool) else None
    several = _SEVERAL_NODES & set(said) or said.get("distributed-executor-backend") == "ray"
    if not gpus or several or any(env.get("name") == "LWS_GROUP_SIZE" for env in many(container, "env")):
        return ""
    sizes = {kind: _size(said, names) for kind, names in _SIZES.items()}
    if "enable-dp-attention" in said:
        sizes["data"] = 1  # the ranks of the tensor are divided, not multiplied
    product = 1
    for size in sizes.values():
        if size is None:
            return ""
        product *= size
    if product == gpus:
        return ""
    shown = " x ".join(f"{kind} {size}" for kind, size in sizes.items() if size != 1) or "tensor 1"
    return f"{shown} = {product} GPUs used, {gpus:.0f} in the limit"


def _size(said: Mapping[str, str], names: Sequence[str]) -> int | None:
    """A parallel size, 1 where it is not set; None where it cannot be read."""
    text = next((said[name] for name in names if name in said), "1")
    return int(text) if text.isdigit() and 0 < len(text) < 6 and int(text) else None
