"""A digest of a simulated fleet, as `rackside serve` makes it: everything is read once, and every check is made once."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

import tools.diagnose
from bot import audit_run
from bot.advisor.question import Question
from bot.desk import Bench
from bot.desks.digest import open_desk
from bot.digest import make
from bot.settings import load_settings
from bot.store.database import open_engine
from bot.store.readiness import Place, Readiness
from bot.store.records import Ask, Store
from tests.bot.fleet.conftest import Fleet


def unasked(question: Question, progress: Callable[[str], None]) -> Any:
    raise AssertionError("a digest asks nobody")


@pytest.mark.parametrize("place", [Place(), Place(namespace="chat")])
def test_a_digest_reads_the_fleet_once_and_makes_each_check_once(fleet: Fleet, tmp_path: Path, place: Place) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'x.db'}")
    made: Counter[tuple[str, str]] = Counter()
    judge = tools.diagnose.judge

    def counted(case: Any, subject: Any, snapshot: Any, limits: Any) -> Any:
        made[case.id, str(subject)] += 1
        return judge(case, subject, snapshot, limits)

    def requests(work: Callable[[], object]) -> Counter[str]:
        before = len(fleet.api.requests)
        work()
        return Counter(fleet.api.requests[before:])

    with (
        mock.patch.dict(os.environ, fleet.environment, clear=True),
        mock.patch.object(tools.diagnose, "judge", counted),
    ):
        settings = load_settings()
        bench = Bench(unasked, Store(engine), tmp_path, "T1", settings, lambda: fleet.at)
        ask = Ask("T1", "C1", "", "", "", "", "digest", {"place": {"namespace": place.namespace}}, "digest:here:1")
        look = requests(lambda: make.look(settings, place, fleet.at))
        assert not made
        told = requests(lambda: open_desk(bench)(ask, lambda _: None))
        again = requests(lambda: open_desk(bench)(ask, lambda _: None))
    assert told == look, "all that the digest says is read off one look"
    assert look
    assert max(look.values()) == 1
    assert not again, "told again, it reads what it kept"
    assert len(made) > 100
    assert set(made.values()) == {1}, [key for key, count in made.items() if count > 1][:5]
    kept = Readiness(engine).run("digest:here:1")
    assert kept is not None
    assert audit_run.within_of(kept.place).everything == (not place.namespace)
    engine.dispose()
