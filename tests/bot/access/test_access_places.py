"""What looks at a whole place (audit, digest, watchdogs) stays within what its channel may see."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.access.places import placed
from bot.access.visit import visiting
from bot.advisor.question import Allowed
from bot.desk import Bench
from bot.desks import watch as watch_desk
from bot.listeners.digest import refused
from bot.store.database import database_url, open_engine
from bot.store.readiness import Place
from bot.store.records import Ask, Store
from bot.store.watches import Watches
from bot.watch.notice import Found, Looked, due

ONE, TWO, NONE = Allowed(None, ("prod",)), Allowed(None, ("prod", "search")), Allowed(None, ())
EAST = Allowed(("east",), None)


@pytest.mark.parametrize(
    ("place", "allowed", "within"),
    [
        (Place(), None, Place()),
        (Place("default", "any"), Allowed(), Place("default", "any")),
        (Place(), ONE, Place("default", "prod")),
        (Place("default", "prod", "llama"), ONE, Place("default", "prod", "llama")),
        (Place("default", "search"), TWO, Place("default", "search")),
        (Place(), EAST, Place("east")),
        (Place("east", "any"), EAST, Place("east", "any")),
    ],
)
def test_a_place_that_may_be_seen(place: Place, allowed: Allowed | None, within: Place) -> None:
    assert placed(place, allowed) == (within, "")


@pytest.mark.parametrize(
    ("place", "allowed", "says"),
    [
        (Place("default", "search"), ONE, "namespace prod only"),
        (Place(), TWO, "name one of them"),
        (Place(), NONE, "may see no namespace only"),
        (Place("west"), EAST, "cluster east only"),
    ],
)
def test_a_place_that_is_more_than_may_be_seen(place: Place, allowed: Allowed, says: str) -> None:
    assert says in placed(place, allowed)[1]


def test_a_watchdog_tells_only_what_its_channel_may_see(tmp_path: Path) -> None:
    store = Store(open_engine(database_url(None, tmp_path)))
    watches = Watches(store.engine)
    found = Looked((Found("deployment/search/llama", "held 8 GPUs and did nothing", "ml", "scale it down"),))
    desk = watch_desk.open_desk(Bench(None, store, tmp_path))  # type: ignore[arg-type]
    shown: list[dict[str, Any]] = []
    for place in (Place("default", "search"), Place("default", "prod"), Place()):
        watch = watches.watch("idle", "C1", place, "4h", 95.0, ())
        ((key, payload),) = due(watch, found, {}, 1000.0)
        ask = Ask("T", "C1", "", "", "", "idle watch", "watch", payload, key)
        with visiting(ONE):
            shown.append(dict(desk(ask, lambda _: None)))
    assert "namespace prod only" in shown[0]["text"]
    assert "llama" not in str(shown[0])
    assert "8 GPUs" in str(shown[1])
    # Of a notice that is made already nothing can be left out.
    assert "set it for prod alone" in shown[2]["text"]
    assert "8 GPUs" not in str(shown[2])
    store.close()


def test_who_may_not_ask_may_not_silence_either() -> None:
    told: list[str] = []

    class Refusing:
        def refusal(self, ask: Ask) -> str:
            assert (ask.kind, ask.person, ask.channel, ask.team) == ("mute", "U9", "C1", "T")
            return "Guests are asked to ask through a colleague."

    body = {"user": {"id": "U9"}, "team": {"id": "T"}, "container": {"channel_id": "C1"}}
    acked: list[bool] = []
    assert refused(Refusing(), lambda: acked.append(True), body, lambda text, **_: told.append(text))  # type: ignore[arg-type]
    assert (acked, told) == ([True], ["Guests are asked to ask through a colleague."])
