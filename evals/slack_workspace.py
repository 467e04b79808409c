"""One workspace of the stand-in: what is said and kept in it, what a test looks at, and what people do there."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable

from evals.slack_web import BOT_ID, BOT_USER, TEAM, Json

_PATIENCE = 30.0


class Workspace:
    """A team with its channels. Ids of channels, people and messages mean nothing outside of it, whatever they are."""

    def __init__(
        self, team: str = TEAM, bot_user: str = BOT_USER, bot_id: str = BOT_ID, beside: Workspace | None = None
    ) -> None:
        """An empty one; `beside` another one it shares the clock, and is exact about which thread and message are its own."""
        self.team, self.bot_user, self.bot_id = team, bot_user, bot_id
        self.exact = beside is not None
        self.changed: threading.Condition = beside.changed if beside else threading.Condition()
        self.calls: list[tuple[str, Json]] = []
        self.streams = False
        # So many messages a page at most: few, so that nobody can forget to turn pages.
        self.page = 3
        self.api_url: str = beside.api_url if beside else ""
        self.messages: dict[str, list[Json]] = {}
        # What other methods keep, by a name of their own (views, files, streams, whispers).
        self.kept: dict[str, list[Json]] = {}
        self.reacted: dict[tuple[str, str], list[str]] = {}
        self._clock = int(time.time())
        self.numbers: itertools.count[int] = beside.numbers if beside else itertools.count(1)

    def wait(self, condition: Callable[[], bool], what: str, patience: float = _PATIENCE) -> None:
        """Wait until something is so; fails with `what` after half a minute, or as many seconds as told."""
        with self.changed:
            if not self.changed.wait_for(condition, timeout=patience):
                raise AssertionError(f"never happened: {what}; calls: {[name for name, _ in self.calls][-20:]}")

    def thread(self, channel: str, root: str) -> list[Json]:
        """The messages of a thread, oldest first, its root included."""
        return [m for m in self.messages.get(channel, []) if root in {m["ts"], m.get("thread_ts")}]

    def answers(self, channel: str, root: str | None = None) -> list[Json]:
        """What Rackside posted in a thread, or anywhere in the channel."""
        return [m for m in self.messages.get(channel, []) if m.get("bot_id") and root in {None, m.get("thread_ts")}]

    def reactions(self, channel: str, ts: str) -> list[str]:
        """Rackside's reactions on a message."""
        return list(self.reacted.get((channel, ts), []))

    def count(self, method: str) -> int:
        """How often a method was called."""
        return sum(1 for name, _ in self.calls if name == method)

    def say(self, channel: str, user: str, text: str, thread_ts: str | None = None) -> Json:
        """A person writes; returns the event body that Slack would send for it."""
        with self.changed:
            message: Json = {"type": "message", "user": user, "text": text, "ts": self.stamp()}
            if thread_ts:
                message["thread_ts"] = thread_ts
            self.messages.setdefault(channel, []).append(message)
        kind = "im" if channel.startswith("D") else "channel"
        return self.event({**message, "channel": channel, "channel_type": kind, "event_ts": message["ts"]})

    def event(self, event: Json) -> Json:
        """Wrap an event as the Events API does."""
        return {
            "type": "event_callback",
            "token": "deprecated",
            "team_id": self.team,
            "api_app_id": "A0STANDIN",
            "event_id": f"Ev{next(self.numbers):08d}",
            "event_time": int(time.time()),
            "event": event,
            "authorizations": [{"team_id": self.team, "user_id": self.bot_user, "is_bot": True}],
        }

    def twin(self, body: Json) -> Json:
        """The `app_mention` that accompanies a `message`, with an event id of its own."""
        event = {name: value for name, value in body["event"].items() if name != "channel_type"}
        return self.event({**event, "type": "app_mention"})

    def stamp(self) -> str:
        """A message's ts: never given twice."""
        return f"{self._clock}.{next(self.numbers):06d}"
