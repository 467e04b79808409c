"""What somebody said of a checklist item, as a line in the thread of the audit."""

from __future__ import annotations

from bot.audit_marks import day
from bot.blocks import Message, plain, section
from bot.desk import Bench, Composed, Desk, Progress, composed
from bot.mrkdwn import code, escape, link
from bot.store.readiness import Mark, Readiness
from bot.store.records import Ask

KINDS = ("attest",)
NARROWS = KINDS
GONE = "What was said of this item is no longer kept."


def open_desk(bench: Bench) -> Desk:
    """The desk."""
    readiness = Readiness(bench.store.engine)

    def compose(ask: Ask, _progress: Progress) -> Composed:
        marks = readiness.marks(item=str(ask.payload.get("item", "")))
        mark = next((one for one in marks if one.id == ask.payload.get("mark")), None)
        return composed(message(mark)) if mark is not None else composed(plain(GONE), good=False)

    return compose


def message(mark: Mark) -> Message:
    """Who said it, of what, until when, and on what evidence; only who said it can be mentioned."""
    said = f"{code(mark.item, 40)} of {code(str(mark.place), 300)} is {mark.kind} until {day(mark.until)}"
    shows = f" · {link(mark.evidence, 'evidence')}" if mark.evidence else ""
    note = f"\n{escape(mark.note, 600)}" if mark.note else ""
    whom = f"<@{mark.by}>" if mark.by.isalnum() and mark.by.isascii() else escape(mark.by, 100)
    text = f"{whom}: {said}"
    return Message(text=text, blocks=[section(f"{text}{shows}{note}")])
