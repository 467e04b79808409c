"""The configuration of serving engines, resolved from a container as the engine itself would: one module per engine.

`resolve` tells each value with its origin; `written_flags` tells flags as the manifest has them, before variables are filled in.
It is the only place that takes a command line apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from tools.engines import dynamo, kserve_huggingface, sglang, tei, tensorrt_llm, tgi, torchserve, triton, vllm
from tools.engines.arguments import Arguments, parse
from tools.engines.command_line import written
from tools.engines.options import Engine
from tools.engines.resolve import resolve_with
from tools.engines.setting import Configuration, Container, Key, Origin, Setting

__all__ = [
    "ENGINES",
    "Configuration",
    "Container",
    "Key",
    "Origin",
    "Setting",
    "flag",
    "resolve",
    "written_arguments",
    "written_flags",
]

# The more special launchers first; an image is matched in the same order.
ENGINES: tuple[Engine, ...] = (
    *dynamo.ENGINES,
    tgi.ENGINE,
    tei.ENGINE,
    sglang.ENGINE,
    tensorrt_llm.ENGINE,
    triton.ENGINE,
    torchserve.ENGINE,
    kserve_huggingface.ENGINE,
    vllm.ENGINE,
)
# What servers of one's own usually call the same.
SHARED = tuple(option for option in vllm.OPTIONS if option.key is not Key.PORT)


@lru_cache(maxsize=2048)
def resolve(container: Container) -> Configuration:
    """The configuration of a container. The replicas of a workload share theirs, so it is resolved once for all of them."""
    return resolve_with(container, ENGINES, SHARED)


@lru_cache(maxsize=2048)
def written_arguments(container: Container) -> Arguments:
    """The arguments of a container as written: `$(TOKEN)` stays what it is."""
    return parse(written(container), underscores=False)


def written_flags(container: Container) -> Mapping[str, str]:
    """The flags of a container as written, without dashes in front and with dashes within. `true` for a switch."""
    found = written_arguments(container).flags
    return {name.lstrip("-").lower().replace("_", "-"): value for name, value in found.items()}


def flag(name: str, key: Key) -> str:
    """What an engine calls a setting on its command line, empty where it has no flag for it or is not known."""
    if name.startswith("ray_"):
        plain = flag(name.removeprefix("ray_"), key).lstrip("-").replace("-", "_")
        return f"engine_kwargs {plain}" if plain else ""
    engine = next((one for one in ENGINES if one.name == name), None)
    return next((one.flags[0] for one in (engine.options if engine else ()) if one.key is key and one.flags), "")
