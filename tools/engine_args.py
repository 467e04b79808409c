"""The flags of a command line, as `tools.engines` reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tools.engines import Container, written_flags


def flags(command: Sequence[str]) -> Mapping[str, str]:
    """Flag to value, `true` for a switch."""
    return written_flags(Container(command=tuple(command)))
