"""Work in sight: one message in the thread that shows what is being done, and later becomes the answer.

Streamed with task cards where Slack offers it; elsewhere, and when a stream gets too old, an ordinary message that is updated. That
it may exist is kept before it is begun, so that after a crash it is found again and finished: a thread never shows two.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.blocks import context
from bot.blocks_actions import STOP, button
from bot.mrkdwn import escape
from bot.slack_clients import Clients, Tokens
from bot.slack_thread import EVENT_TYPE, REFUSED, UNREACHABLE, trouble
from bot.store.records import UNSURE, Ask, Letter, Store
from bot.task_sources import Chip

log = logging.getLogger("rackside.slack")

METHODS: dict[str, str] = {
    "chat_startStream": "chat:write",
    "chat_appendStream": "chat:write",
    "chat_stopStream": "chat:write",
    "chat_delete": "chat:write",
}
STOPPED = "stopped_by_user"
TITLE = "Looking into it"
# Slack ends a stream after about five minutes: it is handed over to an ordinary message before.
STREAM_LIFE = 240.0
# Work that takes no longer than this needs no message of its own where there are no streams.
SHOW_AFTER = 8.0
_UPDATE_EVERY = 3.0
_ASK_AGAIN_AFTER = 600.0
_MOST_TASKS = 12
_FORM = {"invalid_chunks", "invalid_arguments", "invalid_blocks"}
Sources = Callable[[Ask, str], list[Chip]]


class StreamDoor:
    """The Web API's streams, for many pieces of work. Safe to use from many threads."""

    def __init__(
        self,
        token: str | Tokens,
        api_url: str,
        store: Store,
        clock: Callable[[], float] = time.monotonic,
        sources: Sources = lambda _ask, _title: [],
    ) -> None:
        """Talk to the Web API under `api_url`; `sources` says where the step of a title looks."""
        # No retries: what is shown meanwhile is not worth waiting for.
        self._clients = Clients(token, api_url, 5)
        self.store, self.clock, self.sources = store, clock, sources
        self._refused_at: dict[str, float] = {}

    def client(self, letter: Letter) -> WebClient:
        """The client of the workspace that a letter is from."""
        return self._clients.of(letter.ask.team)

    def offered(self, team: str) -> bool:
        """Does Slack take streams in a workspace, as far as is known?"""
        at = self._refused_at.get(team)
        return at is None or self.clock() - at > _ASK_AGAIN_AFTER

    def refused(self, team: str) -> None:
        """Remember that it does not."""
        self._refused_at[team] = self.clock()

    def open(self, letter: Letter) -> Work | None:
        """What shows the work on an ask; None where nobody waits in a thread."""
        if not letter.ask.person or not letter.ask.thread_ts:
            return None
        return Work(self, letter, self.clock())

    def close(self, letter: Letter) -> str:
        """End what shows the work, when there is such a message, and return its ts: the answer takes its place."""
        ts = letter.working_ts
        if ts == UNSURE:
            ts = self._find(letter)
        if ts:
            try:
                self.client(letter).chat_stopStream(channel=letter.ask.channel, ts=ts)
            except UNREACHABLE as error:
                # Ended before, or never a stream: the answer takes its place all the same.
                log.debug("stream of %s was not stopped (%s)", letter.ask.key, trouble(error).reason)
        return ts

    def remove(self, letter: Letter) -> None:
        """Take back what shows the work: nobody is to see it."""
        ts = self.close(letter)
        if ts:
            try:
                self.client(letter).chat_delete(channel=letter.ask.channel, ts=ts)
            except UNREACHABLE as error:
                log.warning("what showed the work on %s was not taken back (%s)", letter.ask.key, trouble(error).reason)

    def _find(self, letter: Letter) -> str:
        """The message whose task carries the key: begun, but the process died before its ts was kept."""
        cursor = ""
        while True:
            try:
                page = self.client(letter).conversations_replies(
                    channel=letter.ask.channel,
                    ts=letter.ask.thread_ts,
                    limit=200,
                    cursor=cursor,
                    include_all_metadata=True,
                )
            except SlackApiError as error:
                if trouble(error).reason in {"thread_not_found", "missing_scope"}:
                    return ""
                raise
            for message in page.get("messages") or ():
                if message.get("bot_id") and letter.effect in json.dumps(
                    [message.get("blocks"), message.get("metadata")]
                ):
                    return str(message["ts"])
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return ""


