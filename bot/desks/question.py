"""A question of a person: answered from live evidence and pages."""

from __future__ import annotations

from dataclasses import asdict

from bot.advisor.question import Answer, Question
from bot.blocks import Message, context
from bot.deep_links import Links
from bot.desk import Bench, Composed, Desk, Progress, composed
from bot.follow_up import settled
from bot.follow_up_other import admitted, anew, wanted
from bot.listeners.wording import points_back
from bot.mrkdwn import escape
from bot.shown_answer import shown_and_kept
from bot.store.answers import Answers
from bot.store.records import Ask, Store

KINDS = ("question",)
NARROWS = KINDS


def open_desk(bench: Bench) -> Desk:
    """The desk."""

    answers = Answers(bench.store.engine)

    def compose(ask: Ask, progress: Progress) -> Composed:
        return unopened(ask, answered(ask, progress))

    def answered(ask: Ask, progress: Progress) -> Composed:
        last = answers.last(ask.team, ask.channel, ask.thread_ts) if ask.thread_ts else None
        known = last.answer if last is not None and last.key != ask.key else None
        if last is not None and known is not None:
            told = settled(ask.text, known, Links.of(bench.settings, known.scope.cluster), last.made_at)
            if told is not None:
                return composed(told)
            other = wanted(ask.text, known)
            if other is not None:
                found = bench.answer(anew(other, known), progress)
                return reply(bench, ask, found, admitted(other, known, found))
        return reply(bench, ask, bench.answer(asked(ask, bench.store), progress))

    return compose


def reply(bench: Bench, ask: Ask, found: Answer, above: str = "") -> Composed:
    """An answer as it is posted, and kept for follow-ups; a message of its own in a channel says who asked what.

    `above` is mrkdwn that is said first.
    """
    scope = {name: value for name, value in asdict(found.scope).items() if value}
    message = shown_and_kept(bench, ask, found)
    shown = message.blocks
    if above:
        shown.insert(0, context(above))
    if not ask.thread_ts:
        shown.insert(
            0, context(f"<@{ask.person}> asked: {escape(ask.text, 300)}" if ask.person else escape(ask.text, 300))
        )
    return composed(Message(message.text, shown), scope=scope)


def unopened(ask: Ask, message: Composed) -> Composed:
    """The message, which says first that files were attached and not looked at."""
    files = ask.payload.get("files")
    if not files:
        return message
    said = f"I do not open attachments ({files} file{'s' if files != 1 else ''} here): paste what matters as text, a log's last lines say."
    return {
        **message,
        "text": f"{message['text']}\n{said}",
        "blocks": [context(f":paperclip: {said}"), *message["blocks"]],
    }


def asked(ask: Ask, store: Store) -> Question:
    """The question with the scope that the thread carries."""
    talk = store.talk(ask.team, ask.channel, ask.thread_ts)
    # A given scope wins over words, so it is given only where the words name nothing themselves.
    carried = talk.scope if talk and ask.ts != ask.thread_ts and points_back(ask.text) else {}
    return Question(ask.text, carried.get("cluster"), carried.get("namespace"), carried.get("workload"))
