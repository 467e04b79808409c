"""`serve` as a process of its own, to be killed: slack_process.py API_URL HOME [ANSWER_SECONDS]."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from bot.advisor.question import Answer, Question, Scope
from bot.slack_app import SlackSettings, serve
from evals.slack_standin import APP_TOKEN, BOT_TOKEN
from tools.finding import BlindSpot


def main() -> int:
    """Serve until stopped."""
    api_url, home = sys.argv[1:3]
    never = threading.Event()

    def answer(question: Question, progress: Callable[[str], None]) -> Answer:
        progress("composing")
        if len(sys.argv) > 3:
            never.wait(float(sys.argv[3]))
        long = 60 if "long" in (question.text or "") else 0
        blind = tuple(BlindSpot(f"reading {n}", "no series: nobody exports it") for n in range(long))
        return Answer(question.text, "live", Scope(), f"You asked: {question.text}", blind=blind)

    logging.basicConfig(level=logging.WARNING)
    settings = SlackSettings(
        BOT_TOKEN, APP_TOKEN, None, Path(home), api_url, os.environ.get("RACKSIDE_DATABASE_URL"),
        port=None, first_wait=0.05, grace=0.5,
    )  # fmt: skip
    return serve(settings, answer)


if __name__ == "__main__":
    sys.exit(main())
