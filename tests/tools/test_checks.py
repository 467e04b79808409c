"""Every check on its scene: it fires, it is quiet at a near miss of each condition, it is blind when a needed reading is gone."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.tools.scenes import SUBJECTS, scene, snapshot
from tools.casebook import cases
from tools.check import Because, NothingToSee, Unseen
from tools.diagnose import run
from tools.inventory import runtimes
from tools.outcomes import Outcome, Verdict
from tools.present import Present
from tools.reading import Subject
from tools.signals import parse_ask

ENGINES = [source.name for source in runtimes()]


def judged(check: str, world: Mapping[str, Any], subject: Subject, **how: Any) -> Outcome:
    taken = snapshot(world, subject, **how)
    outcomes = run(taken, {}, rules=cases()[check].check.rule)
    return next(one for one in outcomes if one.case.id == check and one.subject == subject)


def every() -> Iterator[tuple[str, str]]:
    for check in cases():
        for engine in ENGINES:
            yield check, engine


def subject_of(told: Mapping[str, Any]) -> Subject:
    return SUBJECTS[told.get("about", "workload")]


@pytest.mark.parametrize(("check", "engine"), list(every()))
def test_it_fires_on_its_scene(check: str, engine: str) -> None:
    told = scene(check)
    outcome = judged(check, told["fires"], subject_of(told), engine=engine)
    assert outcome.verdict is Verdict.FIRES
    assert isinstance(outcome.because, Because)
    assert outcome.because.sentence.strip()
    assert all(reading.blind is None for reading in outcome.because.evidence)
    assert outcome.remedies
    assert all(remedy.text.strip() and remedy.verify.strip() for remedy in outcome.remedies)


@pytest.mark.parametrize(("check", "name"), [(c, n) for c in cases() for n in scene(c)["quiet_if"]])
def test_it_is_quiet_at_each_near_miss(check: str, name: str) -> None:
    told = scene(check)
    world = {**told["fires"], name: told["quiet_if"][name]}
    assert judged(check, world, subject_of(told)).verdict is Verdict.QUIET


@pytest.mark.parametrize(
    ("check", "name"),
    [
        (check, str(ask))
        for check, case in cases().items()
        for ask in case.check.needs
        if str(ask) not in {*scene(check).get("elsewhere", ()), *scene(check).get("never_missing", ())}
    ],
)
def test_it_is_blind_without_a_needed_reading(check: str, name: str) -> None:
    told = scene(check)
    assert name in told["fires"], f"the scene of {check} gives no {name}"
    outcome = judged(check, told["fires"], subject_of(told), without=[name])
    assert outcome.verdict is Verdict.BLIND
    assert outcome.unseen is not None
    assert outcome.unseen.blind is not None


@pytest.mark.parametrize(
    ("check", "other"), [(c, o) for c in cases() for o in scene(c).get("others", ())], ids=lambda x: str(x)[:60]
)
def test_its_other_scenes(check: str, other: Mapping[str, Any]) -> None:
    told = scene(check)
    same = "about" not in other
    world = {**(told["fires"] if same else {}), **other.get("world", {})}
    subject = SUBJECTS[other["about"]] if not same else subject_of(told)
    how = {"replicas": other.get("replicas", 2), "without": other.get("without", ())}
    outcome = judged(check, world, subject, **how)
    assert outcome.verdict is Verdict(other["verdict"])
    if "said" in other:
        assert outcome.because is not None
        assert other["said"] in outcome.because.sentence


@pytest.mark.parametrize("check", list(cases()))
def test_what_it_says_is_carried_by_its_evidence(check: str) -> None:
    told = scene(check)
    subject = subject_of(told)
    world = told["fires"]
    outcome = judged(check, world, subject)
    assert outcome.because is not None
    asked = {ask.said for ask in cases()[check].check.asks}
    for reading in outcome.because.evidence:
        assert reading.kind == "limit" or reading.query.startswith("query of")
        assert (
            any(reading.name.startswith(said) for said in asked)
            or reading.kind == "limit"
            or "without" in reading.name
            or "for lack" in reading.name
        )


@pytest.mark.parametrize("check", list(cases()))
def test_it_looks_at_nothing_that_it_did_not_declare(check: str) -> None:
    """A reading that is not asked for would be blind in every real snapshot."""
    case = cases()[check]
    declared = set(case.check.asks)
    told = scene(check)
    for world in (
        told["fires"],
        *({**told["fires"], **o.get("world", {})} for o in told.get("others", ()) if "about" not in o),
    ):
        present = Present(snapshot(world, subject_of(told), replicas=_replicas(world)), subject_of(told))
        seen: list[Any] = []
        read = present._snapshot.read
        object.__setattr__(present._snapshot, "read", lambda ask, key, read=read: seen.append(ask) or read(ask, key))
        limits = {name: limit.value for name, limit in case.check.limits.items()}
        # Some worlds hold nothing that the check is about, or not all that it needs.
        with contextlib.suppress(NothingToSee, Unseen):
            if case.check.fires(present, limits) is not None:
                case.check.remedies(present, limits)
        assert set(seen) <= declared, f"{check} reads {[str(a) for a in set(seen) - declared]} without declaring it"


def _replicas(world: Mapping[str, Any]) -> int:
    return max((len(value) for value in world.values() if isinstance(value, list)), default=2)


def test_scenes_name_real_asks() -> None:
    for check in cases():
        told = scene(check)
        for name in (*told["fires"], *told["quiet_if"]):
            assert str(parse_ask(name)) == name
