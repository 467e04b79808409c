"""Scores and the forms in which an audit is told."""

from __future__ import annotations

import csv
import io
from html.parser import HTMLParser
from pathlib import Path

import pytest

from bot.audit_output import as_json
from bot.audit_page import as_html, verdict
from bot.audit_score import WEIGHTS, percent, score, scores
from bot.audit_text import as_csv, as_markdown
from evals.slack_page import picture
from tests.bot.readiness.worlds_of_items import deployment, judged, report

STATES = ("pass", "fail", "unknown", "attested", "expired", "attest", "waived", "not_applicable")


def test_only_what_passes_or_is_attested_counts_and_what_is_waived_counts_on_neither_side() -> None:
    whole = score([judged(state, f"XX-{at:02}") for at, state in enumerate(STATES)])  # type: ignore[arg-type]
    assert whole.held == pytest.approx(2 / 6)
    assert whole.verified == pytest.approx(2 / 6)
    assert score([judged("waived"), judged("not_applicable")]).held is None


def test_items_weigh_by_severity() -> None:
    whole = score(
        [judged("pass", severity="low"), judged("fail", severity="critical"), judged("unknown", severity="medium")]
    )
    assert whole.held == pytest.approx(1 / 11)
    assert whole.verified == pytest.approx(9 / 11)
    assert dict(WEIGHTS) == {"critical": 8, "high": 4, "medium": 2, "low": 1}


@pytest.mark.parametrize("state", ["unknown", "expired", "attest", "fail"])
def test_nothing_else_ever_counts_as_held(state: str) -> None:
    assert score([judged(state)]).held == 0.0  # type: ignore[arg-type]


def test_scores_by_everything_that_somebody_owns() -> None:
    a, b = deployment("a"), deployment("b", "other")
    found = [
        judged("fail", "XX-01", fails=(a,), quiet=(b,), owners=("sre", "ml"), phase=0),
        judged("pass", "XX-02", quiet=(a, b, "node/n1"), pack="second", area="Else"),
        judged("attest", "XX-03", pack="second"),
        judged("unknown", "XX-04", blind=(a,)),
    ]
    told = {(one.by, one.name): percent(one.score.held) for one in scores(found, "prod")}
    assert told == {
        ("checklist", "mine"): "0 %", ("checklist", "second"): "50 %", ("area", "Area"): "0 %", ("area", "Else"): "100 %",
        ("phase", "day 0"): "0 %", ("phase", "day 1"): "33 %", ("team", "sre"): "25 %", ("team", "ml"): "0 %",
        ("cluster", "prod"): "25 %", ("namespace", "team"): "33 %", ("namespace", "other"): "100 %",
        ("workload", a): "33 %", ("workload", b): "100 %",
    }  # fmt: skip


def test_a_namespace_is_as_good_as_the_worst_of_its_workloads() -> None:
    a, b, c = (deployment(name) for name in "abc")
    found = [judged("fail", fails=(a,), blind=(b,), quiet=(c,)), judged("unknown", "XX-02", blind=(b,), quiet=(c,))]
    (told,) = [one.score for one in scores(found) if one.by == "namespace"]
    assert (told.counts["fail"], told.counts["unknown"], told.counts["pass"]) == (1, 1, 0)


def test_a_share_is_never_rounded_up_to_all_or_down_to_nothing() -> None:
    assert [percent(share) for share in (None, 0.0, 0.001, 0.5, 0.999, 1.0)] == [
        "n/a",
        "0 %",
        "1 %",
        "50 %",
        "99 %",
        "100 %",
    ]


def test_the_verdict_is_a_sentence_of_counts() -> None:
    assert "50 % ready, 100 % verified live: 1 item fails." in verdict(report(judged("pass"), judged("fail", "XX-02")))
    grave = report(judged("fail", severity="critical"), judged("fail", "XX-02"))
    assert "2 items fail, 1 of them critical" in verdict(grave)
    assert verdict(report(judged("unknown"), unseen=("Prometheus: down",))).startswith("Nothing could be seen")
    assert verdict(report(judged("not_applicable"))) == "Nothing here is what the checklists are about."
    assert "nothing that could be seen fails" in verdict(report(judged("pass")))


HOSTILE = '=HYPERLINK("http://evil")<script>alert(1)</script>`|[x](http://evil)\n# head\u202e{{7*7}}'


def test_a_spreadsheet_runs_nothing_of_it() -> None:
    subject = f"deployment/{HOSTILE}/x"
    told = as_csv(report(judged("fail", fails=(subject, "-2+3"), title=HOSTILE, fix="x"), judged("waived", "XX-02")))
    rows = list(csv.DictReader(io.StringIO(told)))
    assert [row["item"] for row in rows] == ["XX-01", "XX-01", "XX-02"]
    assert rows[1]["subject"] == "'-2+3"
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())
    assert all("\n" not in cell for row in rows for cell in row.values())


def test_text_of_others_is_text_in_every_form() -> None:
    one = report(judged("fail", fails=(f"deployment/t/{HOSTILE}",), title=HOSTILE), unseen=(HOSTILE,))
    page = as_html(one)
    assert "<script" not in page
    assert "49" not in page.replace("--line", "")
    assert "\u202e" not in page
    assert "{{7*7}}" in page
    told = as_markdown(one)
    assert "<script>" not in told
    assert "\n# head" not in told


class Loads(HTMLParser):
    """Collects what a page would load or run, and its unclosed tags."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loads += [
            f"{tag} {value}"
            for name, value in attrs
            if name in {"src", "srcset"} and not str(value).startswith("data:")
        ]
        if tag in {"script", "link", "iframe", "object"}:
            self.loads.append(tag)
        if tag not in {"meta", "br", "img", "source", "hr"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_loads_nothing_and_closes_what_it_opens() -> None:
    parser = Loads()
    parser.feed(as_html(report(*(judged(state, f"XX-{at:02}") for at, state in enumerate(STATES)))))  # type: ignore[arg-type]
    parser.close()
    assert parser.loads == []
    assert [tag for tag in parser.open if tag not in {"p", "li", "td", "tr"}] == []


def test_the_page_is_light_or_dark_in_chromium(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(as_html(report(judged("fail", fails=(deployment("a"),)))), encoding="utf-8")
    from matplotlib.image import imread

    shades = []
    for dark in (False, True):
        target = tmp_path / f"{dark}.png"
        assert picture(tmp_path / "a.html", target, dark=dark, height=600)
        shades.append(float(imread(target)[5, 5, :3].mean()))
    assert shades[0] > 0.9
    assert shades[1] < 0.2


def test_nothing_at_all_is_told_too() -> None:
    none = report()
    assert as_json(none)["items"] == ()
    assert as_csv(none).count("\n") == 1
    assert "n/a" in as_html(none)
    assert "n/a" in as_markdown(none)
