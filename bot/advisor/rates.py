"""How often each readiness rule is broken where nobody asks for it, as `python -m evals.asked_rates` counted it in incidents without a fault."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import yaml

PATH = Path(__file__).with_name("rates.yaml")
# A rule of which nothing is known is as often broken as not.
UNKNOWN = 0.5
# What stands there together or not at all: who has alert rules has most of them, and one that is missing among them is seldom.
ALERTS = re.compile(r"^no_\w+_alert$")
AMONG_OTHERS = 0.2
_HEAD = "# The share of {n} scopes without a fault in which each rule is broken: python -m evals.asked_rates.\n"


@cache
def rates(path: Path = PATH) -> Mapping[str, float]:
    """The share of scopes in which each rule (by id) is broken, 0 to 1."""
    return {str(rule): float(rate) for rule, rate in yaml.safe_load(path.read_text(encoding="utf-8")).items()}


def rate(rule: str, watched: bool = False) -> float:
    """How often a rule is broken, 0 to 1; `watched` says that others of its kind are kept, where they mostly stand together."""
    found = rates().get(rule, UNKNOWN)
    return min(found, AMONG_OTHERS) if watched and ALERTS.search(rule) else found


def write(found: Mapping[str, float], scopes: int, path: Path = PATH) -> None:
    """Write what was counted where `rates` finds it."""
    path.write_text(_HEAD.format(n=scopes) + yaml.safe_dump(dict(found), sort_keys=True), encoding="utf-8")
