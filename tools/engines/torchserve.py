"""TorchServe: `torchserve --start --model-store PATH --models NAME=FILE`. What a worker is set to stands in config.properties."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tools.engines.command_line import program
from tools.engines.options import Engine, Option
from tools.engines.setting import Configuration, Container, Key


def launched(words: Sequence[str]) -> int | None:
    """The place of the command."""
    return next((i for i, word in enumerate(words[:64]) if program(word) == "torchserve"), None)


def count(_configuration: Configuration, _container: Container) -> int | None:
    """Its workers take what GPUs there are, so none is left over by its arguments."""
    return None


ENGINE = Engine(
    name="torchserve",
    title="TorchServe",
    images=re.compile(r"torchserve", re.IGNORECASE),
    releases=re.compile(r"\btorchserve$", re.IGNORECASE),
    launched=launched,
    options=(
        # Several models may follow the flag; the first is told.
        Option(Key.MODEL, ("--models",), env=("TS_LOAD_MODELS",), depends="config.properties may name it"),
    ),
    switches=frozenset({"--start", "--stop", "--ncs", "--no-config-snapshots", "--foreground", "--disable-token-auth"}),
    config=("--ts-config",),
    count=count,
)
