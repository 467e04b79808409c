"""Who may ask what, where and how often; pure decisions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from bot.access.decide import Person, Place, Refused, decide, named_groups
from bot.access.rate import Meter
from bot.access.rules import Access, Rate
from bot.advisor.question import Allowed, Question
from bot.advisor.scope import permitted

MEMBER = Person("U1", "T1")
RULES = {"channels": {"C1": {"namespaces": ["prod", "search"]}, "C2": {"clusters": ["east"]}, "C3": {}}}


def said(
    access: dict[str, Any], person: Person | None = MEMBER, channel: str = "C1", kind: str = "question", **more: Any
) -> Any:
    groups = more.pop("groups", ())
    found = decide(
        Access(**access),
        kind,
        Place(channel, more.pop("shared", False)),
        person,
        groups,
        narrows=more.pop("narrows", True),
    )
    return found.reason if isinstance(found, Refused) else found


def test_without_rules_every_channel_sees_everything() -> None:
    for channel in ("C1", "D1", "G1"):
        assert said({}, channel=channel).everything
        assert said({}, channel=channel, narrows=False).everything


def test_with_one_rule_all_other_places_see_nothing() -> None:
    assert said(RULES).namespaces == ("prod", "search")
    assert said(RULES).clusters is None
    assert said(RULES, channel="C2").clusters == ("east",)
    assert said(RULES, channel="C3").everything
    assert said(RULES, channel="C9") == "channel has no rule"
    assert said(RULES, channel="D1") == "channel has no rule"
    direct = RULES | {"direct": {"namespaces": ["prod"]}}
    assert said(direct, channel="D1").namespaces == ("prod",)
    assert said(direct, channel="C9") == "channel has no rule"
    assert said({"direct": {"namespaces": ["prod"]}}, channel="C9") == "channel has no rule"


def test_what_looks_at_the_whole_fleet_is_refused_where_a_part_may_be_seen() -> None:
    assert said(RULES, kind="audit", narrows=False) == "whole fleet"
    assert said(RULES, kind="audit", channel="C3", narrows=False).everything
    assert said(RULES, person=None, kind="digest", narrows=False) == "whole fleet"


@pytest.mark.parametrize(
    ("person", "reason", "opening"),
    [
        (Person("U1", "T1", guest=True), "guest", {"guests": True}),
        (Person("U1", "T2", stranger=True), "other organisation", {"slack_connect": True}),
        (Person("U1", "T1", bot=True), "bot", {"bots": ["U1"]}),
    ],
)
def test_guests_strangers_and_bots_are_refused_unless_settings_say_otherwise(
    person: Person, reason: str, opening: dict[str, Any]
) -> None:
    assert said({}, person=person) == reason
    assert said(opening, person=person).everything


def test_a_channel_shared_with_others_is_refused_to_members_too() -> None:
    assert said({}, shared=True) == "Slack Connect channel"
    assert said({"slack_connect": True}, shared=True).everything


def test_sensitive_commands_are_for_those_who_are_named() -> None:
    access: dict[str, Any] = {
        "commands": {"audit": {"users": ["U7"], "groups": ["S1"]}},
        "admins": {"users": ["U9"], "groups": ["S2"]},
    }
    assert said(access, kind="audit") == "command"
    assert said(access, kind="audit", person=Person("U7")).everything
    assert said(access, kind="audit", groups=["S1"]).everything
    assert said(access, kind="audit", groups=["S2"]).everything
    assert said(access, kind="audit", person=Person("U9")).everything
    assert said(access, kind="question").everything
    assert said(access, kind="audit", person=None).everything, "an alert or a due digest is nobody's command"
    assert named_groups(Access(**access), "audit") == ("S2", "S1")
    assert named_groups(Access(**access), "question") == ("S2",)


def test_an_administrator_sees_everything_in_a_direct_message_and_a_channels_share_in_a_channel() -> None:
    access = RULES | {"admins": {"users": ["U1"]}}
    assert said(access, channel="D1").everything
    assert said(access, channel="C1").namespaces == ("prod", "search")
    assert said(access, channel="C9") == "channel has no rule"


def test_settings_with_a_typing_mistake_are_refused() -> None:
    for wrong in (
        {"chanels": {}},
        {"channels": {"C1": {"namespace": ["x"]}}},
        {"person": {"at_once": 0, "a_minute": 1}},
        {"log_days": 0},
    ):
        with pytest.raises(ValidationError):
            Access(**wrong)


def test_the_settings_in_the_guide_are_settings() -> None:
    guide = (Path(__file__).parents[3] / "docs/slack.md").read_text(encoding="utf-8")
    told = yaml.safe_load(guide.split("```yaml")[1].split("```")[0])["access"]
    access = Access(**told)
    assert set(told) == set(Access.model_fields), "every key is in the guide"
    assert (access.seen_from("C0OPSPROD") or Allowed()).namespaces == ("prod", "search")
    assert (access.seen_from("C0SRE") or Allowed(())).everything
    assert access.seen_from("C0ELSEWHERE") is None


PROD = Allowed(None, ("prod", "search"), "this channel", ("payments",))


@pytest.mark.parametrize(
    ("text", "given", "refused"),
    [
        ("why is chat slow?", {}, False),
        ("what is wrong in namespace prod?", {}, False),
        ("what is wrong in namespace payments?", {}, True),
        ("what is going on in the unheard-of namespace?", {}, True),
        ("is anything wrong with payments/ledger?", {}, True),
        ("is payments fine?", {}, True),
        ("is Payments fine?", {}, True),
        ("compare prod with ns:billing", {}, True),
        ("is it in the same namespace?", {}, False),
        ("why?", {"namespace": "payments"}, True),
        ("why?", {"namespace": "prod"}, False),
        (None, {"namespace": "kube-system"}, True),
    ],
)
def test_who_names_a_foreign_namespace_is_refused_before_anything_is_read(
    text: str | None, given: dict[str, str], refused: bool
) -> None:
    _, sentence = permitted(Question(text, **given, allowed=PROD), text or "")
    assert bool(sentence) is refused
    if refused:
        assert sentence == "I cannot tell you that here: this channel may see namespaces prod, search only."


def test_clusters_are_kept_apart_too() -> None:
    east = Allowed(("east",), None)
    assert permitted(Question("x", allowed=east), "x")[0].cluster == "east"
    assert permitted(Question("x", "west", allowed=east), "x")[1]
    assert not permitted(Question("x", "east", allowed=east), "x")[1]
    assert permitted(Question("x", allowed=Allowed((), ())), "x")[1]
    assert permitted(Question("x", allowed=Allowed(None, ())), "x")[1]


def test_a_bucket_empties_is_told_once_and_fills_again() -> None:
    now = [0.0]
    meter = Meter(lambda: now[0])
    limits: dict[str, Rate | None] = {"U1": Rate(at_once=2, a_minute=6), "C1": None}
    assert [meter.take(f"a{n}", limits) for n in range(4)] == [
        (True, False),
        (True, False),
        (False, True),
        (False, False),
    ]
    assert meter.take("a0", limits) == (True, False), "a question whose process resumed is charged once"
    assert meter.take("a2", limits) == (False, False)
    assert meter.take("b", {"U2": Rate(at_once=1, a_minute=1)}) == (True, False), "others have buckets of their own"
    now[0] = 10.0
    assert meter.take("a5", limits) == (True, False)
    assert meter.take("a6", limits) == (False, True), "told again after it went on"
    now[0] = 1e6
    assert [meter.take(f"c{n}", limits)[0] for n in range(3)] == [True, True, False], "a bucket does not overflow"


def test_a_full_channel_charges_nobody() -> None:
    meter = Meter(lambda: 0.0)
    both: dict[str, Rate | None] = {"U1": Rate(at_once=5, a_minute=1), "C1": Rate(at_once=1, a_minute=1)}
    assert meter.take("1", both)[0]
    for n in range(9):
        assert not meter.take(f"x{n}", both)[0]
    assert [meter.take(f"y{n}", {"U1": Rate(at_once=5, a_minute=1)})[0] for n in range(5)] == [True] * 4 + [False]
