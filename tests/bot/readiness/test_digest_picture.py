"""The picture of a digest: the trend and what changed, shared once in the digest's thread, and none where there is nothing to draw."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Literal

import matplotlib.image
import pytest
from matplotlib.colors import to_rgb

from bot.audit import Judged
from bot.audit_history import to_keep
from bot.chart_figure import DARK, LIGHT
from bot.digest import chart, words
from bot.digest.html import as_html
from bot.digest.output import as_json
from bot.digest.picture import digest_of, drawable, picture
from bot.digest.slack import messages
from bot.digest.text import as_markdown
from bot.slack_files import Attachments
from bot.store.answers import Answers
from bot.store.database import open_engine
from bot.store.readiness import Place, Readiness, Run
from bot.store.records import Ask, Letter
from evals.slack_standin import BOT_TOKEN, SlackStandIn
from tests.bot.readiness.worlds_of_items import DAY, NOW, deployment, judged, report

A, B = deployment("a"), deployment("b")


def keep(readiness: Readiness, week: int, *found: Judged) -> Ask:
    """Keep the audit of a digest of subscription s1 and give its ask."""
    key = f"digest:s1:W{week}"
    there = judged("pass", "ZZ-99", quiet=(A, B), severity="low")
    assert readiness.keep(to_keep(report(*found, there, at=NOW + week * 7 * DAY), key))
    return Ask("T1", "C1", "", "", "", "readiness digest", "digest", {"subscription": "s1"}, key)


@pytest.fixture
def told(tmp_path: Path) -> Answers:
    return Answers(open_engine(f"sqlite:///{tmp_path / 'x.db'}"), lambda: NOW)


def test_shared_once_in_the_thread_and_none_without_a_trend(slack: SlackStandIn, told: Answers) -> None:
    readiness = Readiness(told.engine, lambda: NOW)
    attachments = Attachments(BOT_TOKEN, f"{slack.api_url}/", told)
    root = slack.say("C1", "U1", "the digest")["event"]["ts"]
    weeks = [
        (judged("pass", quiet=(A,)),),
        (judged("fail", fails=(A,)), judged("fail", "XX-02", fails=(B,))),
        (judged("fail", fails=(A,)), judged("fail", "XX-02", fails=(B,))),
        (judged("pass", quiet=(A,)), judged("unknown", "XX-02", blind=(B,))),
    ]
    asks = [keep(readiness, at, *found) for at, found in enumerate(weeks)]
    shared: list[list[str]] = []
    for at, ask in enumerate(asks):
        letter = Letter(ask, f"effect{at}", 0.0, "answered", attempted=True, answer_ts=root)
        for _ in range(2):
            attachments.share(letter, cut=True)
        shared.append([one["files"][0]["name"] for one in slack.answers("C1")])
    first, *more = shared
    assert first == [], "a baseline has no trend"
    assert more == [["digest-effect1.png"], ["digest-effect1.png"], ["digest-effect1.png", "digest-effect3.png"]]
    (file,) = (one["files"][0] for one in slack.answers("C1") if one["files"][0]["name"] == "digest-effect3.png")
    assert "Since the last: 1 fixed, 1 no longer seen." in sorted_words(file["alt_txt"])
    assert slack.kept["uploads"][0]["content"].startswith(b"\x89PNG")
    gone = Letter(replace(asks[0], name="digest:s1:gone"), "effect9", 0.0, "answered", attempted=True, answer_ts=root)
    attachments.share(gone)
    assert len(slack.answers("C1")) == 2, "what is not kept any more is not drawn"


def sorted_words(text: str) -> str:
    before, _, since = text.partition("Since the last: ")
    return f"{before}Since the last: {', '.join(sorted(since.rstrip('.').split(', ')))}."


def test_it_is_drawn_of_the_digests_of_its_subscription(told: Answers) -> None:
    readiness = Readiness(told.engine, lambda: NOW)
    keep(readiness, 0, judged("pass", quiet=(A,)))
    ask = keep(readiness, 1, judged("fail", fails=(A,)))
    found = digest_of(readiness, ask)
    assert found is not None
    assert drawable(found)
    assert len(found.trend) == 2
    title, said, content = picture(found)
    assert title == "Readiness of default, 28 Sep 2026"
    assert said.endswith("Since the last: 1 newly failing.")
    assert picture(found)[2] == content, "the same however often it is drawn"
    other = digest_of(readiness, replace(ask, payload={"subscription": "s2"}))
    assert other is not None
    assert not drawable(other), "another subscription's digests are no trend of this one"
    assert not drawable(None)
    assert words.counted(found.changes) == (("Newly failing", 1),)


def test_what_needs_attention_says_since_when_it_is_so(told: Answers) -> None:
    readiness = Readiness(told.engine, lambda: NOW)
    old, young = judged("fail", fails=(A,)), judged("fail", "XX-02", fails=(B,), said=" twice")
    weeks = [
        (old,),
        (old, judged("pass", "XX-02", quiet=(B,))),
        (old, young),
        (old, young, judged("pass", "XX-03", quiet=(A,))),
    ]
    asks = [keep(readiness, at, *found) for at, found in enumerate(weeks)]

    def said(ask: Ask) -> list[tuple[str, str]]:
        found = digest_of(readiness, ask)
        assert found is not None
        return [(one.id, words.fresh(one) or words.since(one)) for one in found.attention]

    assert said(asks[0]) == [("XX-01", "")]
    assert said(asks[2]) == [("XX-02", "new or worse"), ("XX-01", "since 21 Sep 2026 or longer")]
    assert said(asks[3]) == [("XX-01", "since 21 Sep 2026 or longer"), ("XX-02", "since 5 Oct 2026")]
    last = digest_of(readiness, asks[3])
    assert last is not None
    texts = (as_markdown(last), as_html(last), str(messages(last)[0].blocks))
    assert all("since 5 Oct 2026" in text for text in texts)
    assert [one["since"] for one in as_json(last)["attention"]] == ["2026-09-21T14:13:20Z", "2026-10-05T14:13:20Z"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_bad_news_are_bars_of_their_own_colour(theme: Literal["light", "dark"]) -> None:
    trend = [Run("a", Place(), NOW, 0.5, 0.6), Run("b", Place(), NOW + 7 * DAY, None, None)]
    alarm = to_rgb((LIGHT if theme == "light" else DARK).alarm)

    def alarmed(*changes: tuple[str, int]) -> int:
        shown = matplotlib.image.imread(io.BytesIO(chart.png(trend, "x <!here> $\\frac$", theme, changes)))
        assert shown.shape[1] == 1350
        return int((abs(shown[:, :, :3] - alarm).max(axis=2) < 0.01).sum())

    assert alarmed() == 0
    assert alarmed(("Fixed", 3)) == 0
    assert alarmed(("No longer seen", 3), ("Fixed", 3)) > 1000
    assert alarmed(*((f"Some {at}", at) for at in range(30))) == 0, "many kinds fit"
