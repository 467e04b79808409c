"""What has to stand in a text for an expression to match: looking for a plain text is a hundred times quicker than a search.

Read off the expression's own text, at its top level: of each alternative the longest run of plain characters. Where that cannot be
told, nothing is, and the expression has to be tried.
"""

from __future__ import annotations

import re

LEAST = 4
_QUANTIFIER = re.compile(r"(?:[*+?]|\{\d+(?:,\d*)?\}|\{,\d+\})[?+]?")
_CLASS = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
_PLAIN_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
_KINDS = frozenset("dDsSwWbBAZ")
# Group openings whose contents may be skipped: no flags that change what stands behind them.
_GROUP = re.compile(r"\((?!\?)|\(\?(?:[:=!>]|<[=!]|P<\w+>|P=)")


def literals(pattern: re.Pattern[str]) -> tuple[str, ...]:
    """Texts of which at least one stands in whatever the pattern matches; none where that cannot be told."""
    if pattern.flags & (re.IGNORECASE | re.VERBOSE):
        return ()
    found: list[str] = []
    runs, run = [""], ""
    text, at = pattern.pattern, 0
    while at < len(text):
        char, end = text[at], at + 1
        if char == "|":
            found.append(max(*runs, run, key=len))
            runs, run, at = [""], "", end
            continue
        said = ""
        if char == "\\":
            escaped, end = text[at + 1], at + 2
            said = _PLAIN_ESCAPES.get(escaped, "" if escaped in _KINDS else escaped)
            if escaped.isalnum() and not said.isspace() and escaped not in _KINDS:
                return ()
        elif char == "[":
            end = _end_of_class(text, at)
        elif char == "(":
            end = _end_of_group(text, at)
        elif char not in ".^$":
            said = char
        if not end:
            return ()
        times = _QUANTIFIER.match(text, end)
        if said and (times is None or times[0][0] == "+"):
            run += said
        if not said or times is not None:
            runs.append(run)
            run = ""
        at = times.end() if times is not None else end
    found.append(max(*runs, run, key=len))
    return tuple(found) if all(len(one) >= LEAST for one in found) else ()


def _end_of_class(text: str, at: int) -> int:
    match = _CLASS.match(text, at)
    return match.end() if match else 0


def _end_of_group(text: str, at: int) -> int:
    """Behind a group's closing bracket; 0 where it cannot be told."""
    if not _GROUP.match(text, at):
        return 0
    depth = 0
    while at < len(text):
        if text[at] == "\\":
            at += 2
            continue
        if text[at] == "[":
            at = _end_of_class(text, at) or len(text)
            continue
        depth += (text[at] == "(") - (text[at] == ")")
        at += 1
        if depth == 0:
            return at
    return 0
