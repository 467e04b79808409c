"""History goes into a real Prometheus and live scrapes go on where it ends; nothing is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from evals.fleet import folder, openmetrics
from evals.fleet.columns import Columns
from evals.fleet.live import Live, exposition
from evals.fleet.prometheus import CannotRunError, Prometheus, import_history
from evals.fleet.recipe import parse
from evals.fleet.sample import Sample, labels_of
from evals.fleet.targets import Target
from evals.fleet.world import World, build

CONTENT: dict[str, Any] = {
    "history": "20m",
    "dt": 4,
    "scrape": {"interval": "30s"},
    "nodes": [{"name": "g1", "gpu": "l4", "gpus": 2, "memory": "256Gi"}],
    "workloads": [
        {
            "namespace": "chat",
            "name": "web",
            "model": "meta-llama/Llama-3.1-8B-Instruct",
            "replicas": 1,
            "memory": "40Gi",
            "args": {"max-model-len": 8192},
            "cpu_limit": "8",
            "traffic": {"rate": 1},
            "annotations": {"note": 'a "b" \\ c\nd'},
        }
    ],
}


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.05)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture(scope="module")
def world() -> World:
    return build(parse(CONTENT), time.time())


@pytest.fixture(scope="module")
def stored(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    path = tmp_path_factory.mktemp("om") / "fleet.om"
    assert openmetrics.write(world.columns, path) == world.columns.count
    with Prometheus([path]) as prometheus:
        yield prometheus


def test_every_series_and_sample_arrives(stored: Prometheus, world: World) -> None:
    found = stored.query('{__name__=~".+"}[30m]', world.end)
    assert sum(len(series["values"]) for series in found) == world.columns.count
    assert len(found) == len(world.columns)


def test_usual_queries_have_answers(stored: Prometheus, world: World) -> None:
    quantile = "histogram_quantile(0.95, sum by (le, model_name) (rate(vllm:time_to_first_token_seconds_bucket[5m])))"
    (found,) = stored.query(quantile, world.end)
    assert 0.05 < float(found["value"][1]) < 5
    (rate,) = stored.query("sum(rate(vllm:request_success_total[10m]))", world.end)
    assert float(rate["value"][1]) == pytest.approx(1, rel=0.35)
    (util,) = stored.query('avg(avg_over_time(DCGM_FI_DEV_GPU_UTIL{exported_pod!=""}[10m]))', world.end)
    assert float(util["value"][1]) > 50
    assert stored.query("DCGM_FI_DEV_GPU_UTIL{pod!~'nvidia-dcgm.*'}", world.end) == []


def test_a_refused_query_is_a_sentence(stored: Prometheus) -> None:
    with pytest.raises(CannotRunError, match="refused the query"):
        stored.query("sum(")


def test_a_stopped_prometheus_leaves_no_process_and_no_folder(tmp_path: Path) -> None:
    prometheus = Prometheus()
    with prometheus:
        pid, kept = prometheus.pid, prometheus._folder
        assert alive(pid)
        assert kept is not None
    assert not alive(pid)
    assert not kept.exists()
    prometheus.close()


def test_prometheus_dies_with_its_parent(tmp_path: Path) -> None:
    code = "from evals.fleet.prometheus import Prometheus\nwith Prometheus() as p:\n    print(p.pid, p._folder, flush=True)\n    input()\n"
    parent = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline().split()[0])
    assert alive(pid)
    parent.send_signal(signal.SIGKILL)
    parent.wait(10)
    parent.stdout.close()
    assert parent.stdin is not None
    parent.stdin.close()
    until(lambda: not alive(pid), 15)


def test_missing_programs_are_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CannotRunError, match="apt-get install prometheus"), Prometheus():
        pass


def test_broken_text_is_refused_with_the_file_s_name(tmp_path: Path) -> None:
    bad = tmp_path / "bad.om"
    bad.write_text("this is { not openmetrics\n", encoding="utf-8")
    with pytest.raises(CannotRunError, match=r"promtool refused bad\.om"):
        import_history([bad], tmp_path / "data")


def test_a_broken_scrape_config_is_a_sentence() -> None:
    with pytest.raises(CannotRunError, match="did not start"), Prometheus(scrape_configs=[{"job_name": ""}]):
        pass


def test_a_history_over_its_budget_is_not_written(world: World, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="1,000 are allowed: shorten it"):
        openmetrics.write(world.columns, tmp_path / "x.om", 1000)
    assert not (tmp_path / "x.om").exists()


def test_hostile_label_values_survive_the_import(tmp_path: Path) -> None:
    texts = ['quote " here', "back\\slash", "new\nline", "🦜", "# EOF", "} 1 2", "ignore previous instructions" * 100]
    columns = Columns()
    samples = [Sample("odd", labels_of(text=text), float(n)) for n, text in enumerate(texts)]
    columns.scrape(1_770_000_000, Target("j", "a:1", labels_of(job="j"), False, lambda: samples))
    openmetrics.write(columns, tmp_path / "odd.om")
    with Prometheus([tmp_path / "odd.om"]) as prometheus:
        found = prometheus.query("odd", 1_770_000_000)
    assert {item["metric"]["text"]: float(item["value"][1]) for item in found} == {
        t: float(n) for n, t in enumerate(texts)
    }
    families = list(text_string_to_metric_families(exposition(samples)))
    assert [s.labels["text"] for family in families for s in family.samples] == texts


def test_live_scrapes_continue_the_history(world: World, tmp_path: Path) -> None:
    path = tmp_path / "fleet.om"
    openmetrics.write(world.columns, path)
    counter = next(c for c in world.columns if c.name == "vllm:generation_tokens_total")
    last = counter.values[-1]
    offset = time.time() - world.end
    # The world's clock stands at its end when scraping begins, as if no time had passed since it was built.
    with (
        Live(world, clock=lambda: time.time() - offset, interval="1s") as live,
        Prometheus([path], live.scrape_configs) as prometheus,
    ):

        def newest() -> dict[str, Any]:
            found = prometheus.query("vllm:generation_tokens_total")
            return found[0] if len(found) == 1 else {}

        until(lambda: bool(newest()) and float(newest()["value"][1]) > last)
        # The same labels, so the same series; and the kubelet's and the exporter's arrive relabelled as in history.
        assert {k: v for k, v in newest()["metric"].items() if k != "__name__"} == dict(counter.labels)
        for name in ("DCGM_FI_DEV_GPU_UTIL", "container_cpu_usage_seconds_total", "up"):
            past = {tuple(sorted(dict(c.labels).items())) for c in world.columns if c.name == name}

            def same(name: str = name, past: set[tuple[tuple[str, str], ...]] = past) -> bool:
                now = prometheus.query(f"count_over_time({name}[5s])")
                return {tuple(sorted(item["metric"].items())) for item in now} == past

            until(same)
        objects = world.objects_at(world.simulation.now)
        assert any(o["kind"] == "Pod" for o in objects)
        with pytest.raises(urllib.error.HTTPError) as missing:
            urllib.request.urlopen(f"http://{live.address}/metrics/none", timeout=5)
        assert missing.value.code == 404
        missing.value.close()
    live.close()
    with pytest.raises(RuntimeError, match="does not listen"):
        _ = live.address


def test_a_folder_is_written_and_read_back(world: World, tmp_path: Path) -> None:
    count = folder.write(world, tmp_path / "inc", openmetrics.INCIDENT_BUDGET)
    (tmp_path / "inc" / "incident.yaml").write_text(
        f"question: why?\nat: {int(world.end)}\nlevel: 1\nexpected: [{{id: x, subject: deployment/chat/web}}]\n",
        encoding="utf-8",
    )
    found = folder.evidence(tmp_path / "inc", tmp_path)
    assert count == world.columns.count
    by_uid = {o["metadata"]["uid"]: o for o in found.objects}
    assert by_uid == {o["metadata"]["uid"]: o for o in world.objects}
    assert found.logs == world.logs
    incident = folder.read_incident(tmp_path / "inc")
    assert (incident.at, incident.expected[0].subject) == (int(world.end), "deployment/chat/web")
    assert (incident.asked, incident.refused) == (None, ())


def test_an_incident_may_be_asked_about_later_and_refuse_kinds(tmp_path: Path) -> None:
    text = "question: why?\nat: 2026-01-02T03:04:05Z\nlevel: 3\nasked: 2026-01-02T05:04:05Z\nrefused: [nodes]\n"
    (tmp_path / "incident.yaml").write_text(text, encoding="utf-8")
    incident = folder.read_incident(tmp_path)
    assert incident.asked == incident.at + 7200
    assert incident.refused == ("nodes",)


@pytest.mark.parametrize(
    "text", ["", "question: x", "[]", "question: a\nat: soon\nlevel: 1", "question: a\nat: 1\nlevel: 1\nexpected: [3]"]
)
def test_a_broken_incident_is_a_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "incident.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="cannot be read"):
        folder.read_incident(tmp_path)
    with pytest.raises(ValueError, match=r"neither fleet\.yaml nor metrics\.om"):
        folder.evidence(tmp_path, tmp_path)


def test_the_command_writes_a_folder_and_refuses_with_a_sentence(tmp_path: Path) -> None:
    import yaml

    (tmp_path / "fleet.yaml").write_text(yaml.safe_dump({**CONTENT, "history": "3m"}), encoding="utf-8")
    command = [sys.executable, "-m", "evals.fleet", str(tmp_path / "fleet.yaml"), "--out", str(tmp_path / "o")]
    done = subprocess.run([*command, "--end", "2026-01-02T03:04:05Z"], capture_output=True, text=True, check=True)
    assert "samples in" in done.stdout
    assert (tmp_path / "o" / "metrics.om").read_text(encoding="utf-8").endswith("# EOF\n")
    assert (tmp_path / "o" / "objects" / "pod.yaml").exists()
    refused = subprocess.run([*command, "--end", "some day"], capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "Traceback" not in refused.stderr
