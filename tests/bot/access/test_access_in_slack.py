"""The gate in the whole Slack app: who is refused and how, what is narrowed, what is logged; on the stand-in, in Socket Mode."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.access.guard import UnknownPersonError
from bot.access.rules import Access
from bot.advisor.question import Answer, Question
from bot.settings import Settings
from bot.slack_people import SlackPeople
from bot.store.audit import AuditLog
from bot.store.database import database_url, open_engine
from evals import slack_people
from evals.slack_standin import BOT_TOKEN, BOT_USER, TEAM, Fault, SlackStandIn
from tests.bot.conftest import Start, echo, settings

ME = f"<@{BOT_USER}>"
RULES: dict[str, Any] = {
    "channels": {"C1": {"namespaces": ["prod"]}, "C2": {}, "C4": {"namespaces": ["search"]}, "C5": {}},
    "direct": {"namespaces": ["prod"]},
    "commands": {"help": {"groups": ["S1"]}},
    "person": {"at_once": 3, "a_minute": 0.001},
    "channel": {"at_once": 50, "a_minute": 1},
}


class Office:
    """One Rackside with rules, and what it was asked."""

    def __init__(self, slack: SlackStandIn, home: Path, start: Start, **more: Any) -> None:
        self.slack, self.home = slack, home
        self.seen: list[Question] = []
        full = Settings(home=home, access=Access(**(RULES | more)))
        start(settings(slack, home), self._answer, full)

    def _answer(self, question: Question, progress: Callable[[str], None]) -> Answer:
        self.seen.append(question)
        return echo(question, progress)

    def ask(self, channel: str, text: str, user: str = "U1") -> str:
        body = self.slack.say(channel, user, f"{ME} {text}")
        self.slack.push_acknowledged(body)
        return str(body["event"]["ts"])

    def whispers(self) -> list[dict[str, Any]]:
        return self.slack.kept.get("whispers", [])

    def refused(self, channel: str, text: str, user: str) -> str:
        before = len(self.whispers())
        self.ask(channel, text, user)
        self.slack.wait(lambda: len(self.whispers()) > before, f"a whisper to {user}")
        told = self.whispers()[-1]
        assert (told["user"], told["channel"]) == (user, channel)
        return str(told["text"])

    def answered(self, channel: str, text: str, user: str) -> str:
        ts = self.ask(channel, text, user)
        self.slack.wait(lambda: self.slack.reactions(channel, ts) == ["white_check_mark"], f"an answer to {text}")
        return str(self.slack.answers(channel, ts)[0]["text"])


@pytest.fixture
def office(slack: SlackStandIn, tmp_path: Path, start: Start) -> Office:
    slack.kept["users"] = [
        {"id": "UGUEST", "team_id": TEAM, "is_restricted": True},
        {"id": "UULTRA", "team_id": TEAM, "is_ultra_restricted": True},
        {"id": "UFAR", "team_id": "T0OTHER"},
        {"id": "USTRANGE", "team_id": TEAM, "is_stranger": True},
        {"id": "UBOT", "team_id": TEAM, "is_bot": True},
    ]
    slack.kept["channels"] = [{"id": "C5", "is_ext_shared": True}]
    slack.kept["usergroups"] = [{"id": "S1", "users": ["U7"]}]
    return Office(slack, tmp_path, start)


def test_who_is_refused_is_told_alone_and_nothing_is_read(office: Office) -> None:
    for user, word in (
        ("UGUEST", "guests"),
        ("UULTRA", "guests"),
        ("UFAR", "organisation"),
        ("USTRANGE", "organisation"),
        ("UBOT", "apps"),
    ):
        assert word in office.refused("C1", "why slow?", user)
    assert "shared with another organisation" in office.refused("C5", "why slow?", "U1")
    assert "not set up" in office.refused("C9", "why slow?", "U1")
    assert "some people only" in office.refused("C2", "", "U1")
    assert not office.seen
    assert not [m for channel in office.slack.messages for m in office.slack.answers(channel)], "nothing in public"
    assert office.slack.count("users.info") == 6, "people are remembered: U1 spoke three times"
    office.slack.wait(lambda: not any(office.slack.reacted.values()), "no reaction left hanging")
    office.answered("C2", "", "U7")
    log = AuditLog(open_engine(database_url(None, office.home)))
    rows = list(log.entries())
    assert [row.outcome for row in rows] == ["answered"] + ["refused"] * 8
    assert {row.reason for row in rows[1:]} == {
        "guest",
        "other organisation",
        "bot",
        "Slack Connect channel",
        "channel has no rule",
        "command",
    }


def test_a_question_is_narrowed_to_its_channel_whatever_the_desk_asks(office: Office) -> None:
    for channel, namespaces in (("C1", ("prod",)), ("C4", ("search",)), ("D1", ("prod",))):
        office.answered(channel, "why slow?", f"U{channel}")
        allowed = office.seen[-1].allowed
        assert allowed is not None
        assert allowed.namespaces == namespaces
        assert set(allowed.others) == {"prod", "search"} - set(namespaces)
    office.answered("C2", "why slow?", "U8")
    assert office.seen[-1].allowed is None
    log = AuditLog(open_engine(database_url(None, office.home)))
    row = next(log.entries(channel="C4"))
    assert (row.person, row.outcome, row.reason, row.scope) == ("UC4", "answered", "live", {"namespaces": ["search"]})
    assert "why slow?" in row.answer


def test_who_asks_too_often_is_told_once(office: Office) -> None:
    for n in range(3):
        office.answered("C2", f"question {n}?", "U3")
    assert "a minute" in office.refused("C2", "one more?", "U3")
    for n in range(3):
        office.ask("C2", f"again {n}?", "U3")
    office.answered("C2", "somebody else?", "U4")
    log = AuditLog(open_engine(database_url(None, office.home)))
    office.slack.wait(lambda: len(list(log.entries(person="U3", outcome="refused"))) == 4, "four refusals in the log")
    assert len(office.whispers()) == 1


def command(office: Office, text: str, channel: str, user: str) -> str:
    body = slack_people.command(office.slack, text, channel=channel, user=user)
    return str(office.slack.push_acknowledged(body, kind="slash_commands").get("text", ""))


def test_commands_that_need_no_work_pass_the_gate_too(office: Office) -> None:
    assert "guests" in command(office, "mute 1h", "C2", "UGUEST")
    assert "not set up" in command(office, "subscribe monday 09:00", "C9", "U1")
    assert "whole fleet" in command(office, "subscribe monday 09:00", "C1", "U1")
    assert "mentioned" in command(office, "mute 1h", "C1", "U1")
    assert "digest every" in command(office, "subscribe monday 09:00", "C2", "U1")
    assert "some people" in command(office, "help", "C2", "U1")


def people(slack: SlackStandIn, now: list[float]) -> SlackPeople:
    return SlackPeople(BOT_TOKEN, slack.api_url + "/", lambda: now[0])


def test_people_and_groups_are_asked_again_after_a_while(slack: SlackStandIn) -> None:
    now = [0.0]
    slack.kept["usergroups"] = [{"id": "S1", "users": ["U7"]}]
    known = people(slack, now)
    assert known.groups("U7", ["S1", "S0"]) == {"S1"}
    assert known.groups("U8", ["S1"]) == frozenset()
    assert slack.count("usergroups.users.list") == 2
    slack.kept["usergroups"] = [{"id": "S1", "users": ["U8"]}]
    assert known.groups("U7", ["S1"]) == {"S1"}
    now[0] = 301.0
    assert known.groups("U7", ["S1"]) == frozenset()


def test_without_the_permission_to_see_people_nobody_is_let_in(slack: SlackStandIn) -> None:
    known = people(slack, [0.0])
    slack.fail("users.info", Fault(error="missing_scope"))
    with pytest.raises(UnknownPersonError):
        known.person(TEAM, "U1")
    assert not known.person(TEAM, "U1").guest, "a failure is not remembered"
    slack.fail("users.info", Fault(error="user_not_found"))
    assert known.person(TEAM, "U2").stranger
    slack.fail("users.info", Fault(status=503, times=1))
    assert not known.person(TEAM, "U3").stranger, "an outage is tried again"
