"""The fake beside the model's door: it gives the replies that a test prepared, in order, and refuses any other call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Reply:
    """What a chat model returns."""

    content: Any
    usage_metadata: dict[str, int] = field(default_factory=lambda: {"input_tokens": 900, "output_tokens": 80})


class FakeChat:
    """A chat model with prepared replies; an exception among them is raised."""

    def __init__(self, *replies: Any) -> None:
        """Prepare the replies."""
        self._replies = list(replies)
        self.asked: list[Sequence[tuple[str, str]]] = []

    def invoke(self, messages: Sequence[tuple[str, str]]) -> Any:
        """Give the next reply."""
        self.asked.append(messages)
        if not self._replies:
            raise AssertionError("the model was asked more often than the test prepared")
        reply = self._replies.pop(0)
        if isinstance(reply, BaseException):
            raise reply
        return reply if isinstance(reply, Reply) else Reply(reply)
