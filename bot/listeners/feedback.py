"""Thumbs under an answer: kept before Slack is told, thanked to the person alone; of a bad one, the reason is asked in a window."""

from __future__ import annotations

from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient

from bot.blocks_actions import BAD, FEEDBACK, FEEDBACK_BAD, FEEDBACK_GOOD
from bot.listeners import Deps
from bot.listeners.clicked import Click, clicked, show, whisper
from bot.mrkdwn import web_address
from bot.slack_modals import REASON_VIEW, issue_link, reason_view, typed, where
from bot.store.feedback import REASONS, Feedback, FeedbackBox

THANKS = "Thank you, noted."
SORRY = "Thank you, noted. I will not learn from it by myself: those who run me read it."


def attach(app: App, deps: Deps) -> None:
    """Listen."""
    box = FeedbackBox(deps.store.engine)

    def judged(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        click = clicked(body)
        if not (click.channel and click.message and click.person):
            ack()
            return
        bad = BAD in (click.value, click.action.removeprefix("feedback_"))
        box.keep(Feedback(click.team, click.channel, click.message, click.person, "bad" if bad else "good"))
        ack()
        place = {"channel": click.channel, "message": click.message, "root": click.root}
        if not bad or not show(client, click, reason_view(place, _issue(deps, click.text))):
            whisper(client, click, THANKS)

    def reason(ack: Ack, body: dict[str, Any], view: dict[str, Any], client: WebClient) -> None:
        click, place = clicked(body), where(view)
        chosen = typed(view, "reason", "chosen")
        kept = chosen if chosen in REASONS else "other"
        channel, message = place.get("channel", ""), place.get("message", "")
        if channel and message:
            box.keep(Feedback(click.team, channel, message, click.person, "bad", kept, typed(view, "comment")))
        ack()
        if channel:
            here = Click(click.team, channel, message, place.get("root", ""), click.person, REASON_VIEW, "", "")
            whisper(client, here, SORRY)

    for action in (FEEDBACK, FEEDBACK_GOOD, FEEDBACK_BAD):
        app.action(action)(judged)
    app.view(REASON_VIEW)(reason)


def _issue(deps: Deps, answered: str) -> str:
    """The address of a prepared issue, escaped for mrkdwn; '' where the settings name no repository.

    What was answered goes along only as far as the notification text: no names of people, no thread.
    """
    settings = deps.bench.settings if deps.bench is not None else None
    repository = getattr(settings, "repository_url", "") or ""
    said = " ".join(answered.split())[:400]
    body = f"What was answered:\n\n> {said}\n\nWhat was expected, and why:\n\n"
    return _whole(issue_link(repository, "Wrong answer: ", body)) if repository else ""


def _whole(address: str) -> str:
    # Kept whole or not at all: a prepared body may make it longer than a link may be.
    return web_address(address) or web_address(address.partition("?")[0])
