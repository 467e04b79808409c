"""Settings from the environment and from a file, good and bad; and what the doctor sees with them."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from bot.app import make_advisor, make_library, make_sources
from bot.doctor import Seen, examine
from bot.settings import ClusterSettings, Settings, SettingsProblem, load_settings
from knowledge.home import default_home
from tests.tools.worlds import listings, node, pod
from tools.catalogue.gpus import gpu
from tools.observe import KINDS
from tools.reading import Blind, Reason
from tools.sources.kube import KubeSource
from tools.sources.kube_fake import FakeKube

HOME = default_home()  # before any test takes the environment away


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import os

    for name in list(os.environ):
        if name.startswith("RACKSIDE_") or name == "KUBECONFIG":
            monkeypatch.delenv(name)
    monkeypatch.setenv("RACKSIDE_HOME", str(tmp_path / "home"))


def with_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | bytes) -> None:
    path = tmp_path / "settings.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    monkeypatch.setenv("RACKSIDE_CONFIG", str(path))


def test_nothing_set_is_fine() -> None:
    settings = load_settings()
    assert settings.prometheus_url is None
    assert settings.clusters == {}
    assert settings.limits == {}
    assert settings.cluster(None) == ClusterSettings()
    assert settings.cluster("default") == ClusterSettings()
    assert settings.prometheus_headers == {}


def test_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "RACKSIDE_PROMETHEUS_URL": "http://p:9090", "RACKSIDE_PROMETHEUS_TOKEN": "s3cret", "RACKSIDE_PROMETHEUS_TENANT": "team",
        "RACKSIDE_PROMETHEUS_TIMEOUT_S": "3.5", "KUBECONFIG": "/k", "RACKSIDE_KUBE_CONTEXT": "c", "RACKSIDE_MODEL": "openai:x",
        "RACKSIDE_NOBODY_KNOWS": "1",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    settings = load_settings()
    assert settings.cluster(None) == ClusterSettings(prometheus_url="http://p:9090", kubeconfig="/k", context="c")
    assert settings.prometheus_headers == {"Authorization": "Bearer s3cret", "X-Scope-OrgID": "team"}
    assert settings.prometheus_timeout_s == 3.5
    assert settings.model == "openai:x"
    assert "s3cret" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RACKSIDE_PROMETHEUS_TIMEOUT_S", "soon"), ("RACKSIDE_PROMETHEUS_TIMEOUT_S", "0"), ("RACKSIDE_PROMETHEUS_TIMEOUT_S", "-1"),
        ("RACKSIDE_PROMETHEUS_TIMEOUT_S", "nan"), ("RACKSIDE_SLACK_PORT", "http"), ("RACKSIDE_CLUSTERS", "not json"),
        ("RACKSIDE_LIMITS", "[1, 2]"), ("RACKSIDE_LIMITS", "{"),
    ],
)  # fmt: skip
def test_a_bad_value_is_a_sentence_that_names_it(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsProblem, match="(?i)" + name.removeprefix("RACKSIDE_")):
        load_settings()


def test_several_bad_values_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RACKSIDE_PROMETHEUS_TIMEOUT_S", "soon")
    monkeypatch.setenv("RACKSIDE_SLACK_PORT", "http")
    with pytest.raises(SettingsProblem, match=r"prometheus_timeout_s.*slack_port"):
        load_settings()


def test_a_file_of_clusters_and_limits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with_file(
        monkeypatch,
        tmp_path,
        """
clusters:
  east: {prometheus_url: "http://e", matchers: 'cluster="east"', namespaces: [a, b]}
limits:
  kv_saturation_queueing@deployment/team/app: {full: 0.99}
