"""Error budgets, canaries and drift on a real Prometheus: rates by queries of the test's own, and too little is said to be too little."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from evals.fleet.prometheus import Prometheus
from tests.tools import worlds
from tests.tools.worlds import START, World, listings, node, owned, pod
from tools.buckets import Bucket, read, written
from tools.burn import RULES, Burning, Counts, burning
from tools.burn_latency import burning_late
from tools.columns import Column, Part
from tools.costs_figures import Figure
from tools.finding import BlindSpot, Finding
from tools.intent import Intent, read_intents
from tools.intent_canary import judged
from tools.intent_drift import Drift, asks, drift
from tools.inventory import sources
from tools.measure import Identity, Query
from tools.reading import Blind, Reason, Subject
from tools.series import Labels, Series, exists, render
from tools.signals import GPU_REQUEST, ITL, TTFT
from tools.snapshot import Snapshot, SourceState
from tools.sources.kube_fake import FakeKube
from tools.sources.prom import PromSource
from tools.survey import survey
from tools.vocabulary.outcomes import HTTP_REQUESTS
from tools.vocabulary.pipelines import REQUEST_TIME

DAYS = 73 * 3600.0
APPS = ("burns", "over", "slow", "calm", "rare", "next", "worse", "late", "silent")


def name(app: str) -> str:
    return f"{app}-6c8d9f7b5-abcde"


def answers(world: World, app: str, per_s: float, failing: Any, **more: Any) -> None:
    """Requests at a rate; `failing` is the share that fails, by time in seconds before the end."""
    who = {"namespace": "team", "pod": name(app), "handler": "/v1/chat/completions", "over": DAYS, **more}
    total = {"good": 0.0, "bad": 0.0}

    def grown(kind: str) -> Any:
        def at(before: float) -> float:
            share = failing(before)
            total[kind] += 60 * per_s * (share if kind == "bad" else 1 - share)
            return total[kind]

        return at

    world.gauge("http_requests_total", grown("good"), status="2xx", **who)
    if any(failing(before) for before in (0.0, 600.0, 3000.0, 7200.0, DAYS)):
        world.gauge("http_requests_total", grown("bad"), status="5xx", **who)


def lateness(world: World, app: str, per_s: float, late: Callable[[float], float]) -> None:
    """Whole requests at a rate, all of them within 0.5 s but those of so many seconds by then, which took longer than 2.5 s."""
    for le in ("0.5", "2.0", "2.5", "4", "+Inf"):

        def counted(before: float, slow: bool = le in {"4", "+Inf"}) -> float:
            return per_s * (DAYS - before - (0.0 if slow else late(before)))

        world.gauge(
            "vllm:e2e_request_latency_seconds_bucket", counted, over=DAYS, namespace="team", pod=name(app), le=le
        )


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    world = World(START)
    answers(world, "burns", 2.0, lambda before: 0.02 if before < 7200 else 0.0)
    answers(world, "over", 2.0, lambda before: 0.1 if 2000 < before < 3500 else 0.0)
    answers(world, "slow", 2.0, lambda _before: 0.002)
    answers(world, "calm", 2.0, lambda _before: 0.0)
    answers(world, "rare", 0.005, lambda _before: 0.5)
    answers(world, "next", 0.02, lambda _before: 0.5)
    answers(world, "worse", 1.0, lambda _before: 0.035)
    answers(world, "late", 1.0, lambda _before: 0.0)
    for app in APPS:
        who: dict[str, Any] = {"namespace": "team", "pod": name(app), "model_name": "org/m"}
        world.gauge("vllm:num_requests_running", 2, **who)
        slow = 0.2 if app == "late" else 1.0
        world.histogram(
            "vllm:time_to_first_token_seconds", {"0.5": slow, "4": 1 - slow, "+Inf": 0.0}, 1.0, over=3700, **who
        )
    hastes = {
        "burns": {"0.5": 0.05, "2.0": 0.05, "2.5": 0.1, "4": 0.8},  # four of five take longer than 2.5 s
        "slow": {"0.5": 0.5, "2.0": 0.42, "2.5": 0.0, "4": 0.08},
        "calm": {"0.5": 0.97, "2.0": 0.02, "2.5": 0.0, "4": 0.01},
        "next": {"0.5": 0.3, "2.0": 0.0, "2.5": 0.7, "4": 0.0},
    }
    for app, rates in hastes.items():
        # Two replicas, the other of which is gone.
        for pod_name in (name(app), f"{app}-6c8d9f7b5-zzzzz"):
            world.histogram(
                "vllm:e2e_request_latency_seconds",
                rates | {"+Inf": 0.0},
                1.0,
                over=DAYS,
                namespace="team",
                pod=pod_name,
            )
    # Late for an hour, over since half an hour; and late, but too few to tell.
    lateness(world, "over", 1.0, lambda before: min(3600.0, max(0.0, 5400.0 - before)))
    lateness(world, "rare", 0.0003, lambda before: 0.9 * (DAYS - before))
    path = tmp_path_factory.mktemp("burn") / "burn.om"
    worlds.write({"burn": world}, path)
    with Prometheus([path]) as running:
        yield running


INTENT = """\
apiVersion: rackside/v1
kind: Intent
metadata: {{name: one}}
spec:
  selector: {{namespace: team, workload: {workload}}}
  {more}
