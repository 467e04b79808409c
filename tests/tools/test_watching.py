"""What watches the fleet: the rules API, what is exported, how often it is read, how long it is kept; each blind on its own."""

from __future__ import annotations

import json
import threading
from collections.abc import Collection, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from math import inf
from typing import Any
from urllib.parse import parse_qs

import pytest

from tools.casebook import asks, rules
from tools.columns import Column, Part
from tools.inventory import sources
from tools.measure import Identity, Measured
from tools.reading import Blind, Reason, Subject
from tools.series import Labels
from tools.signals import Ask, Signal
from tools.sources.kube_fake import FakeKube
from tools.sources.prom import PromSource
from tools.topology import CLUSTER, Gpu, Pod, Topology
from tools.vocabulary import watching as told
from tools.wanted_series import WANTED
from tools.watching import DECLARED, FAILURES, KEPT, RECEIVERS, RULES, RUNTIME, SIGNALS, retention, watching

NOW = 1_790_000_000.0
APP = Subject("deployment", "team", "app")
SOURCES = {source.name: source for source in sources()}


class Server:
    """A Prometheus that answers what was prepared, by path, and 500 to everything else."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, Any]] = {}
        self.asked: list[str] = []
        self.queries: list[str] = []
        mine = self

        class Handler(BaseHTTPRequestHandler):
            def _any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                mine.asked.append(self.path)
                mine.queries += parse_qs(body).get("query", [])
                status, content = mine.answers.get(self.path, (500, "nobody prepared this"))
                raw = content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            do_GET = do_POST = _any

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.prom = PromSource(f"http://127.0.0.1:{self.http.server_port}", timeout_s=10)
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()

    def says(self, path: str, data: Any, status: int = 200) -> None:
        self.answers[path] = (status, {"status": "success", "data": data})


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.http.shutdown()
    made.http.server_close()


def topology(gpus: int = 2, holder: str | None = "team/app-0") -> Topology:
    pods = {"team/app-0": Pod("team", "app-0", "n1", APP, "Running", True, 2.0)}
    known = {f"G{i}": Gpu(f"G{i}", "n1", str(i), "H100", holder) for i in range(gpus)}
    return Topology(pods, known, ("n1",), (), (APP,), {APP: "vllm"})


def identity(name: str, fresh: Mapping[str, float]) -> Identity:
    source = SOURCES[name]
    return Identity(source, Labels(source.keys), {key: {} for key in fresh}, fresh, exported=False)


def measured(
    answers: Mapping[Ask, Collection[str]], fresh: Mapping[str, float], name: str = "vllm", **more: Any
) -> Measured:
    parts = {ask: (Part("p", "q", NOW, dict.fromkeys(keys, 1.0), {}),) for ask, keys in answers.items()}
    return Measured(None, {**parts, **more.pop("parts", {})}, {}, {name: identity(name, fresh)}, **more)


def columns(prom: PromSource | Blind, signal: Signal, taken: Measured | None = None, **how: Any) -> Column:
    wanted = {signal.now}
    whole = how.pop("topology", topology())
    found = watching(prom, wanted, taken or Measured(None), whole, NOW, 180.0, **how)
    assert set(found) == wanted
    return found[signal.now]


def value(column: Column, key: str) -> Any:
    return column.find(key, 180.0, NOW)[0]


def blind(column: Column, key: str) -> Blind | None:
    return column.find(key, 180.0, NOW)[3]


AWAY = Blind(Reason.NOT_SET, "no Prometheus is configured")


def test_nothing_is_asked_that_nobody_wants_to_know(server: Server) -> None:
    assert watching(server.prom, asks(), Measured(None), topology(), NOW, 180.0) == {}
    assert server.asked == []


def test_every_signal_is_looked_at_by_a_rule() -> None:
    asked = {ask for case in rules().values() for ask in case.check.asks}
    assert {signal.now for signal in SIGNALS} <= asked
    for signal, wanted in WANTED.items():
        case = next(case for case in rules().values() if signal.now in case.check.needs)
        assert set(wanted.values()) <= set(case.check.asks), "what is not asked for would always seem to be missing"


@pytest.mark.parametrize("signal", SIGNALS, ids=lambda signal: signal.name)
def test_without_prometheus_everything_is_blind(signal: Signal) -> None:
    down = Measured(Blind(Reason.SOURCE_DOWN, "Prometheus cannot be reached"))
    for column in (columns(AWAY, signal), columns(PromSource("http://127.0.0.1:9"), signal, down)):
        assert value(column, str(APP)) is None
        why = blind(column, str(APP))
        assert why is not None
        assert why.reason in {Reason.NOT_SET, Reason.SOURCE_DOWN}


# ------------------------------------------------------------------ rules and retention


def test_rules_are_read_once_for_all_facts(server: Server) -> None:
    query = "vllm:num_requests_waiting > 5"
    server.says(RULES, {"groups": [{"rules": [{"name": "Wait", "query": query, "type": "alerting"}]}]})
    found = watching(server.prom, {one.now for one in told.OF_RULES}, Measured(None), topology(), NOW, 180.0)
    assert server.asked == [RULES]
    assert value(found[told.ALERT_QUEUE.now], str(APP)) == "Wait"
    assert value(found[told.ALERT_LATENCY.now], str(APP)) == "none"
    assert value(found[told.ALERT_GPU_FAULT.now], str(CLUSTER)) == "none"
    assert found[told.ALERT_QUEUE.now].parts[0].query == f"GET {RULES}"


WRITTEN = {"spec": {"groups": [{"rules": [{"alert": "Wait", "expr": "vllm:num_requests_waiting > 5"}]}]}}
OTHER_RULE = {"name": "Other", "query": "up == 0", "type": "alerting"}


@pytest.mark.parametrize(
    ("evaluated", "objects", "told_of", "asked"),
    [
        ([], [WRITTEN], "Wait", True),
        ([], [], "none", True),
        ([], [{"spec": {}}], "none", True),
        ([OTHER_RULE], [WRITTEN], "none", False),
    ],
    ids=["a ruler elsewhere", "nobody", "no rule in it", "it evaluates rules itself"],
)
def test_what_is_meant_to_be_watched_counts_where_prometheus_evaluates_no_rule(
    server: Server, evaluated: list[Any], objects: Any, told_of: str, *, asked: bool
) -> None:
    server.says(RULES, {"groups": [{"rules": evaluated}]})
    kube = FakeKube({DECLARED: objects})
    column = columns(server.prom, told.ALERT_QUEUE, cluster=kube)
    assert value(column, str(APP)) == told_of
    assert (("list", DECLARED) in kube.asked) is asked
    path = "GET /apis/monitoring.coreos.com/v1/prometheusrules" if told_of == "Wait" else f"GET {RULES}"
    assert column.parts[0].query == path


def counted(**groups: float) -> dict[str, Any]:
    rows = [
        {"metric": {"rule_group": f"/etc/rules/a.yaml;{name}"}, "value": [NOW, str(n)]} for name, n in groups.items()
    ]
    return {"resultType": "vector", "result": rows}


@pytest.mark.parametrize(
    ("groups", "failing"),
    [
        ({"board": 30.0, "gpu": 0.0}, "rules of the group board"),
        ({"board": 0.0, "gpu": 0.0, "theirs": 9.0}, ""),
        ({"board": 0.0, "theirs": 9.0}, None),
        ({"board": 1.0}, "rules of the group board"),
        ({"theirs": 9.0}, None),
        ({}, None),
    ],
    ids=[
        "one fails",
        "none of ours fails",
        "one of ours is not counted",
        "one fails, one is not counted",
        "somebody else's are counted",
        "nobody counts",
    ],
)
def test_what_a_ruler_elsewhere_cannot_evaluate_is_told_by_what_it_counts(
    server: Server, groups: dict[str, float], failing: str | None
) -> None:
    server.says(RULES, {"groups": []})
    server.says("/api/v1/query", counted(**groups))
    named = {"spec": {"groups": [{"name": name, **WRITTEN["spec"]["groups"][0]} for name in ("board", "gpu")]}}
    column = columns(server.prom, told.RULES_FAILING, cluster=FakeKube({DECLARED: [named]}))
    assert value(column, str(CLUSTER)) == failing
    assert (blind(column, str(CLUSTER)) is None) is (failing is not None)
    assert server.queries == [FAILURES.format("")]


def test_a_prometheus_that_evaluates_rules_is_not_asked_what_it_counts(server: Server) -> None:
    server.says(RULES, {"groups": [{"rules": [OTHER_RULE]}]})
    assert value(columns(server.prom, told.RULES_FAILING, cluster=FakeKube({DECLARED: [WRITTEN]})), str(CLUSTER)) == ""
    assert not server.queries


@pytest.mark.parametrize("reason", [Reason.FORBIDDEN, Reason.SOURCE_DOWN])
def test_where_what_is_meant_to_be_watched_may_not_be_read_nobody_is_said_to_go_unwatched(
    server: Server, reason: Reason
) -> None:
    server.says(RULES, {"groups": []})
    refused = Blind(reason, "not for us")
    for cluster in (FakeKube({DECLARED: refused}), refused):
        column = columns(server.prom, told.ALERT_QUEUE, cluster=cluster)
        assert value(column, str(APP)) is None
        why = blind(column, str(APP))
        assert why is not None
        assert why.reason is reason
    # Where no cluster is asked at all, what Prometheus evaluates is all there is to know.
    alone = columns(server.prom, told.ALERT_QUEUE, cluster=Blind(Reason.NOT_SET, "no cluster"))
    assert value(alone, str(APP)) == "none"


def test_rules_of_the_past_are_not_looked_up_in_objects_of_today(server: Server) -> None:
    kube = FakeKube({})
    assert blind(columns(server.prom, told.ALERT_QUEUE, cluster=kube, past=True), str(APP)) is not None
    assert kube.asked == []


@pytest.mark.parametrize(
    ("status", "content", "reason"),
    [
        (404, b"404 page not found", Reason.NO_SERIES),
        (405, b"", Reason.NO_SERIES),
        (401, b"", Reason.FORBIDDEN),
        (403, b"no", Reason.FORBIDDEN),
        (500, b"boom", Reason.SOURCE_DOWN),
        (200, b"<html>", Reason.SOURCE_DOWN),
        (200, b'{"status":"error","error":"x"}', Reason.SOURCE_DOWN),
        (200, b'{"status":"success"}', Reason.SOURCE_DOWN),
        (200, b"\xff\xfe", Reason.SOURCE_DOWN),
    ],
)
def test_a_server_that_tells_no_rules_is_blind_and_never_without_alerts(
    server: Server, status: int, content: bytes, reason: Reason
) -> None:
    server.answers = dict.fromkeys((RULES, RUNTIME, RECEIVERS), (status, content))
    for signal, key in (
        (told.ALERT_LATENCY, str(APP)),
        (told.RETENTION, str(CLUSTER)),
        (told.ALERTMANAGERS, str(CLUSTER)),
    ):
        why = blind(columns(server.prom, signal), key)
        assert why is not None
        assert why.reason is reason


def test_of_the_past_no_rules_are_told(server: Server) -> None:
    why = blind(columns(server.prom, told.ALERT_LATENCY, past=True), str(APP))
    assert why is not None
    assert why.reason is Reason.NOT_KEPT
    for signal in (told.RETENTION, told.ALERTMANAGERS):
        assert blind(columns(server.prom, signal, past=True), str(CLUSTER)) == why
    assert server.asked == ["/api/v1/query"], "only how long samples were kept is in a series"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("15d", 15 * 86400.0), ("1y2w", 379 * 86400.0), ("30d or 10GiB", 30 * 86400.0), ("36h30m", 131400.0),
        ("10GiB", inf), ("512MB", inf), ("0s", inf), ("", None), ("for ever", None), ("15d;", None), ("d", None),
    ],
)  # fmt: skip
def test_retention_is_read_as_prometheus_writes_it(text: str, seconds: float | None) -> None:
    assert retention(text) == seconds


def test_retention_comes_from_the_server(server: Server) -> None:
    server.says(RUNTIME, {"storageRetention": "6d"})
    assert value(columns(server.prom, told.RETENTION), str(CLUSTER)) == 6.0
    for odd in ({}, {"storageRetention": 6}, [], "x"):
        server.says(RUNTIME, odd)
        assert value(columns(server.prom, told.RETENTION), str(CLUSTER)) is None


def limits(*seconds: float) -> dict[str, Any]:
    rows = [{"metric": {"instance": str(one)}, "value": [NOW, str(one)]} for one in seconds]
    return {"resultType": "vector", "result": rows}


@pytest.mark.parametrize("own", [{"storageRetention": "100y"}, {"storageRetention": "10GiB"}, {}, None])
def test_what_a_front_or_an_endless_store_does_not_say_is_told_by_whoever_writes_nowhere_else(
    server: Server, own: dict[str, str] | None
) -> None:
    if own is not None:
        server.says(RUNTIME, own)
    server.says("/api/v1/query", limits(864000.0, 36000.0))
    kept = columns(server.prom, told.RETENTION, matchers='cluster="a"')
    assert value(kept, str(CLUSTER)) == pytest.approx(36000 / 86400)
    assert server.queries == [KEPT.format('{cluster="a"}')]
    assert value(columns(server.prom, told.RETENTION, past=True), str(CLUSTER)) == pytest.approx(36000 / 86400)
    server.says("/api/v1/query", limits())
    nobody = value(columns(server.prom, told.RETENTION), str(CLUSTER))
    assert nobody == {"100y": 36500.0, "10GiB": inf, "": None}[(own or {}).get("storageRetention", "")]


def test_who_states_a_retention_of_its_own_is_believed(server: Server) -> None:
    server.says(RUNTIME, {"storageRetention": "30d"})
    server.says("/api/v1/query", limits(36000.0))
    assert value(columns(server.prom, told.RETENTION), str(CLUSTER)) == 30.0
    assert server.queries == []


def test_where_alerts_are_sent(server: Server) -> None:
    urls = [
        {"url": "http://user:secret@am-1:9093/api/v2/alerts"},
        {"url": "http://am-0:9093/x"},
        {"url": ":::"},
        "x",
        {},
    ]
    server.says(RECEIVERS, {"activeAlertmanagers": urls, "droppedAlertmanagers": []})
    assert value(columns(server.prom, told.ALERTMANAGERS), str(CLUSTER)) == "am-0, am-1"
    server.says(RECEIVERS, {"activeAlertmanagers": [], "droppedAlertmanagers": urls})
    assert value(columns(server.prom, told.ALERTMANAGERS), str(CLUSTER)) == "none"
    for odd in ({}, [], "x", {"activeAlertmanagers": None}):
        server.says(RECEIVERS, odd)
        assert value(columns(server.prom, told.ALERTMANAGERS), str(CLUSTER)) is None


# ------------------------------------------------------------------ what is exported

LATENCY = WANTED[told.LATENCY_MISSING]
FRESH = {"team/app-0": NOW - 10}


def lacking(taken: Measured, signal: Signal = told.LATENCY_MISSING, key: str = "team/app-0") -> Any:
    return value(columns(PromSource("http://127.0.0.1:9"), signal, taken), key)


def test_what_a_replica_lacks_is_named() -> None:
    every = {ask: ["team/app-0"] for ask in LATENCY.values()}
    assert lacking(measured(every, FRESH)) == ""
    some = {LATENCY["time to first token"]: ["team/app-0"], LATENCY["time in the queue"]: ["team/other"]}
    assert lacking(measured(some, FRESH)) == "inter-token latency, time in the queue"


@pytest.mark.parametrize(
    ("source", "counted", "told_of"),
    [("tgi", 0.0, None), ("tgi", 3.0, ""), ("tgi", None, "finished requests"), ("vllm", 0.0, "")],
    ids=["nought from the first use on", "counted", "nothing", "there from the start"],
)
def test_a_counter_of_first_use_at_nought_is_neither_there_nor_missing(
    source: str, counted: float | None, told_of: str | None
) -> None:
    (ask,) = WANTED[told.ENDINGS_MISSING].values()
    part = Part("p", "q", NOW, {} if counted is None else {"team/app-0": counted}, {})
    taken = measured({}, FRESH, source, parts={ask: (part,)})
    assert lacking(taken, told.ENDINGS_MISSING) == told_of


def test_a_histogram_of_nothing_is_there() -> None:
    empty = Part("p", "q", NOW, {}, {}, not_a_number=frozenset({"team/app-0"}))
    assert lacking(measured({}, FRESH, parts=dict.fromkeys(LATENCY.values(), (empty,)))) == ""


def test_who_does_not_report_lacks_nothing() -> None:
    assert lacking(measured({}, {"team/app-0": NOW - 600})) is None
    assert lacking(measured({}, {})) is None
    assert lacking(measured({}, FRESH), key="team/app-9") is None


def test_a_query_that_failed_tells_nothing() -> None:
    failed = Part("p", "q", NOW, blind=Blind(Reason.PARTIAL, "too many samples"))
    assert lacking(measured({}, FRESH, parts={LATENCY["time to first token"]: (failed,)})) is None


def test_what_an_engine_cannot_export_is_not_missed() -> None:
    assert lacking(measured({}, FRESH, "tei")) != lacking(measured({}, FRESH))
    assert "time to first token" not in str(lacking(measured({}, FRESH, "tei")))


@pytest.mark.parametrize("signal", [told.FAULTS_MISSING, told.ECC_MISSING, told.PROFILING_MISSING])
def test_what_a_gpu_lacks_is_named(signal: Signal) -> None:
    wanted = WANTED[signal]
    assert lacking(measured({}, {"G0": NOW}, "dcgm_exporter"), signal, "G0") == ", ".join(wanted)
    every = {ask: ["G0"] for ask in wanted.values()}
    assert lacking(measured(every, {"G0": NOW}, "dcgm_exporter"), signal, "G0") == ""


def test_gpu_series_without_the_pod() -> None:
    taken = measured({}, {"G0": NOW, "G1": NOW}, "dcgm_exporter")
    away = PromSource("http://127.0.0.1:9")

    def said(whole: Topology, of: Measured = taken) -> Any:
        return value(columns(away, told.GPUS_UNNAMED, of, topology=whole), str(APP))

    assert said(topology()) == ""
    assert said(topology(holder=None)) == "2 GPUs allocated, 0 with the pod in their series"
    assert said(topology(gpus=0)) is None, "GPUs that nobody measures are another matter"
    assert said(topology(holder="team/other")) is None
    assert said(topology(holder=None), measured({}, {}, "dcgm_exporter")) is None


# ------------------------------------------------------------------ how often


def test_the_scrape_interval_comes_from_the_count_of_samples(server: Server) -> None:
    rows = [{"metric": {"namespace": "team", "pod": pod}, "value": [NOW, "60"]} for pod in ("app-0", "other")]
    server.says("/api/v1/query", {"resultType": "vector", "result": rows})
    column = columns(server.prom, told.SCRAPE_INTERVAL, matchers='cluster="a"')
    assert value(column, "team/app-0") == 60.0
    assert value(column, "team/other") is None
    assert server.queries == [
        'min by (namespace, pod) (600 / count_over_time(up{cluster="a"}[600s]) and up{cluster="a"} offset 600s)'
    ]


def test_a_refused_query_blinds_the_interval(server: Server) -> None:
    server.answers["/api/v1/query"] = (422, {"status": "error", "error": "too many samples"})
    why = blind(columns(server.prom, told.SCRAPE_INTERVAL), "team/app-0")
    assert why is not None
    assert why.reason is Reason.PARTIAL
