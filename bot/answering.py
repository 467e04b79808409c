"""From an accepted ask to its answer in the thread: compose, deliver, finish. Each may run more than once."""

from __future__ import annotations

import contextvars
import logging
import queue
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.blocks import Message, plain, section
from bot.desk import Composed, Desk, composed
from bot.shared_work import arrived
from bot.slack_files import Attachments
from bot.slack_stream import StreamDoor, Work
from bot.slack_thread import DONE, FAILED, WORKING, SlackThread, UndeliverableError
from bot.store.records import Ask, Letter, Store
from bot.whole_answer import cut

log = logging.getLogger("rackside.slack")

DECLINED = "Your question waited while I was updated: what I would say now may no longer fit. Please ask again."
NOT_LET_IN = "I may not write in this channel: `/invite @Rackside`, then ask again, or ask me in a direct message."
_STATUS_EVERY = 1.0
# What people wait for in a thread; a digest or an alert is nobody's.
SHOWN = frozenset({"question", "sweep", "catch_up"})
# Whose answer has its picture, and its whole text where it was cut, beside it.
ATTACHED = SHOWN | {"alert", "alert_storm", "digest"}
NOBODY = "-"


@dataclass(frozen=True, slots=True)
class Answering:
    """The parts of the durable work (bot/store/durable.py runs them in order). `desks` has one for every kind of ask."""

    store: Store
    slack: SlackThread
    desks: Mapping[str, Desk]
    streams: StreamDoor | None = None
    attachments: Attachments | None = None

    def compose(self, key: str, *, declined: bool) -> Composed:
        """Find out and word the answer. What goes wrong becomes a sentence with an id that the log knows."""
        letter = self.store.letter(key)
        if letter is None:
            raise LookupError(f"{key} is not in the inbox")
        ask = letter.ask
        if declined:
            return composed(plain(DECLINED), good=False)
        if letter.state == "withdrawn" or letter.stopped_by:
            return stopped(letter.stopped_by)
        arrived.set(letter.received_at)
        work = self.streams.open(letter) if self.streams is not None and ask.kind in SHOWN else None
        try:
            if work is None:
                return self.desks[ask.kind](ask, self._progress(ask))
            return self._in_sight(key, ask, work)
        except Exception:
            error_id = uuid.uuid4().hex[:8]
            log.exception("error %s while answering %s", error_id, key)
            return composed(plain(apology(error_id)), good=False)

    def _in_sight(self, key: str, ask: Ask, work: Work) -> Composed:
        """Compose in a thread of its own, while its steps are shown and somebody may stop it."""
        titles: queue.SimpleQueue[str] = queue.SimpleQueue()
        over = threading.Event()
        outcome: list[Composed | Exception] = []
        status = self._progress(ask)

        def progress(title: str) -> None:
            if over.is_set():
                raise StoppedError
            titles.put(title)

        def compose() -> None:
            try:
                outcome.append(self.desks[ask.kind](ask, progress))
            except Exception as error:  # noqa: BLE001 - raised again by whoever waits
                outcome.append(error)
            finally:
                titles.put("")

        here = contextvars.copy_context()
        threading.Thread(target=here.run, args=(compose,), name="compose", daemon=True).start()
        while not outcome:
            try:
                title = titles.get(timeout=_STATUS_EVERY)
            except queue.Empty:
                title = ""
            if title:
                status(title)
                work.show(title)
            elif not outcome:
                work.tick()
            letter = self.store.letter(key)
            gone = letter is not None and letter.state == "withdrawn"
            if not outcome and letter is not None and (letter.stopped_by or work.stopped or gone):
                over.set()
                return stopped(letter.stopped_by)
        if isinstance(outcome[0], Exception):
            raise outcome[0]
        return outcome[0]

    def deliver(self, key: str, message: Composed) -> bool:
        """Put the message, and what follows it, where it belongs, once; False when Slack refuses it for good."""
        letter = self.store.letter(key)
        if letter is not None and letter.state == "withdrawn":
            self._withdraw(letter)
        if letter is None or letter.state != "waiting":
            return letter is not None and letter.state == "answered"
        if not letter.attempted:
            self.store.attempt(key)
        try:
            ts = self._deliver(letter, message)
        except UndeliverableError as error:
            log.error("the answer to %s cannot be delivered: Slack says %s", key, error)  # noqa: TRY400
            self.store.undeliverable(key)
            self.slack.tell(str(letter.ask.payload.get("respond") or ""), NOT_LET_IN)
            return False
        self.store.answered(key, ts)
        return True

    def _withdraw(self, letter: Letter) -> None:
        """Leave no trace of work that nobody wants any more."""
        if letter.working_ts and self.streams is not None:
            self.streams.remove(letter)
        self.slack.status(letter.ask, "")
        self.slack.unreact(letter.ask, WORKING)

    def _deliver(self, letter: Letter, message: Composed) -> str:
        first = Message(message["text"], message["blocks"])
        seen_by = message.get("seen_by", "")
        if seen_by:
            if letter.working_ts and self.streams is not None:
                self.streams.remove(letter)
            return self.slack.whisper(letter.ask, first, seen_by) if seen_by != NOBODY else ""
        look = letter.attempted or bool(letter.working_ts)
        shown = (
            self.slack.patiently(self.streams.close, letter) if letter.working_ts and self.streams is not None else ""
        )
        ts = self.slack.deliver(
            letter.ask, letter.effect, first, look_first=look, since=letter.received_at, instead=shown
        )
        # A reply starts no thread: what follows stays in the one that it is in.
        root = letter.ask.thread_ts or ts
        for number, part in enumerate(message["more"], 1):
            below = Message(part["text"], part["blocks"])
            self.slack.deliver(letter.ask, f"{letter.effect}/{number}", below, look_first=look, root=root)
        return ts

    def finish(self, key: str, message: Composed) -> None:
        """Leave the thread tidy: reaction swapped, status cleared, scope kept for the next question."""
        letter = self.store.letter(key)
        if letter is None:
            return
        if message["scope"]:
            self.store.remember_scope(letter.ask, message["scope"])
        if letter.ask.is_message:
            self.slack.status(letter.ask, "")
            if not message.get("seen_by"):
                mark, other = (DONE, FAILED) if message["good"] else (FAILED, DONE)
                self.slack.react(letter.ask, mark)
                if letter.ask.name:
                    # Edited: what its first answer was marked with does not hold any more.
                    self.slack.unreact(letter.ask, other)
            self.slack.unreact(letter.ask, WORKING)
        if self.attachments is not None and message["good"] and letter.ask.kind in ATTACHED:
            parts = (message["blocks"], *(part["blocks"] for part in message["more"]))
            self.attachments.share(letter, cut=any(map(cut, parts)))

    def _progress(self, ask: Ask) -> Callable[[str], None]:
        shown_at = -_STATUS_EVERY
        offered = ask.is_message

        def progress(title: str) -> None:
            nonlocal shown_at, offered
            now = time.monotonic()
            if offered and now - shown_at >= _STATUS_EVERY:
                shown_at = now
                offered = self.slack.status(ask, title)

        progress("is looking into it")
        return progress


class StoppedError(Exception):
    """Somebody pressed Stop: what is still being composed for it ends at its next step."""


def stopped(person: str) -> Composed:
    """What takes the place of an answer that nobody wants any more."""
    said = f"Stopped by <@{person}>." if person else "Stopped."
    text = f"{said} Nothing was changed; ask again whenever you like."
    return composed(Message(text, [section(text)]), good=False)


def apology(error_id: str) -> str:
    """What the thread gets when answering failed."""
    return (
        f"I could not answer this: something failed on my side (error `{error_id}`). "
        "Please ask again; if it happens once more, the log of Rackside has the details under that id."
    )
