"""What Rackside costs is measured beside a baseline: the structure is tested, never the figures."""

from __future__ import annotations

import json
import math
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from evals.bench import __main__ as bench
from evals.bench import processes, rows, wide_fleet
from evals.bench.cases.diagnose_simulated import fleet
from evals.bench.cases.knowledge_cold import torch_modules
from evals.bench.processes import python, spend
from evals.bench.rows import CannotMeasureError, Row, Size, compared, found
from evals.fleet.prometheus import CannotRunError, import_history
from tools.inventory import sources


@pytest.fixture(scope="session")
def tiny() -> dict[str, Any]:
    """Everything measured once, at its smallest, by a process as a person starts it."""
    command = python("-m", "evals.bench", "--tiny", "--json")
    done = subprocess.run(command, capture_output=True, text=True, cwd=processes.ROOT, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_every_measurement_has_a_baseline_and_a_ratio(tiny: dict[str, Any]) -> None:
    assert tiny["failed"] == {}
    assert "--tiny" in tiny["command"]
    assert {row["case"] for row in tiny["rows"]} == set(found())
    for row in tiny["rows"]:
        assert row["what"]
        assert row["unit"]
        assert row["budget"]
        assert row["n"] >= 1
        assert row["value"] > 0
        assert row["baseline"] > 0
        assert row["baseline_is"]
        assert row["ratio"] == pytest.approx(row["value"] / row["baseline"], abs=1e-3)


@pytest.mark.parametrize(("case", "gpus"), [("diagnose_simulated", 32), ("diagnose_wide", 16)])
def test_a_sweep_sees_the_whole_fleet_within_its_requests(tiny: dict[str, Any], case: str, gpus: int) -> None:
    row = next(row for row in tiny["rows"] if row["case"] == case)
    assert row["detail"]["GPUs"] == gpus
    assert row["detail"]["pods"] >= gpus / wide_fleet.GPUS_PER_REPLICA
    assert 0 < row["detail"]["queries"] < row["detail"]["requests"] <= 120
    assert row["detail"]["judgements"] > gpus
    assert 0 < row["detail"]["peak MiB"] < 1024


@pytest.mark.parametrize("what", ["audit", "cost", "digest"])
def test_readiness_and_costs_see_every_workload_within_the_requests(tiny: dict[str, Any], what: str) -> None:
    (row,) = (row for row in tiny["rows"] if row["case"] == "audit_wide" and row["what"].startswith(f"{what}, "))
    assert row["what"] == f"{what}, 8 workloads, metrics alone"
    assert 0 < row["detail"]["queries"] <= row["detail"]["requests"] <= 120
    assert 0 < row["detail"]["peak MiB"] < 1024
    if what == "cost":
        assert (row["detail"]["GPUs"], row["detail"]["priced"], row["detail"]["rows"]) == (16, 16, 8 + 2)
    else:
        assert row["detail"]["items"] > 100
    if what == "digest":
        assert row["detail"]["messages"] >= 1


def test_a_search_imports_no_torch(tiny: dict[str, Any]) -> None:
    row = next(row for row in tiny["rows"] if row["case"] == "knowledge_cold")
    assert row["detail"] == {"imports torch": "no"}


def test_an_import_of_torch_would_be_told() -> None:
    assert torch_modules("noise\ntorch modules: 12\n") == 12
    with pytest.raises(ValueError, match="without saying"):
        torch_modules("")


def test_the_wide_fleet_holds_what_is_read_and_promtool_takes_it(tmp_path: Path) -> None:
    history = tmp_path / "history.om"
    written = wide_fleet.write(history, 16, 3, 1_773_144_000)
    text = history.read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert len(lines) == written
    assert text.endswith("# EOF\n")
    names = {line.partition("{")[0] for line in lines}
    fleet = {"vllm", "dcgm_exporter", "cadvisor", "kube_state_metrics_pods", "kube_state_metrics_nodes"}
    assert fleet <= {source.name for source in sources()}
    for source in sources():
        if source.name in fleet:
            assert names & set(source.anchor), source.name
    assert len({line.partition("UUID=")[2][:40] for line in lines if "UUID=" in line}) == 16
    assert {int(line.rsplit(" ", 1)[1]) for line in lines} == {1_773_143_940, 1_773_143_970, 1_773_144_000}
    import_history([history], tmp_path / "data")


def test_samples_grow_with_the_fleet_and_pods_keep_names_of_their_own(tmp_path: Path) -> None:
    small = wide_fleet.write(tmp_path / "small.om", 64, 1, 1_773_144_000)
    large = wide_fleet.write(tmp_path / "large.om", 256, 1, 1_773_144_000)
    assert large == pytest.approx(4 * small)
    ready = [
        line for line in (tmp_path / "large.om").read_text().splitlines() if line.startswith("kube_pod_status_rea")
    ]
    assert len(ready) == len(set(ready)) == 256 / wide_fleet.GPUS_PER_REPLICA


def test_copies_of_the_fleet_stand_side_by_side() -> None:
    once, twice = fleet(1, 600), fleet(2, 600)
    assert sum(node.gpus for node in once.nodes) == 32
    assert sum(node.gpus for node in twice.nodes) == 64
    assert len(twice.workloads) == 2 * len(once.workloads)


def row_of(value: float, baseline: float) -> Row:
    return compared("what", "s", [value], [baseline], "less", "2 x raw", {"requests": 1234, "kind": "[bold]<b>"})


def test_the_median_counts() -> None:
    row = compared("what", "s", [9.0, 2.0, 1.0], [1.0, 50.0, 0.5], "less", "none")
    assert (row.value, row.baseline, row.ratio, row.n) == (2.0, 1.0, 2.0, 3)


@pytest.mark.parametrize(("ours", "raw"), [([], []), ([1.0], [1.0, 2.0])])
def test_runs_without_their_baseline_are_refused(ours: list[float], raw: list[float]) -> None:
    with pytest.raises(ValueError, match="cannot be compared"):
        compared("what", "s", ours, raw, "less", "none")


def test_a_baseline_of_no_time_is_no_number_in_json() -> None:
    assert math.isinf(row_of(1.0, 0.0).ratio)
    assert json.loads(json.dumps(bench.as_json("case", row_of(1.0, 0.0)), allow_nan=False))["ratio"] is None


def test_the_table_says_command_runs_ratio_and_budget(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sizes: list[Size] = []

    def measure(size: Size) -> Iterator[Row]:
        sizes.append(size)
        yield row_of(3.0, 2.0)

    monkeypatch.setattr(bench, "found", lambda: {"one": measure})
    monkeypatch.setenv("COLUMNS", "120")
    assert bench.main(["--runs", "7", "--gpus", "8"]) == 0
    shown = capsys.readouterr().out
    for said in (
        "$ python -m evals.bench --runs 7 --gpus 8",
        "1.50",
        "3 s",
        "2 s, less",
        "2 x raw",
        "requests 1,234",
        "[bold]<b>",
    ):
        assert said in shown
    assert (sizes[0].runs, sizes[0].wide_gpus) == (7, (8,))


def test_what_cannot_be_measured_is_said_and_the_rest_is_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_: Size) -> Iterator[Row]:
        raise CannotMeasureError("there is no index: run make setup")
        yield

    monkeypatch.setattr(bench, "found", lambda: {"a": broken, "b": lambda _: iter([row_of(1.0, 1.0)])})
    assert bench.main(["--json"]) == 2
    out, err = capsys.readouterr()
    told = json.loads(out)
    assert told["failed"] == {"a": "there is no index: run make setup"}
    assert [row["case"] for row in told["rows"]] == ["b"]
    assert "a could not be measured: there is no index" in " ".join(err.split())


@pytest.mark.parametrize("case", ["diagnose_simulated", "diagnose_wide"])
def test_without_prometheus_a_sentence_says_what_to_do(monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    def missing(name: str) -> str:
        raise CannotRunError(f"{name} is not installed. On Debian or Ubuntu: apt-get install prometheus")

    monkeypatch.setattr("evals.fleet.prometheus.tool", missing)
    monkeypatch.setattr("evals.bench.cases.diagnose_simulated.tool", missing)
    with pytest.raises(CannotMeasureError, match="apt-get install prometheus"):
        list(found()[case](bench.TINY))


def test_a_command_that_fails_is_told_with_its_last_words() -> None:
    with pytest.raises(CannotMeasureError, match="status 3: it went wrong"):
        spend(python("-c", "import sys; print('noise\\nit went wrong', file=sys.stderr); sys.exit(3)"))


def test_a_command_that_never_ends_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "PATIENCE_S", 0.2)
    with pytest.raises(CannotMeasureError, match="took more than"):
        spend(python("-c", "import threading; threading.Event().wait()"))


def test_what_a_command_took_is_its_own() -> None:
    spent = spend(python("-c", "print('hi'); sum(range(3_000_000))"))
    assert spent.out == "hi\n"
    assert spent.cpu_s > 0
    assert spent.wall_s > 0


@pytest.mark.parametrize("bad", [["--runs", "0"], ["--gpus", "-3"], ["--gpus", "many"], ["--only", "nothing"]])
def test_bad_usage_is_refused(bad: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        bench.main(bad)
    assert left.value.code == 2
    assert "Traceback" not in capsys.readouterr().err


def test_a_measurement_is_found_by_its_modules_name() -> None:
    assert set(found()) == {path.stem for path in Path(rows.cases.__path__[0]).glob("[a-z]*.py")}
