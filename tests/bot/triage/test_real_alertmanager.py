"""A real Alertmanager (Debian's package) tells Rackside: it groups, repeats, silences and resolves as it does in a cluster."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.bot.triage.conftest import TOKEN, Yard

PROGRAM = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
CONFIG = """
route:
  receiver: rackside
  group_by: [alertname, namespace]
  group_wait: 1s
  group_interval: 1s
  repeat_interval: 2s
receivers:
  - name: rackside
    webhook_configs:
      - url: {url}
        max_alerts: 500
        http_config: {{authorization: {{credentials: {token}}}}}
"""


class Alertmanager:
    """One, on free ports."""

    def __init__(self, folder: Path, port: int, webhook: str) -> None:
        config = folder / "alertmanager.yml"
        config.write_text(CONFIG.format(url=webhook, token=TOKEN))
        self.url = f"http://127.0.0.1:{port}"
        assert PROGRAM, "Alertmanager is missing: run deploy/test-peers.sh"
        command = [PROGRAM, f"--config.file={config}", f"--storage.path={folder / 'data'}", f"--web.listen-address=127.0.0.1:{port}",
                   "--cluster.listen-address=", "--log.level=error"]  # fmt: skip
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while not self._ready():
            assert self.process.poll() is None, "Alertmanager ended"
            assert time.monotonic() < deadline, "Alertmanager never got ready"
            time.sleep(0.1)

    def _ready(self) -> bool:
        try:
            urllib.request.urlopen(f"{self.url}/-/ready", timeout=2).close()
        except OSError:
            return False
        return True

    def send(self, path: str, content: Any) -> None:
        request = urllib.request.Request(
            f"{self.url}/api/v2/{path}", json.dumps(content).encode(), {"content-type": "application/json"}
        )
        urllib.request.urlopen(request, timeout=10).close()

    def fire(self, *names: str, seconds: float = 300, **labels: str) -> None:
        now = datetime.now(UTC)
        ends = (now + timedelta(seconds=seconds)).isoformat()
        named = {"namespace": "chat", "deployment": "llama-70b-chat", **labels}
        self.send(
            "alerts",
            [
                {"labels": {"alertname": name, **named}, "annotations": {"summary": "so it is"}, "endsAt": ends}
                for name in names
            ],
        )


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture
def both(yard_with: Callable[..., Yard], tmp_path: Path) -> Iterator[tuple[Yard, Alertmanager]]:
    port = free_port()
    yard = yard_with(alertmanager_url=f"http://127.0.0.1:{port}")
    peer = Alertmanager(tmp_path, port, f"http://127.0.0.1:{yard.port}/alerts/alertmanager")
    yield yard, peer
    peer.process.terminate()
    peer.process.wait(timeout=20)


def shown(message: dict[str, Any]) -> str:
    return json.dumps(message.get("blocks"), ensure_ascii=False)


def test_it_groups_repeats_resolves_and_silences(both: tuple[Yard, Alertmanager]) -> None:
    yard, peer = both
    slack = yard.slack
    peer.fire("KVCacheFull")
    peer.fire("KVCacheFull", deployment="mistral")
    slack.wait(lambda: any("2 of 2 alerts" in shown(one) for one in yard.roots()), "both in one message")
    [root] = yard.roots()
    assert "KVCacheFull on" in shown(root)
    assert f"<{peer.url}" in shown(root).replace("&amp;", "&") or "Alertmanager" in shown(root)
    # It repeats every two seconds: nothing is said for that.
    yard.finished(1)
    posts = slack.count("chat.postMessage")
    deadline = time.monotonic() + 30
    while heard(yard) < 2:
        assert time.monotonic() < deadline, "Alertmanager never repeated itself"
        time.sleep(0.1)
    assert slack.count("chat.postMessage") == posts
    # A silence holds back what fires under it, also in our own hands.
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    peer.send("silences", {"matchers": [{"name": "alertname", "value": "Quiet.*", "isRegex": True}], "startsAt": datetime.now(UTC).isoformat(),
                           "endsAt": until, "createdBy": "ann", "comment": "new driver"})  # fmt: skip
    from bot.triage.quiet import Silences

    [silence] = Silences(peer.url).active()
    assert silence.covers({"alertname": "QuietOne"})
    assert not silence.covers({"alertname": "KVCacheFull"})
    assert (silence.by, silence.comment) == ("ann", "new driver")
    # Both end.
    peer.fire("KVCacheFull", seconds=0)
    peer.fire("KVCacheFull", seconds=0, deployment="mistral")
    slack.wait(lambda: any("Resolved after" in shown(one) for one in yard.roots()), "the end")
    assert len(yard.roots()) == 1


def heard(yard: Yard) -> int:
    """How many notifications came after the first, as the group remembers when it was last heard of."""
    import contextlib
    import sqlite3

    with contextlib.closing(sqlite3.connect(yard.home / "rackside.db")) as database:
        [(at,)] = database.execute("SELECT max(heard_at) FROM alert_group").fetchall()
    yard.heard_at.add(at)
    return len(yard.heard_at) - 1
