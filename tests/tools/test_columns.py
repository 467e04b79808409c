"""A value, or the reason why there is none."""

from __future__ import annotations

import pytest

from tools.columns import Column, Part
from tools.reading import Blind, Reading, Reason, Subject
from tools.signals import GPU_UTIL, KV_USAGE, TTFT, XID_LAST, Ask
from tools.snapshot import Snapshot, SourceState
from tools.topology import Pod, Topology

NOW = 1000.0
ABSENT = Blind(Reason.NO_SERIES, "absent")
DOWN = Blind(Reason.SOURCE_DOWN, "down")


def find(*parts: Part, ask: Ask = KV_USAGE.now, key: str = "k") -> tuple[object, Blind | None]:
    value, _, _, blind = Column(ask, parts, ABSENT).find(key, 180, NOW)
    return value, blind


def test_a_fresh_value_comes_with_the_time_of_its_sample() -> None:
    part = Part("s", "q", NOW, {"k": 0.5}, {"k": 900.0})
    assert Column(KV_USAGE.now, (part,), ABSENT).find("k", 180, NOW) == (0.5, part, 900.0, None)


@pytest.mark.parametrize(("sampled", "reason"), [(820.0, None), (819.0, Reason.STALE)])
def test_staleness_begins_after_the_limit(sampled: float, reason: Reason | None) -> None:
    value, blind = find(Part("s", "q", NOW, {"k": 0.5}, {"k": sampled}))
    assert (blind.reason if blind else None) is reason
    assert (value is None) == (reason is not None)


def test_a_key_without_any_sample_is_stale_not_zero() -> None:
    value, blind = find(Part("s", "q", NOW, {"k": 0.0}, {}))
    assert value is None
    assert blind is not None
    assert blind.reason is Reason.STALE


def test_what_lasts_is_not_stale() -> None:
    assert find(Part("s", "q", NOW, {"k": 79.0}, {}), ask=XID_LAST.max("1h")) == (79.0, None)
    assert find(Part("s", "q", NOW, {"k": 79.0}, {}), ask=GPU_UTIL.max("1h"))[0] is None


def test_a_histogram_of_nothing_is_nothing_observed_and_a_broken_gauge_is_partial() -> None:
    part = Part("s", "q", NOW, {}, {"k": NOW}, not_a_number=frozenset({"k"}))
    nothing, broken = find(part, ask=TTFT.mean("5m"))[1], find(part)[1]
    assert nothing is not None
    assert nothing.reason is Reason.NOTHING_OBSERVED
    assert broken is not None
    assert broken.reason is Reason.PARTIAL


def test_nothing_observed_of_a_silent_source_is_stale() -> None:
    """Nobody looked at the end of the window, so nobody can say that nothing happened."""
    part = Part("s", "q", NOW, {}, {"k": 700.0}, not_a_number=frozenset({"k"}))
    blind = find(part, ask=TTFT.mean("5m"))[1]
    assert blind is not None
    assert blind.reason is Reason.STALE


def test_a_second_source_answers_for_a_blind_one() -> None:
    assert find(Part("a", "q", NOW, blind=DOWN), Part("b", "q", NOW, {"k": 1.0})) == (1.0, None)
    assert find(Part("a", "q", NOW, {"k": 1.0}, {"k": 1.0}), Part("b", "q", NOW, {"k": 2.0}, {"k": NOW})) == (2.0, None)


def test_the_reason_of_a_blind_source_beats_absence() -> None:
    assert find(Part("a", "q", NOW, blind=DOWN), Part("b", "q", NOW, {"other": 1.0})) == (None, DOWN)
    assert find() == (None, ABSENT)


def test_keys_are_those_of_all_parts() -> None:
    parts = (Part("a", "q", NOW, {"x": 1.0}), Part("b", "q", NOW, {"y": 1.0}))
    assert Column(KV_USAGE.now, parts, ABSENT).keys == {"x", "y"}


@pytest.mark.parametrize(
    ("parts", "void"),
    [
        ((), True),
        ((Part("a", "q", NOW, blind=DOWN), Part("b", "q", NOW)), True),
        ((Part("a", "q", NOW, blind=DOWN), Part("b", "q", NOW, {"k": 1.0})), False),
        ((Part("a", "q", NOW, nothing=frozenset({"k"})),), False),
        ((Part("a", "q", NOW, unseen={"k": DOWN}),), False),
        ((Part("a", "q", NOW, not_a_number=frozenset({"k"})),), False),
    ],
)
def test_a_column_is_void_when_no_key_differs(parts: tuple[Part, ...], *, void: bool) -> None:
    column = Column(KV_USAGE.now, parts, ABSENT)
    assert column.void is void
    assert Snapshot(NOW, Topology(), {KV_USAGE.now: column}).void[KV_USAGE.now] is void


