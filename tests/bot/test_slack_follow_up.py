"""Follow-ups out of the last answer, links that open queries, and answers that are kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from bot.advisor.question import Answer, Question
from bot.blocks import blocks, size
from bot.blocks_actions import simpler
from bot.deep_links import Links
from bot.follow_up import settled
from bot.store.answers import KEPT_S, Answers
from bot.store.database import open_engine
from bot.store.records import Ask
from evals.slack_standin import BOT_USER
from evals.slack_web.blocks import valid
from tests.bot import timed
from tests.bot.conftest import Room, Start
from tools.finding import RuledOut

ME = f"<@{BOT_USER}>"
LINKS = Links("http://prom.example:9090")
ANSWER = timed.answer()


def text_of(shown: Any) -> str:
    return json.dumps(shown, ensure_ascii=False)


@pytest.mark.parametrize(
    ("asked", "head"),
    [
        ("since when?", "Since when"),
        ("and since when is this so?", "Since when"),
        ("When did it start?", "Since when"),
        ("what did you rule out?", "Looked for and ruled out"),
        ("What is it not?", "Looked for and ruled out"),
        ("what could you not see?", "Could not see"),
        ("what couldn't you see", "Could not see"),
        ("show the query", "The queries behind it"),
        ("show me the PromQL query please", "The queries behind it"),
        ("why do you say that?", "Why I say that"),
        ("are you sure??", "Why I say that"),
        ("how do you know that?", "Why I say that"),
    ],
)
def test_settled_by_the_last_answer(asked: str, head: str) -> None:
    told = settled(asked, ANSWER, LINKS, timed.NOW)
    assert told is not None, asked
    assert told.text.startswith(head)
    assert all(map(valid, told.blocks))
    assert "nothing was looked at again" in text_of(told.blocks[-1])


@pytest.mark.parametrize(
    "asked", ["and the other replica?", "since when is mistral down?", "why is it slow?", "", "?", "why " * 99]
)
def test_asked_anew(asked: str) -> None:
    assert settled(asked, ANSWER, LINKS, timed.NOW) is None


def test_what_an_answer_does_not_know_is_asked_anew() -> None:
    bare = Answer("q", "knowledge", ANSWER.scope, "V.")
    for asked in (
        "since when?",
        "what did you rule out?",
        "show the query",
        "why do you say that?",
        "what could you not see?",
    ):
        assert settled(asked, bare, LINKS, timed.NOW) is None, asked


def test_said_from_the_evidence_itself() -> None:
    finding = ANSWER.headlines[0]
    assert finding.since is not None
    assert "13:33 UTC" in text_of(settled("since when?", ANSWER, LINKS, 0.0).blocks)  # type: ignore[union-attr]
    queries = settled("show the query", ANSWER, LINKS, 0.0)
    assert queries is not None
    assert "```" in text_of(queries.blocks)
    assert "http://prom.example:9090/graph?" in text_of(queries.blocks)


def test_hostile_and_endless_lists_stay_within_limits() -> None:
    many = tuple(RuledOut(f"x_{n}", "<!channel>`" * 20, "<@U1> *bold* " * 40) for n in range(400))
    told = settled("what did you rule out?", replace(ANSWER, ruled_out=many), LINKS, 0.0)
    assert told is not None
    assert all(map(valid, told.blocks))
    assert "<!" not in text_of(told.blocks)
    assert "<@" not in text_of(told.blocks)
    assert "more_" in text_of(told.blocks)


def test_evidence_is_folded_with_links_and_unfolds_where_it_must() -> None:
    shown = blocks(ANSWER, LINKS, fold=True, spare=1200).blocks
    folds = [block for block in shown if block["type"] == "container"]
    assert [fold["title"]["text"].split(" (")[0] for fold in folds][:1] == ["Evidence"]
    assert all(fold["default_collapsed"] and fold["is_collapsible"] for fold in folds)
    assert all(map(valid, shown))
    assert "<http://prom.example:9090/graph?g0.expr=" in text_of(shown)
    assert size(shown) <= 12_000 - 1200
    opened = simpler(shown)
    assert not [block for block in opened if block["type"] == "container"]
    assert all(map(valid, opened))
    for fold in folds:
        assert fold["child_blocks"][0] in opened, "nothing of it is lost"


def test_addresses_never_burst_the_message() -> None:
    evidence = tuple(replace(ANSWER.headlines[0].evidence[0], query="sum(rate(x[5m]))" * 15) for _ in range(40))
    big = replace(ANSWER, findings=tuple(replace(one, evidence=evidence) for one in ANSWER.findings))
    shown = blocks(big, LINKS, fold=True, spare=1200).blocks
    assert size(shown) <= 12_000 - 1200
    assert all(map(valid, shown))


def test_prometheus_links_open_the_query_at_its_time() -> None:
    url = Links("http://prom:9090").graph('up{job="<!channel>"}', "2026-11-21T13:33:00Z")
    told = parse_qs(urlsplit(url).query)
    assert told["g0.expr"] == ['up{job="<!channel>"}']
    assert told["g0.end_input"] == ["2026-11-21 13:33:00"]
    assert "<" not in url


def test_grafana_comes_first_and_shows_the_hours_before() -> None:
    url = Links("http://prom:9090", "https://grafana.example", "uid1").graph("up", "2026-11-21T13:33:00Z")
    assert url.startswith("https://grafana.example/explore?")
    pane = json.loads(parse_qs(urlsplit(url).query)["panes"][0])["a"]
    assert (pane["datasource"], pane["queries"][0]["expr"]) == ("uid1", "up")
    assert int(pane["range"]["to"]) - int(pane["range"]["from"]) == 3 * 3_600_000


@pytest.mark.parametrize(
    ("query", "links"),
    [
        ("", LINKS),
        ("/api/v1/pods", LINKS),
        ("hpa/chat/chat-hpa spec.metrics", LINKS),
        ("GET /api", LINKS),
        ("a\nb", LINKS),
        ("up", Links()),
        ("up", Links.of(None)),
    ],
)
def test_no_link_where_there_is_nothing_to_open(query: str, links: Links) -> None:
    assert links.graph(query, "now") == ""


def test_a_password_in_an_address_is_never_linked() -> None:
    told = SimpleNamespace(
        clusters={}, prometheus_page_url="", prometheus_url="http://me:secret@prom:9090/x?y=1", grafana_url="javascript:x",
        grafana_datasource="",
    )  # fmt: skip
    links = Links.of(told)  # type: ignore[arg-type]
    assert links == Links("http://prom:9090/x", "", "")


def test_answers_come_back_as_they_were(tmp_path: Path) -> None:
    now = [1000.0]
    answers = Answers(open_engine(f"sqlite:///{tmp_path / 'x.db'}"), lambda: now[0])
    ask = Ask("T", "C", "1.1", "1.1", "U1", "why \0?")
    answers.keep(ask, ANSWER)
    kept = answers.last("T", "C", "1.1")
    assert kept is not None
    assert kept.answer == ANSWER
    assert answers.of(ask.key) == kept
    assert [one.question for one in answers.recent("T", "U1")] == ["why ?"]
    assert answers.last("T", "C", "9.9") is None
    now[0] += KEPT_S + 1
    answers.keep(replace(ask, ts="2.2", thread_ts="2.2"), ANSWER)
    assert answers.of(ask.key) is None, "a month is enough"


def test_a_thread_remembers_across_restarts(slack: Any, settings_for: Callable[..., Any], start: Start) -> None:
    asked: list[str | None] = []

    def answer(question: Question, _: Callable[[str], None]) -> Answer:
        asked.append(question.text)
        return replace(ANSWER, question=question.text)

    def say(text: str, root: str | None = None) -> str:
        body = slack.say("C1", "U1", text, root)
        slack.push_acknowledged(body)
        ts = str(body["event"]["ts"])
        slack.wait(lambda: slack.reactions("C1", ts) == ["white_check_mark"], f"the answer to {text}")
        return ts

    first = start(settings_for(slack), answer)
    root = say(f"{ME} why slow?")
    first.stop()
    # Else what is said next may be sent into the connection that is just being closed.
    slack.wait(lambda: not slack.connected, "the end of the first one's connection")
    start(settings_for(slack), answer)
    for text in ("since when?", "show the query", "what did you rule out?", "and the other replica?"):
        say(text, root)
    assert asked == ["why slow?", "What is wrong with the replicas of llama-70b-chat?"]
    said = [one for one in slack.answers("C1", root) if not one.get("files")]
    heads = [one["text"].split(" (")[0] for one in said[1:4]]
    assert heads == ["Since when", "The queries behind it", "Looked for and ruled out"]


def test_a_first_message_is_no_follow_up(room: Room) -> None:
    body = room.slack.say("D1", "U1", "show the query")
    room.slack.push_acknowledged(body)
    room.slack.wait(lambda: len(room.slack.answers("D1")) == 1, "the answer")
    assert room.slack.answers("D1")[0]["text"] == "You asked: show the query"
