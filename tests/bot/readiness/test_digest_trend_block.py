"""The trend as Slack's own chart in the first message: what it shows is what the text says, and no chart costs the digest."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from bot.audit_history import to_keep
from bot.audit_score import percent
from bot.blocks_actions import simpler
from bot.digest.content import Digest, compose
from bot.digest.slack import messages
from bot.digest.trend_block import MOST, trend_block
from bot.slack_thread import SlackThread
from bot.store.readiness import Place, Run
from bot.store.records import Ask
from evals.slack_chart import svg, valid
from evals.slack_page import ThreadMessage, page
from evals.slack_standin import BOT_TOKEN, Fault, SlackStandIn
from tests.bot.readiness.worlds_of_items import DAY, NOW, deployment, judged, report

A = deployment("a")
CHART = "data_visualization"


def runs(*shares: float | None, step: float = 7 * DAY) -> list[Run]:
    return [Run(f"r{at}", Place(), NOW + at * step, one, None if one is None else one / 2) for at, one in enumerate(shares)]  # fmt: skip


def bad_week() -> Digest:
    before = to_keep(report(judged("pass", quiet=(A,)), at=NOW), "digest:s1:1")
    after = to_keep(report(judged("fail", fails=(A,)), judged("pass", "XX-02"), at=NOW + 7 * DAY), "digest:s1:2")
    return compose(after, before, trend=(before, after))


def test_it_shows_the_percents_of_the_text() -> None:
    trend = runs(0.213, 0.996, 0.001, 0.5)
    block = trend_block(trend)
    assert block is not None
    assert valid(block)
    ready, verified = block["chart"]["series"]
    assert [f"{point['value']} %" for point in ready["data"]] == [percent(run.score) for run in trend]
    assert [f"{point['value']} %" for point in verified["data"]] == [percent(run.verified) for run in trend]
    assert (ready["name"], verified["name"]) == ("ready", "verified live")
    assert block["chart"]["axis_config"]["categories"] == ["21 Sep", "28 Sep", "5 Oct", "12 Oct"]
    drawn = svg(block)
    assert drawn.count("<circle") == 8
    assert "5 Oct" in drawn


def test_what_is_not_known_is_no_nought_and_one_point_is_no_line() -> None:
    block = trend_block(runs(0.2, None, 0.4))
    assert block is not None
    assert block["chart"]["axis_config"]["categories"] == ["21 Sep", "5 Oct"]
    assert [point["value"] for point in block["chart"]["series"][0]["data"]] == [20, 40]
    unseen = [*runs(0.2, 0.4), Run("r9", Place(), NOW + 14 * DAY, 0.1, 0.0)]
    block = trend_block(unseen)
    assert block is not None
    assert len(block["chart"]["axis_config"]["categories"]) == 2, "who saw nothing has no score to show"
    for none in ((), (0.2,), (0.2, None), (None, None)):
        assert trend_block(runs(*none)) is None


@pytest.mark.parametrize("step", [0.0, 1.0, 60.0, 3600.0, 7 * DAY])
def test_many_and_many_a_day_stay_within_what_slack_takes(step: float) -> None:
    block = trend_block(runs(*[0.5] * 40, step=step))
    assert block is not None
    assert valid(block)
    assert len(block["chart"]["axis_config"]["categories"]) == MOST


def test_what_slack_would_refuse_is_refused() -> None:
    block = trend_block(runs(0.2, 0.4))
    assert block is not None
    axis = block["chart"]["axis_config"]
    for wrong in (
        {**block, "title": "x" * 51},
        {**block, "chart": {**block["chart"], "axis_config": {**axis, "categories": ["a", "a"]}}},
        {**block, "chart": {**block["chart"], "axis_config": {**axis, "categories": ["21 Sep"]}}},
        {**block, "chart": {**block["chart"], "series": block["chart"]["series"] * 2}},
        {**block, "chart": {**block["chart"], "type": "spiral"}},
    ):
        assert not valid(wrong), wrong
        assert "refuse" in svg(wrong)


def test_it_stands_in_the_first_message_once_there_is_a_trend() -> None:
    found = bad_week()
    first, *more = messages(found, "s1")
    assert [block["type"] for block in first.blocks].count(CHART) == 1
    assert CHART not in str(more)
    assert "21 Sep" in page([ThreadMessage("Rackside", "09:00", first.blocks, app=True)])
    assert CHART not in str(messages(replace(found, trend=found.trend[-1:]), "s1")[0].blocks)


def test_a_workspace_that_takes_no_charts_gets_the_digest_all_the_same(slack: SlackStandIn) -> None:
    first, *_ = messages(bad_week(), "s1")
    slack.fail("chat.postMessage", Fault(error="invalid_blocks"))
    thread = SlackThread(BOT_TOKEN, f"{slack.api_url}/", threading.Event(), first_wait=0.01)
    thread.deliver(Ask("T1", "C1", "", "", "", "", "digest", {}, "digest:s1:2"), "e1", first, look_first=False)
    (told,) = slack.answers("C1")
    assert told["blocks"] == simpler(first.blocks) == [one for one in first.blocks if one["type"] != CHART]
    assert "1 new" in str(told["blocks"])
