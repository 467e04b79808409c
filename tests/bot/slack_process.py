"""`serve` as a process of its own, to be killed: slack_process.py API_URL HOME [ANSWER_SECONDS].

With WORKSPACES (ids) in the environment there are several, over HTTP, and the port is printed once events can arrive.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from bot.advisor.question import Answer, Question, Scope
from bot.slack_app import SlackSettings, serve
from evals.slack_oauth import CLIENT_ID, CLIENT_SECRET
from evals.slack_standin import APP_TOKEN, BOT_TOKEN, SIGNING_SECRET
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
    several = os.environ.get("WORKSPACES")
    if several:
        settings = replace(
            settings, bot_token=None, app_token=None, signing_secret=SIGNING_SECRET, host="127.0.0.1", port=0, client_id=CLIENT_ID,
            client_secret=CLIENT_SECRET, workspaces=frozenset(several.split()),
        )  # fmt: skip
    return serve(settings, answer, ready=lambda port: print(port or "", flush=True))


if __name__ == "__main__":
    sys.exit(main())
