"""vLLM: `vllm serve MODEL`, or the module of its API server.

Flags and defaults are those of vllm/engine/arg_utils.py, vllm/config and FlexibleArgumentParser in the wheels 0.6.6 to 0.33:
gpu_memory_utilization is 0.9 until 0.19 and 0.92 since 0.20; since 0.11 (one engine, V1) the limit of sequences is 1024 on GPUs of
70 GiB and more that are no A100, else 256; until 0.7 it is 256. Prefix caching is off until 0.7, since 0.8 the model decides.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from tools.engines.command_line import program
from tools.engines.options import Default, Engine, Form, Option, number_of, product, shown
from tools.engines.setting import Configuration, Container, Key, Origin, Setting, Version

_LARGE = 70 * 2.0**30
_MODULES = {"vllm.entrypoints.openai.api_server", "vllm.entrypoints.api_server", "vllm.entrypoints.cli.main"}


def launched(words: Sequence[str]) -> int | None:
    """The place of `serve`, or of the module."""
    for place, word in enumerate(words[:64]):
        following = words[place + 1] if place + 1 < len(words) else ""
        if program(word) == "vllm" and following == "serve":
            return place + 1
        if word in _MODULES and place and words[place - 1] == "-m":
            return place + 1 if following == "serve" else place
        if word.endswith("vllm/entrypoints/openai/api_server.py"):
            return place
    return None


OPTIONS = (
    Option(Key.MODEL, ("--model",)),
    Option(Key.REVISION, ("--revision",), depends="the hub's main branch, as of the download"),
    number_of(Key.MAX_MODEL_LEN, "--max-model-len", depends="the model's own context"),
    number_of(Key.MAX_NUM_SEQS, "--max-num-seqs", depends="the GPU's memory decides it"),
    number_of(Key.MAX_BATCHED_TOKENS, "--max-num-batched-tokens", depends="the GPU and the model decide it"),
    Option(
        Key.GPU_MEMORY_UTILIZATION,
        ("--gpu-memory-utilization",),
        Form.NUMBER,
        defaults=(Default(0.9, before=(0, 20)), Default(0.92, since=(0, 20))),
    ),
    number_of(Key.TENSOR_PARALLEL, "--tensor-parallel-size", "-tp", default=1),
    number_of(Key.PIPELINE_PARALLEL, "--pipeline-parallel-size", "-pp", default=1),
    number_of(Key.DATA_PARALLEL, "--data-parallel-size", "-dp", default=1, env=("VLLM_DP_SIZE",)),
    Option(Key.DTYPE, ("--dtype",), defaults=(Default("auto"),)),
    Option(Key.QUANTIZATION, ("--quantization", "-q"), depends="the model's own configuration decides it"),
    Option(Key.KV_CACHE_DTYPE, ("--kv-cache-dtype",), defaults=(Default("auto"),)),
    Option(
        Key.PREFIX_CACHING,
        ("--enable-prefix-caching",),
        Form.SWITCH,
        off=("--no-enable-prefix-caching",),
        defaults=(Default(False, before=(0, 8)),),
        depends="on where the model supports it",
    ),
    Option(Key.LOAD_FORMAT, ("--load-format",), defaults=(Default("auto"),)),
    Option(
        Key.TRUST_REMOTE_CODE,
        ("--trust-remote-code",),
        Form.SWITCH,
        off=("--no-trust-remote-code",),
        defaults=(Default(False),),
    ),
    Option(Key.ADAPTERS, ("--enable-lora",), Form.SWITCH, off=("--no-enable-lora",), defaults=(Default(False),)),
    number_of(Key.ADAPTER_SLOTS, "--max-loras", default=1),
    number_of(Key.PORT, "--port", default=8000),
)


def derive(
    engine: Engine, version: Version, container: Container, settings: Mapping[Key, Setting], flags: Mapping[str, str]
) -> dict[Key, Setting]:
    """The limit of sequences where nobody sets it, and lengths that mean `as long as fits`."""
    found: dict[Key, Setting] = {}
    if flags.get("--max-model-len", "").strip().lower() in {"auto", "-1"}:
        found[Key.MAX_MODEL_LEN] = Setting(None, Origin.UNKNOWN, "as long as fits, which the engine finds out")
    limit = settings[Key.MAX_NUM_SEQS]
    if (
        limit.origin is not Origin.UNKNOWN
        or "--max-num-seqs" in flags
        or not version
        or version[:2] > engine.verified[1]
    ):
        return found
    usual = 0.0
    if version < (0, 8) and dict(container.env).get("VLLM_USE_V1", "0") == "0":
        usual = 256.0
    elif version >= (0, 11) and container.gpu_memory and flags.get("--performance-mode", "balanced") == "balanced":
        small = container.gpu_memory < _LARGE or "a100" in container.gpu_name.lower()
        usual = 256.0 if small else 1024.0
    if usual:
        tokens = settings[Key.MAX_BATCHED_TOKENS].value
        least = min(usual, tokens) if isinstance(tokens, float) else usual
        found[Key.MAX_NUM_SEQS] = Setting(least, Origin.DEFAULT, f"of {engine.title} {shown(version)} on this GPU")
    return found


def count(configuration: Configuration, container: Container) -> int | None:
    """GPUs of one pod: tensor times pipeline times local data parallel size. An engine over several nodes tells nothing of one."""
    flags = configuration.flags
    several = flags.get("nnodes", flags.get("n", "1")) != "1" or flags.get("distributed-executor-backend") in {
        "ray",
        "external_launcher",
    }
    if several or any(
        name in flags for name in ("node-rank", "r", "data-parallel-rank", "dpr", "headless", "data-parallel-backend")
    ):
        return None
    own = product(configuration, container)
    local = flags.get("data-parallel-size-local", flags.get("dpl", ""))
    parallel = float(local) if local.isdigit() and len(local) < 5 else configuration.number(Key.DATA_PARALLEL)
    return int(own * parallel) if own and parallel and 1 <= parallel <= 4096 else None


ENGINE = Engine(
    name="vllm",
    title="vLLM",
    images=re.compile(r"vllm", re.IGNORECASE),
    releases=re.compile(r"(?<!lmcache/)\bvllm(?:-openai)?$", re.IGNORECASE),
    launched=launched,
    options=OPTIONS,
    switches=frozenset(
        f"--{name}"
        for name in [
            "enforce-eager",
            "enable-chunked-prefill",
            "no-enable-chunked-prefill",
            "enable-sleep-mode",
            "enable-log-requests",
            "disable-log-requests",
            "disable-log-stats",
            "enable-auto-tool-choice",
            "enable-expert-parallel",
            "async-scheduling",
            "enable-reasoning",
            "disable-custom-all-reduce",
            "skip-tokenizer-init",
            "use-v2-block-manager",
            "headless",
            "disable-uvicorn-access-log",
            "disable-frontend-multiprocessing",
            "calculate-kv-scales",
            "enable-server-load-tracking",
            "enable-prompt-tokens-details",
            "enable-force-include-usage",
            "return-tokens-as-token-ids",
        ]
    ),
    config=("--config",),
    verified=((0, 6, 6), (0, 33)),
    positional=True,
    derive=derive,
    count=count,
)


def worker(name: str, title: str, launch: str) -> Engine:
    """vLLM's options behind another launcher, whose version is not vLLM's."""

    def found(words: Sequence[str]) -> int | None:
        return next((i for i, word in enumerate(words[:64]) if word == launch and i and words[i - 1] == "-m"), None)

    return replace(
        ENGINE, name=name, title=title, images=re.compile(r"(?!)"), launched=found, verified=((), ()), positional=False
    )
