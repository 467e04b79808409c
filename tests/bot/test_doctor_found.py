"""The doctor's rows of what is deployed."""

from __future__ import annotations

from bot.doctor_found import deployed, mapped
from bot.seen import Seen
from tests.tools.worlds import START, pod
from tools.custom_servers import read
from tools.inventory import sources
from tools.measure import Identity, Measured
from tools.reading import Blind, Reason
from tools.series import Labels

VLLM = next(source for source in sources() if source.name == "vllm")
ENGINES = [pod(f"a-{i}", image="vllm/vllm-openai:v0.10.0", owner=None) for i in range(5)]


def reporting(*pods: str) -> Measured:
    rows = {f"team/{name}": {"namespace": "team", "pod": name} for name in pods}
    return Measured(
        None, identities={"vllm": Identity(VLLM, Labels(VLLM.keys), rows, dict.fromkeys(rows, START), exported=False)}
    )


def test_engines_that_all_report_are_green() -> None:
    (row, *others) = deployed(ENGINES[:2], reporting("a-0", "a-1"))
    assert row == Seen("vLLM 0.10.0", "ok", "2 pods in the cluster; 2 replicas report to Prometheus")
    assert others[0] == Seen(
        "GPU exporters", "blind", "none found in the cluster", "Install dcgm-exporter, and scrape it"
    )
    assert {one.what for one in others[1:]} == {"Checks that stay blind"}
    assert any("thermal_throttle" in one.detail for one in others)


def test_engines_that_nobody_scrapes_are_named() -> None:
    row = next(iter(deployed(ENGINES, reporting("a-0"))))
    assert row.state == "blind"
    assert row.detail == "5 pods in the cluster; 1 replica reports to Prometheus"
    assert row.todo == "Prometheus has nothing of team/a-1, team/a-2, team/a-3 and 1 more: add them to its scrape"


def test_without_prometheus_only_what_is_deployed_is_said() -> None:
    down = Measured(Blind(Reason.SOURCE_DOWN, "gone"))
    for measured in (None, down):
        assert [one.what for one in deployed(ENGINES[:1], measured)] == ["vLLM 0.10.0", "GPU exporters"]


def test_an_empty_cluster_has_neither_and_an_unseen_one_is_not_called_empty() -> None:
    assert [one.what for one in deployed([], None)] == ["Serving engines", "GPU exporters"]
    assert list(deployed(None, None)) == []


def test_a_version_that_nobody_tells_is_said_so() -> None:
    row = next(iter(deployed([pod("a", image="vllm/vllm-openai:latest", owner=None)], None)))
    assert (row.what, row.detail) == ("vLLM", "1 pod in the cluster; version not told")


def test_mapped_servers_are_held_against_the_server() -> None:
    (house,) = read(
        {
            "house": {
                "anchor": "house_up",
                "series": {"llm.ttft": {"metric": "house_ms"}, "llm.kv_usage": {"metric": "house_kv"}},
            }
        }
    )
    (row,) = mapped([house], frozenset({"house_up", "house_ms_bucket", "house_kv"}))
    assert row == Seen("house", "ok", "mapped: 2 signals, all on the server")
    (row,) = mapped([house], frozenset({"house_up", "house_ms", "house_kv"}))
    assert (row.state, row.detail) == ("blind", "mapped; not on the server: house_ms_bucket")
    assert row.todo
    (row,) = mapped([house], frozenset())
    assert row.detail == "mapped, and its anchor house_up is not on the server"


def test_an_exporter_of_objects_is_told_by_what_prometheus_has_of_it() -> None:
    ksm = next(source for source in sources() if source.name == "kube_state_metrics_pods")
    rows = {"team/a": {"namespace": "team", "pod": "a"}}
    seen = Identity(ksm, Labels(ksm.keys), rows, dict.fromkeys(rows, START), exported=False)
    exporter = pod("k", image="registry.k8s.io/kube-state-metrics/kube-state-metrics:v2.13.0", owner=None, gpus=0)
    rows_of = {one.what: one for one in deployed([exporter], Measured(None, identities={ksm.name: seen}))}
    assert rows_of["kube-state-metrics 2.13.0"] == Seen(
        "kube-state-metrics 2.13.0", "ok", "1 pod in the cluster; Prometheus has it of 1 pod"
    )
    silent = {one.what: one for one in deployed([exporter], Measured(None))}["kube-state-metrics 2.13.0"]
    assert (silent.state, silent.detail) == ("blind", "1 pod in the cluster; Prometheus has it of 0 pods")
    assert silent.todo == "Look at the scrape: nothing of it is fresh"
