"""Tables whose cells ran together when a page was copied: `GPUVRAMFP16 TFLOPS`. Nobody can tell the cells apart."""

from __future__ import annotations

import re

_JOINT = re.compile(r"[a-z)%+][A-Z]|[a-z)]\$|[a-z]\d+[-%]|\d[A-Z][a-z]|[A-Z]{2}[a-z]{2,}(?<=[A-Z]{2}[a-z]{2})(?=\b)")
_NOT_A_ROW = re.compile(r"^\s*(?:[-*+•|>#]|\d{1,3}[.)]\s)|[.:;,{(\[=]$|\. [A-Z]|\s=\s|`|\]\(|^\s{4}")
_ROW_START = re.compile(r"^\s{0,3}[A-Z0-9$<\"(]")
_LEAST_LINES = 3
_LEAST_JOINTS = 1.5
# One line that holds a whole table.
_MANY_JOINTS = 8
_CHARS_A_JOINT = 16


def joints(line: str) -> int:
    """How often one cell's text seems to run into the next one's."""
    return len(_JOINT.findall(line))


def is_flattened(lines: list[str]) -> bool:
    """Are these lines, which no blank line parts, a table whose cells ran together?"""
    if any(_NOT_A_ROW.search(line) for line in lines):
        return False
    counts = [joints(line) for line in lines]
    if len(lines) < _LEAST_LINES:
        return any(
            count >= _MANY_JOINTS and len(line) <= count * _CHARS_A_JOINT
            for count, line in zip(counts, lines, strict=True)
        )
    return (
        counts[0] > 0
        and sum(counts) >= _LEAST_JOINTS * len(lines)
        and sum(count > 0 for count in counts) >= 0.6 * len(lines)
        and sum(_ROW_START.match(line) is not None for line in lines) >= 0.9 * len(lines)
        # A list of names such as HorizontalPodAutoscaler is no table.
        and sum(" " in line.strip() for line in lines) >= 0.5 * len(lines)
    )
