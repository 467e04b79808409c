"""What a text has to hold for an expression to match: never more than that, and told for most expressions that logs are looked through with."""

from __future__ import annotations

import re

import pytest

from tools.line_literals import literals
from tools.log_lines import PATTERNS, matches


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        (r"CUDA out of memory\. Tried", ("CUDA out of memory. Tried",)),
        (r"one line|another (?:one|two) lines", ("one line", "another ")),
        (r"begins? here", ("begin",)),
        (r"begins+ here", ("begins",)),
        (r"begin{0,2} here", (" here",)),
        (r"begin{} here", ("begin{} here",)),
        (r"[|(]first\(\S{1,9}second", ("first(",)),
        (r"(?:left|right)(?!\)) hand", (" hand",)),
        (r"(?P<said>told\)) so far", (" so far",)),
        (r"a tab\tand a \\ sign", ("a tab\tand a \\ sign",)),
        # Where it cannot be told, nothing is.
        (r"(?i)any case", ()),
        (r"long enough|no", ()),
        (r"(?:all|of|it) in a group", (" in a group",)),
        (r"(?:all of it)", ()),
        (r"(same) again\1", ()),
        (r"\x41 letter by number", ()),
        (r"(?(1)a condition)", ()),
    ],
)
def test_the_longest_plain_text_of_each_alternative(expression: str, found: tuple[str, ...]) -> None:
    pattern = re.compile(r"()" + expression) if "(1)" in expression else re.compile(expression)
    assert literals(pattern) == found


def test_flags_that_change_what_matches_are_respected() -> None:
    assert literals(re.compile("any case", re.IGNORECASE)) == ()
    assert literals(re.compile("a comment # here", re.VERBOSE)) == ()


def test_most_expressions_that_logs_are_looked_through_with_are_told() -> None:
    assert sum(bool(literals(pattern)) for pattern in PATTERNS.values()) > 0.8 * len(PATTERNS)


def test_a_line_is_found_among_many_whatever_stands_in_the_others() -> None:
    filler = "INFO 11-21 12:00:00 [loggers.py:118] nothing of note\n" * 50
    for signal, line in matches(
        filler + "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB\n"
    ).items():
        assert bool(line) == (signal.name == "log.cuda_oom"), signal.name
