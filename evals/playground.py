"""Rackside to try without Slack: `python -m evals.playground`, or `make playground`, and a browser.

A simulated fleet (that of the demo) is diagnosed by the real Rackside, which is connected over Socket Mode to our stand-in for Slack.
The page on loopback shows that workspace. Ctrl-C leaves nothing running.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from rich.console import Console
from rich.text import Text

from bot.app import make_advisor
from bot.desk import Answerer
from bot.settings import Settings, SettingsProblem, load_settings
from bot.slack_app import SlackSettings, serve
from bot.slack_http import HttpError, HttpServer
from bot.slack_manifest import declared
from bot.triage.settings import AlertSettings, Watched
from evals.demo import fleet
from evals.fleet.prometheus import CannotRunError
from evals.playground_web import ALERTS, ALERTS_BOT, Desk, app
from evals.slack_standin import APP_TOKEN, BOT_TOKEN, SlackStandIn

PORT = 8899
PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Playground:
    """A running one."""

    url: str
    slack: SlackStandIn
    desk: Desk


@contextlib.contextmanager
def playground(answer: Answerer, home: Path, full: Settings | None = None, port: int = 0) -> Iterator[Playground]:
    """Serve Rackside to the stand-in, and the page; raises CannotRunError when either cannot start."""
    stop, ready = threading.Event(), threading.Event()
    failed: list[BaseException] = []
    with SlackStandIn() as slack:
        settings = SlackSettings(BOT_TOKEN, APP_TOKEN, None, home, slack.api_url, port=None, grace=2.0)

        def run() -> None:
            try:
                serve(settings, answer, full=full, stop=stop, ready=lambda _: ready.set())
            except BaseException as error:  # noqa: BLE001 - told by the thread that waits
                failed.append(error)
            finally:
                ready.set()

        serving = threading.Thread(target=run, name="rackside", daemon=True)
        serving.start()
        try:
            if not ready.wait(PATIENCE_S) or failed or not serving.is_alive():
                raise CannotRunError(f"Rackside did not start: {failed[0] if failed else 'see above'}")
            desk = Desk(slack, declared("SHORTCUTS"))
            try:
                server = HttpServer(cast("Any", app(desk)), "127.0.0.1", port)
            except HttpError as error:
                raise CannotRunError(f"{error}; choose another one with --port") from None
            server.start()
            try:
                yield Playground(f"http://127.0.0.1:{server.port}/", slack, desk)
            finally:
                server.stop()
        finally:
            stop.set()
            serving.join(PATIENCE_S)


def over_the_demo(stack: contextlib.ExitStack, home: Path, err: Console, port: int = 0) -> Playground:
    """A playground over the demo's fleet that lives until the stack is left."""
    url, kubeconfig = fleet(stack, err)
    alerts = AlertSettings(watch=(Watched(channel=ALERTS, bots=(ALERTS_BOT,)),))
    told = {"prometheus_url": url, "kubeconfig": str(kubeconfig), "clusters": {}, "alerts": alerts}
    settings = load_settings().model_copy(update=told)
    answer = make_advisor(settings).answer
    # What is asked here stays here: a database of its own, gone afterwards.
    return stack.enter_context(playground(answer, home, settings.model_copy(update={"database_url": None}), port))


def main(arguments: Sequence[str]) -> int:
    """Run until stopped; 2 when something that it needs is missing."""
    parser = argparse.ArgumentParser(prog="python -m evals.playground", description="Rackside to try without Slack.")
    parser.add_argument("--port", type=int, default=PORT, help=f"where the page is, on this machine alone ({PORT})")
    chosen = parser.parse_args(arguments)
    err = Console(stderr=True)
    logging.basicConfig(level=logging.WARNING)
    done = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: done.set())
    try:
        with contextlib.ExitStack() as stack:
            home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rackside-playground-")))
            here = over_the_demo(stack, home, err, chosen.port)
            err.print(Text.assemble(("Open ", "bold"), (here.url, "bold cyan"), "  (Ctrl-C ends it)"))
            done.wait()
    except (CannotRunError, SettingsProblem) as problem:
        err.print(Text(f"playground: {problem}"))
        return 2
    err.print("Stopped; nothing is left running.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
