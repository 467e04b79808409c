"""A container of the Kubernetes API as the engines' resolution takes it; whatever is missing or of another type is left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tools.engines.setting import Container

Object = Mapping[str, Any]
# More than any real command has; what lies beyond is not looked at.
_MOST = 20_000


def container_of(raw: Object, files: Mapping[str, str] | None = None, gpu: tuple[str, float] = ("", 0.0)) -> Container:
    """Read a container. `files` are texts by mount path, `gpu` the product name and memory (bytes) of one of its GPUs."""
    env: list[tuple[str, str | None]] = []
    declared = raw.get("env")
    for one in declared[:_MOST] if isinstance(declared, list) else ():
        # The commonest shape first: a fleet has a great many variables.
        if isinstance(one, dict) and (name := one.get("name")):
            value = one.get("value")
            elsewhere = value is None and one.get("valueFrom") is not None
            env.append((str(name), None if elsewhere else "" if value is None else str(value)))
    product, memory = gpu
    return Container(
        image=str(raw.get("image") or "")[:1000],
        command=_words(raw.get("command")),
        args=_words(raw.get("args")),
        env=tuple(env),
        env_from=bool(raw.get("envFrom")),
        files=tuple(sorted((files or {}).items())),
        gpu_name=product,
        gpu_memory=memory,
    )


def _words(value: object) -> tuple[str, ...]:
    return tuple(str(word) for word in value[:_MOST]) if isinstance(value, list) else ()
