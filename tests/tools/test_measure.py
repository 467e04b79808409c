"""What a real Prometheus answers to what is really asked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.tools.worlds import World
from tools.casebook import asks
from tools.columns import Column
from tools.inventory import sources
from tools.measure import Identity, Measured, key_of, measure
from tools.reading import Blind, Reason
from tools.series import Labels, none_yet
from tools.signals import (
    ENGINE_AWAKE,
    GENERATION_TOKENS,
    GPU_MEM_USED,
    GPU_UTIL,
    ITL,
    KV_USAGE,
    PREEMPTIONS,
    PREFIX_CACHE_HITS,
    PROMPT_TOKENS,
    REQUESTS_FINISHED,
    REQUESTS_RUNNING,
    REQUESTS_WAITING,
    TERMINATION,
    TTFT,
    XID_LAST,
    XID_WINDOW,
    Ask,
)
from tools.sources.prom import PromSource, Result

EVERY = (
    REQUESTS_RUNNING.now, KV_USAGE.now, KV_USAGE.min("10m"), KV_USAGE.max("10m"), REQUESTS_WAITING.now, REQUESTS_WAITING.avg("10m"),
    REQUESTS_WAITING.min("5m"), REQUESTS_WAITING.slope("5m"), KV_USAGE.changes("10m"), TTFT.p95("5m"), TTFT.mean("5m"), ITL.mean("5m"),
    GENERATION_TOKENS.rate("5m"), REQUESTS_FINISHED.increase("5m"), ENGINE_AWAKE.now,
)  # fmt: skip


def value(measured: Measured, ask: Ask, key: str, now: float) -> tuple[Any, Blind | None]:
    column = Column(ask, measured.parts.get(ask, ()), measured.absent[ask])
    found, _, _, blind = column.find(key, 180, now)
    return found, blind


class Refusing(PromSource):
    """A server that refuses one expression, and remembers what it was asked."""

    def __init__(self, url: str, bad: str) -> None:
        super().__init__(url)
        self.bad, self.asked = bad, list[str]()

    def query(self, query: str, at: float) -> Result:
        self.asked.append(query)
        # A parse error in the middle of it: the server itself says 400.
        return super().query(query.replace(self.bad, f"{self.bad} ~broken~ "), at)


def test_each_statistic_is_what_it_says(prom: PromSource, worlds_by_name: dict[str, World]) -> None:
    now = worlds_by_name["generations"].at
    every = (*EVERY, REQUESTS_WAITING.crossings("10m"), KV_USAGE.crossings("10m"))
    measured = measure(prom, every, now)
    new = {str(ask): value(measured, ask, "team/app-new", now)[0] for ask in every}
    expected = {
        "llm.requests_running now": 2, "llm.kv_usage now": 0.9, "llm.requests_waiting now": 5, "llm.requests_waiting min 5m": 5,
        "llm.generation_tokens rate 5m": 100, "llm.requests_finished increase 5m": 150, "llm.ttft mean 5m": 0.75, "llm.itl mean 5m": 0.05,
        "llm.kv_usage changes 10m": 0, "llm.engine_awake now": 1, "llm.requests_waiting crossings 10m": 1, "llm.kv_usage crossings 10m": 0,
    }  # fmt: skip
    assert {name: new[name] for name in expected} == {
        name: pytest.approx(told, rel=0.01) for name, told in expected.items()
    }
    assert 5 < new["llm.requests_waiting avg 10m"] < 11
    assert 1.0 < new["llm.ttft p95 5m"] <= 2.5
    assert new["llm.requests_waiting slope 5m"] <= 0


def test_both_generations_of_names_answer_side_by_side(prom: PromSource, worlds_by_name: dict[str, World]) -> None:
    now = worlds_by_name["generations"].at
    measured = measure(prom, EVERY, now)
    for pod, usage, gap in (("app-new", 0.9, 0.05), ("app-old", 0.4, 0.09)):
        assert value(measured, KV_USAGE.now, f"team/{pod}", now) == (pytest.approx(usage), None)
        assert value(measured, ITL.mean("5m"), f"team/{pod}", now) == (pytest.approx(gap), None)


def test_what_is_not_there_is_absent_by_name_and_not_asked(prom: PromSource, worlds_by_name: dict[str, World]) -> None:
    now = worlds_by_name["generations"].at
    measured = measure(prom, [PREEMPTIONS.increase("10m"), XID_WINDOW.now, KV_USAGE.now], now)
    assert value(measured, PREEMPTIONS.increase("10m"), "team/app-new", now) == (
        None,
        Blind(Reason.NO_SERIES, "Prometheus has no vllm:num_preemptions_total"),
    )
    assert measured.absent[XID_WINDOW.now].reason is Reason.NOT_DEFAULT
    assert PREEMPTIONS.increase("10m") not in measured.parts
    assert value(measured, KV_USAGE.now, "team/nobody", now) == (
        None,
        Blind(
            Reason.NO_SERIES,
            "Prometheus was asked for vllm:kv_cache_usage_perc and has none",
        ),
    )


def test_nothing_observed_a_broken_gauge_and_a_pod_that_fell_silent(
    prom: PromSource, worlds_by_name: dict[str, World]
) -> None:
    now = worlds_by_name["nothing"].at
    measured = measure(prom, [TTFT.mean("5m"), TTFT.p95("5m"), KV_USAGE.now], now)
    for ask, pod, reason in (
        (TTFT.mean("5m"), "quiet-0", Reason.NOTHING_OBSERVED),
        (TTFT.p95("5m"), "quiet-0", Reason.NOTHING_OBSERVED),
        (KV_USAGE.now, "broken-0", Reason.PARTIAL),
        (TTFT.mean("5m"), "gone-0", Reason.STALE),
    ):
        found, blind = value(measured, ask, f"team/{pod}", now)
        assert found is None
        assert blind is not None
        assert blind.reason is reason, pod


def test_who_reports_without_a_counter_of_first_use_has_counted_nothing(
    prom: PromSource, worlds_by_name: dict[str, World]
) -> None:
    now = worlds_by_name["nothing"].at
    asked = [
        REQUESTS_FINISHED.increase("10m"), REQUESTS_FINISHED.rate("5m"), PREFIX_CACHE_HITS.increase("10m"), PROMPT_TOKENS.rate("5m"),
    ]  # fmt: skip
    measured = measure(prom, asked, now)
    done = {
        pod: value(measured, asked[0], f"team/{pod}", now)[0]
        for pod in ("used-0", "unused-0", "first-0", "quiet-0", "busy-1", "dropped-0")
    }
    assert done == {
        "used-0": pytest.approx(300),
        "unused-0": 0.0,
        "first-0": None,
        "quiet-0": None,
        "busy-1": None,
        "dropped-0": None,
    }
    assert value(measured, asked[1], "team/unused-0", now) == (0.0, None)
    # Nobody on this server shows that the name is right: then nothing is said.
    for ask in asked[2:]:
        found, blind = value(measured, ask, "team/unused-0", now)
        assert found is None
        assert blind is not None


def test_a_batch_says_what_its_parts_say_alone(server: str, worlds_by_name: dict[str, World]) -> None:
    for name in ("ksm", "sick"):
        now = worlds_by_name[name].at
        together = measure(PromSource(server), asks(), now)
        for ask in asks():
            alone = measure(PromSource(server), [ask], now)
            told = [(part.query, dict(part.values), part.blind) for part in together.parts.get(ask, ())]
            assert told == [(part.query, dict(part.values), part.blind) for part in alone.parts.get(ask, ())], str(ask)


def test_a_refused_batch_is_asked_one_by_one_and_only_the_bad_one_is_blind(
    server: str, worlds_by_name: dict[str, World]
) -> None:
    now = worlds_by_name["generations"].at
    source = Refusing(server, "min_over_time(vllm:kv_cache_usage_perc")
    measured = measure(source, EVERY, now)
    bad = KV_USAGE.min("10m")
    for ask in EVERY:
        found, blind = value(measured, ask, "team/app-new", now)
        assert (found is None) == (ask == bad), str(ask)
        if ask == bad:
            assert blind is not None
            assert blind.reason is Reason.PARTIAL
            assert "refused the query" in blind.detail
    singles = [query for query in source.asked if source.bad in query]
    assert len(singles) == 2, "once in its batch, once alone"


@pytest.mark.parametrize("broken", ["timestamp(", "last_over_time(vllm:num_requests_running"])
def test_without_the_anchor_nobody_is_stale_and_nobody_is_well(
    server: str, worlds_by_name: dict[str, World], broken: str
) -> None:
    now = worlds_by_name["generations"].at
    measured = measure(Refusing(server, broken), [KV_USAGE.now], now)
    found, blind = value(measured, KV_USAGE.now, "team/app-new", now)
    if broken == "timestamp(":
        assert found is None
        assert blind is not None
        assert blind.reason is Reason.PARTIAL, "how fresh it is could not be told: that is no age"
    else:
        assert found == pytest.approx(0.9)


def test_the_number_of_requests_does_not_grow_with_the_fleet(server: str, worlds_by_name: dict[str, World]) -> None:
    counts = {}
    for name in ("four", "four_hundred"):
        source = PromSource(server)
        measured = measure(source, asks(), worlds_by_name[name].at)
        assert measured.requests == source.requests
        counts[name] = source.requests
        assert len(measured.identities["dcgm_exporter"].rows) == (4 if name == "four" else 400)
    assert counts["four"] == counts["four_hundred"] <= 120


def test_requests_stay_few_when_every_batch_is_refused(server: str, worlds_by_name: dict[str, World]) -> None:
    source = Refusing(server, "label_replace(")
    measure(source, asks(), worlds_by_name["four_hundred"].at)
    assert source.requests <= 120


def test_matchers_select_one_cluster(prom: PromSource, worlds_by_name: dict[str, World]) -> None:
    now = worlds_by_name["generations"].at
    assert measure(prom, EVERY, now, 'pod="app-old"').identities["vllm"].rows.keys() == {"team/app-old"}
    assert measure(prom, EVERY, now, 'cluster="elsewhere"').identities["vllm"].rows == {}


def test_a_source_that_is_read_elsewhere_is_not_asked(prom: PromSource, worlds_by_name: dict[str, World]) -> None:
    now = worlds_by_name["ksm"].at
    measured = measure(prom, [TERMINATION.now], now, skip={"kube_state_metrics_pods"})
    assert TERMINATION.now not in measured.parts
    assert "kube_state_metrics_pods" not in measured.identities


def test_texts_prefer_the_worst_and_join_the_rest(prom: PromSource, worlds_by_name: dict[str, World]) -> None:
    now = worlds_by_name["ksm"].at
    measured = measure(prom, asks(), now)
    assert value(measured, TERMINATION.now, "team/app-6c8d9f7b5-aaaaa", now)[0] == "OOMKilled"
    assert value(measured, TERMINATION.now, "team/db-0", now) == ("", None)


def test_mig_instances_are_told_apart(prom: PromSource, worlds_by_name: dict[str, World]) -> None:
    now = worlds_by_name["mig"].at
    measured = measure(prom, [GPU_MEM_USED.now, GPU_UTIL.now], now)
    assert value(measured, GPU_MEM_USED.now, "GPU-a/1", now)[0] == 10_000 * 2**20
    assert value(measured, GPU_MEM_USED.now, "GPU-a/2", now)[0] == 20_000 * 2**20
    assert value(measured, GPU_UTIL.now, "GPU-a/2", now)[0] == 0.25


def test_a_gpu_that_vanished_is_known_its_xid_lasts_and_its_gauges_are_stale(
    prom: PromSource, worlds_by_name: dict[str, World]
) -> None:
    now = worlds_by_name["vanished"].at
    asked = [XID_LAST.max("1h"), GPU_UTIL.max("1h"), GPU_UTIL.now]
    measured = measure(prom, asked, now)
    identity = measured.identities["dcgm_exporter"]
    assert set(identity.rows) == {"GPU-gone", "GPU-here"}
    assert set(identity.fresh) == {"GPU-here"}
    assert value(measured, XID_LAST.max("1h"), "GPU-gone", now) == (79, None)
    stale = value(measured, GPU_UTIL.max("1h"), "GPU-gone", now)[1]
    assert stale is not None
    assert stale.reason is Reason.STALE
    assert value(measured, GPU_UTIL.now, "GPU-gone", now)[0] is None
    assert value(measured, GPU_UTIL.max("1h"), "GPU-here", now)[0] == 0.5


def test_an_exporter_that_fell_silent_four_minutes_ago_is_stale(
    prom: PromSource, worlds_by_name: dict[str, World]
) -> None:
    now = worlds_by_name["stale"].at
    measured = measure(prom, [GPU_UTIL.now], now)
    assert value(measured, GPU_UTIL.now, "GPU-old", now) == (None, Blind(Reason.STALE, "the last sample is 240 s old"))
    assert value(measured, GPU_UTIL.now, "GPU-new", now) == (0.5, None)


def test_a_server_that_is_not_set_or_gone_is_blind_at_once() -> None:
    unset = Blind(Reason.NOT_SET, "no Prometheus")
    assert measure(unset, asks(), 1.0) == Measured(unset)
    gone = measure(PromSource("http://127.0.0.1:9", timeout_s=1), asks(), 1.0)
    assert gone.blind is not None
    assert gone.blind.reason is Reason.SOURCE_DOWN
    assert gone.requests == 1


def test_an_empty_server_has_nobody(prom: PromSource) -> None:
    measured = measure(prom, asks(), 1_000_000_000.0)
    assert measured.blind is None
    assert measured.identities == {}
    assert measured.parts == {}


@pytest.mark.parametrize(
    ("labels", "key"),
    [({"a": "x", "b": "y"}, "x/y"), ({"a": "x"}, "x"), ({"b": "y"}, None), ({}, None), ({"a": "", "b": "y"}, None)],
)
def test_a_key_needs_its_first_label(labels: dict[str, str], key: str | None) -> None:
    assert key_of(labels, ("a", "b")) == key
    source = replace(sources()[0], key_prefix="")
    identity = Identity(source, Labels(("a", "b")), {}, {}, exported=False)
    assert identity.key(labels) == key
    assert identity.key(dict(labels)) is identity.key({**labels, "le": "0.5"})


def test_without_a_gauge_of_what_runs_nothing_is_said_to_be_nought() -> None:
    tgi = next(source for source in sources() if source.name == "tgi")
    ask, series = REQUESTS_FINISHED.increase("10m"), tgi.signals[REQUESTS_FINISHED]
    assert none_yet(ask, series, tgi, Labels(tgi.keys))
    blind = replace(tgi, signals={REQUESTS_FINISHED: series})
    assert none_yet(ask, series, blind, Labels(tgi.keys)) == ""
