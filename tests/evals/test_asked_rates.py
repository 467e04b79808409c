"""How often rules are broken where nobody asks for them, counted in incidents."""

from __future__ import annotations

from bot.advisor.rates import UNKNOWN
from evals.asked_rates import broken_in, counted
from evals.incident_runs import INCIDENTS
from knowledge.home import default_home
from knowledge.search import Library
from tools.casebook import rules

# Somebody asks whether anybody may reach the pods of it.
FOLDER = INCIDENTS / "lemon-stairs"


def test_rules_that_are_broken_are_counted_but_the_one_that_is_asked_for() -> None:
    library = Library.open(default_home())
    assert {"no_network_policy", "no_stall_alert"} <= broken_in(FOLDER, library)
    found = counted([FOLDER], library, print)
    assert set(found) == set(rules())
    assert found["no_stall_alert"] == 1.0
    assert found["probes_missing"] == 0.0
    assert found["no_network_policy"] == UNKNOWN
