"""`rackside ask` and `rackside diagnose`: a question, or a sweep, answered in the terminal or as JSON."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli import moments

if TYPE_CHECKING:
    from bot.advisor.advisor import Advisor
    from bot.advisor.question import Answer, Question

Cluster = Annotated[str | None, typer.Option(help="A cluster of the settings file.")]
Namespace = Annotated[str | None, typer.Option("--namespace", "-n", help="Look at this namespace only.")]
Workload = Annotated[str | None, typer.Option("--workload", "-w", help="Look at this workload only.")]
At = Annotated[str | None, typer.Option(help="A time in the past: 2026-11-21T03:10:00Z or -30m.")]
Json = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]
Chart = Annotated[str | None, typer.Option(help="Write a picture of each headline's evidence into this folder.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show the query behind each reading.")]
SAW_NOTHING = 3


def ask(
    question: Annotated[
        str, typer.Argument(help="What you want to know; `-` reads one question per line with --json.")
    ],
    cluster: Cluster = None,
    namespace: Namespace = None,
    workload: Workload = None,
    at: At = None,
    as_json: Json = False,
    chart: Chart = None,
    verbose: Verbose = False,
) -> None:
    """Ask what is wrong, or what good practice says."""
    from bot.advisor.question import Question

    moment = moments.parse(at, time.time())

    def made(text: str) -> Question:
        return Question(text, cluster, namespace, workload, moment)

    if question == "-":
        if not as_json:
            raise typer.BadParameter("`-` reads questions from standard input and needs --json")
        if chart is not None:
            raise typer.BadParameter("--chart goes with one question")
        _many(made)
        return
    _print(_charted(_answer(made(question)), chart, moment), as_json, verbose)


def diagnose(
    cluster: Cluster = None,
    namespace: Namespace = None,
    workload: Workload = None,
    at: At = None,
    as_json: Json = False,
    chart: Chart = None,
    verbose: Verbose = False,
) -> None:
    """Check every failure mode over a scope, without a question."""
    from bot.advisor.question import Question

    moment = moments.parse(at, time.time())
    answer = _answer(Question(None, cluster, namespace, workload, moment))
    _print(_charted(answer, chart, moment), as_json, verbose)


def as_line(answer: Answer) -> str:
    """An answer as one line of JSON, in the contract's form."""
    from pydantic import TypeAdapter

    from bot.advisor.question import Answer

    content = TypeAdapter(Answer).dump_python(answer, mode="json", by_alias=True)
    for inner in ("saw_nothing", "explanation", "traces"):
        del content[inner]
    return json.dumps(content, ensure_ascii=False)


def _charted(answer: Answer, folder: str | None, at: float | None) -> Answer:
    """The answer with its pictures written; a usage error where the folder cannot be written."""
    if folder is None:
        return answer
    from bot import chart

    try:
        charts = chart.write(answer, Path(folder), at if at is not None else time.time())
    except OSError as error:
        raise typer.BadParameter(f"{folder} cannot be written: {error.strerror or error}") from None
    for one in charts:
        print(f"rackside: wrote {one.path}", file=sys.stderr)
    if not charts:
        print("rackside: no headline has evidence over time, so there is no picture", file=sys.stderr)
    return replace(answer, charts=charts)


def _advisor() -> Advisor:
    from bot.app import make_advisor
    from bot.settings import load_settings

    return make_advisor(load_settings())


def _answer(question: Question) -> Answer:
    from rich.console import Console

    advisor = _advisor()
    console = Console(stderr=True)
    if not console.is_terminal:
        return advisor.answer(question)
    with console.status("Starting") as status:
        return advisor.answer(question, lambda title: status.update(f"{title} ..."))


def _print(answer: Answer, as_json: bool, verbose: bool) -> None:
    if as_json:
        print(as_line(answer))
    else:
        from rich.console import Console

        from bot.terminal import render

        render(answer, Console(), verbose)
    if answer.intent == "live" and answer.saw_nothing:
        raise typer.Exit(SAW_NOTHING)


def _many(made: Callable[[str], Question]) -> None:
    advisor = _advisor()
    for line in sys.stdin:
        text = line.rstrip("\n")
        try:
            print(as_line(advisor.answer(made(text))), flush=True)
        except Exception as error:  # noqa: BLE001 - one line's failure is that line's answer, never the end of the others
            told = {"question": text, "error": f"this question could not be answered ({type(error).__name__})"}
            print(json.dumps(told, ensure_ascii=False), flush=True)
