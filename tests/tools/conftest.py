"""One real Prometheus for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from evals.fleet.prometheus import Prometheus
from tests.tools import worlds
from tools.sources.prom import PromSource


@pytest.fixture(scope="session")
def worlds_by_name() -> dict[str, worlds.World]:
    """Every small world."""
    return worlds.build()


@pytest.fixture(scope="session")
def server(worlds_by_name: dict[str, worlds.World], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a Prometheus that holds them all."""
    path = tmp_path_factory.mktemp("worlds") / "worlds.om"
    worlds.write(worlds_by_name, path)
    with Prometheus([path]) as prometheus:
        yield prometheus.url


@pytest.fixture
def prom(server: str) -> PromSource:
    """A fresh source on it, with no request counted yet."""
    return PromSource(server)