@pytest.mark.parametrize(
    ("parts", "empty"),
    [
        ((), True),
        ((Part("a", "q", NOW, nothing=frozenset({"k"}), unseen={"l": DOWN}, not_a_number=frozenset({"m"})),), True),
        ((Part("a", "q", NOW, {"k": 1.0}, blind=DOWN),), True),
        ((Part("a", "q", NOW), Part("b", "q", NOW, {"k": 1.0}, {})), False),
    ],
)
def test_a_column_is_empty_when_no_key_has_a_value(parts: tuple[Part, ...], *, empty: bool) -> None:
    taken = Snapshot(NOW, Topology(), {KV_USAGE.now: Column(KV_USAGE.now, parts, ABSENT)})
    assert taken.empty[KV_USAGE.now] is empty


def test_what_was_not_asked_is_void() -> None:
    taken = Snapshot(NOW, Topology(), {})
    assert taken.void[KV_USAGE.now]
    assert taken.void[KV_USAGE.now]
    assert taken.empty[KV_USAGE.now]
    assert taken.seen(Subject("pod", "team", "a"), KV_USAGE.now) is None


def test_only_a_value_is_seen() -> None:
    part = Part("vLLM", "the query", NOW, {"team/a": 0.5, "team/old": 0.5}, {"team/a": 990.0, "team/old": 1.0})
    pods = {f"team/{name}": Pod("team", name, "n1", Subject("deployment", "team", "app")) for name in ("a", "old")}
    taken = Snapshot(NOW, Topology(pods), {KV_USAGE.now: Column(KV_USAGE.now, (part,), ABSENT)})
    assert taken.seen(pods["team/a"].subject, KV_USAGE.now) == taken.read(KV_USAGE.now, "team/a")
    assert taken.seen(pods["team/old"].subject, KV_USAGE.now) is None
    assert taken.read(KV_USAGE.now, "team/old").blind is not None
    assert taken.seen(pods["team/a"].workload, KV_USAGE.now) == taken.read(KV_USAGE.now, "team/a"), (
        "the first that has one"
    )
    assert taken.seen(Subject("pod", "team", "gone"), KV_USAGE.now) is None


def test_a_snapshot_reads_with_provenance_and_says_what_was_not_asked() -> None:
    part = Part("vLLM", "the query", NOW, {"team/a": 0.5}, {"team/a": 990.0})
    taken = Snapshot(NOW, Topology(), {KV_USAGE.now: Column(KV_USAGE.now, (part,), ABSENT)})
    assert taken.read(KV_USAGE.now, "team/a") == Reading(
        "KV cache usage", Subject("pod", "team", "a"), 0.5, "ratio", "vLLM", "the query", 990.0, "metric"
    )
    unasked = taken.read(GPU_UTIL.now, "g")
    assert unasked.value is None
    assert unasked.blind is not None
    assert unasked.blind.reason is Reason.NOT_SET


@pytest.mark.parametrize(("blinds", "nothing"), [((None, DOWN), False), ((DOWN, DOWN), True), ((), True)])
def test_seeing_nothing_is_every_source_blind(blinds: tuple[Blind | None, ...], nothing: bool) -> None:
    states = tuple(SourceState("s", blind) for blind in blinds)
    assert Snapshot(NOW, Topology(), {}, states).sees_nothing is nothing


@pytest.mark.parametrize("text", ["deployment/team/app", "node/n1", "gpu/n1/0", "gpu/n1/0:1", "cluster/default"])
def test_a_subject_is_read_as_printed(text: str) -> None:
    assert str(Subject.parse(text)) == text


@pytest.mark.parametrize("text", ["", "deployment", "deployment/app", "deployment//app", "/a/b"])
def test_what_is_no_subject_is_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="is no subject"):
        Subject.parse(text)


def test_a_blind_reading_is_no_number() -> None:
    with pytest.raises(TypeError, match="down"):
        _ = Reading("n", Subject("pod", "a", "b"), None, "", "", "", 0.0, blind=DOWN).number
