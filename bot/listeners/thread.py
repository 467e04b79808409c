"""A reply, without a mention, in a channel thread that Rackside is in.

The rule: a reply is for Rackside unless it mentions somebody else, or is a mere courtesy. Once a second person
has spoken in the thread, people may be talking to each other: then only what reads as a question is for it.
"""

from __future__ import annotations

from bot.listeners.incoming import Incoming
from bot.listeners.wording import is_courtesy, mentioned, reads_as_question
from bot.store.records import Ask, Store


def asked(message: Incoming, store: Store) -> Ask | None:
    """The ask in a thread reply; also keeps account of who speaks in the thread."""
    if message.thread_ts is None:
        return None
    talk = store.talk(message.team, message.channel, message.thread_ts)
    if talk is None:
        return None
    store.heard(message.team, message.channel, message.thread_ts, message.person)
    question = message.own
    if mentioned(message.text) - {message.me} or is_courtesy(question):
        return None
    if store.mutes.muted(message.team, message.channel):
        return None
    alone = set(talk.people) <= {message.person}
    return message.ask(message.question) if alone or reads_as_question(question) else None
