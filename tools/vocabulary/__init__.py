"""Signals and facts beyond the core ones of `tools/signals.py`, a module per theme, found by name.

A module declares its signals with `gauge`, `counter`, `times`, `fact` and `line` of `tools.signals`. `SERIES` says by which
metrics the sources (by name: `vllm`, `dcgm_exporter`) carry them. What it finds in logs it lists as `PATTERNS`: a `line` and
the pattern of lines that engines, drivers and libraries really print. More lines of the same signals stand in `tools/catalogue/logs`.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from functools import cache
from types import ModuleType

from tools import signals
from tools.signals import Signal


@cache
def modules() -> tuple[ModuleType, ...]:
    """Every module of the vocabulary, loaded."""
    return tuple(importlib.import_module(f"{__name__}.{one.name}") for one in pkgutil.iter_modules(__path__))


def patterns() -> dict[Signal, re.Pattern[str]]:
    """What every module looks for in logs."""
    return {signal: pattern for module in modules() for signal, pattern in getattr(module, "PATTERNS", {}).items()}


@cache
def log_signals() -> dict[str, Signal]:
    """Every signal that a line of a log proves, by name: the core ones and those of every module."""
    declared = (one for module in (signals, *modules()) for one in vars(module).values())
    return {one.name: one for one in declared if isinstance(one, Signal) and one.name.startswith("log.")}
