"""Text Embeddings Inference: `text-embeddings-router`, each flag also a variable. Checked against router/src/main.rs of 1.2 to 1.9."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from tools.engines.command_line import program
from tools.engines.options import Engine, Form
from tools.engines.setting import Configuration, Container, Key, Setting, Version
from tools.engines.tgi import clap, image_port


def launched(words: Sequence[str]) -> int | None:
    """The place of the router."""
    return next((i for i, word in enumerate(words[:64]) if program(word) == "text-embeddings-router"), None)


def count(_configuration: Configuration, _container: Container) -> int | None:
    """It runs on one GPU."""
    return 1


def derive(
    _engine: Engine, _version: Version, container: Container, settings: Mapping[Key, Setting], _flags: Mapping[str, str]
) -> dict[Key, Setting]:
    """The port of the image where nobody states one."""
    return image_port(container, settings)


ENGINE = Engine(
    name="tei",
    title="TEI",
    images=re.compile(r"text-embeddings-inference", re.IGNORECASE),
    releases=re.compile(r"\btext-embeddings-inference$", re.IGNORECASE),
    launched=launched,
    options=(
        clap(Key.MODEL, "model-id", depends="it must be set"),
        clap(Key.REVISION, "revision", depends="the hub's main branch, as of the download"),
        clap(Key.MAX_NUM_SEQS, "max-batch-requests", Form.WHOLE, depends="as many as its tokens let in"),
        clap(Key.MAX_CONCURRENT_REQUESTS, "max-concurrent-requests", Form.WHOLE, default=512.0),
        clap(Key.MAX_BATCHED_TOKENS, "max-batch-tokens", Form.WHOLE, default=16384.0),
        clap(Key.DTYPE, "dtype", depends="float16 on a GPU, float32 elsewhere"),
        clap(Key.PORT, "port", Form.WHOLE, depends="the image sets it"),
    ),
    switches=frozenset({"--json-output", "--disable-spans"}),
    verified=((1, 2), (1, 9)),
    underscores=False,
    derive=derive,
    count=count,
)
