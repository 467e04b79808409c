"""The readings of one subject: joined, apart, and blind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from tests.tools.pairs import APP, two
from tests.tools.scenes import GONE, NOW
from tools.check import NothingToSee, Unseen
from tools.columns import Column, Part
from tools.present import Present
from tools.reading import Reading, Reason, Subject
from tools.signals import (
    ENGINE_AWAKE,
    GPU_MEM_USED,
    GPU_UTIL,
    HPA_METRICS,
    KV_USAGE,
    POD_PHASE,
    REQUESTS_RUNNING,
    REQUESTS_WAITING,
    TTFT,
    Ask,
    Per,
)
from tools.topology import Gpu


def present(
    values: Mapping[str, Any],
    blind: Mapping[str, Reason] | None = None,
    ask: Ask = KV_USAGE.now,
    subject: Subject = APP,
) -> Present:
    taken = two()
    parts = [Part("scene", "q", NOW, {k: v for k, v in values.items() if v is not None})]
    nothing = frozenset(key for key, reason in (blind or {}).items() if reason is Reason.NOTHING_OBSERVED)
    if nothing:
        parts.append(Part("scene", "q", NOW, {}, None, None, nothing))
    return Present(replace(taken, columns={**taken.columns, ask: Column(ask, tuple(parts), GONE)}), subject)


def test_worst_least_total_and_each() -> None:
    now = present({"team/app-0": 0.2, "team/app-1": 0.8})
    assert now.worst(KV_USAGE.now).value == 0.8
    assert now.least(KV_USAGE.now).value == 0.2
    assert now[KV_USAGE.now].value == 0.8
    assert [reading.value for reading in now.each(KV_USAGE.now)] == [0.2, 0.8]
    waiting = present({"team/app-0": 2.0, "team/app-1": 3.0}, ask=REQUESTS_WAITING.now)
    assert waiting[REQUESTS_WAITING.now].value == 5
    assert waiting[REQUESTS_WAITING.now].name == "Requests waiting (sum of 2 replicas)"
    assert waiting[REQUESTS_WAITING.now].subject == APP
    alone = present({"team/app-0": 2.0}, ask=REQUESTS_WAITING.now)
    assert alone.total(REQUESTS_WAITING.now).name == "Requests waiting"
    awake = present({"team/app-0": 1.0, "team/app-1": 0.0}, ask=ENGINE_AWAKE.now)
    assert awake[ENGINE_AWAKE.now].value == 0
    used = present({"G-app-0": 1.0, "G-app-1": 2.0}, ask=GPU_MEM_USED.now)
    assert "(sum of 2 GPUs)" in used.total(GPU_MEM_USED.now).name


def test_unseen_is_raised_only_when_nobody_can_be_read() -> None:
    with pytest.raises(Unseen, match="taken away"):
        present({}).each(KV_USAGE.now)
    half = present({"team/app-0": 0.1})
    assert len(half.each(KV_USAGE.now)) == 1
    assert [reading.subject.name for reading in half.unseen] == ["app-1"]


def test_nothing_observed_is_nothing_to_see_and_not_blind() -> None:
    nothing = dict.fromkeys(("team/app-0", "team/app-1"), Reason.NOTHING_OBSERVED)
    now = present({}, nothing, TTFT.p95("5m"))
    with pytest.raises(NothingToSee):
        now.each(TTFT.p95("5m"))
    assert now.unseen == []
    mixed = present({}, {"team/app-0": Reason.NOTHING_OBSERVED}, TTFT.p95("5m"))
    with pytest.raises(Unseen):
        mixed.each(TTFT.p95("5m"))


def test_get_leaves_no_trace_of_blindness() -> None:
    now = present({"team/app-0": 0.1})
    assert now.get(KV_USAGE.now) is not None
    assert now.get(POD_PHASE.now) is None
    assert now.unseen == []


def test_one_part() -> None:
    now = present({"team/app-0": 0.1})
    zero, one = Subject("pod", "team", "app-0"), Subject("pod", "team", "app-1")
    found = now.of(zero, KV_USAGE.now)
    assert found is not None
    assert found.value == 0.1
    assert now.of(one, KV_USAGE.now) is None
    assert now.blind(one, KV_USAGE.now).blind == GONE
    assert now.blind(Subject("pod", "x", "y"), KV_USAGE.now).value is None


def test_texts_are_joined_by_the_first_that_says_something() -> None:
    assert present({"team/app-0": "", "team/app-1": "Pending"}, ask=POD_PHASE.now)[POD_PHASE.now].value == "Pending"
    assert present({"deployment/team/app": "cpu"}, ask=HPA_METRICS.now)[HPA_METRICS.now].value == "cpu"


def test_a_gpu_whose_pod_is_not_known_can_be_looked_at() -> None:
    taken = two()
    gpus = {**taken.topology.gpus, "X": Gpu("X", "n1", "9", "H100", "gone/pod")}
    now = Present(replace(taken, topology=replace(taken.topology, gpus=gpus)), Subject("gpu", "", "n1/9"))
    with pytest.raises(NothingToSee):
        now.each(REQUESTS_RUNNING.now)
    assert now.subject.name == "n1/9"
    assert taken.topology.parts(now.subject, Per.GPU) == ()
    assert GPU_UTIL.now not in now.touched


def test_a_reading_says_what_it_is() -> None:
    reading = present({"team/app-0": 0.25}).worst(KV_USAGE.now)
    assert reading == Reading(
        "KV cache usage", Subject("pod", "team", "app-0"), 0.25, "ratio", "scene", "q", NOW, "metric"
    )


def test_what_is_unseen_for_one_reason_throughout_is_the_whole_else_a_part() -> None:
    now = present({})
    with pytest.raises(Unseen) as caught:
        now.each(KV_USAGE.now)
    assert caught.value.reading.subject == APP
    broken = present({}, {"team/app-0": Reason.NOTHING_OBSERVED})
    with pytest.raises(Unseen) as caught:
        broken.each(KV_USAGE.now)
    assert caught.value.reading.subject == Subject("pod", "team", "app-0"), "two reasons"
    ask = TTFT.p95("5m")
    idle = present({}, {"team/app-0": Reason.NOTHING_OBSERVED}, ask)
    with pytest.raises(Unseen) as caught:
        idle.each(ask)
    assert caught.value.reading.subject == Subject("pod", "team", "app-1"), "nothing was observed of the other"


def test_what_holds_of_any_gpu_was_told_without_looking_at_one() -> None:
    gpu = Subject("gpu", "", "n1/0")
    void, told = GPU_MEM_USED.now, GPU_UTIL.now

    def looking() -> Present:
        return present({"G-app-0": 0.5}, ask=told, subject=gpu)

    now = looking()
    assert now.get(void) is None
    assert now.get(KV_USAGE.now) is None
    assert now.of(gpu, void) is None
    with pytest.raises(Unseen):
        now.each(void)
    assert now.of_any_gpu
    for look in (
        lambda now: now.get(told),
        lambda now: now.of(gpu, told),
        lambda now: now.blind(gpu, void),
        lambda now: now.subject,
    ):
        now = looking()
        look(now)
        assert not now.of_any_gpu
    now = looking()
    with pytest.raises(Unseen):
        now.each(KV_USAGE.now)  # which GPU a pod holds, and which none, tells them apart
    assert not now.of_any_gpu
    assert not present({}).of_any_gpu, "it is of a workload"
