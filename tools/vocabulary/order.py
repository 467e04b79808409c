"""Which error of a log came before which other without anything having gone on between: the former is why the latter was printed."""

from __future__ import annotations

from tools.signals import line

LOG_ORDER = line("log.order", "Errors in the order of the log")