@dataclass
class Work:
    """One piece of work in sight. `show` is called with titles of steps, `tick` about once a second; from one thread at a time."""

    door: StreamDoor
    letter: Letter
    begun: float
    ts: str = ""
    stopped: bool = False
    _streaming: bool = False
    _streamed_at: float = 0.0
    _shown_at: float = 0.0
    _titles: list[str] = field(default_factory=list)
    _over: bool = False

    def show(self, title: str) -> None:
        """A step begins; the one before is done."""
        if self._titles and self._titles[-1] == title:
            return
        self._titles.append(title)
        del self._titles[:-_MOST_TASKS]
        if self._streaming:
            self._append()
        elif not self.ts and self.letter.working_ts:
            # Begun by a process that died: what it showed is gone on with as an ordinary message.
            self.ts = self.door.close(self.letter)
            self._over = True
            self.tick(urgent=True)
        elif not self.ts and not self._over:
            self._start()
        else:
            self.tick(urgent=True)

    def tick(self, *, urgent: bool = False) -> None:
        """Time goes on: hand over a stream that gets too old, show an ordinary message where there is no stream."""
        now = self.door.clock()
        if self._streaming:
            if now - self._streamed_at > STREAM_LIFE:
                self._streaming = False
                self._call("chat_stopStream", ts=self.ts)
                self._update()
            return
        if self._over and now - self.begun > SHOW_AFTER and not self.stopped:
            if not self.ts:
                self._post()
            elif urgent and now - self._shown_at > _UPDATE_EVERY:
                self._update()

    def _start(self) -> None:
        self._over = True
        if not self.door.offered(self.letter.ask.team):
            return
        self.door.store.working(self.letter.ask.key, UNSURE)
        ask = self.letter.ask
        chunks = [
            {"type": "plan_update", "title": TITLE},
            self._task(-1, "in_progress"),
            {"type": "blocks", "blocks": [self._stop()]},
        ]
        try:
            begun = self.door.client(self.letter).chat_startStream(
                channel=ask.channel, thread_ts=ask.thread_ts, recipient_team_id=ask.team, recipient_user_id=ask.person,
                task_display_mode="plan", chunks=chunks,
            )  # fmt: skip
        except UNREACHABLE as error:
            found = trouble(error)
            if not found.unclear:
                # Certainly not begun: nothing has to be looked for.
                self.door.store.working(ask.key, "")
            # One channel or thread that is gone says nothing of what Slack takes elsewhere.
            if not found.unclear and found.retry_after is None and found.reason not in REFUSED:
                log.info("Slack takes no streams here (%s): working messages are posted and updated", found.reason)
                self.door.refused(ask.team)
            return
        self.ts = str(begun["ts"])
        self.door.store.working(ask.key, self.ts)
        self._streaming, self._streamed_at = True, self.door.clock()

    def _append(self) -> None:
        done, begun = self._task(-2, "complete"), self._task(-1, "in_progress")
        sources = self.door.sources(self.letter.ask, self._titles[-2])
        told = {**done, "sources": sources} if sources else done
        reason = self._call("chat_appendStream", ts=self.ts, chunks=[told, begun])
        if reason in _FORM and sources:
            # The step matters more than where it looked.
            reason = self._call("chat_appendStream", ts=self.ts, chunks=[done, begun])
        if reason == STOPPED:
            self.stopped = True
        if reason in {STOPPED, "message_not_in_streaming_state", "message_not_found"}:
            self._streaming = False

    def _post(self) -> None:
        key = self.letter.ask.key
        self.door.store.working(key, UNSURE)
        try:
            posted = self.door.client(self.letter).chat_postMessage(
                channel=self.letter.ask.channel, thread_ts=self.letter.ask.thread_ts, unfurl_links=False, unfurl_media=False,
                **self._content(),
            )  # fmt: skip
        except UNREACHABLE as error:
            if not trouble(error).unclear:
                self.door.store.working(key, "")
            self._over = False
            self.door.refused(self.letter.ask.team)
            return
        self.ts = str(posted["ts"])
        self._shown_at = self.door.clock()
        self.door.store.working(key, self.ts)

    def _update(self) -> None:
        self._shown_at = self.door.clock()
        self._call("chat_update", ts=self.ts, **self._content())

    def _content(self) -> dict[str, Any]:
        done = [f":white_check_mark: {escape(title, 120)}" for title in self._titles[:-1]]
        now = [f":hourglass_flowing_sand: {escape(title, 120)}" for title in self._titles[-1:]]
        return {
            "text": TITLE,
            "blocks": [context("\n".join([f"*{TITLE}*", *done, *now])), self._stop()],
            "metadata": {"event_type": EVENT_TYPE, "event_payload": {"effect": self.letter.effect}},
        }

    def _stop(self) -> dict[str, Any]:
        return {"type": "actions", "elements": [button("Stop", STOP, self.letter.effect)]}

    def _task(self, at: int, status: str) -> dict[str, Any]:
        # The id carries our key: by it a message that was begun is found again.
        number = len(self._titles) + at
        return {
            "type": "task_update",
            "id": f"{self.letter.effect}/{number}",
            "title": self._titles[at][:120],
            "status": status,
        }

    def _call(self, method: str, **args: Any) -> str:
        """A call that nothing depends on; Slack's reason where it fails."""
        try:
            getattr(self.door.client(self.letter), method)(channel=self.letter.ask.channel, **args)
        except UNREACHABLE as error:
            return trouble(error).reason
        return ""
