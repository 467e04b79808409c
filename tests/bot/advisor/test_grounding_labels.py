"""What stands right before a figure says what it is of, however long the text before that is."""

from __future__ import annotations

import pytest

from bot.advisor.grounding_tokens import tokens
from bot.advisor.plain_text import stem

LONG = "The server said many things before it ended, " * 40


@pytest.mark.parametrize("before", ["", LONG])
@pytest.mark.parametrize(("text", "label"), [("Xid 79", "xid"), ("exit code 137", "code"), ("GPU 3", "gpu")])
def test_a_figure_behind_a_label_is_of_that_label(before: str, text: str, label: str) -> None:
    (found,) = tokens(f"{before}{text} was seen").figures
    assert found.counts == {stem(label)}


@pytest.mark.parametrize("before", ["", LONG])
@pytest.mark.parametrize("text", ["step 2", "steps 3", "part 4", "option 5", "item 6"])
def test_the_number_of_a_step_is_nobodys_claim(before: str, text: str) -> None:
    assert tokens(f"{before}see {text} there").figures == ()


def test_a_word_that_only_ends_like_a_step_is_none() -> None:
    (found,) = tokens("we counted footsteps 2 here").figures
    assert found.value == 2
