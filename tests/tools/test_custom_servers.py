"""A server of one's own, mapped in settings: what is wrong with a mapping is said at once, and a right one is read like any engine."""

from __future__ import annotations

import copy
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.settings import SettingsProblem, load_settings
from knowledge.home import default_home
from tests.tools.worlds import World, listings, node, pod
from tools import inventory
from tools.casebook import asks
from tools.custom_servers import CustomServerError, mappable, read
from tools.diagnose import diagnose
from tools.inventory import runtimes, sources, use
from tools.reading import Reason, Subject
from tools.signals import (
    KV_USAGE,
    PREEMPTIONS,
    QUEUE_TIME,
    REQUESTS_FINISHED,
    REQUESTS_WAITING,
    TTFT,
)
from tools.sources.kube_fake import FakeKube
from tools.sources.prom import PromSource
from tools.survey import survey

ROOT = Path(__file__).parents[2]
HOME = default_home()  # before a test takes the environment away
HOUSE = "deployment/team/house"
SERVERS: dict[str, Any] = yaml.safe_load("""
house:
  title: House engine
  images: [registry.local/house]
  anchor: house_up_info
  labels: {namespace: kubernetes_namespace, pod: kubernetes_pod_name}
  series:
    llm.requests_running: {metric: house_active}
    llm.requests_waiting: {metric: house_queue_depth, match: 'tier="live"'}
    llm.kv_usage: {metric: house_cache_percent, scale: 0.01}
    llm.ttft: {metric: house_first_token_ms, scale: 0.001}
    llm.queue_time: {metric: house_wait_ms, scale: 0.001}
    llm.requests_finished: {metric: house_answers_total}
""")


@pytest.fixture
def mapped() -> Iterator[None]:
    use(read(SERVERS))
    yield
    use(())


@pytest.mark.usefixtures("mapped")
def test_its_series_are_read_in_our_units(prom: PromSource, worlds_by_name: dict[str, World]) -> None:
    now = worlds_by_name["house"].at
    name = "house-6c8d9f7b5-aaaaa"
    engine = pod(name, owner=("ReplicaSet", "house-6c8d9f7b5"), image="registry.local/house:2.1", now=now)
    more = (KV_USAGE.min("10m"), REQUESTS_WAITING.min("5m"), TTFT.p95("5m"), QUEUE_TIME.mean("5m"))
    more += (REQUESTS_FINISHED.rate("5m"), PREEMPTIONS.increase("5m"))
    kube = FakeKube(listings(pods=[engine], nodes=[node("n1", 1)]), {("team", name, "engine", False): ""})
    taken = survey(prom, kube, {*asks(), *more}, now)
    key = f"team/{name}"
    assert taken.topology.engines == {Subject.parse(HOUSE): "house"}
    assert taken.read(KV_USAGE.min("10m"), key).value == pytest.approx(0.99)
    assert taken.read(REQUESTS_WAITING.min("5m"), key).value == 12
    assert taken.read(TTFT.p95("5m"), key).number == pytest.approx(9.6, abs=0.1)
    assert taken.read(QUEUE_TIME.mean("5m"), key).value == pytest.approx(5.5)
    assert taken.read(REQUESTS_FINISHED.rate("5m"), key).value == pytest.approx(1.0, rel=0.01)
    lacking = taken.read(PREEMPTIONS.increase("5m"), key).blind
    assert lacking is not None
    assert (lacking.reason, lacking.detail) == (Reason.NO_SERIES, "House engine does not export it")
    assert "kv_saturation_queueing" in {one.id for one in diagnose(taken).findings if one.subject == HOUSE}


def test_without_the_mapping_nothing_is_known_of_it(prom: PromSource, worlds_by_name: dict[str, World]) -> None:
    now = worlds_by_name["house"].at
    taken = survey(prom, FakeKube(listings()), asks(), now)
    assert taken.topology.engines == {}