"""
ALL = "objectives: {availabilityPercent: 99.9, ttftP95Seconds: 2}\n  canary: {workload: next}"


def intent(workload: str, more: str) -> Intent:
    (one,) = read_intents(INTENT.format(workload=workload, more=more), "intent.yaml")
    return one


@pytest.fixture(scope="module")
def kube() -> FakeKube:
    args = ["--model", "org/m", "--max-model-len", "16384", "--tensor-parallel-size", "2", "--dtype", "bfloat16"]
    return FakeKube(
        listings(
            pods=[
                pod(name(app), owner=("ReplicaSet", f"{app}-6c8d9f7b5"), gpus=2, args=args, node="n1") for app in APPS
            ],
            nodes=[node("n1", 8)],
            replicasets=[owned("ReplicaSet", f"{app}-6c8d9f7b5", app) for app in APPS],
            deployments=[owned("Deployment", app) for app in APPS],
        )
    )


@pytest.fixture(scope="module")
def taken(prometheus: Prometheus, kube: FakeKube) -> Snapshot:
    return survey(PromSource(prometheus.url), kube, asks([intent("burns", ALL)]), START)


def subject(app: str) -> Subject:
    return Subject("deployment", "team", app)


def burn(taken: Snapshot, app: str, percent: float = 99.9) -> Burning:
    return burning(Counts(taken), subject(app), percent)


@pytest.mark.parametrize(
    ("app", "verdict"),
    [("burns", "page"), ("over", "fine"), ("slow", "ticket"), ("calm", "fine"), ("rare", "too few requests to tell")],
)
def test_budgets_burn_or_do_not(taken: Snapshot, app: str, verdict: str) -> None:
    assert burn(taken, app).verdict == verdict, burn(taken, app)


def test_the_rates_are_what_a_query_of_our_own_says(taken: Snapshot, prometheus: Prometheus) -> None:
    found = burn(taken, "burns")
    for rule, one in zip(RULES, found.burns, strict=True):
        for window, rate in ((rule.long, one.long), (rule.short, one.short)):
            own = 'sum(increase(http_requests_total{pod=~"burns-.*",status=~"%s"}[' + window + "]))"
            (row,) = prometheus.query(f"{own % '5xx'} / {own % '...'}", START)
            assert rate == pytest.approx(float(row["value"][1]) / 0.001, rel=1e-6)


def test_the_alarm_that_it_shows_fires_exactly_where_it_says(taken: Snapshot, prometheus: Prometheus) -> None:
    for app in ("burns", "over", "slow", "calm"):
        for one in burn(taken, app).burns:
            assert bool(prometheus.query(one.promql, START)) is (one.verdict == one.rule.urgency), (app, one)


def test_an_hour_that_was_bad_and_is_over_pages_nobody(taken: Snapshot) -> None:
    (first, *_) = burn(taken, "over").burns
    assert first.long is not None
    assert first.long > 14.4
    assert first.verdict == "fine"


def test_a_looser_objective_burns_slower(taken: Snapshot) -> None:
    assert burn(taken, "burns", 99.0).burns[0].verdict == "fine"
    assert burn(taken, "burns", 99.0).burns[0].long == pytest.approx(2.0, rel=0.05)


def test_no_requests_seen_is_not_no_failures(taken: Snapshot, kube: FakeKube) -> None:
    assert burn(taken, "silent").verdict == "cannot tell"
    away = Blind(Reason.SOURCE_DOWN, "Prometheus cannot be reached")
    blind = survey(away, kube, asks([intent("burns", ALL)]), START)
    found = burn(blind, "burns")
    assert found.verdict == "cannot tell"
    assert "cannot be reached" in found.why
    held = drift(intent("burns", ALL), Counts(blind))
    assert held.findings == ()
    assert {spot.what.partition(" of ")[0] for spot in held.blind} >= {"availability", "time to first token"}


def test_one_window_that_is_not_seen_hides_no_page_and_is_no_comfort(taken: Snapshot) -> None:
    gone = Blind(Reason.PARTIAL, "the query was refused")
    ask = HTTP_REQUESTS.increase("72h")
    columns = {**taken.columns, ask: Column(ask, (Part("Prometheus", "q", START, blind=gone),), gone)}
    half = replace(taken, columns=columns)
    assert burn(half, "burns").verdict == "page"
    calm = burn(half, "calm")
    assert calm.verdict == "cannot tell"
    assert "refused" in calm.why


def test_replicas_that_are_gone_count_too(prometheus: Prometheus) -> None:
    kube = FakeKube(
        listings(
            pods=[pod(name("calm"), owner=("ReplicaSet", "calm-6c8d9f7b5"), node="n1")],
            nodes=[node("n1", 8)],
            replicasets=[owned("ReplicaSet", "calm-6c8d9f7b5", "calm")],
            deployments=[owned("Deployment", "burns"), owned("Deployment", "calm")],
        )
    )
    taken = survey(PromSource(prometheus.url), kube, asks([intent("burns", ALL)]), START)
    assert taken.topology.pods_of(subject("burns")) == ()
    assert burn(taken, "burns").verdict == "page"


@pytest.mark.parametrize(
    ("canary", "least", "verdict"),
    [("next", 500, "too few requests to tell"), ("worse", 500, "worse"), ("over", 500, "worse"), ("silent", 500, "cannot tell"), ("next", 10, "worse")],
)  # fmt: skip
def test_a_canary(taken: Snapshot, canary: str, least: int, verdict: str) -> None:
    found = judged(Counts(taken), subject("calm"), subject(canary), least)
    assert found.verdict == verdict, found.why


def test_a_point_more_is_worse_though_it_is_not_twice_as_much(taken: Snapshot) -> None:
    found = judged(Counts(taken), subject("burns"), subject("worse"), 500)
    assert found.verdict == "worse"
    assert "3.50%" in found.why
    assert "2.00%" in found.why


def test_a_canary_that_is_as_good_and_one_that_is_slower(taken: Snapshot) -> None:
    assert judged(Counts(taken), subject("over"), subject("calm"), 500).verdict == "no worse"
    slower = judged(Counts(taken), subject("calm"), subject("late"), 500)
    assert slower.verdict == "worse"
    assert "first tokens" in slower.why


def held(taken: Snapshot, workload: str, more: str, usd: float | None = None) -> Drift:
    figures = {} if usd is None else {subject(workload): Figure(usd, "USD per hour", "2 GPUs")}
    return drift(intent(workload, more), Counts(taken), figures)


def only(found: Drift) -> Finding:
    (one,) = found.findings
    return one


@pytest.mark.parametrize(
    ("more", "name", "said"),
    [
        ("model: {id: org/other}", "intent_model_drift", "org/other declared, org/m found"),
        ("engine: {name: sglang}", "intent_engine_drift", "sglang declared, vllm found"),
        ('engine: {version: "0.11"}', "intent_engine_drift", "0.11 declared, 0.10.0 found"),
        ("engine: {maxModelLen: 8192}", "intent_engine_drift", "8192 tokens declared, 16,384 tokens found"),
        ("engine: {dtype: fp16}", "intent_engine_drift", "fp16 declared, bfloat16 found"),
        ("engine: {tensorParallel: 4}", "intent_engine_drift", "4 GPUs declared, 2 GPUs found"),
        ("gpus: {count: 1}", "intent_gpu_drift", "1 GPU declared, 2 GPUs found"),
        ("objectives: {ttftP95Seconds: 0.1}", "intent_objective_missed", "100 ms declared"),
        ("owner: me", "intent_owner_drift", "me declared, none found"),
        ("warmStandby: true", "intent_standby_drift", "on declared, off found"),
        ("budgetUsdPerHour: 3", "intent_budget_exceeded", "$3 is declared"),
    ],
)
def test_what_is_apart_is_a_finding_with_both_sides(taken: Snapshot, more: str, name: str, said: str) -> None:
    one = only(held(taken, "calm", more, usd=4.0))
    assert one.id == name
    assert one.key.startswith(f"{name}@deployment/team/calm")
    assert said in one.because
    assert one.evidence[0].source.startswith("intent.yaml line 3")
    assert len(one.evidence) > 1
    assert [each.id for each in one.evidence] == [f"e{i + 1}" for i in range(len(one.evidence))]
    assert one.remedies
    assert one.title


@pytest.mark.parametrize(
    "more",
    [
        "model: {id: ORG/M}", "engine: {name: vllm}", 'engine: {version: "0.10"}', "engine: {maxModelLen: 16384}",
        "engine: {dtype: bf16}", "gpus: {count: 2}", "objectives: {ttftP95Seconds: 30}", "warmStandby: false",
        "budgetUsdPerHour: 30", "objectives: {availabilityPercent: 99.9}",
    ],
)  # fmt: skip
def test_what_agrees_is_said_and_is_no_finding(taken: Snapshot, more: str) -> None:
    found = held(taken, "calm", more, usd=4.0)
    assert found.findings == ()
    assert found.blind == ()
    assert len(found.same) == (2 if "Seconds" in more else 1), "a latency and its budget"


@pytest.mark.parametrize(
    "more",
    ["engine: {quantization: fp8}", "engine: {kvCacheDtype: fp8}", "budgetUsdPerHour: 3", "engine: {prefixCaching: true}", "objectives: {tpotP95Seconds: 3}", "gpus: {type: h100}"],
)  # fmt: skip
def test_what_cannot_be_seen_is_neither(taken: Snapshot, more: str) -> None:
    found = held(taken, "calm", more)
    assert found.findings == ()
    assert found.same == ()
    assert len(found.blind) == 1


def test_a_page_is_critical_and_a_ticket_is_not(taken: Snapshot) -> None:
    promised = "objectives: {availabilityPercent: 99.9}"
    page, ticket = only(held(taken, "burns", promised)), only(held(taken, "slow", promised))
    assert (page.severity, ticket.severity) == ("critical", "medium")
    assert "14.4" in page.because
    assert page.evidence[1].query.count("http_requests_total") == 4
    assert held(taken, "rare", promised).blind[0].why.count("too few requests to tell") == 1


def test_a_bad_canary_is_a_finding_on_the_canary(taken: Snapshot) -> None:
    one = only(held(taken, "calm", "canary: {workload: worse}"))
    assert (one.id, one.subject) == ("intent_canary_worse", "deployment/team/worse")
    few = held(taken, "calm", "canary: {workload: next}")
    assert few.findings == ()
    assert "too few requests to tell" in few.blind[0].why
    assert "no canary" in held(taken, "calm", "canary: {workload: nobody}").same[0]


def test_what_is_declared_and_not_there(taken: Snapshot) -> None:
    one = only(held(taken, "nobody", "owner: me"))
    assert one.id == "intent_not_deployed"
    nothing = survey(Blind(Reason.NOT_SET, "none"), Blind(Reason.FORBIDDEN, "we may not"), asks([]), START)
    found = held(nothing, "nobody", "owner: me")
    assert found.findings == ()
    assert "cannot be told" in found.blind[0].why


def test_what_could_not_be_listed_is_not_said_not_to_run(taken: Snapshot) -> None:
    down = SourceState("Kubernetes", Blind(Reason.SOURCE_DOWN, "refused"))
    half = replace(taken, sources=(taken.sources[0], down))
    found = held(half, "calm", "canary: {workload: nobody}")
    assert found.same == ()
    assert found.blind == (BlindSpot("canary nobody of deployment/team/calm", "whether it runs cannot be told: source down: refused"),)  # fmt: skip
    assert held(half, "nobody", "owner: me").findings == ()
    pods = Column(GPU_REQUEST.now, (), Blind(Reason.FORBIDDEN, "pods are forbidden"))
    some = replace(taken, columns={**taken.columns, GPU_REQUEST.now: pods})
    assert "pods are forbidden" in held(some, "nobody", "owner: me").blind[0].why
    assert "pods are forbidden" in held(some, "calm", "canary: {workload: nobody}").blind[0].why


def test_a_canary_of_which_a_replica_is_not_seen_is_not_called_as_good(prometheus: Prometheus) -> None:
    pods = [pod(name(app), owner=("ReplicaSet", f"{app}-6c8d9f7b5"), node="n1") for app in ("over", "calm")]
    pods.append(pod("calm-6c8d9f7b5-fghij", owner=("ReplicaSet", "calm-6c8d9f7b5"), node="n1"))
    sets = [owned("ReplicaSet", f"{app}-6c8d9f7b5", app) for app in ("over", "calm")]
    kube = FakeKube(
        listings(pods=pods, nodes=[node("n1", 8)], replicasets=sets, deployments=[owned("Deployment", app) for app in ("over", "calm")])
    )  # fmt: skip
    seen = survey(PromSource(prometheus.url), kube, asks([intent("over", ALL)]), START)
    found = judged(Counts(seen), subject("over"), subject("calm"), 500)
    assert (found.verdict, "of a replica of the canary nothing is told" in found.why) == ("cannot tell", True)
    half = burn(seen, "calm")
    assert half.verdict == "cannot tell"
    assert half.why.startswith("of 1 of its replicas nothing is told, and no window burns")
    assert burn(seen, "over", 99.9).verdict == "fine"


def test_a_replica_whose_first_tokens_are_not_seen_may_be_the_slow_one(taken: Snapshot) -> None:
    ask = TTFT.p95("1h")
    column = taken.columns[ask]
    (part,) = column.parts
    other = f"{name('calm')}2"
    pods = {**taken.topology.pods, f"team/{other}": replace(taken.topology.pods[f"team/{name('calm')}"], name=other)}
    queries = {
        each: tuple(replace(q, identity=replace(q.identity, fresh={**q.identity.fresh, f"team/{other}": START})) for q in those)
        for each, those in taken.queries.items()
    }  # fmt: skip
    half = replace(taken, topology=replace(taken.topology, pods=pods), queries=queries)
    assert part.values
    found = judged(Counts(half), subject("over"), subject("calm"), 500)
    assert (found.verdict, "not seen of all of both" in found.why) == ("cannot tell", True)
    assert burn(half, "calm").verdict == "fine", "it is seen and was asked nothing"


def lates(taken: Snapshot, app: str, limit_s: float) -> Burning:
    return burning_late(Counts(taken), subject(app), REQUEST_TIME, limit_s)


@pytest.fixture(scope="module")
def timed(prometheus: Prometheus, kube: FakeKube) -> Snapshot:
    return survey(PromSource(prometheus.url), kube, asks([intent("burns", "objectives: {e2eP95Seconds: 2.5}")]), START)


@pytest.mark.parametrize(
    ("app", "limit_s", "verdict"),
    [
        ("burns", 2.5, "page"),
        ("slow", 2.5, "ticket"),
        ("calm", 2.5, "fine"),
        ("over", 2.5, "fine"),
        ("rare", 2.5, "too few requests to tell"),
        ("silent", 2.5, "cannot tell"),
        # A bound so near stands for it.
        ("burns", 2.6, "page"),
        # Between 2.5 and 4 s: that four of five took longer than 4 s nobody knows.
        ("burns", 3.2, "cannot tell"),
        # Even those above 0.5 s would be few enough.
        ("calm", 1.0, "fine"),
        # All that took longer than 2 s are late for sure.
        ("burns", 1.0, "page"),
        # 70 % took longer than 2 s, none longer than 2.5 s.
        ("next", 2.2, "page"),
        ("next", 1.5, "page"),
        ("next", 3.0, "fine"),
    ],
)
def test_how_fast_the_budget_of_a_latency_burns(timed: Snapshot, app: str, limit_s: float, verdict: str) -> None:
    found = lates(timed, app, limit_s)
    assert found.verdict == verdict, found


def test_the_share_that_is_late_is_what_a_query_of_our_own_says(timed: Snapshot, prometheus: Prometheus) -> None:
    metric = "vllm:e2e_request_latency_seconds"
    for rule, one in zip(RULES, lates(timed, "burns", 2.5).burns, strict=True):
        for window, rate in ((rule.long, one.long), (rule.short, one.short)):
            within, whole = (
                f"sum(increase({metric}_{part}[{window}]))"
                for part in ('bucket{pod=~"burns-.*",le="2.5"}', 'count{pod=~"burns-.*"}')
            )
            (row,) = prometheus.query(f"1 - {within} / {whole}", START)
            assert rate == pytest.approx(float(row["value"][1]) / 0.05, rel=1e-6)


def test_the_alarm_on_a_latency_fires_exactly_where_it_says(timed: Snapshot, prometheus: Prometheus) -> None:
    for app in ("burns", "slow", "calm", "over"):
        for one in lates(timed, app, 2.5).burns:
            assert one.promql
            assert bool(prometheus.query(one.promql, START)) is (one.verdict == one.rule.urgency), (app, one)


def test_the_bound_that_was_taken_is_named(timed: Snapshot) -> None:
    assert "took longer than 2.5 s in 1h" in lates(timed, "burns", 2.5).why
    assert "took longer than 2.5 s (the bucket bound next to 2.6 s)" in lates(timed, "burns", 2.6).why
    why = lates(timed, "burns", 3.2).why
    assert "no bucket bound is near 3.2 s (the nearest: 2.5 s and 4.0 s)" in why
    assert "may have taken longer than 1.0 s" in lates(timed, "calm", 1.0).burns[0].why


def test_a_replica_that_does_not_tell_is_no_comfort_and_hides_no_page(prometheus: Prometheus) -> None:
    pods = [pod(name(app), owner=("ReplicaSet", f"{app}-6c8d9f7b5"), node="n1") for app in ("burns", "calm")]
    pods += [pod(f"{app}-6c8d9f7b5-fghij", owner=("ReplicaSet", f"{app}-6c8d9f7b5"), node="n1") for app in ("burns", "calm")]  # fmt: skip
    sets = [owned("ReplicaSet", f"{app}-6c8d9f7b5", app) for app in ("burns", "calm")]
    kube = FakeKube(listings(pods=pods, nodes=[node("n1", 8)], replicasets=sets, deployments=[owned("Deployment", app) for app in ("burns", "calm")]))  # fmt: skip
    seen = survey(PromSource(prometheus.url), kube, asks([intent("burns", "objectives: {e2eP95Seconds: 2.5}")]), START)
    assert lates(seen, "burns", 2.5).verdict == "page"
    calm = lates(seen, "calm", 2.5)
    assert calm.verdict == "cannot tell"
    assert calm.why.startswith("1 of its 2 replicas does not tell (")


def test_a_latency_that_burns_is_a_finding_of_its_own(timed: Snapshot) -> None:
    found = held(timed, "burns", "objectives: {e2eP95Seconds: 2.5}")
    (burns,) = (one for one in found.findings if one.id == "intent_latency_budget_burns")
    assert burns.severity == "critical"
    assert burns.because.startswith("This pages at 2.5 s for 95 % of requests: ")
    assert burns.key == "intent_latency_budget_burns@deployment/team/burns#time-of-a-whole-request"
    assert "took longer than 2.5 s" in burns.because
    assert burns.evidence[1].query.count('le="2.5"') == 2
    assert [(who, what, one.verdict) for who, what, one in found.burns] == [
        ("deployment/team/burns", "time of a whole request", "page")
    ]
    unsure = held(timed, "burns", "objectives: {e2eP95Seconds: 3.2}")
    assert [one.what for one in unsure.blind] == ["budget of time of a whole request of deployment/team/burns"]


def test_buckets_are_written_and_read_back() -> None:
    text = written([("+Inf", 9.0), ("500", 4.0), ("odd", 1.0), ("1e3", 6.5)], scale=0.001)
    assert read(text) == (Bucket("500", 0.5, 4.0), Bucket("1e3", 1.0, 6.5), Bucket("+Inf", float("inf"), 9.0))
    assert read(written([("0.5", 1.0)])) == (), "without the whole there is no share"
    assert read("") == ()


def test_a_replica_with_two_names_of_one_histogram_is_counted_by_the_first() -> None:
    source = next(one for one in sources() if one.name == "vllm")
    identity = Identity(source, Labels(("namespace", "pod"), ""), {}, {}, exported=False)
    text = Query.of(ITL.buckets("1h"), source, source.signals[ITL], identity).text
    first, second = (render(ITL.buckets("1h"), one, Labels(("namespace", "pod"), "")) for one in source.signals[ITL])
    assert text == f"{first} or ({second} unless on (namespace, pod) ({first}))"
    assert render(ITL.buckets("1h"), Series("x_ms", scale=0.001), Labels(("pod",), "")) == (
        "sum by (le, pod) (increase(x_ms_bucket[1h]))"
    )


def test_buckets_are_asked_where_percentiles_can_be_had() -> None:
    names = frozenset({"a_bucket", "b"})
    ask = ITL.buckets("1h")
    assert exists(Series("a"), ask, names)
    assert exists(Series("a", only=("p50", "p95", "p99")), ask, names)
    assert not exists(Series("a", only=("mean",)), ask, names)
    assert not exists(Series("b", expr="b"), ask, names)
    assert not exists(Series("c"), ask, names)
