"""Built incidents: kept by what they follow from, in order, never half; and the other tool's reports, hostile ones included."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from evals import built
from evals.built import Built, ahead, build, kept_under, key, prune
from evals.incident_baseline import AsOf, CannotCompareError, VllmDoctor, fired, precision
from evals.incident_runs import INCIDENTS, folders

SMALL = "office-hours"


@pytest.fixture
def incident(tmp_path: Path) -> Path:
    return Path(shutil.copytree(INCIDENTS / SMALL, tmp_path / "theirs" / SMALL))


def test_a_build_is_kept_and_found_again(incident: Path, tmp_path: Path) -> None:
    place = build(incident, tmp_path / "kept")
    assert {item["kind"] for item in Built(place).objects} >= {"Node", "Pod", "Deployment"}
    assert list(Built(place).blocks.glob("*/meta.json"))
    ((namespace, _, container, previous),) = Built(place).logs
    assert (namespace, container, previous) == ("docs", "tei", False)
    written = (place / "world.json").stat().st_ino
    assert build(incident, tmp_path / "kept") == place
    assert (place / "world.json").stat().st_ino == written
    assert sorted(path.name for path in (tmp_path / "kept").iterdir()) == [place.name]


def test_a_build_follows_from_evidence_and_time_and_not_from_what_is_asked(incident: Path) -> None:
    before = key(incident)
    asked = incident / "incident.yaml"
    asked.write_text(asked.read_text("utf-8").replace("question: ", "question: Really, "), encoding="utf-8")
    assert key(incident) == before
    asked.write_text(asked.read_text("utf-8").replace("10:05:00Z", "10:06:00Z"), encoding="utf-8")
    later = key(incident)
    assert later != before
    nodes = incident / "objects" / "nodes.yaml"
    nodes.write_text(nodes.read_text("utf-8") + "\n", encoding="utf-8")
    assert key(incident) not in {before, later}


def test_a_build_that_fails_leaves_nothing_behind(incident: Path, tmp_path: Path) -> None:
    (incident / "metrics.om.gz").write_bytes(b"\x1f\x8bnot gzip at all")
    with pytest.raises(ValueError, match="cannot be unpacked"):
        build(incident, tmp_path / "kept")
    assert list((tmp_path / "kept").iterdir()) == []


def test_incidents_come_in_their_order(tmp_path: Path) -> None:
    chosen = folders(only=["second-site", SMALL, "quiet-sunday"])
    done = list(ahead(chosen, tmp_path / "kept", workers=2))
    assert [folder for folder, _ in done] == chosen
    assert len({one.place for _, one in done}) == 3


def test_incidents_are_chosen_by_name_pattern_and_level() -> None:
    chosen = [folder.name for folder in folders(only=["second-s*", SMALL])]
    assert chosen[0] == SMALL
    assert "second-site" in chosen
    assert all(name.startswith("second-s") for name in chosen[1:])
    assert chosen == sorted(chosen)
    assert folders(only=["second-site"], levels=["4"]) == []
    assert {folder.name for folder in folders(levels=["0"])} >= {SMALL, "second-site", "routine-question"}


def test_the_builds_that_were_not_used_for_longest_are_forgotten(tmp_path: Path) -> None:
    for age, name in enumerate(["new", "middle", "old"]):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (1000 - age, 1000 - age))
    prune(tmp_path, most=2)
    assert {path.name for path in tmp_path.iterdir()} == {"new", "middle"}


def test_where_home_cannot_be_written_builds_are_for_this_run_alone(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file, not a folder")
    with kept_under(tmp_path / "home") as kept:
        assert kept.is_dir()
        assert tmp_path not in kept.parents
    assert not kept.exists()


@pytest.mark.parametrize(
    "report",
    ["", "null", "[]", "{}", '{"checks": 7}', '{"checks": [null]}', '{"checks": [{"finding": {}}', "🦜" * 9999],
)
def test_what_is_no_report_names_nothing(report: str) -> None:
    assert fired(report) == ()


def test_the_rules_with_a_finding_are_named_in_their_order() -> None:
    checks = [
        {"id": "b", "finding": {"severity": "critical"}},
        {"id": "c", "finding": None},
        {"id": "a", "finding": {"x": 1}},
    ]
    assert fired(json.dumps({"checks": checks})) == ("b", "a")


@pytest.mark.parametrize(
    ("expected", "rules", "share"),
    [
        (set(), (), 1.0),
        (set(), ("queue_pressure",), 0.0),
        ({"routing_skew"}, ("replica_imbalance",), 1.0),
        ({"routing_skew"}, ("prefix_cache_efficiency", "replica_imbalance"), 0.5),
        ({"routing_skew"}, ("queue_pressure",), 0.0),
        ({"kv_saturation_queueing"}, ("queue_pressure", "kv_cache_pressure"), 1.0),
        ({"kv_saturation_queueing", "routing_skew"}, ("queue_pressure", "unheard_of", "replica_imbalance"), 2 / 3),
    ],
)
def test_the_other_tool_is_scored_like_ours(expected: set[str], rules: tuple[str, ...], share: float) -> None:
    assert precision(expected, rules) == pytest.approx(share)


def test_the_other_tool_sees_prometheus_as_of_the_incident() -> None:
    asked: list[dict[str, list[str]]] = []

    class Prom(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(parse_qs(urlsplit(self.path).query))
            self.send_response(200 if "good" in self.path else 400)
            self.end_headers()
            self.wfile.write(b'{"status": "whatever"}')

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Prom)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        with AsOf(f"http://127.0.0.1:{server.server_address[1]}", 1234.5) as door:
            with urllib.request.urlopen(f"{door.url}/api/v1/query?query=good") as answer:
                assert json.load(answer) == {"status": "whatever"}
            for path, code in (("/api/v1/query?query=bad", 400), ("/metrics", 404)):
                with pytest.raises(urllib.error.HTTPError) as refused:
                    urllib.request.urlopen(f"{door.url}{path}")
                with refused.value:
                    assert refused.value.code == code
    finally:
        server.shutdown()
        server.server_close()
    assert asked == [{"query": ["good"], "time": ["1234.5"]}, {"query": ["bad"], "time": ["1234.5"]}]


def test_a_tool_that_cannot_be_installed_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 1, "", "looking\nERROR: No matching distribution found")

    monkeypatch.setattr(subprocess, "run", refuses)
    with pytest.raises(CannotCompareError, match=r"left out: it cannot be installed .*No matching distribution"):
        VllmDoctor(tmp_path)


def test_the_key_knows_the_simulator(incident: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = key(incident)
    monkeypatch.setattr(built, "_simulator", lambda: "changed")
    assert key(incident) != before
