"""What the doctor says of what is deployed: engines and exporters with their versions, what is not scraped, which checks stay blind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from bot.seen import Seen, State
from tools.detection import Found, blind_on, blind_without, detect
from tools.measure import Measured
from tools.series import Source
from tools.signals import Per

_NAMED = 3


def deployed(pods: Sequence[dict[str, Any]] | None, measured: Measured | None) -> Iterator[Seen]:
    """A row for each engine and exporter, and one for each reason why checks stay blind."""
    found = detect(pods or (), measured)
    for one in found:
        yield _row(one)
    if pods is not None and not any(one.source.serving for one in found):
        yield Seen(
            "Serving engines", "blind", "none found in the cluster", "Map a server of your own: docs/custom-servers.md"
        )
    if pods is not None and not any(one.source.per is Per.GPU for one in found):
        yield Seen("GPU exporters", "blind", "none found in the cluster", "Install dcgm-exporter, and scrape it")
    if measured is None or measured.blind is not None:
        return  # said already, and all that is measured is blind
    for why, checks in blind_without(measured, [one.source for one in found]).items():
        yield Seen("Checks that stay blind", "blind", f"{', '.join(checks)}: {why}")


def mapped(servers: Sequence[Source], names: frozenset[str]) -> Iterator[Seen]:
    """A row for each server that settings map: whether its anchor is there, and which series are not."""
    for server in servers:
        missing = []
        for signal, series in server.signals.items():
            for one in series:
                kind = "_bucket" if signal.kind.value == "histogram" else ""
                missing += [] if f"{one.metric}{kind}" in names else [f"{one.metric}{kind}"]
        anchored = server.anchor[0] in names
        state: State = "ok" if anchored and not missing else "blind"
        detail = f"mapped: {len(server.signals)} signals, all on the server"
        if not anchored:
            detail = f"mapped, and its anchor {server.anchor[0]} is not on the server"
        elif missing:
            detail = f"mapped; not on the server: {', '.join(dict.fromkeys(missing))}"
        todo = (
            "" if state == "ok" else "Compare the names in the settings file with the server's /metrics, and its scrape"
        )
        yield Seen(server.title, state, detail, todo)


def _row(one: Found) -> Seen:
    versions = ", ".join(version for version in sorted(one.versions) if version)
    name = f"{one.source.title} {versions}".strip()
    parts = [f"{one.pods} pod{'s' if one.pods != 1 else ''} in the cluster"] if one.pods else []
    if one.versions.get(""):
        parts.append("version not told" if len(one.versions) == 1 else f"{one.versions['']} of unknown version")
    if one.reporting is not None:
        one_of = one.reporting == 1
        if one.source.serving or one.source.per is Per.GPU:
            unit = "GPU" if one.source.per is Per.GPU else "replica"
            parts.append(f"{one.reporting} {unit}{' reports' if one_of else 's report'} to Prometheus")
        else:
            unit = {Per.REPLICA: "pod", Per.NODE: "node"}.get(one.source.per, "workload")
            parts.append(f"Prometheus has it of {one.reporting} {unit}{'' if one_of else 's'}")
    lacking = blind_on(one.source) if one.source.serving else ()
    if lacking:
        parts.append(f"blind on it: {', '.join(lacking)}")
    if one.silent:
        more = f" and {len(one.silent) - _NAMED} more" if len(one.silent) > _NAMED else ""
        todo = f"Prometheus has nothing of {', '.join(one.silent[:_NAMED])}{more}: add them to its scrape"
        return Seen(name, "blind", "; ".join(parts), todo)
    state: State = "blind" if one.reporting == 0 else "ok"
    return Seen(name, state, "; ".join(parts), "" if state == "ok" else "Look at the scrape: nothing of it is fresh")
