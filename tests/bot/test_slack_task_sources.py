"""Chips on task cards: where a step looked, refused or not, of one cluster or several."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bot.settings import Settings
from bot.task_sources import chips
from evals.slack_standin import Fault, SlackStandIn
from tests.bot.conftest import Start
from tests.bot.test_slack_stream import Held, ask, done

FULL = {"prometheus_url": "http://me:secret@prom:9090/x?y=1", "grafana_url": "https://grafana.example"}
GRAFANA = {"type": "url", "url": "https://grafana.example/explore", "text": "Grafana"}
PROMETHEUS = {"type": "url", "url": "http://prom:9090/x/graph", "text": "Prometheus"}


def test_a_step_that_read_metrics_says_where(
    slack: SlackStandIn, settings_for: Any, start: Start, tmp_path: Path
) -> None:
    slack.streams = True
    held = Held(seen=False)
    start(settings_for(slack), held, Settings(home=tmp_path, **FULL))  # type: ignore[arg-type]
    for error in ("", "invalid_chunks"):
        held.first.clear()
        held.go.clear()
        held.seen.clear()
        if error:
            slack.fail("chat.appendStream", Fault(error=error))
        ts = ask(slack, "why?")
        assert held.first.wait(30)
        slack.wait(lambda root=ts: bool(slack.answers("C1", root)), "the stream")  # type: ignore[misc]
        before, calls = slack.count("chat.appendStream"), 2 if error else 1
        held.go.set()
        slack.wait(lambda most=before + calls: slack.count("chat.appendStream") == most, "the second step")  # type: ignore[misc]
        held.seen.set()
        done(slack, ts)
        tried = [json.loads(args["chunks"]) if isinstance(args["chunks"], str) else args["chunks"]
                 for name, args in slack.calls if name == "chat.appendStream"][before:]  # fmt: skip
        assert tried[0][0]["sources"] == [GRAFANA, PROMETHEUS]
        assert "sources" not in tried[0][1], "a step under way has no sources yet"
        assert len(tried) == calls
        assert all("sources" not in chunk for chunk in tried[-1]) is bool(error), "the step is shown all the same"


def test_of_several_clusters_none_is_pointed_to_before_it_is_known(tmp_path: Path) -> None:
    place = {"prometheus_url": "http://east:9090"}
    several = Settings(home=tmp_path, clusters={"east": place}, **FULL)  # type: ignore[arg-type]
    assert chips(several, "", "Reading metrics") == [GRAFANA]
    assert [one["url"] for one in chips(several, "east", "Reading metrics")][1:] == ["http://east:9090/graph"]
    assert chips(several, "<!here>", "Reading metrics") == [GRAFANA]
    assert chips(several, "east", "Checking every failure mode") == []
    assert chips(None, "", "Reading metrics") == []
    bad = Settings(home=tmp_path, prometheus_url="http://prom/" + "x" * 3000)
    assert chips(bad, "", "Reading metrics") == []
