"""Somebody mentions Rackside in a channel: the rest of the message is the question, an empty rest wants help.

Slack announces one mention twice, as `app_mention` and as `message`; either may come first or alone.
"""

from __future__ import annotations

from bot.listeners.incoming import Incoming
from bot.listeners.wording import mentioned
from bot.store.records import Ask, Store


def asked(message: Incoming, _store: Store) -> Ask | None:
    """The ask in a mention."""
    if message.me not in mentioned(message.text):
        return None
    return message.ask(message.question) if message.question else message.ask("", "help")
