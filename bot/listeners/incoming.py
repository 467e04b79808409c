"""A message event, read once, and what all handlers refuse: bots, edits, joins, our own words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bot.store.records import Ask

# Subtypes under which a person still says something new.
_SPOKEN = {None, "thread_broadcast", "file_share", "me_message"}


@dataclass(frozen=True, slots=True)
class Incoming:
    """One message of one person. `me` is our own user id; `root` the thread it is in or would start."""

    team: str
    channel: str
    channel_type: str
    ts: str
    thread_ts: str | None
    person: str
    text: str
    me: str

    @property
    def root(self) -> str:
        """The thread to answer in."""
        return self.thread_ts or self.ts

    def ask(self, text: str, kind: str = "question") -> Ask:
        """This message as something to answer."""
        return Ask(self.team, self.channel, self.ts, self.root, self.person, text, kind)


def incoming(body: dict[str, Any], me: str) -> Incoming | None:
    """The message in an Events API body; None for anything that is not a person speaking."""
    event = body.get("event")
    if body.get("type") != "event_callback" or not isinstance(event, dict):
        return None
    if event.get("subtype") not in _SPOKEN or event.get("bot_id") or event.get("hidden"):
        return None
    person, channel, ts = (str(event.get(name) or "") for name in ("user", "channel", "ts"))
    if not (person and channel and ts) or person == me:
        return None
    kind = str(event.get("channel_type") or ("im" if channel.startswith("D") else "channel"))
    return Incoming(
        team=str(body.get("team_id") or event.get("team") or ""),
        channel=channel,
        channel_type=kind,
        ts=ts,
        thread_ts=event.get("thread_ts") or None,
        person=person,
        text=str(event.get("text") or ""),
        me=me,
    )
