"""An answer as desks post it: its message with links and thumbs, and itself kept for what is asked next."""

from __future__ import annotations

from bot.advisor.question import Answer
from bot.blocks import Message, blocks
from bot.blocks_actions import feedback_buttons
from bot.deep_links import Links
from bot.desk import Bench
from bot.store.answers import Answers
from bot.store.records import Ask

# Characters left for who asked, and the buttons.
_SPARE = 1200


def shown_and_kept(bench: Bench, ask: Ask, found: Answer) -> Message:
    """An answer's message with its links and the thumbs below it; the answer is kept for follow-ups, its picture and its whole text."""
    Answers(bench.store.engine).keep(ask, found)
    message = blocks(found, Links.of(bench.settings, found.scope.cluster), fold=True, spare=_SPARE)
    return Message(message.text, [*message.blocks, feedback_buttons()])