""",
    )
    settings = load_settings()
    east = ClusterSettings(prometheus_url="http://e", matchers='cluster="east"', namespaces=("a", "b"))
    assert settings.cluster("east") == east
    assert settings.cluster(None) == east, "the only one there is"
    assert settings.limits == {"kv_saturation_queueing@deployment/team/app": {"full": 0.99}}
    with pytest.raises(SettingsProblem, match=r"no cluster 'west'.*known: east"):
        settings.cluster("west")
    prom, _, matchers = make_sources(settings, "east")
    assert not isinstance(prom, Blind)
    assert prom.url == "http://e"
    assert matchers == 'cluster="east"'


def test_the_environment_stays_the_default_beside_clusters(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with_file(monkeypatch, tmp_path, "clusters: {east: {prometheus_url: 'http://e'}}")
    monkeypatch.setenv("RACKSIDE_PROMETHEUS_URL", "http://p")
    assert load_settings().cluster(None).prometheus_url == "http://p"


def test_the_file_in_the_home_is_found_without_being_named(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "rackside.yaml").write_text("limits: {a: {b: 1}}", encoding="utf-8")
    assert load_settings().limits == {"a": {"b": 1.0}}


@pytest.mark.parametrize("content", ["", "# nothing\n", "---\n", "{}"])
def test_an_empty_file_sets_nothing(content: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with_file(monkeypatch, tmp_path, content)
    assert load_settings().clusters == {}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("clusters: [not, a, mapping", "not YAML"), ("just text", "nothing else"), ("- a\n- b", "nothing else"), ("colours: {h100: 2}", "nothing else"),
        ("1: 2", "nothing else"), (b"\xff\xfe\x00", "not YAML"), ("clusters: 5", "clusters"), ("clusters: {a: {prometheus: x}}", "clusters.a.prometheus"),
        ("limits: {a: {b: lots}}", "limits.a.b"), ("clusters: {a: {namespaces: x}}", "clusters.a.namespaces"), ("a: &a [*a]", "nothing else"),
        ("!!python/object/apply:os.system ['true']", "not YAML"), ("limits: {a: {b: .nan}}", "limits.a.b"), ("[" * 1500, "not YAML"),
    ],
    ids=lambda x: str(x)[:24],
)  # fmt: skip
def test_a_bad_file_is_a_sentence(
    content: str | bytes, said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with_file(monkeypatch, tmp_path, content)
    with pytest.raises(SettingsProblem) as caught:
        load_settings()
    assert said in str(caught.value)


@pytest.mark.parametrize("name", ["nowhere.yaml", "."])
def test_a_named_file_that_cannot_be_read_is_said(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RACKSIDE_CONFIG", str(tmp_path / name))
    with pytest.raises(SettingsProblem, match="cannot be read; check RACKSIDE_CONFIG"):
        load_settings()


# ------------------------------------------------------------------ doctor


class Server:
    """A Prometheus without series, and Slack's auth.test."""

    def __init__(self) -> None:
        self.slack: tuple[int, bytes] = (200, b'{"ok": true, "user": "rackside", "team": "Rack"}')
        server = self

        class Handler(BaseHTTPRequestHandler):
            def _any(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status, body = (
                    server.slack
                    if "auth.test" in self.path
                    else (200, json.dumps({"status": "success", "data": []}).encode())
                )
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = _any

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()


@pytest.fixture
def server() -> Iterator[Server]:
    started = Server()
    yield started
    started.http.shutdown()
    started.http.server_close()


@pytest.fixture(autouse=True, scope="module")
def _one_library() -> Iterator[None]:
    """The library of our home is opened once; every other home gets its own."""
    ours = make_library(Settings(home=HOME))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "bot.app.make_library", lambda settings: ours if settings.home == HOME else make_library(settings)
        )
        yield
    ours.close()


def rows(**values: Any) -> dict[str, Seen]:
    return {row.what.strip(): row for row in examine(Settings(**{"home": HOME, **values}))}


def test_nothing_set_is_said_with_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        KubeSource, "connect", classmethod(lambda *_, **__: Blind(Reason.NOT_SET, "no cluster is configured"))
    )
    seen = rows()
    for what in ("Prometheus", "Kubernetes API", "Slack", "Language model"):
        assert seen[what].state == "not set"
        assert seen[what].todo
    assert seen["Knowledge base"].state == "ok"


def test_each_list_and_the_logs_have_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    forbidden = Blind(Reason.FORBIDDEN, "we may not list events")
    kube = FakeKube(
        listings(pods=[pod("a")], nodes=[node()], events=forbidden),
        allowed={("get", "pods/log"): False, ("get", "pods/proxy"): True},
        version="v1.33.2",
    )
    monkeypatch.setattr(KubeSource, "connect", classmethod(lambda *_, **__: kube))
    seen = rows()
    assert set(KINDS) <= set(seen)
    assert seen["pods"] == Seen("  pods", "ok", "1 listed")
    assert seen["vLLM 0.10.0"] == Seen("vLLM 0.10.0", "ok", "1 pod in the cluster")
    assert seen["GPU exporters"].state == "blind"
    assert seen["events"].state == "blind"
    assert "rbac.yaml" in seen["events"].todo
    assert seen["pods/log"].state == "blind"
    assert "v1.33.2" in seen["Kubernetes API"].detail


