"""How far back it is looked for who asks what ended something."""

from __future__ import annotations

import pytest

from bot.advisor.looking_back import BACK_S, looking_back
from tests.tools.pairs import APP, two
from tests.tools.scenes import scene
from tools.casebook import cases
from tools.diagnose import diagnose

EVICTED = "node_memory_pressure_eviction"
AGO = 5400.0


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("One pod of app vanished at 06:35. What killed it?", True),
        ("who evicted app this morning", True),
        ("why did one replica of app vanish around half past six?", True),
        ("app restarts about every 75 minutes, is the probe too tight?", True),
        ("throughput of app drops every 20 minutes", False),
        ("a pod of app dies hourly", True),
        ("we scrape app every 30 minutes, is it all right?", False),
        ("app restarts. Our backup runs every hour", False),
        ("app lost a pod at 06:35, is it still broken?", False),
        ("is app all right?", False),
    ],
)
def test_what_ended_an_hour_and_a_half_ago_is_told_to_who_asks_what_ended_it(question: str, *, told: bool) -> None:
    world = {**scene(EVICTED)["fires"], "pod.failed_ago now": AGO}
    found = diagnose(two((APP, world)), limits=looking_back(question, {}))
    assert (f"{EVICTED}@{APP}" in {one.key for one in found.findings if one.root}) is told


def test_a_day_ago_is_too_long_and_limits_of_the_settings_stay() -> None:
    question = "what killed app?"
    world = {**scene(EVICTED)["fires"], "pod.failed_ago now": 86_000.0}
    assert not diagnose(two((APP, world)), limits=looking_back(question, {})).findings
    kept = looking_back(question, {EVICTED: {"recent": 60.0}, "crash_loop": {"restarts": 9.0}})
    assert kept[EVICTED]["recent"] == 60.0
    assert kept["crash_loop"]["restarts"] == 9.0


def test_only_what_ended_lately_is_looked_for_further_back() -> None:
    changed = looking_back("what killed app?", {})
    assert EVICTED in changed
    assert {value for values in changed.values() for value in values.values()} == {BACK_S}
    assert all("recent" in cases()[check].check.limits for check in changed)
    assert "unexpected_admission_error" not in changed, "it looks back a day by itself"
