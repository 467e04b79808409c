"""A direct message: every one is for Rackside, in a thread or not."""

from __future__ import annotations

from bot.listeners.incoming import Incoming
from bot.listeners.wording import is_courtesy
from bot.store.records import Ask, Store


def asked(message: Incoming, store: Store) -> Ask | None:
    """The ask in a direct message; thanks within a conversation need no answer."""
    if message.channel_type != "im":
        return None
    question = message.question
    if not question:
        return message.ask("", "help")
    if message.thread_ts and is_courtesy(question) and store.talk(message.team, message.channel, message.root):
        return None
    return message.ask(question)
