"""What the environment says of proxies and certificates counts for Prometheus, and is read once for a server."""

from __future__ import annotations

import pytest

from tools.sources.prom import PromSource

URL = "http://prometheus.example:9090/api/v1/query"


def test_a_proxy_of_the_environment_counts_and_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "inside.example")
    session = PromSource("http://prometheus.example:9090")._session
    first = session.merge_environment_settings(URL, {}, None, None, None)
    assert first["proxies"]["http"] == "http://proxy.example:3128"
    first["proxies"].clear()  # whoever sends may change what it was given
    monkeypatch.delenv("http_proxy")
    assert session.merge_environment_settings(URL, {}, None, None, None)["proxies"]["http"]
    inside = session.merge_environment_settings("http://inside.example/api/v1/query", {}, None, None, None)
    assert "http" not in inside["proxies"]


def test_certificates_of_the_environment_count_unless_they_are_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/etc/ssl/ours.pem")
    session = PromSource("https://prometheus.example")._session
    address = "https://prometheus.example/api/v1/query"
    assert session.merge_environment_settings(address, {}, None, True, None)["verify"] == "/etc/ssl/ours.pem"
    assert session.merge_environment_settings(address, {}, None, False, None)["verify"] is False


def test_a_proxy_that_a_request_names_itself_is_taken() -> None:
    session = PromSource("http://prometheus.example:9090")._session
    told = session.merge_environment_settings(URL, {"http": "http://other.example:1"}, None, None, None)
    assert told["proxies"]["http"] == "http://other.example:1"
