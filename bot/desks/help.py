"""An empty mention: what can be asked."""

from __future__ import annotations

from bot.blocks import Message, plain
from bot.blocks_actions import help_buttons
from bot.desk import Bench, Composed, Desk, Progress, composed
from bot.desks.question import unopened
from bot.store.records import Ask

KINDS = ("help",)
NARROWS = KINDS
HELP = """**Ask me what is wrong with GPU and LLM-inference infrastructure.**
I look at metrics, Kubernetes objects and logs, and answer with the evidence and the passage that proves it. \
I only read: nothing is changed.
- `@Rackside why is the first token so slow in namespace prod?`
- `@Rackside which pods were OOM-killed, and was it the GPU or the host?`
- `@Rackside what does Xid 79 mean?`
In this thread you need not mention me again."""


def open_desk(_bench: Bench) -> Desk:
    """The desk."""

    def compose(ask: Ask, _progress: Progress) -> Composed:
        message = plain(HELP)
        return unopened(ask, composed(Message(message.text, [*message.blocks, help_buttons()])))

    return compose
