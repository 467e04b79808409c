"""The button of a watchdog's notice: silence for a week on everything that it told of."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from slack_bolt import Ack, App

from bot.listeners import Deps
from bot.listeners.digest import pressed, refused
from bot.store.watches import Watches
from bot.watch.notice import SNOOZE, SNOOZE_S


def attach(app: App, deps: Deps) -> None:
    """Listen to the button."""
    watches = Watches(deps.store.engine)

    def snooze(ack: Ack, body: dict[str, Any], respond: Any) -> None:
        if refused(deps, ack, body, respond):
            return
        told = pressed(body)
        letter = deps.store.letter(told.get("key", ""))
        until = time.time() + SNOOZE_S
        subjects: list[str] = []
        if letter is not None and letter.ask.kind == "watch" and letter.ask.payload.get("watch") == told.get("watch"):
            subjects = [str(one["subject"]) for one in letter.ask.payload["found"]]
            watches.say(told["watch"], subjects, float(letter.ask.payload["at"]), until)
        ack()
        day = datetime.fromtimestamp(until, UTC).strftime("%-d %b %Y")
        said = f"Silent on {len(subjects)} of them until {day}." if subjects else "This notice is no longer kept."
        respond(text=said, response_type="ephemeral", replace_original=False)

    app.action(SNOOZE)(snooze)
