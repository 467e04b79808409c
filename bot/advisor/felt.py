"""Readiness rules whose harm somebody complains of and the cluster shows: told where nothing else is wrong."""

from __future__ import annotations

from collections.abc import Collection

from tools.casebook import cases
from tools.check_subjects import subjects
from tools.diagnose import Overrides, Within, judge
from tools.snapshot import Snapshot


def felt(snapshot: Snapshot, within: Within, limits: Overrides, complained_of: Collection[str]) -> frozenset[str]:
    """Those of the rules complained of (by id) that fire on somebody in the scope and say that the harm is seen."""
    return frozenset(
        case.id
        for case in cases().values()
        if case.id in complained_of
        for subject in subjects(case, snapshot)
        if within.holds(subject)
        and (because := judge(case, subject, snapshot, limits).because) is not None
        and because.felt
    )
