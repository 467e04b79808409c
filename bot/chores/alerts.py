"""Alerts with the time: updates that waited, diagnoses that are owed, reminders, the end of silences, windows and storms."""

from __future__ import annotations

from collections.abc import Iterable

from bot.desk import Bench, Chore
from bot.store.records import Ask
from bot.triage.intake import triage


def open_chore(bench: Bench) -> Chore:
    """The chore."""
    looking = triage(bench)

    def due(_now: float) -> Iterable[Ask]:
        return looking.due()

    return due