@pytest.mark.usefixtures("mapped")
def test_one_that_is_not_scraped_is_read_itself(prom: PromSource, worlds_by_name: dict[str, World]) -> None:
    now = worlds_by_name["nvitop"].at
    engine = pod("h-0", owner=("StatefulSet", "h"), image="registry.local/house:2.1", args=["--port=9000"], now=now)
    text = 'house_up_info 1\nhouse_cache_percent 41\nhouse_queue_depth{tier="live"} 3\nhouse_queue_depth{tier="x"} 9\n'
    kube = FakeKube(listings(pods=[engine]), metrics={("team", "h-0", 9000): text})
    taken = survey(prom, kube, {*asks(), KV_USAGE.now, REQUESTS_WAITING.now}, now)
    assert taken.read(KV_USAGE.now, "team/h-0").value == pytest.approx(0.41)
    assert taken.read(REQUESTS_WAITING.now, "team/h-0").value == 3


def test_from_a_settings_file_to_the_answer_of_the_command(
    server: str, worlds_by_name: dict[str, World], tmp_path: Path
) -> None:
    """The real command, with nothing but a Prometheus and the mapping."""
    (tmp_path / "rackside.yaml").write_text(yaml.safe_dump({"servers": SERVERS}), encoding="utf-8")
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "HOME") if name in os.environ}
    environment = {
        **kept,
        "KUBECONFIG": "",
        "RACKSIDE_HOME": str(HOME),
        "RACKSIDE_CONFIG": str(tmp_path / "rackside.yaml"),
        "RACKSIDE_PROMETHEUS_URL": server,
    }
    at = datetime.fromtimestamp(worlds_by_name["house"].at, UTC).isoformat()
    command = [sys.executable, "-m", "bot", "diagnose", "--json", "--at", at]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    found = {(one["id"], one["subject"]) for one in answer["findings"]}
    assert ("kv_saturation_queueing", HOUSE) in found
    evidence = [e for one in answer["findings"] for e in one["evidence"] if "house_cache_percent" in e["query"]]
    assert evidence
    assert evidence[0]["source"] == "House engine via Prometheus"
    assert evidence[0]["value"] == pytest.approx(0.99)


# ------------------------------------------------------------------ what is wrong with a mapping


def changed(path: str, value: Any) -> dict[str, Any]:
    told = copy.deepcopy(SERVERS)
    here: Any = told
    *way, last = path.split("/")
    for step in way:
        here = here[step]
    if value is None:
        del here[last]
    else:
        here[last] = value
    return told


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("house/anchor", None, "servers.house.anchor: missing; name a metric"),
        ("house/anchor", "no metric", "'no metric' is no name of a metric"),
        ("house/series", None, "servers.house.series: name at least one signal"),
        ("house/series", {}, "name at least one signal"),
        ("house/series/llm.kv_usge", {"metric": "x"}, "llm.kv_usge: no such signal of a serving engine; did you mean llm.kv_usage?"),
        ("house/series/gpu.util", {"metric": "x"}, "gpu.util: no such signal"),
        ("house/series/pod.phase", {"metric": "x"}, "pod.phase: no such signal"),
        ("house/series/llm.ttft", "house_first_token_ms", "llm.ttft: write a mapping with metric, scale, match"),
        ("house/series/llm.ttft/metric", "house_ms_bucket", "is a part of a histogram"),
        ("house/series/llm.ttft/unit", "ms", "'unit' is not among metric, scale, match"),
        ("house/series/llm.kv_usage/scale", 0, "'0' is no factor"),
        ("house/series/llm.kv_usage/scale", "1%", "'1%' is no factor"),
        ("house/series/llm.kv_usage/scale", float("nan"), "is no factor"),
        ("house/series/llm.kv_usage/scale", True, "is no factor"),
        ("house/series/llm.kv_usage/match", 'tier="a"} or vector(1) #', "is no label matcher"),
        ("house/series/llm.kv_usage/match", "tier=gpu", "is no label matcher"),
        ("house/match", ["tier"], "is no label matcher"),
        ("house/labels", {"node": "x"}, "may say `namespace` and `pod`"),
        ("house/labels", {"pod": "a-b"}, "'a-b' is no label's name"),
        ("house/images", "registry.local/house", "write a list of parts of image names"),
        ("house/images", ["a"], "three characters or more"),
        ("house/port", "http", "'http' is no port"),
        ("house/port", 70000, "'70000' is no port"),
        ("house/colour", "red", "'colour' is not among title, images, anchor"),
        ("house", "house", "servers.house: write a mapping with title"),
        ("vllm", {"anchor": "x"}, "Rackside knows a vllm itself"),
        ("Hous\n", {"anchor": "x"}, "a name is lower-case letters"),
        ("x" * 5000, {}, "a name is lower-case letters"),
    ],
)  # fmt: skip
def test_a_wrong_mapping_says_where_and_what(path: str, value: Any, said: str) -> None:
    with pytest.raises(CustomServerError) as caught:
        read(changed(path, value))
    assert said in str(caught.value)
    assert len(str(caught.value)) < 2000


