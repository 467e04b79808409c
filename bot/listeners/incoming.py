"""A message event, read once, and what all handlers refuse: bots, edits, joins, our own words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bot.listeners.clicked import words
from bot.listeners.wording import question_text
from bot.store.records import Ask

# Subtypes under which a person still says something new.
_SPOKEN = {None, "thread_broadcast", "file_share", "me_message"}


@dataclass(frozen=True, slots=True)
class Incoming:
    """One message of one person. `me` is our own user id; `root` the thread it is in or would start.

    `shared` are the words of messages that were shared along with it, `files` how many are attached: they are not opened.
    """

    team: str
    channel: str
    channel_type: str
    ts: str
    thread_ts: str | None
    person: str
    text: str
    me: str
    shared: str = ""
    files: int = 0

    @property
    def root(self) -> str:
        """The thread to answer in."""
        return self.thread_ts or self.ts

    @property
    def own(self) -> str:
        """What the person wrote, without mark-up and our mention."""
        return question_text(self.text, self.me)

    @property
    def question(self) -> str:
        """What is asked: the person's own words, then those of messages shared along."""
        return "\n".join(part for part in (self.own, self.shared) if part)

    def ask(self, text: str, kind: str = "question") -> Ask:
        """This message as something to answer."""
        payload = {"files": self.files} if self.files else {}
        return Ask(self.team, self.channel, self.ts, self.root, self.person, text, kind, payload)


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
        shared=question_text(_shared(event.get("attachments")), me),
        files=_count(event.get("files")),
    )


def _shared(attachments: Any) -> str:
    """Words of the messages that a person shared; what Slack shows of a link by itself is none."""
    found = attachments if isinstance(attachments, list) else ()
    chosen = [one for one in found[:5] if isinstance(one, dict) and (one.get("is_share") or one.get("is_msg_unfurl"))]
    return words({"attachments": chosen}) if chosen else ""


def _count(files: Any) -> int:
    return len(files) if isinstance(files, list) else 0
