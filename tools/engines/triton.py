"""Triton: `tritonserver --model-repository PATH`, or the launcher of its TensorRT-LLM backend.

What a model is set to stands in the repository's config.pbtxt, which is not read. Where the container's script fills it in
(`fill_template.py -i config.pbtxt name:value,...`), those values are told, as is the launcher's world size.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from tools.engines.command_line import lines, program
from tools.engines.options import Engine, Form, Option, read_value
from tools.engines.setting import Configuration, Container, Key, Origin, Setting, Version
from tools.engines.shell import Unresolved

_IN_REPOSITORY = "the model repository's config.pbtxt sets it"
_PARAMETERS = {
    "triton_max_batch_size": Key.MAX_NUM_SEQS,
    "kv_cache_free_gpu_mem_fraction": Key.GPU_MEMORY_UTILIZATION,
    "max_tokens_in_paged_kv_cache": None,
    "enable_kv_cache_reuse": Key.PREFIX_CACHING,
}


def launched(words: Sequence[str]) -> int | None:
    """The place of the server, or of the launcher."""
    names = {"tritonserver", "launch_triton_server.py"}
    return next((i for i, word in enumerate(words[:64]) if program(word) in names), None)


def derive(
    engine: Engine, _version: Version, container: Container, _settings: Mapping[Key, Setting], _flags: Mapping[str, str]
) -> dict[Key, Setting]:
    """What the script fills into the model's configuration."""
    found: dict[Key, Setting] = {}
    options = {option.key: option for option in engine.options}
    for line in lines(container):
        if not any(program(word) == "fill_template.py" for word in line.words):
            continue
        for word in line.words:
            if ":" not in word or isinstance(word, Unresolved):
                continue
            for part in word.split(","):
                name, _, text = part.partition(":")
                key = _PARAMETERS.get(name)
                value = read_value(options[key], text) if key in options else None
                if key is not None and value is not None:
                    found[key] = Setting(value, Origin.ARGUMENT, f"fill_template.py {name}")
    return found


def count(configuration: Configuration, _container: Container) -> int | None:
    """GPUs of one pod: the launcher's world size; a server alone does not tell."""
    size = configuration.flags.get("world-size", "")
    return int(size) if size.isdigit() and 0 < len(size) < 5 else None


ENGINE = Engine(
    name="triton",
    title="Triton",
    images=re.compile(r"tritonserver", re.IGNORECASE),
    releases=re.compile(r"\btritonserver$", re.IGNORECASE),
    launched=launched,
    options=(
        Option(Key.MODEL, ("--model-repository", "--model-store", "--model-repo"), depends="it must be set"),
        Option(Key.MAX_NUM_SEQS, (), Form.WHOLE, depends=_IN_REPOSITORY),
        Option(Key.GPU_MEMORY_UTILIZATION, (), Form.NUMBER, depends=_IN_REPOSITORY),
        Option(Key.PREFIX_CACHING, (), Form.SWITCH, depends=_IN_REPOSITORY),
        Option(Key.TENSOR_PARALLEL, (), Form.WHOLE, depends="the engine files decide it"),
    ),
    verified=((20, 1), (26, 12)),
    derive=derive,
    count=count,
)