@pytest.mark.parametrize(("allowed", "state"), [(True, "ok"), (None, "ok"), (False, "blind")])
def test_logs(allowed: bool | None, state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kube = FakeKube(
        listings(), allowed={("get", "pods/log"): allowed, ("get", "pods/proxy"): allowed}, version="v1.33.2"
    )
    monkeypatch.setattr(KubeSource, "connect", classmethod(lambda *_, **__: kube))
    seen = rows()
    assert seen["pods/log"].state == state
    # Reading pods through the API server is an option: without it nothing is wrong.
    assert seen["pods/proxy"].state == ("ok" if allowed else "not set")
    assert allowed or "deploy/options/pods-proxy" in seen["pods/proxy"].todo


def test_an_api_that_does_not_answer_is_one_row(monkeypatch: pytest.MonkeyPatch) -> None:
    kube = FakeKube({}, version=Blind(Reason.SOURCE_DOWN, "the API cannot be reached"))
    monkeypatch.setattr(KubeSource, "connect", classmethod(lambda *_, **__: kube))
    seen = rows()
    assert seen["Kubernetes API"].state == "blind"
    assert "pods" not in seen


def test_a_prometheus_without_known_series_is_no_green_light(server: Server) -> None:
    seen = rows(prometheus_url=server.url)
    assert seen["Prometheus"].state == "ok"
    assert seen["Known exporters"].state == "blind"
    assert "dcgm-exporter" in seen["Known exporters"].todo


def test_a_prometheus_that_is_gone_says_where_it_looked() -> None:
    seen = rows(prometheus_url="http://127.0.0.1:9")
    assert seen["Prometheus"].state == "blind"
    assert "http://127.0.0.1:9" in seen["Prometheus"].todo


def test_a_home_without_an_index_says_what_to_run(tmp_path: Path) -> None:
    seen = rows(home=tmp_path)
    assert seen["Knowledge base"].state == "blind"
    assert "rackside knowledge index" in seen["Knowledge base"].todo


def test_slack_answers(server: Server) -> None:
    row = rows(slack_bot_token="xoxb-s3cret", slack_api_url=f"{server.url}/api/")["Slack"]
    assert (row.state, row.detail) == ("ok", "the bot token belongs to rackside in Rack")


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, b'{"ok": false, "error": "invalid_auth"}'), (500, b"boom"), (200, b"<html>"), (200, b"[1]"), (200, b"")],
)
def test_slack_in_trouble_is_blind_with_a_sentence(status: int, body: bytes, server: Server) -> None:
    server.slack = (status, body)
    row = rows(slack_bot_token="xoxb-s3cret", slack_api_url=f"{server.url}/api/")["Slack"]
    assert row.state == "blind"
    assert row.todo
    assert "s3cret" not in f"{row}"
    if b"invalid_auth" in body:
        assert "invalid_auth" in row.detail


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/api/", "not a url", "ftp://x/"])
def test_slack_that_cannot_be_reached_is_blind(url: str) -> None:
    row = rows(slack_bot_token="xoxb-s3cret", slack_api_url=url)["Slack"]
    assert row.state == "blind"
    assert row.todo


def test_a_model_is_named() -> None:
    assert "openai:x" in rows(model="openai:x")["Language model"].detail


def test_own_prices_reach_the_advisor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "rackside.yaml"
    monkeypatch.setenv("RACKSIDE_CONFIG", str(file))
    file.write_text("prices: {h100-sxm: 1.25}\n")
    settings = load_settings()
    assert settings.prices == {"h100-sxm": 1.25}
    price = make_advisor(settings, with_model=False)._prices.price(gpu("h100-sxm").id)
    assert price is not None
    assert (price.usd_per_hour, price.own) == (1.25, True)
    file.write_text("prices: {h1000: 1.25}\n")
    with pytest.raises(SettingsProblem, match=r"prices\.h1000: "):
        make_advisor(load_settings(), with_model=False)
    file.write_text("prices: {h100-sxm: cheap}\n")
    with pytest.raises(SettingsProblem, match="prices"):
        load_settings()
