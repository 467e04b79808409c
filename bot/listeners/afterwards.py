"""A question that is edited or deleted after it was asked.

Edited soon, it is answered anew, and the new answer takes the place of the old one; deleted before its answer, it gets none. An answer
that is there already stays when its question goes: others may have read it, and acted on it.
"""

from __future__ import annotations

import time
from typing import Any

from bot.listeners.wording import question_text
from bot.store.records import EDITED, Ask, Store

SUBTYPES = frozenset({"message_changed", "message_deleted"})
# What is edited later than this after it was asked is a correction for the record.
SOON_S = 600.0


def asked(body: dict[str, Any], store: Store, me: str) -> Ask | None:
    """The ask in an edit; withdraws what was deleted, or what an edit overtakes."""
    event = body["event"]
    team, channel = str(body.get("team_id") or ""), str(event.get("channel") or "")
    if event["subtype"] == "message_deleted":
        store.withdraw(f"{team}:{channel}:{event.get('deleted_ts')}")
        return None
    message, before = _dict(event, "message"), _dict(event, "previous_message")
    if message.get("bot_id") or message.get("text") == before.get("text"):
        # Ours, or only a preview that Slack added.
        return None
    letter = store.letter(f"{team}:{channel}:{message.get('ts')}")
    question = question_text(str(message.get("text") or ""), me)
    if letter is None or letter.ask.person != message.get("user") or not question or question == letter.ask.text:
        return None
    if time.time() - letter.received_at > SOON_S:
        return None
    first = letter.ask
    payload = {}
    if not store.withdraw(first.key):
        known = store.letter(first.key)
        if known is None or known.state != "answered" or not known.answer_ts:
            return None
        payload = {"replaces": known.answer_ts}
    edited = _dict(message, "edited").get("ts") or event.get("event_ts") or ""
    name = f"{EDITED}{first.key}:{edited}"
    return Ask(team, channel, first.ts, first.thread_ts, first.person, question, "question", payload, name)


def _dict(told: dict[str, Any], name: str) -> dict[str, Any]:
    found = told.get(name)
    return found if isinstance(found, dict) else {}
