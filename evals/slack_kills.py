"""kill -9 before and after every write of the workflow: `python -m evals.slack_kills`.

A first run lists what is written for one question, to Slack and to the databases, from its arrival to its last record. Then, for each write
twice, a process is killed by itself at exactly that place; Slack tells the question again, as it does, a second process starts, and the
thread is held against what it has to hold: one answer, one file with the whole of it, the mark of an answered question.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from evals.slack_standin import APP_TOKEN, BOT_TOKEN, BOT_USER, SlackStandIn

ROOT = Path(__file__).parents[1]
KILL, LIST = "RACKSIDE_EVALS_KILL", "RACKSIDE_EVALS_WRITES"
# The records of DBOS that the answer is composed, and that it is delivered.
RECORDED = ("database insert operation_outputs#1", "database insert operation_outputs#2")
QUESTION, LATER = "why is it so long?", "and now?"
PATIENCE_S = 180.0
# Calls that only read, and the pulse of a process that has nothing to do with a question.
_READS = re.compile(r"(auth\.test|users\.info|conversations\.\w+|usergroups\.\w+|apps\.connections\.open)$")
_WRITE = re.compile(r"\s*(INSERT INTO|UPDATE|DELETE FROM)\s+\"?(?:main\.)?\"?(\w+)", re.IGNORECASE)
_PULSE = {"seat", "queues", "alembic_version"}


class Writes:
    """Counts the writes of this process from the first question on, and ends it at the one that was chosen."""

    def __init__(self) -> None:
        """Read what was chosen from the environment."""
        self.chosen, _, self.when = os.environ.get(KILL, "").rpartition(":")
        self._list = os.environ.get(LIST, "")
        self._counted: Counter[str] = Counter()
        self._lock = threading.Lock()
        self.counting = False

    def begins(self, what: str) -> str:
        """A write is about to be made: its name, with how many of its kind there were."""
        if not self.counting:
            return ""
        with self._lock:
            self._counted[what] += 1
            name = f"{what}#{self._counted[what]}"
            if self._list:
                with Path(self._list).open("a", encoding="utf-8") as out:
                    out.write(name + "\n")
        self._die(name, "before")
        return name

    def ended(self, name: str) -> None:
        """It was made."""
        self._die(name, "after")

    def _die(self, name: str, when: str) -> None:
        if name and (name, when) == (self.chosen, self.when):
            os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(PATIENCE_S)


def watched(writes: Writes) -> None:
    """Tell `writes` of every call to Slack and every commit in this process."""
    from slack_sdk import WebClient
    from sqlalchemy.engine.default import DefaultDialect

    from bot.store.records import Store

    call, accept = WebClient.api_call, Store.accept
    commit: Callable[..., None] = DefaultDialect.do_commit
    here = threading.local()

    def api_call(self: Any, api_method: str, *args: Any, **more: Any) -> Any:
        name = "" if _READS.match(api_method) else writes.begins(f"slack {api_method}")
        told = call(self, api_method, *args, **more)
        writes.ended(name)
        return told

    def accepted(self: Any, ask: Any) -> bool:
        writes.counting = True
        return accept(self, ask)

    def executed(_connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        found = _WRITE.match(statement)
        # Looking for work that is due is an update that changes nothing.
        changed = found is not None and (found[1].upper().startswith("INSERT") or cursor.rowcount != 0)
        if found and changed and found[2].lower() not in _PULSE:
            here.written = f"database {found[1].split()[0].lower()} {found[2]}"

    def do_commit(self: Any, connection: Any) -> None:
        written, here.written = getattr(here, "written", ""), ""
        name = writes.begins(written) if written else ""
        commit(self, connection)
        writes.ended(name)

    WebClient.api_call = api_call  # type: ignore[method-assign]
    Store.accept = accepted  # type: ignore[method-assign]
    DefaultDialect.do_commit = do_commit  # type: ignore[method-assign]
    sa.event.listen(sa.Engine, "after_cursor_execute", executed)


def child(api_url: str, home: Path) -> int:
    """Serve until killed; answers are long enough for a file of their own."""
    from bot import slack_app
    from bot.advisor.question import Answer, Question, Scope
    from bot.slack_app import SlackSettings, serve
    from bot.store import durable
    from tools.finding import BlindSpot

    def answer(question: Question, progress: Callable[[str], None]) -> Answer:
        progress("Reading metrics")
        progress("Checking every failure mode")
        count = 60 if question.text == QUESTION else 0
        blind = tuple(BlindSpot(f"reading {n}", "no series: nobody exports it") for n in range(count))
        return Answer(question.text, "live", Scope(workload="llama"), f"You asked: {question.text}", blind=blind)

    # What no workflow works on is taken up after seconds: what is looked at is whether, not when.
    durable.GIVE_BEGIN = 1.0
    vars(slack_app)["SWEEP_EVERY"] = 1.0
    watched(Writes())
    return serve(
        SlackSettings(BOT_TOKEN, APP_TOKEN, None, home, api_url, port=None, first_wait=0.05, grace=0.5), answer
    )


@dataclass(frozen=True, slots=True)
class Tried:
    """One kill and what became of the thread; `why` is '' where it held what it has to."""

    name: str
    when: str
    why: str
    answers: int
    files: int


@contextlib.contextmanager
def _process(slack: SlackStandIn, home: Path, **env: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "evals.slack_kills", "--child", slack.api_url, str(home)]
    running = subprocess.Popen(command, env={**os.environ, **env}, cwd=ROOT)
    try:
        yield running
    finally:
        running.kill()
        running.wait(PATIENCE_S)


def _done(slack: SlackStandIn, ts: str) -> None:
    mark = ["white_check_mark"]
    slack.wait(lambda: slack.reactions("C1", ts) == mark, "the mark of an answered question", PATIENCE_S)


def _connected(slack: SlackStandIn) -> None:
    slack.wait(lambda: slack.connected, "a connection", PATIENCE_S)


def _shown_files(slack: SlackStandIn, ts: str) -> list[str]:
    """Files in the thread; an upload that was begun and never completed is nowhere to be seen."""
    return [str(file["name"]) for one in slack.answers("C1", ts) for file in one.get("files") or ()]


def _ask(slack: SlackStandIn, text: str) -> Any:
    return slack.say("C1", "U1", f"<@{BOT_USER}> {text}")


def listed(streams: bool) -> list[str]:
    """Every write that one question makes, in the order in which it was begun."""
    with tempfile.TemporaryDirectory() as folder, SlackStandIn() as slack:
        slack.streams = streams
        out = Path(folder) / "writes"
        with _process(slack, Path(folder), **{LIST: str(out)}):
            _connected(slack)
            body = _ask(slack, QUESTION)
            ts = str(body["event"]["ts"])
            slack.push_acknowledged(body)
            _done(slack, ts)
            slack.wait(lambda: bool(_shown_files(slack, ts)), "the file with the whole answer", PATIENCE_S)
            # The record that all is done comes after the last call to Slack.
            end, size = time.monotonic() + PATIENCE_S, -1
            while size != out.stat().st_size and time.monotonic() < end:
                size = out.stat().st_size
                time.sleep(2.0)
        return out.read_text(encoding="utf-8").splitlines()


def tried(name: str, when: str, streams: bool) -> Tried:
    """Kill at one place, start again, and look at the thread."""
    with tempfile.TemporaryDirectory() as folder, SlackStandIn() as slack:
        slack.streams = streams
        body = _ask(slack, QUESTION)
        ts = str(body["event"]["ts"])
        try:
            with _process(slack, Path(folder), **{KILL: f"{name}:{when}"}) as first:
                _connected(slack)
                slack.push(body)
                if first.wait(PATIENCE_S) != -signal.SIGKILL:
                    return Tried(name, when, "it was never killed", 0, 0)
            slack.wait(lambda: not slack.connected, "the end of the killed process's connection")
            with _process(slack, Path(folder)):
                _connected(slack)
                slack.push_acknowledged(body, retry=1)
                _done(slack, ts)
                # One that is answered later shows that nothing is left to come for the first.
                later = _ask(slack, LATER)
                slack.push_acknowledged(later)
                _done(slack, str(later["event"]["ts"]))
                slack.wait(lambda: bool(_shown_files(slack, ts)), "the file with the whole answer", PATIENCE_S)
        except (AssertionError, subprocess.TimeoutExpired) as problem:
            return Tried(name, when, str(problem)[:200], len(slack.answers("C1", ts)), len(_shown_files(slack, ts)))
        answers, files = slack.answers("C1", ts), _shown_files(slack, ts)
    texts = [str(one["text"]) for one in answers if one.get("text", "").startswith("You asked")]
    why = "" if len(texts) == 1 else f"{len(texts)} answers: {texts}"
    shown = [one for one in answers if one.get("streaming_state") == "in_progress"]
    why = why or ("" if not shown else "something still looks at work")
    why = why or ("" if len(files) == 1 else f"{len(files)} files")
    return Tried(name, when, why, len(texts), len(files))


def main(arguments: Sequence[str]) -> int:
    """Print each kill with what became of it, and the counts; 1 where something was lost or said twice."""
    parser = argparse.ArgumentParser(prog="python -m evals.slack_kills", description="kill -9 at every write.")
    parser.add_argument("--child", nargs=2, metavar=("API_URL", "HOME"), help=argparse.SUPPRESS)
    parser.add_argument("--list", action="store_true", help="only list the writes")
    parser.add_argument("--only", default="", help="only writes whose name holds this")
    chosen = parser.parse_args(arguments)
    if chosen.child:
        return child(chosen.child[0], Path(chosen.child[1]))
    wrong = total = 0
    for streams in (True, False):
        how = "streamed" if streams else "posted"
        names = [one for one in listed(streams) if chosen.only in one]
        if not streams and RECORDED[0] in names and RECORDED[1] in names:
            # Only how it is delivered differs from what was tried already.
            names = names[names.index(RECORDED[0]) : names.index(RECORDED[1]) + 1]
        print(f"{how}: {len(names)} writes", flush=True)
        for name in names:
            for when in ("before", "after") if not chosen.list else ():
                one = tried(name, when, streams)
                total, wrong = total + 1, wrong + bool(one.why)
                print(f"  {when:6} {name:45} {one.answers} answer, {one.files} file  {one.why or 'ok'}", flush=True)
        if chosen.list:
            print("".join(f"  {name}\n" for name in names), end="")
    print(f"{total} kills: {total - wrong} with one answer and one file, {wrong} without")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
