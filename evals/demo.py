"""A live incident, asked and answered: a simulated fleet on a real Prometheus and a Kubernetes API, with nothing to configure.

`make demo` runs it. Two hours of history are loaded, then the fleet lives on and is scraped; three questions are asked. On a
terminal it stays open for the visitor's own. Ctrl-C leaves nothing running.
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from rich.console import Console
from rich.rule import Rule
from rich.text import Text

from bot.advisor.advisor import Advisor
from bot.advisor.question import Question
from bot.app import make_library
from bot.settings import SettingsProblem, load_settings
from bot.terminal import render
from evals.fleet import openmetrics
from evals.fleet.kubeapi import KubeApi
from evals.fleet.live import Live
from evals.fleet.prometheus import CannotRunError, Prometheus
from evals.fleet.recipe import load
from evals.fleet.world import World, build
from tools.sources.kube import KubeSource
from tools.sources.prom import PromSource

RECIPE = Path(__file__).parent / "fleet" / "recipes" / "demo.yaml"
QUESTIONS = (
    "Users of the chat say the first token takes forever. Why is llama-70b-chat slow?",
    "code-completion lags, but its GPUs look half idle. What is going on?",
    "Is anything else wrong in the cluster right now?",
)
SCRAPE = "15s"


class Lives:
    """A world that goes on in wall-clock time, as the Kubernetes API sees it."""

    def __init__(self, world: World) -> None:
        """Watch a world."""
        self._world = world

    def objects(self) -> list[dict[str, Any]]:
        """The objects of this moment."""
        return self._world.objects_at(time.time())

    def log(self, namespace: str, pod: str, container: str, previous: bool) -> str | None:
        """A container's log of this moment, None where there is none."""
        return self._world.logs_at(time.time()).get((namespace, pod, container, previous))


def main(arguments: Sequence[str]) -> int:
    """Run the demo; 0 when it answered, 2 when something that it needs is missing."""
    parser = argparse.ArgumentParser(prog="python -m evals.demo", description="A live incident, asked and answered.")
    parser.add_argument("--once", action="store_true", help="do not wait for questions of your own")
    chosen = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    err = Console(stderr=True)
    try:
        with contextlib.ExitStack() as stack:
            advisor, where = _stage(stack, err)
            out = Console()
            for question in QUESTIONS:
                _ask(advisor, question, out, err)
            err.print(Text(where, style="dim"))
            if not chosen.once and sys.stdin.isatty():
                _converse(advisor, out, err)
    except (CannotRunError, SettingsProblem) as problem:
        err.print(Text(f"demo: {problem}"))
        return 2
    except KeyboardInterrupt:
        err.print("\nStopped; nothing is left running.")
    return 0


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def fleet(stack: contextlib.ExitStack, err: Console) -> tuple[str, Path]:
    """A fleet that lives until the stack is left: the address of its Prometheus, and a kubeconfig for its API."""
    scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rackside-demo-")))
    with _step(err, "Simulating two hours of a fleet of 32 GPUs"):
        world = build(load(RECIPE), time.time())
    with _step(err, "Writing its metrics"):
        count = openmetrics.write(world.columns, scratch / "history.om", openmetrics.DEMO_BUDGET)
    live = stack.enter_context(Live(world, interval=SCRAPE))
    with _step(err, f"Loading {count:,} samples into Prometheus and starting it"):
        prometheus = stack.enter_context(Prometheus([scratch / "history.om"], live.scrape_configs))
    api = stack.enter_context(KubeApi(Lives(world)))
    kubeconfig = scratch / "kubeconfig"
    api.kubeconfig(kubeconfig)
    return prometheus.url, kubeconfig


def _stage(stack: contextlib.ExitStack, err: Console) -> tuple[Advisor, str]:
    url, kubeconfig = fleet(stack, err)
    prom, kube = PromSource(url), KubeSource.connect(str(kubeconfig))
    library = make_library(load_settings())
    where = f"Prometheus at {url}; Kubernetes API: KUBECONFIG={kubeconfig}"
    return Advisor(lambda _: (prom, kube, ""), library), where


@contextlib.contextmanager
def _step(err: Console, title: str) -> Any:
    started = time.monotonic()
    if err.is_terminal:
        with err.status(f"{title} ..."):
            yield
    else:
        yield
    err.print(Text(f"✓ {title} ({time.monotonic() - started:.0f} s)", style="dim"))


def _ask(advisor: Advisor, question: str, out: Console, err: Console) -> None:
    out.print(Rule(style="dim"))
    out.print(Text.assemble(("> ", "bold cyan"), (question, "bold")))
    out.print()
    if err.is_terminal:
        with err.status("Looking ...") as status:
            answer = advisor.answer(Question(question), lambda title: status.update(f"{title} ..."))
    else:
        answer = advisor.answer(Question(question))
    render(answer, out)
    out.print()


def _converse(advisor: Advisor, out: Console, err: Console) -> None:
    err.print("Ask something yourself; an empty line or Ctrl-C ends the demo.")
    while True:
        try:
            question = input("> ").strip()
        except EOFError:
            return
        if not question:
            return
        _ask(advisor, question, out, err)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
