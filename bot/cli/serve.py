"""`rackside serve`: the Slack app."""

from __future__ import annotations

import logging
import threading

import typer


def serve() -> None:
    """Answer in Slack, over Socket Mode or HTTP, until stopped."""
    from bot.app import make_advisor
    from bot.settings import load_settings
    from bot.slack_app import SlackSettings
    from bot.slack_app import serve as run

    settings = load_settings()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    advisor = make_advisor(settings)

    def secret(name: str) -> str | None:
        value = getattr(settings, name)
        return value.get_secret_value() if value is not None else None

    slack = SlackSettings(
        bot_token=secret("slack_bot_token"),
        app_token=secret("slack_app_token"),
        signing_secret=secret("slack_signing_secret"),
        home=settings.home,
        api_url=settings.slack_api_url,
        database_url=settings.database_url,
        port=settings.slack_port,
        queue=settings.slack_queue,
        client_id=settings.slack_client_id,
        client_secret=secret("slack_client_secret"),
        token_key=secret("slack_token_key"),
        redirect_url=settings.slack_redirect_url,
        workspaces=frozenset(settings.workspaces),
    )
    # Beside the start, so that the first question of the day is not the one that waits.
    threading.Thread(target=advisor.warm, name="warm", daemon=True).start()
    raise typer.Exit(run(slack, advisor.answer, full=settings))
