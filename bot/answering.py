"""From an accepted ask to its answer in the thread: compose, deliver, finish. Each may run more than once."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, TypedDict

from bot.advisor.question import Answer, Question
from bot.blocks import Message, blocks, plain
from bot.listeners.wording import points_back
from bot.slack_thread import DONE, FAILED, WORKING, SlackThread, UndeliverableError
from bot.store.records import Ask, Store

log = logging.getLogger("rackside.slack")

Answerer = Callable[[Question, Callable[[str], None]], Answer]
HELP = """**Ask me what is wrong with GPU and LLM-inference infrastructure.**
I look at metrics, Kubernetes objects and logs, and answer with the evidence and the passage that proves it. \
I only read: nothing is changed.
- `@Rackside why is the first token so slow in namespace prod?`
- `@Rackside which pods were OOM-killed, and was it the GPU or the host?`
- `@Rackside what does Xid 79 mean?`
In this thread you need not mention me again."""
DECLINED = "Your question waited while I was updated: what I would say now may no longer fit. Please ask again."
_STATUS_EVERY = 1.0


class Composed(TypedDict):
    """A message as it is kept between steps."""

    text: str
    blocks: list[dict[str, Any]]
    good: bool
    scope: dict[str, str] | None


@dataclass(frozen=True, slots=True)
class Answering:
    """The parts of the durable work (bot/store/durable.py runs them in order)."""

    store: Store
    slack: SlackThread
    answer: Answerer

    def compose(self, key: str, *, declined: bool) -> Composed:
        """Find out and word the answer. What goes wrong becomes a sentence with an id that the log knows."""
        letter = self.store.letter(key)
        if letter is None:
            raise LookupError(f"{key} is not in the inbox")
        ask = letter.ask
        if declined or ask.kind == "help":
            return _composed(plain(DECLINED if declined else HELP), good=not declined)
        try:
            found = self.answer(self._question(ask), self._progress(ask))
            scope = {name: value for name, value in asdict(found.scope).items() if value}
            return _composed(blocks(found), good=True, scope=scope)
        except Exception:
            error_id = uuid.uuid4().hex[:8]
            log.exception("error %s while answering %s", error_id, key)
            return _composed(plain(apology(error_id)), good=False)

    def deliver(self, key: str, composed: Composed) -> bool:
        """Put the message into the thread, once; False when Slack refuses it for good."""
        letter = self.store.letter(key)
        if letter is None or letter.state != "waiting":
            return letter is not None and letter.state == "answered"
        if not letter.attempted:
            self.store.attempt(key)
        message = Message(composed["text"], composed["blocks"])
        try:
            ts = self.slack.deliver(letter.ask, letter.effect, message, look_first=letter.attempted)
        except UndeliverableError as error:
            log.error("the answer to %s cannot be delivered: Slack says %s", key, error)  # noqa: TRY400
            self.store.undeliverable(key)
            return False
        self.store.answered(key, ts)
        return True

    def finish(self, key: str, composed: Composed) -> None:
        """Leave the thread tidy: reaction swapped, status cleared, scope kept for the next question."""
        letter = self.store.letter(key)
        if letter is None:
            return
        if composed["scope"]:
            self.store.remember_scope(letter.ask, composed["scope"])
        self.slack.status(letter.ask, "")
        self.slack.react(letter.ask, DONE if composed["good"] else FAILED)
        self.slack.unreact(letter.ask, WORKING)

    def _question(self, ask: Ask) -> Question:
        talk = self.store.talk(ask.team, ask.channel, ask.thread_ts)
        # A given scope wins over words, so it is given only where the words name nothing themselves.
        carried = talk.scope if talk and ask.ts != ask.thread_ts and points_back(ask.text) else {}
        return Question(ask.text, carried.get("cluster"), carried.get("namespace"), carried.get("workload"))

    def _progress(self, ask: Ask) -> Callable[[str], None]:
        shown_at = -_STATUS_EVERY
        offered = True

        def progress(title: str) -> None:
            nonlocal shown_at, offered
            now = time.monotonic()
            if offered and now - shown_at >= _STATUS_EVERY:
                shown_at = now
                offered = self.slack.status(ask, title)

        progress("is looking into it")
        return progress


def apology(error_id: str) -> str:
    """What the thread gets when answering failed."""
    return (
        f"I could not answer this: something failed on my side (error `{error_id}`). "
        "Please ask again; if it happens once more, the log of Rackside has the details under that id."
    )


def _composed(message: Message, *, good: bool, scope: dict[str, str] | None = None) -> Composed:
    return {"text": message.text, "blocks": message.blocks, "good": good, "scope": scope}
