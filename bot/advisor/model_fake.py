"""The fake beside the model's door: it gives the replies that a test prepared, in order, and refuses any other call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


class UnpreparedError(BaseException):  # no Exception: the door survives those, and a test has to see this
    """A model was asked for what the test did not prepare."""


@dataclass(frozen=True)
class Reply:
    """What a chat model returns."""

    content: Any
    usage_metadata: dict[str, int] = field(default_factory=lambda: {"input_tokens": 900, "output_tokens": 80})
    response_metadata: dict[str, str] = field(default_factory=dict)


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
            raise UnpreparedError("the model was asked more often than the test prepared")
        reply = self._replies.pop(0)
        if isinstance(reply, BaseException):
            raise reply
        return reply if isinstance(reply, Reply) else Reply(reply)
