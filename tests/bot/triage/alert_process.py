"""`serve` with alerts on, as a process of its own, to be killed: alert_process.py API_URL HOME PORT_FILE."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from pathlib import Path

from bot.advisor.question import Answer, Question, Scope
from bot.settings import Settings
from bot.slack_app import SlackSettings, serve
from evals.slack_standin import APP_TOKEN, BOT_TOKEN
from tests.bot.triage.conftest import CHANNEL, TOKEN


def main() -> int:
    """Serve until stopped; the port is written once requests can arrive."""
    api_url, home, port_file = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])

    def answer(question: Question, progress: Callable[[str], None]) -> Answer:
        progress("composing")
        return Answer(question.text, "live", Scope(), "The KV cache is full.")

    def ready(port: int | None) -> None:
        port_file.with_suffix(".new").write_text(str(port))
        port_file.with_suffix(".new").replace(port_file)

    logging.basicConfig(level=logging.WARNING)
    full = Settings(home=home, alerts={"channel": CHANNEL}, alerts_token=TOKEN)
    settings = SlackSettings(
        BOT_TOKEN, APP_TOKEN, None, home, api_url, host="127.0.0.1", port=0, first_wait=0.05, grace=0.5
    )
    return serve(settings, answer, full=full, ready=ready)


if __name__ == "__main__":
    sys.exit(main())
