"""What a message had to cut is a snippet in its thread, once; nothing is shared where nothing was cut."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bot.advisor.question import Answer
from bot.blocks import blocks, context, folded, plain, section
from bot.whole_answer import LONGEST, cut, whole
from evals.slack_standin import BOT_USER, Fault, SlackStandIn
from tests.bot.conftest import Room
from tests.bot.saturated import ANSWER, SATURATED
from tools.finding import RuledOut

ROOT = Path(__file__).parents[2]
ME = f"<@{BOT_USER}>"
LONG = replace(
    SATURATED, ruled_out=tuple(RuledOut(f"mode_{n}", "deployment/chat/x", f"reading {n} is low") for n in range(90))
)


def test_cut_is_what_leaves_something_off() -> None:
    assert not cut(blocks(ANSWER).blocks)
    assert not cut(blocks(ANSWER, fold=True).blocks)
    assert not cut(plain("It goes on…").blocks)
    assert not cut([section("the queue _and 3 more_ replicas"), {"type": "divider"}])
    assert cut(blocks(LONG).blocks)
    assert cut(blocks(LONG, fold=True).blocks), "in what is folded away, too"
    assert cut([context("a", "*Sources*\n_and 2 more_")])
    assert cut([folded("Evidence (9)", "x\n_and 4 more readings_")])
    known = Answer("q", "knowledge", ANSWER.scope, "V.", text="V.\n" + "A line of it.\n" * 900)
    assert cut(blocks(known).blocks), "a text that was cut"


def test_the_whole_has_every_reading_with_its_query() -> None:
    said = whole(LONG)
    assert LONG.text.strip()[:60] in said
    for finding in LONG.findings:
        for one in finding.evidence:
            assert one.text in said
            assert one.query in said
    assert whole(Answer("q", "live", ANSWER.scope, "V.")) == "V."


def test_hostile_and_endless_texts() -> None:
    said = whole(Answer("q", "live", ANSWER.scope, "V.", text="a\x1b[31m\u202eb\0 @channel"))
    assert said == "ab ＠channel"
    assert len(whole(Answer("q", "live", ANSWER.scope, "V.", text="word " * LONGEST))) < LONGEST + 100


def ask(slack: SlackStandIn, text: str) -> str:
    body = slack.say("C1", "U1", f"{ME} {text}")
    slack.push_acknowledged(body)
    return str(body["event"]["ts"])


def answered(slack: SlackStandIn, text: str) -> str:
    ts = ask(slack, text)
    slack.wait(lambda: slack.reactions("C1", ts) == ["white_check_mark"], "the answer")
    return ts


def names(slack: SlackStandIn, ts: str) -> list[str]:
    return [one["name"] for said in slack.answers("C1", ts) for one in said.get("files", [])]


def test_a_long_answer_is_a_snippet_in_its_thread(room: Room) -> None:
    room.answer = lambda question, _: replace(LONG, question=question.text)
    ts = answered(room.slack, "why?")
    room.slack.wait(lambda: len(names(room.slack, ts)) == 1, "the snippet")
    (shown,) = [one for one in room.slack.answers("C1", ts) if one.get("files")]
    (file,) = shown["files"]
    assert file["title"] == "The whole answer"
    assert file["snippet_type"] == "markdown"
    (sent,) = room.slack.kept["uploads"]
    assert sent["content"].decode() == whole(replace(LONG, question="why?"))


def test_a_short_answer_has_no_snippet(room: Room) -> None:
    room.answer = lambda question, _: replace(ANSWER, question=question.text)
    ts = answered(room.slack, "why?")
    later = answered(room.slack, "and now?")
    assert not names(room.slack, ts) + names(room.slack, later)


@pytest.mark.parametrize("method", ["files.getUploadURLExternal", "files.completeUploadExternal"])
def test_a_snippet_that_fails_costs_no_answer(room: Room, method: str) -> None:
    room.answer = lambda question, _: replace(LONG, question=question.text)
    room.slack.fail(method, Fault(error="missing_scope", times=5))
    ts = answered(room.slack, "why?")
    room.slack.wait(lambda: room.slack.count(method) >= 1, "the try")
    assert len(room.slack.answers("C1", ts)) == 1


@pytest.mark.parametrize("after", [False, True])
def test_killed_around_its_upload_it_is_there_once(slack: SlackStandIn, tmp_path: Path, after: bool) -> None:
    def begin() -> subprocess.Popen[bytes]:
        command = [sys.executable, str(ROOT / "tests/bot/slack_process.py"), slack.api_url, str(tmp_path)]
        return subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT)})

    held = slack.fail("files.completeUploadExternal", Fault(hold=True, after=after))
    started = [begin()]
    try:
        ts = ask(slack, "long?")
        assert held.arrived.wait(30), "it was never shared"
        started[0].send_signal(signal.SIGKILL)
        started[0].wait(timeout=20)
        slack.wait(lambda: not slack.connected, "the end of the killed process's connection")
        held.release.set()
        started.append(begin())
        slack.wait(lambda: len(names(slack, ts)) == 1, "the snippet")
        answered(slack, "and now?")
        shown = slack.answers("C1", ts)
        assert len(shown) == 2, json.dumps(shown)[:500]
        assert len(names(slack, ts)) == 1
    finally:
        for process in started:
            process.kill()
            process.wait(timeout=20)