def test_everything_that_is_wrong_is_said_at_once() -> None:
    told = changed("house/anchor", None)
    told["house"]["series"]["llm.kv_usage"]["scale"] = -1
    told["9"] = {}
    with pytest.raises(CustomServerError) as caught:
        read(told)
    for part in ("servers.house.anchor", "servers.house.series.llm.kv_usage.scale", "servers.9"):
        assert part in str(caught.value)


@pytest.mark.parametrize("told", [[], "x", None, 3])
def test_what_is_no_mapping_at_all(told: object) -> None:
    with pytest.raises(CustomServerError, match="write a mapping of names to servers"):
        read(told)


def test_an_empty_mapping_maps_nothing_and_a_title_is_one_short_line() -> None:
    assert read({}) == ()
    (made,) = read(changed("house/title", "A\nB " + "ü" * 500))
    assert made.title.startswith("A B ü")
    assert len(made.title) == 60


def test_servers_are_forgotten_when_settings_no_longer_name_them() -> None:
    before = sources()
    use(read(SERVERS))
    try:
        assert next(one.name for one in runtimes()) == "house", (
            "a mapping goes before an image that looks like a known engine"
        )
        assert len(sources()) == len(before) + 1
    finally:
        use(())
    assert sources() == before
    assert "house" not in {one.name for one in runtimes()}
    assert inventory.built_in()


def test_a_settings_file_with_a_wrong_mapping_is_refused_with_the_same_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "rackside.yaml"
    path.write_text(yaml.safe_dump({"servers": changed("house/anchor", None)}), encoding="utf-8")
    monkeypatch.setenv("RACKSIDE_CONFIG", str(path))
    with pytest.raises(SettingsProblem, match=r"servers\.house\.anchor: missing; name a metric"):
        load_settings()
    path.write_text("servers: [house]\n", encoding="utf-8")
    with pytest.raises(SettingsProblem, match="servers"):
        load_settings()


def test_what_the_guide_says_of_signals_is_so() -> None:
    guide = (ROOT / "docs" / "custom-servers.md").read_text(encoding="utf-8")
    known = mappable()
    rows = re.findall(r"^\| `([^`]+)` \| (\w+) \| ([^|]+) \| ([^|]+) \|$", guide, re.MULTILINE)
    assert len(rows) > 15
    for name, kind, unit, meaning in rows:
        one = known[name]
        assert (kind, unit, meaning) == (one.kind.value, one.unit or "-", one.meaning)
    assert {one.name for one in (KV_USAGE, REQUESTS_WAITING, TTFT, QUEUE_TIME, REQUESTS_FINISHED)} <= {
        row[0] for row in rows
    }
    example = guide.split("```yaml\n")[1].split("```")[0]
    assert read(yaml.safe_load(example)["servers"])
