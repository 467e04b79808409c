"""`rackside diagnose --at ... --chart FOLDER` on a real Prometheus: the past is told, pictures are written, the JSON names them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from evals.fleet.prometheus import Prometheus
from knowledge.home import default_home
from tests.tools import past_worlds, worlds
from tests.tools.worlds import World, stamp


@pytest.fixture(scope="module")
def world() -> World:
    """An engine that is ill since forty minutes, long ago, with what kube-state-metrics kept of it."""
    return past_worlds.build()["ksm_past"]


@pytest.fixture(scope="module")
def url(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prometheus that holds it."""
    path = tmp_path_factory.mktemp("past") / "past.om"
    worlds.write({"past": world}, path)
    with Prometheus([path]) as prometheus:
        yield prometheus.url


def run(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "HOME") if name in os.environ}
    clean = {
        **kept,
        "RACKSIDE_HOME": str(default_home()),
        "KUBECONFIG": "",
        "NO_COLOR": "1",
        "RACKSIDE_PROMETHEUS_URL": url,
    }
    return subprocess.run(
        [sys.executable, "-m", "bot", *arguments], env=clean, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.fixture
def past(world: World) -> str:
    """The moment to look at."""
    return stamp(world.at)


def test_the_json_names_the_pictures_and_since_when(url: str, past: str, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    done = run(url, "diagnose", "--at", past, "--json", "--chart", str(folder))
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    roots = [one for one in answer["findings"] if one["root"]]
    assert roots[0]["id"] == "kv_saturation_queueing"
    assert roots[0]["since"]["text"].startswith("Since ")
    assert {one["kind"] for one in roots[0]["happened"]} >= {"scale", "node"}
    assert {(one["format"], one["theme"]) for one in answer["charts"]} == {
        ("svg", "both"),
        ("png", "light"),
        ("png", "dark"),
    }
    for one in answer["charts"]:
        assert Path(one["path"]).parent == folder
        assert Path(one["path"]).stat().st_size > 1000
        assert one["path"] in done.stderr
    assert "traces" not in answer


def test_the_terminal_says_since_when(url: str, past: str) -> None:
    done = run(url, "ask", "since when is app slow?", "--at", past)
    assert done.returncode == 0, done.stderr
    assert "Since " in done.stdout
    assert "█" in done.stdout
    assert "As of" in done.stdout


@pytest.mark.parametrize("question", ["since when is app slow?", "what changed before that?"])
def test_a_question_about_time_is_answered_first(question: str, url: str, past: str) -> None:
    answer = json.loads(run(url, "ask", question, "--at", past, "--json").stdout)
    assert answer["intent"] == "live"
    assert "Since " in answer["verdict"]
    assert answer["text"].startswith(f"**{answer['verdict']}**")
    assert ("minutes before" in answer["verdict"]) is question.startswith("what")


def test_a_folder_that_cannot_be_written_is_a_sentence(url: str, past: str, tmp_path: Path) -> None:
    taken = tmp_path / "file"
    taken.write_text("x", encoding="utf-8")
    done = run(url, "diagnose", "--at", past, "--json", "--chart", str(taken))
    assert done.returncode == 2
    assert "cannot be written" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_headline_no_picture_is_written_and_that_is_said(tmp_path: Path) -> None:
    done = run("", "ask", "what does Xid 79 mean?", "--json", "--chart", str(tmp_path / "none"))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["charts"] == []
    assert "no picture" in done.stderr


def test_pictures_go_with_one_question() -> None:
    done = run("", "ask", "-", "--json", "--chart", "x")
    assert done.returncode == 2
    assert "one question" in done.stderr
