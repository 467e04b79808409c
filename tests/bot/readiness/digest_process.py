"""`serve` with its chores, as a process to be killed: digest_process.py API_URL HOME. Chores run every 0.3 seconds."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

import bot.slack_app
from bot.settings import Settings
from bot.slack_app import SlackSettings, serve
from evals.slack_standin import APP_TOKEN, BOT_TOKEN
from tests.bot.conftest import echo


def main() -> int:
    """Serve until stopped."""
    api_url, home = sys.argv[1:3]
    bot.slack_app.SWEEP_EVERY = 0.3
    logging.basicConfig(level=logging.WARNING)
    settings = SlackSettings(
        BOT_TOKEN, APP_TOKEN, None, Path(home), api_url, os.environ.get("RACKSIDE_DATABASE_URL"),
        port=None, first_wait=0.05, grace=0.5,
    )  # fmt: skip
    return serve(settings, echo, full=Settings(home=Path(home)))


if __name__ == "__main__":
    sys.exit(main())
