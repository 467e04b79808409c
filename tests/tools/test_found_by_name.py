"""What a new failure mode may bring along without editing a shared file: signals, series, log patterns, readers of objects."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from tests.tools.scenes import NOW, WORKLOAD, scene, snapshot
from tools import inventory, log_lines, observe, readers, vocabulary
from tools.columns import Column, Part
from tools.diagnose import diagnose
from tools.inventory import sources
from tools.readers import Listed, Told
from tools.reading import Blind, Reason, Subject
from tools.series import Series
from tools.signals import KV_USAGE, REQUESTS_RUNNING, SIGNALS, Kind, Per, Signal, fact, line, signal

POD = {"metadata": {"namespace": "team", "name": "app-0"}, "spec": {"containers": [{"name": "engine"}]}, "status": {}}


class Fake:
    """Lists what was prepared, refuses what was not, and reads no log."""

    def __init__(self, lists: dict[str, list[dict[str, Any]] | Blind]) -> None:
        self.lists = lists
        self.asked: list[str] = []

    def list(self, kind: str) -> Any:
        self.asked.append(kind)
        told = self.lists.get(kind, [])
        blind = told if isinstance(told, Blind) else None
        return SimpleNamespace(items=() if blind else tuple(told), blind=blind, path=f"/{kind}", scope=())  # type: ignore[arg-type]

    def logs(self, namespace: str, pod: str, container: str, previous: bool) -> Any:
        raise AssertionError(f"nobody prepared the log of {namespace}/{pod}")


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Signal:
    """A signal of its own, forgotten afterwards."""
    monkeypatch.setattr("tools.signals.SIGNALS", dict(SIGNALS))
    return fact("test.budget", "pods", Per.WORKLOAD, "A budget", told_by="poddisruptionbudgets")


def test_a_name_is_declared_once(made: Signal) -> None:
    with pytest.raises(ValueError, match="declared twice"):
        signal("test.budget", "", Per.NODE, Kind.GAUGE, "again")


def test_a_line_of_a_log_is_named_as_one(made: Signal) -> None:
    with pytest.raises(ValueError, match="is named log"):
        line("test.line", "no")


def test_series_are_added_to_a_source_and_patterns_to_the_logs(monkeypatch: pytest.MonkeyPatch) -> None:
    gauge = Signal("test.depth", "", Per.REPLICA, Kind.GAUGE, "Depth")
    said = Signal("log.test", "", Per.REPLICA, Kind.FACT, "A line", evidence="log")
    module = ModuleType("theme")
    module.SERIES = {"vllm": {gauge: (Series("vllm:depth"),)}}  # type: ignore[attr-defined]
    module.PATTERNS = {said: re.compile("too deep")}  # type: ignore[attr-defined]
    monkeypatch.setattr(inventory, "modules", lambda: (module,))
    inventory.sources.cache_clear()
    try:
        vllm = next(source for source in sources() if source.name == "vllm")
        assert vllm.signals[gauge] == (Series("vllm:depth"),)
        assert REQUESTS_RUNNING in vllm.signals
        for wrong, says in (
            ({"vllm": {REQUESTS_RUNNING: (Series("x"),)}}, "mapped in one place"),
            ({"nobody": {gauge: (Series("x"),)}}, "no module has: nobody"),
        ):
            module.SERIES = wrong  # type: ignore[attr-defined]
            inventory.sources.cache_clear()
            with pytest.raises(ValueError, match=says):
                sources()
    finally:
        monkeypatch.undo()
        inventory.sources.cache_clear()
        sources()
    monkeypatch.setattr(vocabulary, "modules", lambda: (module,))
    assert vocabulary.patterns() == {said: module.PATTERNS[said]}


def test_every_pattern_of_the_vocabulary_is_looked_for() -> None:
    assert set(vocabulary.patterns()) <= set(log_lines.PATTERNS)


def reader(made: Signal) -> ModuleType:
    module = ModuleType("budgets")
    module.KINDS = ("poddisruptionbudgets",)  # type: ignore[attr-defined]

    def read(listed: Listed) -> Iterator[Told]:
        for subject, pods in listed.by_workload.items():
            if "poddisruptionbudgets" in listed.items:
                held = len(listed.of("poddisruptionbudgets"))
                yield Told(str(subject), {made: float(held * len(pods))}, "poddisruptionbudgets")

    module.read = read  # type: ignore[attr-defined]
    return module


def test_a_reader_tells_facts_of_what_it_has_listed(made: Signal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "modules", lambda: (reader(made),))
    monkeypatch.setattr(observe, "KINDS", (*observe.CORE_KINDS, *readers.kinds()))
    cluster = Fake({"pods": [POD], "poddisruptionbudgets": [{}, {}]})
    seen = observe.observe(cluster, NOW)
    assert "poddisruptionbudgets" in cluster.asked
    part = seen.facts[made.now]
    assert part.values == {"pod/team/app-0": 2.0}
    assert part.query == "/poddisruptionbudgets"
    denied = (
        Blind(Reason.DENIED, "may not list") if hasattr(Reason, "DENIED") else Blind(Reason.PARTIAL, "may not list")
    )
    seen = observe.observe(Fake({"pods": [POD], "poddisruptionbudgets": denied}), NOW)
    assert made.now not in seen.facts
    assert seen.absent["poddisruptionbudgets"] is denied


def test_a_reading_that_is_not_in_use_is_neither_zero_nor_blind() -> None:
    ask = Signal("test.draft", "", Per.REPLICA, Kind.GAUGE, "Draft", optional=True).now
    gone = Blind(Reason.NO_SERIES, "no series")
    column = Column(ask, (Part("vLLM", "", 0.0, nothing=frozenset({"team/app-0"})),), gone)
    value, _, _, blind = column.find("team/app-0", 180.0, NOW)
    assert value is None
    assert blind is not None
    assert blind.reason is Reason.NOTHING_OBSERVED
    assert column.find("team/app-1", 180.0, NOW)[3] is gone


def test_what_is_off_by_default_is_said_in_one_line() -> None:
    told = scene("kv_saturation_queueing")["fires"]
    world = {
        name: value for name, value in told.items() if not name.startswith(("llm.kv_usage", "llm.requests_waiting"))
    }
    taken = snapshot(world, WORKLOAD)
    off = Blind(Reason.NOT_DEFAULT, "Prometheus has no x")
    columns = {ask: Column(ask, (), off) if ask.signal == KV_USAGE else one for ask, one in taken.columns.items()}
    object.__setattr__(taken, "columns", columns)
    spots = [spot for spot in diagnose(taken).blind if "off by default" in spot.what]
    assert len(spots) == 1
    assert "kv_saturation_queueing" in spots[0].why
    assert "KV cache usage, average over 10 min" in spots[0].why


def test_relations_reach_as_far_as_they_say() -> None:
    from tests.tools.pairs import APP, OTHER, two
    from tools.check import Where
    from tools.relations import lies

    topology = two().topology
    assert lies(APP, OTHER, Where.IN_CLUSTER, topology)
    assert not lies(APP, OTHER, Where.SAME_NAMESPACE, topology)
    assert lies(APP, Subject("pod", "team", "app-1"), Where.SAME_NAMESPACE, topology)
    assert not lies(APP, OTHER, Where.SAME_WORKLOAD, topology)
    assert not lies(APP, Subject("pod", "team", "app-1"), Where.BESIDE, topology)
    assert not lies(APP, OTHER, Where.BESIDE, topology)
