"""Text Generation Inference: `text-generation-launcher`, each flag also a variable (`--num-shard`, NUM_SHARD).

Checked against launcher/src/main.rs of 1.4 to 3.3. Where neither `--sharded` nor `--num-shard` is set, it takes as many GPUs as it sees.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from tools.engines.arguments import truth
from tools.engines.command_line import program
from tools.engines.options import Default, Engine, Form, Option
from tools.engines.setting import Configuration, Container, Key, Origin, Setting, Version

_RELEASED = re.compile(r"\bhuggingface/text-(?:generation|embeddings)-inference(?::|@|$)")


def launched(words: Sequence[str]) -> int | None:
    """The place of the launcher."""
    return next((i for i, word in enumerate(words[:64]) if program(word) == "text-generation-launcher"), None)


def clap(
    key: Key, name: str, form: Form = Form.TEXT, *, default: float | str | bool | None = None, depends: str = ""
) -> Option:
    """An option of a clap parser with `env`: a long flag, and a variable of the same name."""
    defaults = () if default is None else (Default(default),)
    return Option(key, (f"--{name}",), form, (name.upper().replace("-", "_"),), defaults=defaults, depends=depends)


def image_port(container: Container, settings: Mapping[Key, Setting]) -> dict[Key, Setting]:
    """PORT=80 as the released images of TGI and TEI set it, unless a variable that cannot be read here may say otherwise.

    Their Dockerfiles say so; the image for SageMaker starts otherwise.
    """
    kept = container.env_from or "PORT" in dict(container.env) or "sagemaker" in container.image
    if settings[Key.PORT].stated or kept or not _RELEASED.search(container.image):
        return {}
    return {Key.PORT: Setting(80.0, Origin.DEFAULT, "of the image")}


OPTIONS = (
    clap(Key.MODEL, "model-id", default="bigscience/bloom-560m"),
    clap(Key.REVISION, "revision", depends="the hub's main branch, as of the download"),
    clap(Key.MAX_MODEL_LEN, "max-total-tokens", Form.WHOLE, depends="what fits, at most the model's own context"),
    clap(Key.MAX_NUM_SEQS, "max-batch-size", Form.WHOLE, depends="as many as its tokens let in"),
    clap(Key.MAX_CONCURRENT_REQUESTS, "max-concurrent-requests", Form.WHOLE, default=128.0),
    clap(Key.MAX_BATCHED_TOKENS, "max-batch-prefill-tokens", Form.WHOLE, depends="computed at start"),
    clap(Key.GPU_MEMORY_UTILIZATION, "cuda-memory-fraction", Form.NUMBER, default=1.0),
    clap(Key.TENSOR_PARALLEL, "num-shard", Form.WHOLE, depends="as many as it sees"),
    clap(Key.DTYPE, "dtype", depends="the model's own configuration decides it"),
    clap(Key.QUANTIZATION, "quantize", depends="the model's own configuration decides it"),
    clap(Key.KV_CACHE_DTYPE, "kv-cache-dtype", depends="that of the model"),
    clap(Key.TRUST_REMOTE_CODE, "trust-remote-code", Form.SWITCH, default=False),
    clap(Key.PORT, "port", Form.WHOLE, depends="the image sets it"),
)


def derive(
    _engine: Engine, _version: Version, container: Container, settings: Mapping[Key, Setting], flags: Mapping[str, str]
) -> dict[Key, Setting]:
    """One shard where sharding is switched off, and the port of the image where nobody states one."""
    found = image_port(container, settings)
    said = flags.get("--sharded", dict(container.env).get("SHARDED") or "")
    if said and truth(said) is False and not settings[Key.TENSOR_PARALLEL].stated:
        origin = Origin.ARGUMENT if "--sharded" in flags else Origin.ENVIRONMENT
        found[Key.TENSOR_PARALLEL] = Setting(1.0, origin, "--sharded" if "--sharded" in flags else "SHARDED")
    return found


def count(configuration: Configuration, _container: Container) -> int | None:
    """GPUs of one pod: as many as there are shards."""
    shards = configuration.number(Key.TENSOR_PARALLEL)
    return int(shards) if shards is not None and 1 <= shards <= 4096 else None


ENGINE = Engine(
    name="tgi",
    title="TGI",
    images=re.compile(r"text-generation-inference", re.IGNORECASE),
    releases=re.compile(r"\btext-generation-inference$", re.IGNORECASE),
    launched=launched,
    options=OPTIONS,
    switches=frozenset(
        {"--disable-custom-kernels", "--json-output", "--ngrok", "--disable-grammar-support", "--env", "-e"}
    ),
    verified=((1, 4), (3, 3)),
    underscores=False,
    derive=derive,
    count=count,
)
