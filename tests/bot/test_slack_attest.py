"""A checklist walked in Slack, over Socket Mode and over signed HTTP: stored once, told once, refused where it must be."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from slack_sdk import WebClient

from bot.access.rules import Access, ChannelRule, Who
from bot.attest_view import Walk, end_of, field, item_view, last_view, loading_view, unpacked, walk_buttons, walk_of
from bot.audit_output import Report
from bot.desk import Bench
from bot.desks import marked
from bot.desks.audit import message as audit_message
from bot.listeners import Deps, attest
from bot.settings import Settings
from bot.store.database import database_url, open_engine
from bot.store.readiness import DAY_S, Mark, Place, Readiness
from bot.store.records import Ask, Store
from evals import slack_people
from evals.slack_standin import BOT_TOKEN, SIGNING_SECRET, TEAM, Fault, SlackStandIn
from evals.slack_web.blocks import valid
from knowledge.items import Item
from tests.bot.conftest import Serving, echo, settings
from tests.bot.readiness.worlds_of_items import item, judged

Json = dict[str, Any]
HOSTILE = "<!channel> *bold* `code` <https://evil.example|click> \u202egnp.exe @everyone\nsecond line"
ITEMS = [
    item("XX-01", "low", evidence="a table"),
    item("XX-02", "critical", title=HOSTILE, statement=HOSTILE, evidence=HOSTILE),
    item("XX-03", "high", verify="look at it"),
]
WALKED = Walk(Place("default", "chat"), ("XX-02", "XX-03", "XX-01"))
LINK = "https://wiki.example.org/plan?a=1&b=2"


def date(days: float) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(time.time() + days * DAY_S))


class Room:
    """One Rackside with rules, and how Slack delivers to it."""

    def __init__(self, slack: SlackStandIn, home: Path, *, http: bool) -> None:
        self.slack, self.http = slack, http
        other: Json = {"app_token": None, "signing_secret": SIGNING_SECRET, "port": 0} if http else {}
        rules = Access(
            channels={
                "C1": ChannelRule(),
                "C2": ChannelRule(namespaces=("search",)),
                "C3": ChannelRule(namespaces=("chat",)),
            },
            commands={"attest": Who(users=("U1", "U2", "UGUEST", "UFAR"))},
        )
        self.serving = Serving(settings(slack, home, **other), echo, Settings(home=home, access=rules))
        self.engine = open_engine(database_url(None, home))
        self.readiness, self.store = Readiness(self.engine), Store(self.engine)

    def deliver(self, body: Json) -> Json:
        if not self.http:
            return self.slack.push_acknowledged(body, kind="interactive")
        assert self.slack.post_signed(self.serving.url, body, kind="interactive") == 200
        return {}

    def audited(self, channel: str = "C1", walk: Walk = WALKED) -> Json:
        """The message of an audit."""
        ts = self.slack.say(channel, "U1", "audit")["event"]["ts"]
        return {"ts": ts, "blocks": [walk_buttons(walk)]}

    def press(self, message: Json, user: str = "U1", channel: str = "C1") -> None:
        pressed = message["blocks"][0]["elements"][0]
        self.deliver(slack_people.click(self.slack, message, pressed, user=user, channel=channel))

    def window(self, count: int = 1) -> Json:
        """The window for an item, once it is there."""

        def shown() -> list[Json]:
            return [one for one in self.slack.kept.get("views", []) if one["private_metadata"]]

        self.slack.wait(lambda: len(shown()) >= count, "the window of an item")
        view = shown()[-1]
        return {**view, "id": view.get("view_id") or view["id"]}

    def marks(self) -> list[Mark]:
        return self.readiness.marks()

    def lines(self, root: str, count: int) -> list[Json]:
        self.slack.wait(lambda: len(self.slack.answers("C1", root)) >= count, f"{count} lines")
        deadline = time.monotonic() + 30
        while not self._idle():
            assert time.monotonic() < deadline, "something is still owed"
            threading.Event().wait(0.05)
        return self.slack.answers("C1", root)

    def _idle(self) -> bool:
        with self.engine.connect() as connection:
            return connection.execute(sa.text("select count(*) from inbox where state = 'waiting'")).scalar() == 0


@pytest.fixture(scope="module", params=["socket", "http"])
def _room(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    with pytest.MonkeyPatch.context() as patch, SlackStandIn() as slack:
        patch.setattr(attest, "checklist_items", lambda _: ITEMS)
        made = Room(slack, tmp_path_factory.mktemp("home"), http=request.param == "http")
        yield made
        made.serving.stop()
        made.engine.dispose()


@pytest.fixture
def walk_room(_room: Room) -> Room:
    _room.slack.reset()
    _room.slack.kept["users"] = [
        {"id": "UGUEST", "team_id": TEAM, "is_restricted": True},
        {"id": "UFAR", "team_id": "T0OTHER"},
    ]
    for mark in _room.marks():
        _room.readiness.withdraw(mark.id, "the test")
    return _room


def typed(name: str, choice: str = "attest", evidence: str = "", note: str = "", until: str | None = None) -> Json:
    return {
        field(name, "choice"): {"typed": {"type": "radio_buttons", "selected_option": {"value": choice}}},
        field(name, "evidence"): {"typed": {"type": "url_text_input", "value": evidence or None}},
        field(name, "note"): {"typed": {"type": "plain_text_input", "value": note or None}},
        field(name, "until"): {"typed": {"type": "datepicker", "selected_date": date(30) if until is None else until}},
    }


def following(view: Json) -> Json:
    """The window as it is for the next item."""
    walk = unpacked(view["private_metadata"])
    assert walk is not None
    return {**view, "private_metadata": replace(walk, items=walk.items[1:]).packed()}


def standing(room: Room) -> list[Mark]:
    return [one for one in room.marks() if one.withdrawn_at is None]


def test_a_walk_from_the_button_to_the_last_item(walk_room: Room) -> None:
    audited = walk_room.audited()
    walk_room.press(audited)
    view = walk_room.window()
    assert all(map(valid, view["blocks"]))
    assert "3 left" in str(view["blocks"][0])
    assert "<!channel" not in str(view["blocks"])
    first = slack_people.submit(view, typed("XX-02", evidence=LINK, note=HOSTILE))
    reply, again = walk_room.deliver(first), walk_room.deliver(first)
    (mark,) = standing(walk_room)
    assert walk_room.store.letter(f"attest:{mark.id}") is not None, "persisted before the acknowledgement"
    assert (mark.kind, mark.item, mark.by, mark.evidence) == ("attested", "XX-02", "U1", LINK)
    assert (mark.place, time.strftime("%Y-%m-%d", time.gmtime(mark.until))) == (WALKED.place, date(30))
    if not walk_room.http:
        assert reply["response_action"] == "update"
        assert reply == again
        assert "2 left" in str(reply["view"]["blocks"][0])
        assert "`XX-02` attested until" in str(reply["view"]["blocks"][0])
        assert reply["view"]["private_metadata"] == following(view)["private_metadata"]
    view = following(view)
    walk_room.deliver(slack_people.submit(view, typed("XX-03", "waive", note="no traffic yet")))
    assert [one.kind for one in standing(walk_room)] == ["attested", "waived"]
    view = following(view)
    reply = walk_room.deliver(slack_people.submit(view, typed("XX-01", "skip")))
    if not walk_room.http:
        assert "submit" not in reply["view"]
        assert "/rackside audit" in str(reply["view"]["blocks"])
    lines = walk_room.lines(audited["ts"], 2)
    assert len(lines) == 2
    told = {one["text"].partition(" is ")[0]: str(one["blocks"]) for one in lines}
    assert set(told) == {"<@U1>: `XX-02` of `default/chat`", "<@U1>: `XX-03` of `default/chat`"}
    shown = told["<@U1>: `XX-02` of `default/chat`"]
    assert "|evidence>" in shown
    assert "<!" not in shown
    assert "<https://evil" not in shown
    assert "\u202e" not in shown
    assert "@everyone" not in shown
    # What somebody said in the meantime is not asked again.
    walk_room.press(audited, user="U2")
    assert unpacked(walk_room.window(2)["private_metadata"]) == replace(
        WALKED, items=("XX-01",), channel="C1", root=audited["ts"]
    )


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ("evidence", {"evidence": ""}),
        ("evidence", {"evidence": "javascript:alert(1)"}),
        ("evidence", {"evidence": "ftp://example.org/x"}),
        ("evidence", {"evidence": "https://user:secret@example.org/"}),
        ("evidence", {"evidence": "https://example.org/" + "a" * 600}),
        ("until", {"until": ""}),
        ("until", {"until": "9999-12-31"}),
        ("until", {"until": "no date"}),
        ("until", {"until": "2020-01-01"}),
        ("until", {"until": date(402)}),
        ("note", {"note": "x" * 501}),
        ("note", {"choice": "waive", "note": "\u200b\u202e "}),
        ("choice", {"choice": "delete"}),
    ],
)
def test_what_is_wrong_is_told_in_its_field(walk_room: Room, block: str, said: Json) -> None:
    walk = replace(WALKED, channel="C1", root="1.0")
    view = {**item_view(walk, ITEMS[1], time.time()), "id": "V1"}
    reply = walk_room.deliver(slack_people.submit(view, typed("XX-02", **{"evidence": LINK, **said})))
    assert not standing(walk_room)
    if not walk_room.http:
        assert reply["response_action"] == "errors"
        assert list(reply["errors"]) == [field("XX-02", block)]
        assert 0 < len(reply["errors"][field("XX-02", block)]) <= 300
    assert field("XX-02", block) in {one.get("block_id") for one in view["blocks"]}


def test_the_longest_time_is_400_days(walk_room: Room) -> None:
    walk = replace(WALKED, channel="C1", root=walk_room.audited()["ts"])
    view = {**item_view(walk, ITEMS[1], time.time()), "id": "V2"}
    walk_room.deliver(slack_people.submit(view, typed("XX-02", evidence=LINK, until=date(399))))
    assert len(standing(walk_room)) == 1
    walk_room.lines(walk.root, 1)


@pytest.mark.parametrize(
    ("user", "channel", "word"),
    [
        ("UGUEST", "C1", "guests"),
        ("UFAR", "C1", "organisation"),
        ("U9", "C1", "some people only"),
        ("U1", "C2", "search"),
        ("U1", "C9", "not set up"),
        ("U1", "C3", "covers more"),
    ],
)
def test_who_may_not_say_it_is_told_alone(walk_room: Room, user: str, channel: str, word: str) -> None:
    walked = replace(WALKED, place=Place()) if channel == "C3" else WALKED
    walk_room.press(walk_room.audited(channel, walked), user, channel)
    walk_room.slack.wait(lambda: bool(walk_room.slack.kept.get("whispers")), "a whisper")
    (told,) = walk_room.slack.kept["whispers"]
    assert word in told["text"]
    assert not walk_room.slack.kept.get("views")
    # A window that was opened before the rule was made.
    walk = replace(walked, channel=channel, root="1.0")
    view = {**item_view(walk, ITEMS[1], time.time()), "id": "V3"}
    reply = walk_room.deliver(slack_people.submit(view, typed("XX-02", evidence=LINK), user=user))
    if not walk_room.http:
        assert word in reply["errors"][field("XX-02", "choice")]
    assert not standing(walk_room)


def test_a_window_that_does_not_open_is_said(walk_room: Room) -> None:
    walk_room.slack.fail("views.open", Fault(error="expired_trigger_id"))
    walk_room.press(walk_room.audited())
    walk_room.slack.wait(lambda: bool(walk_room.slack.kept.get("whispers")), "a whisper")
    assert walk_room.slack.kept["whispers"][0]["text"] == attest.NO_WINDOW


@pytest.mark.parametrize("carried", ["", "no json", "[]", '{"items": 1}', "{}", '{"items":"XX-01"}'])
def test_a_broken_window_stores_nothing(walk_room: Room, carried: str) -> None:
    view = {**loading_view(), "id": "V4", "private_metadata": carried}
    assert walk_room.deliver(slack_people.submit(view, typed("XX-01", evidence=LINK))) == {}
    assert not standing(walk_room)


def test_the_audit_offers_to_walk_what_needs_a_person_worst_first() -> None:
    found = (
        judged("attest", "XX-01", severity="low"),
        judged("pass", "XX-04"),
        judged("expired", "XX-02", severity="low"),
        judged("attest", "XX-03", severity="critical"),
        judged("unknown", "XX-05"),
    )
    blocks = audit_message(Report(found, Place(), 0.0, (), False)).blocks
    (button,) = blocks[-1]["elements"]
    walk = unpacked(button["value"])
    assert walk is not None
    assert walk.items == ("XX-03", "XX-02", "XX-01")
    assert button["text"]["text"] == "Walk the checklist (3)"
    quiet = audit_message(Report((judged("pass"),), Place(), 0.0, (), False)).blocks
    assert all(one["type"] != "actions" for one in quiet)


def test_what_a_button_and_a_window_carry_fits() -> None:
    many = [judged("attest", f"LONG-{number:04}") for number in range(1000)]
    for place in (Place(), Place("c" * 63, "n" * 63, "w" * 253), Place("default", "🔥" * 80)):
        walk = walk_of(many, place)
        assert walk is not None
        assert valid(walk_buttons(walk))
        carried = replace(walk, channel="C" * 20, root="1" * 20)
        view = item_view(carried, replace(ITEMS[1], title="&" * 5000, statement="<" * 5000, why="🔥" * 5000), 0.0)
        assert len(view["private_metadata"]) <= 3000
        assert unpacked(view["private_metadata"]) == carried
        assert all(map(valid, view["blocks"]))
    assert walk_of(many, Place("default", "x" * 3000)) is None
    assert all(map(valid, (*last_view()["blocks"], *loading_view()["blocks"])))


def test_what_is_left_is_what_nobody_said_and_the_checklists_still_know() -> None:
    known = {one.id: one for one in ITEMS}
    here = Mark("1", "waived", "XX-02", Place(), "U1", "", "why", 10.0, 100.0)
    elsewhere = replace(here, item="XX-03", place=Place("default", "other"))
    walk = replace(WALKED, items=("XX-02", "GONE", "XX-03"))
    assert walk.without([here, elsewhere], known, 50.0).items == ("XX-03",)
    assert walk.without([here], known, 200.0).items == ("XX-02", "XX-03"), "its end is past"


def test_what_was_typed_for_one_item_does_not_stay_for_the_next() -> None:
    shown = [{one.get("block_id", "") for one in item_view(WALKED, item, 0.0)["blocks"]} - {""} for item in ITEMS[:2]]
    assert len(shown[0]) == len(shown[1]) == 4
    assert not shown[0] & shown[1], "Slack keeps what was typed where the id of a block stays"


def test_the_end_of_a_day() -> None:
    assert end_of("1970-01-01") == DAY_S - 1
    assert math.isnan(end_of("1970-02-30"))
    assert math.isnan(end_of(""))


def test_a_line_names_only_people_and_links_only_the_web() -> None:
    mark = Mark("1", "attested", "XX-01", Place(), "!channel> <@U9", "javascript:x", HOSTILE, 0.0, DAY_S)
    shown = str(marked.message(mark))
    assert "<!" not in shown
    assert "<@" not in shown
    assert "<javascript" not in shown
    assert "<https://evil" not in shown


class Begun:
    """Takes asks and does nothing."""

    def __init__(self) -> None:
        self.asks: list[Ask] = []

    def begin(self, ask: Ask) -> None:
        self.asks.append(ask)


def walk_alone(slack: SlackStandIn, home: Path, read: Callable[[], list[Item]]) -> tuple[list[Json], Begun, Readiness]:
    """Send a window to a Rackside that has just started; its replies, what it began, and what it stored."""
    store, begun = Store(open_engine(database_url(None, home))), Begun()
    walking = attest.Walking(Deps(store, begun, "UBOT"))
    walking._checklists = attest.Checklists(read)
    view = {**item_view(replace(WALKED, channel="C1", root="1.0"), ITEMS[1], 0.0), "id": "V9"}
    body = slack_people.submit(view, typed("XX-02", evidence=LINK))
    replies: list[Json] = []

    def ack(**said: Any) -> None:
        assert Readiness(store.engine).marks(), "stored first"
        replies.append(said)

    client = WebClient(BOT_TOKEN, base_url=f"{slack.api_url}/")
    walking.send(ack, body, body["view"], client)  # type: ignore[arg-type]
    store.engine.dispose()
    return replies, begun, Readiness(store.engine)


def test_after_a_restart_the_next_item_follows_once_the_checklists_are_read(
    slack: SlackStandIn, tmp_path: Path
) -> None:
    replies, begun, readiness = walk_alone(slack, tmp_path, lambda: ITEMS)
    (reply,) = replies
    assert "One moment" in str(reply["view"]["blocks"])
    (shown,) = slack.kept["views"]
    assert shown["view_id"] == "V9"
    assert "XX-03" in str(shown["blocks"])
    (mark,) = readiness.marks()
    assert [ask.name for ask in begun.asks] == [f"attest:{mark.id}"]
    readiness.engine.dispose()


def test_checklists_that_cannot_be_read_are_said_and_the_mark_stays(slack: SlackStandIn, tmp_path: Path) -> None:
    def broken() -> list[Item]:
        raise OSError("the index is gone")

    _, begun, readiness = walk_alone(slack, tmp_path, broken)
    (shown,) = slack.kept["views"]
    assert attest.UNREADABLE in str(shown["blocks"])
    assert "index is gone" not in str(shown)
    assert len(readiness.marks()) == len(begun.asks) == 1
    readiness.engine.dispose()


def test_a_line_whose_mark_is_gone(tmp_path: Path) -> None:
    store = Store(open_engine(database_url(None, tmp_path)))
    desk = marked.open_desk(Bench(echo, store, tmp_path))
    told = desk(
        Ask("T1", "C1", "", "1.0", "", "", "attest", {"item": "XX-01", "mark": "x"}, "attest:x"), lambda _: None
    )
    assert told["text"] == marked.GONE
    store.engine.dispose()
