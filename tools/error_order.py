"""Errors of one log in their order: what was raised first is the cause of what is raised upon it, where the program did not go on between them.

A worker's error stands before that of the server that waited for it, and an exception before the one that it was turned into. Where
the log goes on as usual after an error, the error was survived, and its place says nothing.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

_WENT_ON = re.compile(r"\b(?:INFO|DEBUG)\b|^(?:\[[^\]\n]{1,40}\] ?)?I\d{4} ")
_ENDS = re.compile(
    r"(?i)shut(?:ting)? ?down|terminat|exiting|stopping|killed|crashed|clean(?:ing)? ?up|traceback|\berror\b|exception"
)
_WARNED = re.compile(r"\b(?:WARNING|(?<!NCCL )WARN)\b|^W\d{4} |\b\w{1,40}Warning: ")
_PAIR = re.compile(r"([\w.]{1,80})>([\w.]{1,80})")
# These say that others did not answer; the reason is printed after them.
_NO_REASON = frozenset({"log.nccl_init", "log.collective_timeout"})
# Beyond that many lines of one kind, a line more tells nothing of the order.
MOST = 64


class Order:
    """Where each kind of error stands in a log that is read line by line."""

    def __init__(self) -> None:
        """Begin before the first line."""
        self._stretch = 0
        self._number = 0
        self._first: dict[str, int] = {}
        self._places: dict[str, list[tuple[int, int]]] = defaultdict(list)

    def line(self, text: str, names: Iterable[str]) -> None:
        """The next line, with the kinds of error that it tells."""
        self._number += 1
        start = text[:160]
        told = [name for name in names if not _WARNED.search(start)]
        if not told and _WENT_ON.search(start) and not _ENDS.search(text[:400]):
            self._stretch += 1
        for name in told:
            self._first.setdefault(name, self._number)
            if len(self._places[name]) < MOST:
                self._places[name].append((self._stretch, self._number))

    def __str__(self) -> str:
        """Every pair `former>latter` that is certain, in words that `before` reads."""
        names = sorted(self._first, key=lambda name: self._first[name])
        pairs = [
            f"{latter}>{former}" if former in _NO_REASON else f"{former}>{latter}"
            for i, former in enumerate(names)
            for latter in names[i + 1 :]
            if self._leads(former, latter)
        ]
        return ", ".join(pairs)

    def _leads(self, former: str, latter: str) -> bool:
        """Whether the latter's first line follows one of the former's with nothing but errors between them."""
        stretch, number = self._places[latter][0]
        return any(one == stretch and at < number for one, at in self._places[former])


def before(told: str) -> Mapping[str, frozenset[str]]:
    """What an order tells: for each kind of error those that came after it and of it."""
    found: dict[str, set[str]] = defaultdict(set)
    for former, latter in _PAIR.findall(told):
        found[former].add(latter)
    return {former: frozenset(latter) for former, latter in found.items()}
