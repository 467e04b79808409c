"""What a digest says, from two kept audits: the verdict, the changes, what needs attention, and its forms."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from bot.audit import Broken, Judged
from bot.audit_history import to_keep
from bot.blocks import MESSAGE_SIZE, size
from bot.digest import report as full
from bot.digest import words
from bot.digest.beside import Triaged, from_text, to_text
from bot.digest.content import Digest, compose
from bot.digest.html import as_html
from bot.digest.output import as_json
from bot.digest.slack import messages
from bot.digest.spending import Idle, Runs, Spending, spending_of
from bot.digest.text import as_markdown
from bot.mrkdwn import width
from bot.store.readiness import Kept, Mark, Place
from evals.slack_web.blocks import valid
from tests.bot.readiness.test_watch import costs, workload
from tests.bot.readiness.worlds_of_items import DAY, NOW, deployment, judged, report
from tools.finding import BlindSpot

WEEK = 7 * DAY
A, B, C = (deployment(name) for name in "abc")
MONEY = Spending(
    window="24h", usd_per_hour=40.0, gpus=16.0, hours={"used": 300.0, "idle": 60.0, "unseen": 24.0},
    usd={"used": 750.0, "idle": 150.0, "unseen": None}, workloads={A: Runs(10.0, "team-a"), B: Runs(20.0, "team-b"), C: Runs(None, "")},
    idle=(Idle(B, "team-b", 60.0, 150.0, "no traffic"),),
)  # fmt: skip


def kept(*found: Judged, weeks: int = 0, spending: Spending = MONEY, triaged: list[Triaged] | None = None, unseen: tuple[str, ...] = ()) -> Kept:  # fmt: skip
    there = judged("pass", "ZZ-99", quiet=(A, B, C), severity="low")
    at = NOW - weeks * WEEK
    return to_keep(report(*found, there, at=at, unseen=unseen), f"digest:s1:{weeks}", to_text(spending, triaged))


def digest(after: Kept, before: Kept | None = None, **more: object) -> Digest:
    return compose(after, before, trend=(*((before,) if before else ()), after), **more)  # type: ignore[arg-type]


def attested(until: float, item: str = "XX-01", place: Place | None = None, withdrawn_at: float | None = None) -> Mark:
    link = "https://wiki.example.org/a"
    return Mark("m", "attested", item, place or Place(), "Kim", link, "", NOW - 90 * DAY, until, withdrawn_at)


def test_the_first_is_a_baseline() -> None:
    found = digest(kept(judged("fail", fails=(A,), severity="critical"), judged("pass", "XX-02")))
    assert found.baseline
    assert words.verdict(found) == "Baseline: 38 % ready, 100 % verified live; 1 item fails, 1 critical."
    assert found.changes == ()
    assert "next digest tells what changed" in as_markdown(found)


def test_a_week_in_which_nothing_happened_is_one_line() -> None:
    same = judged("fail", fails=(A,))
    found = digest(kept(same), kept(same, weeks=1))
    assert found.uneventful
    told = as_markdown(found)
    assert "\n" not in told
    assert (
        told
        == "As on 14 Sep 2026, nothing is new, worse, fixed or out of sight: 20 % ready, 100 % verified live; 1 item fails."
    )
    first, *more = messages(found, "s1")
    assert more == []
    assert [block["type"] for block in first.blocks] == ["section", "actions"]


def test_what_could_not_be_seen_all_along_stands_in_the_one_line() -> None:
    same = (judged("fail", fails=(A,)), judged("unknown", "XX-02", blind=(B,)))
    found = digest(kept(*same), kept(*same, weeks=1))
    assert found.uneventful
    assert as_markdown(found).endswith("; 1 item fails, 1 could not be seen.")


@pytest.mark.parametrize(
    "event",
    [
        {"after": kept(judged("fail", fails=(A, B)))},
        {"after": kept(judged("fail", fails=(A,)), unseen=("Prometheus: source down",))},
        {"after": kept(judged("fail", fails=(A,)), triaged=[Triaged(NOW, "why slow?", "team/a", "recovered")])},
        {"marks": [attested(NOW + DAY)]},
        {"late": "Late: ..."},
    ],
)
def test_anything_that_happened_makes_more_than_a_line(event: dict[str, object]) -> None:
    same = judged("fail", fails=(A,))
    told = {"after": kept(same), "before": kept(same, weeks=1)} | event
    assert not digest(**told).uneventful  # type: ignore[arg-type]


def test_the_verdict_counts_what_changed() -> None:
    before = kept(
        judged("fail", fails=(A,)),
        judged("pass", "XX-02"),
        judged("fail", "XX-03", fails=(A,)),
        judged("pass", "XX-04"),
        weeks=1,
    )
    after = kept(judged("fail", fails=(A, B)), judged("fail", "XX-02", fails=(C,), severity="critical"), judged("pass", "XX-03", quiet=(A,)),
                 judged("unknown", "XX-04", blind=(A,)))  # fmt: skip
    assert words.verdict(digest(after, before)) == (
        "24 % ready (down 29 points since 14 Sep 2026), 81 % verified live: 1 new, 1 worse, 1 fixed, 1 no longer seen; "
        "2 items fail in all, 1 critical."
    )


def test_points_are_those_of_the_numbers_as_shown() -> None:
    now, before = digest(kept()).now, digest(kept()).now
    shown = [(0.504, 0.496), (0.999, 1.0), (0.5, 0.5)]
    moved = [words.moved(dataclasses.replace(before, score=b), dataclasses.replace(now, score=n)) for n, b in shown]
    assert moved == [0, -1, 0]
    assert words.moved(None, now) is None


def test_nothing_seen_is_said_and_is_no_good_news() -> None:
    unseen = compose(to_keep(report(judged("unknown"), unseen=("Prometheus: down",)), "x"), None)
    assert words.verdict(unseen).startswith(
        "Nothing could be seen, so how ready this is cannot be told (what people attested makes 0 %)"
    )
    assert "Prometheus: down" in as_markdown(unseen)
    assert "not known" in words.costs(unseen)


def test_the_gravest_comes_first_then_the_new_then_the_dearest() -> None:
    failing = [
        judged("fail", "XX-01", fails=(A,), said=" 1"),
        judged("fail", "XX-02", fails=(B,)),
        judged("fail", "XX-03", fails=(A,), said=" 3", severity="critical"),
        judged("fail", "XX-04", fails=(A,), said=" 4"),
        judged("fail", "XX-05", fails=(A, B), severity="low"),
    ]
    before = [*(judged("fail", f"XX-0{at}", fails=one.failing, severity=one.item.severity) for at, one in ((1, failing[0]), (2, failing[1]), (3, failing[2]))),
              judged("pass", "XX-04"), failing[4]]  # fmt: skip
    found = digest(kept(*failing), kept(*before, weeks=1))
    assert [one.id for one in found.attention] == ["XX-03", "XX-04", "XX-02"]
    assert [one.since_last for one in found.attention] == [False, True, False]
    assert (found.attention[2].usd_per_hour, found.attention[2].workload_owners) == (20.0, ("team-b",))
    assert words.owner(found.attention[2]) == "sre; workloads of team-b"
    assert words.at_stake(found.attention[2]) == "the GPUs concerned cost $20.00 an hour"


def test_a_cost_with_a_hole_is_not_told() -> None:
    found = digest(kept(judged("fail", fails=(A, C))))
    assert found.attention[0].usd_per_hour is None
    assert words.at_stake(found.attention[0]) == "cost not known"


def test_expired_evidence_and_grave_blindness_fill_the_three() -> None:
    found = digest(kept(judged("unknown", "XX-01"), judged("expired", "XX-02"), judged("unknown", "XX-03", severity="low"), judged("fail", "XX-04", fails=(A,), severity="low")))  # fmt: skip
    assert [one.id for one in found.attention] == ["XX-04", "XX-02", "XX-01"]


@pytest.mark.parametrize(
    ("marks", "told"),
    [
        ([attested(NOW + 13 * DAY)], [False]),
        ([attested(NOW + 15 * DAY)], []),
        ([attested(NOW - 2 * DAY)], [True]),
        ([attested(NOW - 8 * DAY)], []),
        ([attested(NOW - 2 * DAY), attested(NOW + 300 * DAY)], []),
        ([attested(NOW + DAY, withdrawn_at=NOW - 1)], []),
        ([attested(NOW + DAY, item="QQ-01")], []),
        ([attested(NOW + DAY, place=Place("other"))], []),
        ([attested(NOW + DAY, place=Place(namespace="team"))], [False]),
    ],
)
def test_what_ends_soon_or_ended_since_the_last_one(marks: list[Mark], told: list[bool]) -> None:
    found = digest(kept(judged("attested")), kept(judged("attested"), weeks=1), marks=marks)
    assert [one.over for one in found.ends] == told


def test_costs_in_words() -> None:
    before = dataclasses.replace(MONEY, usd_per_hour=30.0)
    found = digest(kept(judged("pass")), kept(judged("pass"), weeks=1, spending=before))
    assert words.costs(found) == (
        "16 GPUs, $40.00 an hour (+$10.00 since the last digest). Of 384.0 GPU-hours in the 24h since Sunday 20 Sep 14:13 UTC: 60.0 idle ($150), 24.0 unseen."
    )
    unpriced = Spending(window="24h", gpus=1.0, unpriced=1.0, hours={"used": 24.0})
    assert words.costs(digest(kept(spending=unpriced))) == (
        "1 GPU, without a price; 1 has no price. Of 24.0 GPU-hours in the 24h since Sunday 20 Sep 14:13 UTC: all used or kept warm."
    )


@pytest.mark.parametrize(
    ("now", "before"),
    [
        ({"usd_per_hour": 20.0, "blind": ("Kubernetes: refused",)}, {}),
        ({}, {"blind": ("Prometheus: refused",)}),
        ({"usd_per_hour": 20.0, "unpriced": 8.0}, {}),
        ({}, {"unpriced": 8.0}),
    ],
)
def test_what_was_not_seen_or_priced_is_no_money_saved(now: dict[str, Any], before: dict[str, Any]) -> None:
    after, last = dataclasses.replace(MONEY, **now), dataclasses.replace(MONEY, usd_per_hour=30.0, **before)
    told = words.costs(digest(kept(spending=after), kept(spending=last, weeks=1)))
    assert "not compared with the last digest" in told
    assert "since the last digest" not in told
    for why in now.get("blind", ()):
        assert why in told
    out = as_json(digest(kept(spending=after)))["spending"]
    assert (out["unpriced"], out["blind"]) == (after.unpriced, after.blind)


def test_spending_names_the_sources_that_did_not_answer() -> None:
    down = BlindSpot("Kubernetes", "refused")
    seen = dataclasses.replace(costs(workload(used=8.0), blind=(down,)), gpus=2.0)
    assert spending_of(seen).blind == ("Kubernetes: refused",)
    assert spending_of(dataclasses.replace(seen, gpus=None)).why == "Kubernetes: refused"
    none = spending_of(dataclasses.replace(seen, gpus=0.0, blind=()))
    assert none.known, "that there is none is known"
    said = words.costs(compose(kept(judged("pass", quiet=(A,)), spending=none), None))
    assert said == "No GPU is there, so there is nothing to pay for one."


def test_what_is_kept_beside_comes_back() -> None:
    triaged = [Triaged(NOW, "why slow? \0", "team/a", "not known", "https://app.slack.com/x")]
    money = dataclasses.replace(MONEY, blind=("Kubernetes: refused",))
    found = from_text(to_text(money, triaged))
    assert found.spending == money
    assert found.triaged is not None
    assert found.triaged[0].ended == "not known"
    assert from_text("{}").spending.why == "it was not looked at"
    assert from_text("{}").triaged is None


def test_what_is_to_be_copied_can_be_and_a_title_says_what_is_the_matter() -> None:
    broken = dataclasses.replace(
        judged("fail", fails=(A,), title="Nobody gets in"),
        broken=(Broken("c", A, "open to all | `x", "Close it. Copy: `egress: [{ports: [1]}]` <now>"),),
    )
    told = as_markdown(digest(kept(broken, judged("unknown", "XX-02", blind=(B,), title="It is seen"))))
    assert "Do: Close it. Copy: `egress: [{ports: [1]}]` &lt;now>" in told
    assert "open to all \\| 'x" in told
    assert "**Fails: Nobody gets in** (XX-01, high" in told
    assert "**Not seen: It is seen** (XX-02, high" in told
    first, *_ = messages(digest(kept(broken)), "s1")
    assert "*1. Fails: Nobody gets in*" in str(first.blocks)
    assert "<h3>1. Fails: Nobody gets in</h3>" in as_html(digest(kept(broken)))


def test_a_week_in_which_nobody_could_look_is_no_fall() -> None:
    seen = kept(judged("pass", quiet=(A,)), weeks=1)
    down = [judged("unknown", name, blind=(subject,)) for name, subject in (("XX-01", A), ("XX-02", B), ("XX-03", A))]
    blind = to_keep(report(*down, at=NOW, unseen=("Prometheus: down",)), "digest:s1:0", to_text(MONEY))
    found = digest(blind, seen)
    assert (blind.score, blind.verified, blind.readiness) == (0.0, 0.0, None)
    (one,) = found.attention
    assert (one.state, one.also, one.remedy[:14]) == ("unknown", ("XX-02", "XX-03"), "See to it that"), "one reason"
    told = as_markdown(found)
    assert "100 % → not seen" in told
    assert "**Not seen: A title** (XX-01, high, no longer seen; also XX-02, XX-03; sre" in told
    assert "not seen (2 digests)" in str(messages(found)[0].blocks)
    assert words.sparkline(found.trend).endswith("·")
    assert "<b>not seen</b><span>ready" in as_html(found)
    after = digest(kept(judged("pass", quiet=(A,))), dataclasses.replace(blind, at=NOW - WEEK))
    assert words.moved(after.before, after.now) is None, "nor is the next one a rise"
    assert "up" not in words.verdict(after)


def test_a_window_that_nobody_knows_is_told_as_it_is() -> None:
    odd = dataclasses.replace(MONEY, window="a while")
    assert "GPU-hours in a while:" in words.costs(digest(kept(judged("pass"), spending=odd)))


HOSTILE = "<!channel> <@U1> *bold* `code` [x](http://evil) <script>alert(1)</script>\u202e 🦊" * 20


def huge() -> Digest:
    places = tuple(f"deployment/team/{HOSTILE}{at}" for at in range(300))
    many = [
        judged("fail", f"XX-{at:03}", fails=places, title=HOSTILE, owners=("sre", "ml"), severity="critical")
        for at in range(60)
    ]
    blind = [judged("unknown", f"YY-{at:03}", blind=places, title=HOSTILE) for at in range(60)]
    triaged = [Triaged(NOW, HOSTILE, HOSTILE, "recovered", "https://app.slack.com/x?" + "y" * 400)] * 40
    money = dataclasses.replace(
        MONEY, idle=tuple(Idle(HOSTILE, HOSTILE, 1.0, 1.0, HOSTILE) for _ in range(300)), why=""
    )
    before = [judged("pass", one.item.id, title=HOSTILE) for one in (*many, *blind)]
    marks = [attested(NOW + DAY, item=f"XX-{at:03}") for at in range(60)]
    after = kept(*many, *blind, spending=money, triaged=triaged, unseen=(HOSTILE,) * 20)
    return digest(after, kept(*before, weeks=1), marks=marks, late=HOSTILE)


def test_no_digest_is_too_large_for_slack_or_speaks_for_somebody_else() -> None:
    told = huge()
    for message in (*messages(told, "s1"), *full.messages(told)):
        assert size(message.blocks) <= MESSAGE_SIZE
        assert all(map(valid, message.blocks))
        whole = json.dumps(message.blocks, ensure_ascii=False) + message.text
        assert "<!channel>" not in whole
        assert "<@U1>" not in whole
        assert "\u202e" not in whole
        for block in message.blocks:
            texts = [block.get("text") or {}, *(block.get("elements") or [])]
            assert all(width(one["text"]) <= 3000 for one in texts if isinstance(one.get("text"), str))


def test_what_was_left_off_is_counted() -> None:
    told = messages(huge(), "s1")
    whole = json.dumps([message.blocks for message in told])
    assert " more_" in whole


def test_its_page_and_its_text_hold_hostile_words_as_words() -> None:
    page, told = as_html(huge()), as_markdown(huge())
    assert "<script" not in page
    assert "\u202e" not in page
    assert "<script>" not in told
    assert 'src="http' not in page


def test_every_form_says_the_same() -> None:
    after = kept(
        judged("fail", fails=(A,), severity="critical"),
        judged("fail", "XX-02", fails=(B,)),
        triaged=[Triaged(NOW, "why slow?", "team/a", "recovered")],
    )
    found = digest(
        after, kept(judged("pass"), judged("fail", "XX-02", fails=(B,)), weeks=1), marks=[attested(NOW + DAY)]
    )
    told = as_json(found)
    texts = [
        as_markdown(found),
        as_html(found).replace("&#39;", "'").replace("\u00a0", " "),
        told["text"],
        json.dumps([one.blocks for one in messages(found, "s1")], ensure_ascii=False),
    ]
    for text in texts:
        for fact in (
            words.verdict(found),
            "$10.00 an hour",
            "why slow? (team/a): recovered",
            "XX-01",
            "Kim's attestation ends",
        ):
            assert fact in text, fact
    assert told["verdict"] == words.verdict(found)
    assert [one["id"] for one in told["attention"]] == ["XX-01", "XX-02"]
    assert [one["kind"] for one in told["changes"]] == ["new"]
    assert json.loads(json.dumps(told))


def test_buttons_carry_what_they_are_about() -> None:
    (first, *_) = messages(digest(kept(judged("pass"))), "s1")
    buttons = first.blocks[-1]["elements"]
    assert [one["action_id"] for one in buttons] == ["digest_report", "digest_snooze", "digest_mute"]
    assert json.loads(buttons[0]["value"]) == {"subscription": "s1", "key": "digest:s1:0"}
    (first, *_) = messages(digest(kept(judged("pass"))))
    assert [one["action_id"] for one in first.blocks[-1]["elements"]] == ["digest_report"], "nothing to silence"


def test_a_sparkline_shows_gaps() -> None:
    run = digest(kept()).now
    assert words.sparkline([dataclasses.replace(run, score=score) for score in (0.0, None, 0.5, 1.0)]) == "▁·▅█"


def test_what_a_node_and_its_workloads_cost_is_never_added_up() -> None:
    broken = (
        Broken("a", A, "no alert", "write one"),
        Broken("b", "node/n1", "no exporter", "look"),
        Broken("a", B, "no alert", "write one"),
    )
    one = dataclasses.replace(judged("fail"), broken=broken)
    money = dataclasses.replace(MONEY, workloads={**MONEY.workloads, "node/n1": Runs(55.0, "")})
    (told,) = digest(kept(one, spending=money)).attention
    assert (told.subjects, told.others, told.usd_per_hour, told.remedy) == ((A, B), 1, 30.0, "write one")
    assert words.attention(told).endswith("And 1 more like it. It fails on 1 more for other reasons.")
    (fresh,) = digest(
        kept(one, spending=money), kept(dataclasses.replace(one, broken=(broken[0], broken[2])), weeks=1)
    ).attention
    assert (fresh.subjects, fresh.said, fresh.usd_per_hour, fresh.remedy) == (("node/n1",), "no exporter", 55.0, "look")


def test_what_fails_for_one_reason_is_one_thing() -> None:
    same = [
        judged("fail", f"XX-0{at}", fails=(A,), severity=severity)
        for at, severity in ((1, "high"), (2, "critical"), (3, "low"))
    ]
    told = digest(kept(*same, judged("fail", "XX-04", fails=(B,)))).attention
    assert [(one.id, one.also) for one in told] == [("XX-02", ("XX-01", "XX-03")), ("XX-04", ())]
    assert words.also(told[0]) == "also XX-01, XX-03"
