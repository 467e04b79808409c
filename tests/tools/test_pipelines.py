"""What lies around engines: every expression is one that a real Prometheus takes, and tells what it says it does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from evals.fleet.prometheus import Prometheus
from tests.tools import worlds
from tests.tools.worlds import START, World
from tools.columns import Column
from tools.inventory import sources
from tools.measure import Measured, measure
from tools.reading import Reason
from tools.series import Labels, Series, Source, render
from tools.signals import SIGNALS, Ask, Kind, Signal
from tools.sources.prom import PromSource
from tools.vocabulary import pipelines as told
from tools.vocabulary.outcomes import HTTP_4XX, HTTP_5XX, HTTP_REQUESTS

MINE = {one.name: one for one in vars(told).values() if isinstance(one, Signal)}
STATISTIC = {Kind.GAUGE: "now", Kind.COUNTER: "increase", Kind.HISTOGRAM: "p95"}


def written() -> Iterator[tuple[Source, Signal, Series]]:
    for source in sources():
        for signal, found in source.signals.items():
            if signal.name in MINE:
                yield from ((source, signal, series) for series in found)


def ask_of(signal: Signal, series: Series) -> Ask:
    statistic = series.only[0] if series.only else STATISTIC[signal.kind]
    return SIGNALS[signal.name].ask(statistic, "" if statistic == "now" else "10m")


@pytest.mark.parametrize(
    ("source", "signal", "series"),
    list(written()),
    ids=[f"{source.name}-{signal.name}-{series.metric}" for source, signal, series in written()],
)
@pytest.mark.parametrize("matchers", ["", 'cluster="a"'])
def test_prometheus_takes_the_expression(
    source: Source, signal: Signal, series: Series, matchers: str, prom: PromSource
) -> None:
    query = render(ask_of(signal, series), series, Labels(source.keys, matchers), source.match)
    assert prom.query(query, START).blind is None, query
    assert matchers in query


@pytest.fixture(scope="module")
def around(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PromSource]:
    """A router, a sidecar proxy, an engine with a prefix cache that lost its use, and the node they share."""
    world = World(START)
    router: dict[str, Any] = {"namespace": "team", "pod": "epp-0"}
    world.gauge("inference_pool_ready_pods", 3, name="pool", **router)
    world.gauge("inference_pool_average_queue_size", 0.25, name="pool", **router)
    for model in ("chat", "code"):
        world.gauge("inference_extension_flow_control_queue_size", 20, model_name=model, **router)
    buckets = {"0.01": 0.0, "0.05": 0.0, "0.1": 1.0, "+Inf": 0.0}
    world.histogram("inference_extension_scheduler_e2e_duration_seconds", buckets, 0.08, **router)

    own: dict[str, Any] = {"namespace": "team", "pod": "own-0"}
    long: dict[str, Any] = {"over": 7200.0, **own}
    done = "kn_serving_invocation_duration_seconds_count"
    world.counter(done, 1.0, http_response_status_code="200", **long)
    world.gauge(done, lambda ago: max(0.0, 1200 - ago), http_response_status_code="404", **long)

    engine: dict[str, Any] = {"namespace": "team", "pod": "app-0", "over": 14_400.0}
    world.gauge("vllm:num_requests_running", 4, **engine)
    world.counter("vllm:prefix_cache_queries_total", 100.0, **engine)
    hits = lambda ago: 60.0 * (14_400 - max(ago, 3600.0))  # noqa: E731 - used until an hour ago
    world.gauge("vllm:prefix_cache_hits_total", hits, **engine)

    at: dict[str, Any] = {"instance": "10.0.0.7:9100", "job": "node-exporter"}
    world.gauge("node_uname_info", 1, nodename="n1", **at)
    for cpu in ("0", "1", "2", "3"):
        for mode, rate in (("idle", 0.05), ("iowait", 0.05), ("user", 0.7), ("system", 0.2)):
            world.counter("node_cpu_seconds_total", rate, cpu=cpu, mode=mode, **at)
    world.counter("node_pressure_cpu_waiting_seconds_total", 0.6, **at)
    path = tmp_path_factory.mktemp("around") / "around.om"
    worlds.write({"around": world}, path)
    with Prometheus([path]) as prometheus:
        yield PromSource(prometheus.url)


def value(measured: Measured, ask: Ask, key: str) -> tuple[Any, Any]:
    column = Column(ask, measured.parts.get(ask, ()), measured.absent[ask])
    found, _, _, blind = column.find(key, 180, START)
    return (round(found, 3) if isinstance(found, float) else found), blind


def test_a_router_tells_what_it_holds_and_what_waits_behind(around: PromSource) -> None:
    asks = (told.HELD.now, told.BEHIND_WAITING.now, told.BEHIND_READY.now, told.ROUTING_TIME.mean("5m"))
    measured = measure(around, asks, START)
    said = [value(measured, ask, "team/epp-0")[0] for ask in asks]
    assert said == [40.0, 0.25, 3.0, 0.08]
    assert value(measured, told.HELD.now, "team/app-0")[1] is not None


def test_a_proxy_tells_how_requests_end_now_and_an_hour_before(around: PromSource) -> None:
    asks = (
        HTTP_REQUESTS.increase("10m"),
        HTTP_4XX.increase("10m"),
        told.CLIENT_ERRORS_BEFORE.increase("10m"),
        told.ANSWERS_BEFORE.increase("10m"),
    )
    measured = measure(around, asks, START)
    assert [value(measured, ask, "team/own-0")[0] for ask in asks] == [1200.0, 600.0, 0.0, 600.0]
    nothing, blind = value(measure(around, (HTTP_5XX.increase("10m"),), START), HTTP_5XX.increase("10m"), "team/own-0")
    assert nothing is None
    assert blind is not None


def test_the_share_of_a_prefix_cache_is_the_best_of_its_half_hours(around: PromSource) -> None:
    ask = told.PREFIX_SHARE.max("12h")
    assert value(measure(around, (ask,), START), ask, "team/app-0")[0] == 0.6


def test_a_node_is_told_by_its_kernels_name(around: PromSource) -> None:
    asks = (told.NODE_CPU_BUSY.avg("10m"), told.NODE_CPU_PRESSURE.avg("10m"), told.NODE_CPUS.now)
    measured = measure(around, asks, START)
    assert [value(measured, ask, "n1")[0] for ask in asks] == [0.9, 0.6, 4.0]
    _, blind = value(measured, asks[0], "n2")
    assert blind is not None
    assert blind.reason is Reason.NO_SERIES


def test_what_is_known_of_a_replica_is_counted_in_hours_and_not_taken_from_its_age(around: PromSource) -> None:
    ask = told.HISTORY.max("168h")
    known, blind = value(measure(around, (ask,), START), ask, "team/app-0")
    assert blind is None
    assert 3 * 3600 <= known <= 5 * 3600
