"""What is asked: the PromQL of each kind and statistic, checked by eye here and by a real Prometheus in test_measure."""

from __future__ import annotations

import pytest

from tests.tools.worlds import World
from tools.series import Labels, Series, Source, braces, exists, render
from tools.signals import (
    CPU_USAGE,
    GPU_MEM_USED,
    GPU_UTIL,
    KV_USAGE,
    POD_PHASE,
    REQUESTS_FINISHED,
    REQUESTS_WAITING,
    TTFT,
    XID_LAST,
    Ask,
    Per,
    parse_ask,
)
from tools.sources.prom import PromSource

POD = Labels(("namespace", "pod"))
GPU = Labels(("UUID", "GPU_I_ID"), 'cluster="c1"')


@pytest.mark.parametrize(
    ("ask", "series", "labels", "said"),
    [
        (KV_USAGE.now, Series("m"), POD, "max by (namespace, pod) (m)"),
        (KV_USAGE.min("10m"), Series("m"), POD, "max by (namespace, pod) (min_over_time(m[10m]))"),
        (KV_USAGE.max("1h"), Series("m"), POD, "max by (namespace, pod) (max_over_time(m[1h]))"),
        (REQUESTS_WAITING.now, Series("m"), POD, "sum by (namespace, pod) (m)"),
        (REQUESTS_WAITING.avg("10m"), Series("m"), POD, "sum by (namespace, pod) (avg_over_time(m[10m]))"),
        (REQUESTS_WAITING.slope("5m"), Series("m"), POD, "sum by (namespace, pod) (deriv(m[5m]))"),
        (XID_LAST.changes("1h"), Series("m"), GPU, 'max by (UUID, GPU_I_ID) (changes(m{cluster="c1"}[1h]))'),
        (CPU_USAGE.rate("5m"), Series("m_total"), POD, "sum by (namespace, pod) (rate(m_total[5m]))"),
        (REQUESTS_FINISHED.increase("1h"), Series("m_total", match='r!="abort"'), POD, 'sum by (namespace, pod) (increase(m_total{r!="abort"}[1h]))'),
        (TTFT.p95("5m"), Series("m"), POD, "histogram_quantile(0.95, sum by (le, namespace, pod) (rate(m_bucket[5m])))"),
        (TTFT.p50("5m"), Series("m"), POD, "histogram_quantile(0.5, sum by (le, namespace, pod) (rate(m_bucket[5m])))"),
        (TTFT.p99("5m"), Series("m"), POD, "histogram_quantile(0.99, sum by (le, namespace, pod) (rate(m_bucket[5m])))"),
        (TTFT.mean("5m"), Series("m"), POD, "sum by (namespace, pod) (rate(m_sum[5m])) / sum by (namespace, pod) (rate(m_count[5m]))"),
        (POD_PHASE.now, Series("m", label="phase"), POD, "max by (namespace, pod, phase) (m) == 1"),
        (GPU_UTIL.now, Series("m", scale=0.01), GPU, '(max by (UUID, GPU_I_ID) (m{cluster="c1"})) * 0.01'),
        (GPU_MEM_USED.now, Series("m", scale=1048576.0), POD, "(max by (namespace, pod) (m)) * 1048576"),
        (GPU_UTIL.changes("5m"), Series("m", scale=0.01), POD, "max by (namespace, pod) (changes(m[5m]))"),
        (KV_USAGE.crossings("1h"), Series("m", scale=0.01), POD, "max by (namespace, pod) (changes((m > bool ((max_over_time(m[1h] @ end()) + min_over_time(m[1h] @ end())) / 2))[1h:1m]))"),
        (GPU_UTIL.now, Series("m", expr="max by ({by}) (m{{{sel}}} offset 1h)"), GPU, 'max by (UUID, GPU_I_ID) (m{cluster="c1"} offset 1h)'),
        (GPU_UTIL.max("1h"), Series("m", scale=2, expr="x({by})[{w}]"), POD, "(x(namespace, pod)[1h]) * 2"),
    ],
)  # fmt: skip
def test_what_is_asked(ask: Ask, series: Series, labels: Labels, said: str) -> None:
    assert render(ask, series, labels) == said


@pytest.mark.parametrize(("ask", "join"), [(GPU_UTIL.min("5m"), "min"), (GPU_UTIL.max("5m"), "max"), (KV_USAGE.min("5m"), "max"), (GPU_UTIL.now, "max")])  # fmt: skip
def test_the_lowest_of_a_gpu_is_the_lowest_of_its_series(ask: Ask, join: str) -> None:
    assert render(ask, Series("m"), GPU).startswith(f"{join} by (UUID, GPU_I_ID) (")


def test_matchers_of_source_series_and_server_come_together() -> None:
    labels = Labels(("pod",), 'cluster="c1"')
    assert (
        render(KV_USAGE.now, Series("m", match='a="b"'), labels, 'container!=""')
        == 'max by (pod) (m{container!="",a="b",cluster="c1"})'
    )
    assert braces("", "") == ""


def test_a_label_is_grouped_by_in_an_expression_and_keys_stay_the_keys() -> None:
    series = Series("m", label="xid", expr="max by ({by}) (m{{{sel}}}) or on ({keys}) n")
    assert render(POD_PHASE.now, series, POD) == "max by (namespace, pod, xid) (m{}) or on (namespace, pod) n"


def test_what_must_exist() -> None:
    assert exists(Series("h"), TTFT.p95("5m"), frozenset({"h_bucket"}))
    assert not exists(Series("h"), TTFT.p95("5m"), frozenset({"h"}))
    assert not exists(Series("a", also=("b",)), KV_USAGE.now, frozenset({"a"}))
    assert exists(Series("a", also=("b",)), KV_USAGE.now, frozenset({"a", "b"}))
    assert exists(Series("a", expr="a / b"), TTFT.mean("5m"), frozenset({"a"}))


def test_only_identity_labels_are_renamed() -> None:
    source = Source("s", "S", Per.REPLICA, ("a",), ("namespace", "pod", "horizontalpodautoscaler", "UUID"), {})
    assert source.keys_in(exported=False) == source.keys
    assert source.keys_in(exported=True) == ("exported_namespace", "exported_pod", "horizontalpodautoscaler", "UUID")


@pytest.mark.parametrize("text", ["llm.kv_usage min 10m", "gpu.util now", "llm.ttft p95 5m"])
def test_an_ask_is_read_as_it_is_printed(text: str) -> None:
    assert str(parse_ask(text)) == text
    assert parse_ask(text) is parse_ask(text)


@pytest.mark.parametrize("text", ["gpu.nonsense now", "llm.ttft now", "gpu.util p95 5m", "pod.phase max 5m"])
def test_what_is_no_ask_is_said_to_be_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"no signal|has no"):
        parse_ask(text)


@pytest.mark.parametrize("window", ["10", "m", "10 m", "5d", "5m]) or up or (x[5m"])
def test_a_window_is_a_window(window: str) -> None:
    with pytest.raises(ValueError, match="no window"):
        KV_USAGE.max(window)


def test_stairs_up_and_down_are_one_way_there_and_back(prom: PromSource, worlds_by_name: dict[str, World]) -> None:
    at = worlds_by_name["generations"].at
    counted = {
        name: prom.query(render(KV_USAGE.crossings("10m"), Series(name), Labels(("namespace",))), at).rows[0].value
        for name in ("stairs", "waves", "flat")
    }
    assert counted == {"stairs": 2, "waves": 5, "flat": 0}
