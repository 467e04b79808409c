"""SGLang: `python -m sglang.launch_server`, or `sglang serve`.

Flags and defaults are those of sglang/srt/server_args.py in the wheels 0.3.6 to 0.5.10. The share of memory and the limit of
running requests are computed from the GPU where nobody sets them. The share is that of weights and cache together.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from tools.engines.command_line import program
from tools.engines.options import Default, Engine, Form, Option, number_of, product
from tools.engines.setting import Configuration, Container, Key, Origin, Setting, Version


def launched(words: Sequence[str]) -> int | None:
    """The place of the module, or of `serve`."""
    for place, word in enumerate(words[:64]):
        if word == "sglang.launch_server" and place and words[place - 1] == "-m":
            return place
        if program(word) == "sglang" and words[place + 1 : place + 2] == ("serve",):
            return place + 1
    return None


OPTIONS = (
    Option(Key.MODEL, ("--model-path", "--model")),
    Option(Key.REVISION, ("--revision",), depends="the hub's main branch, as of the download"),
    number_of(Key.MAX_MODEL_LEN, "--context-length", depends="the model's own context"),
    number_of(Key.MAX_NUM_SEQS, "--max-running-requests", depends="computed from the GPU's memory"),
    number_of(Key.MAX_BATCHED_TOKENS, "--chunked-prefill-size", depends="computed from the GPU's memory"),
    Option(
        Key.GPU_MEMORY_UTILIZATION, ("--mem-fraction-static",), Form.NUMBER, depends="computed from the GPU's memory"
    ),
    number_of(Key.TENSOR_PARALLEL, "--tensor-parallel-size", "--tp-size", "--tp", default=1),
    number_of(Key.PIPELINE_PARALLEL, "--pipeline-parallel-size", "--pp-size", "--pp", default=1),
    number_of(Key.DATA_PARALLEL, "--data-parallel-size", "--dp-size", "--dp", default=1),
    Option(Key.DTYPE, ("--dtype",), defaults=(Default("auto"),)),
    Option(Key.QUANTIZATION, ("--quantization",), depends="the model's own configuration decides it"),
    Option(Key.KV_CACHE_DTYPE, ("--kv-cache-dtype",), defaults=(Default("auto"),)),
    Option(Key.PREFIX_CACHING, (), Form.SWITCH, off=("--disable-radix-cache",), defaults=(Default(True),)),
    Option(Key.LOAD_FORMAT, ("--load-format",), defaults=(Default("auto"),)),
    Option(
        Key.TRUST_REMOTE_CODE,
        ("--trust-remote-code",),
        Form.SWITCH,
        defaults=(Default(False, since=(0, 4, 6)),),
        depends="its default changed between 0.3.6 and 0.4.6",
    ),
    Option(Key.ADAPTERS, ("--enable-lora",), Form.SWITCH, defaults=(Default(False),)),
    number_of(Key.ADAPTER_SLOTS, "--max-loras-per-batch", default=8),
    number_of(Key.PORT, "--port", default=30000),
)


def derive(
    _engine: Engine, _version: Version, _container: Container, settings: Mapping[Key, Setting], flags: Mapping[str, str]
) -> dict[Key, Setting]:
    """Adapters that are named at the start turn LoRA on."""
    if "--lora-paths" in flags and not settings[Key.ADAPTERS].stated:
        return {Key.ADAPTERS: Setting(True, Origin.ARGUMENT, "--lora-paths")}
    return {}


def count(configuration: Configuration, container: Container) -> int | None:
    """GPUs of one pod: tensor times pipeline parallel size, times data parallel size unless that splits attention only."""
    flags = configuration.flags
    if flags.get("nnodes", "1") != "1":
        return None
    own = product(configuration, container)
    parallel = 1.0 if "enable-dp-attention" in flags else configuration.number(Key.DATA_PARALLEL)
    return int(own * parallel) if own and parallel and 1 <= parallel <= 4096 else None


ENGINE = Engine(
    name="sglang",
    title="SGLang",
    images=re.compile(r"sglang", re.IGNORECASE),
    releases=re.compile(r"\bsglang$", re.IGNORECASE),
    launched=launched,
    options=OPTIONS,
    switches=frozenset(
        f"--{name}"
        for name in [
            "enable-metrics",
            "disable-cuda-graph",
            "enable-dp-attention",
            "enable-torch-compile",
            "log-requests",
            "skip-tokenizer-init",
            "enable-mixed-chunk",
            "enable-p2p-check",
            "is-embedding",
            "enable-hierarchical-cache",
            "disable-overlap-schedule",
            "enable-deterministic-inference",
            "enable-trace",
        ]
    ),
    config=("--config",),
    verified=((0, 3, 6), (0, 5, 10)),
    underscores=False,
    derive=derive,
    count=count,
)


def worker(name: str, title: str, launch: str) -> Engine:
    """SGLang's options behind another launcher, whose version is not SGLang's."""

    def found(words: Sequence[str]) -> int | None:
        return next((i for i, word in enumerate(words[:64]) if word == launch and i and words[i - 1] == "-m"), None)

    return replace(ENGINE, name=name, title=title, images=re.compile(r"(?!)"), launched=found, verified=((), ()))
