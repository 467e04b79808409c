"""The intent files of the settings, and what runs held against them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bot.settings import Settings
from knowledge.home import default_home
from tools.burn import Burn, Counts
from tools.costs_figures import Figure
from tools.finding import SEVERITIES, BlindSpot, Finding
from tools.intent import Intent, only_one_each, read_intents
from tools.intent_drift import Drift, asks, drift
from tools.intent_text import MOST_BYTES, IntentError
from tools.reading import Subject
from tools.snapshot import Snapshot
from tools.topology import Topology


@dataclass(frozen=True, slots=True)
class BurnRate:
    """How the budget of one objective of a workload burns, rule by rule, with the expressions to alert on."""

    subject: str
    verdict: str
    why: str
    rules: tuple[Burn, ...]
    objective: str = "availability"


@dataclass(frozen=True, slots=True)
class DriftReport:
    """Every intent held against what runs. `same` are declared values that hold, `undeclared` engines that no intent is about."""

    at: str
    intents: tuple[str, ...]
    findings: tuple[Finding, ...]
    same: tuple[str, ...]
    burn: tuple[BurnRate, ...]
    undeclared: tuple[str, ...]
    remarks: tuple[str, ...]
    blind: tuple[BlindSpot, ...]


def load_intents(settings: Settings, files: Sequence[Path] = (), cluster: str | None = None) -> tuple[Intent, ...]:
    """The intents of some files, else of the settings' files, that are about a cluster or name none.

    Raises IntentError with all that is wrong in all of the files.
    """
    paths = list(files) or [_beside_settings(name) for name in settings.intent]
    found: list[Intent] = []
    problems: list[str] = []
    for path in paths:
        try:
            found += read_intents(_content(path), path.name)
        except IntentError as error:
            problems += error.problems
    if problems:
        raise IntentError(problems)
    known = cluster or "default"
    return only_one_each(one for one in found if one.spec.selector.cluster in {None, known})


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as error:
        raise IntentError([f"{path} cannot be read: {error.strerror or error}"]) from None


def _beside_settings(name: str) -> Path:
    named = os.environ.get("RACKSIDE_CONFIG", "").strip()
    folder = Path(named).expanduser().parent if named else default_home()
    return folder / Path(name).expanduser()


def promised(intents: Iterable[Intent], topology: Topology) -> tuple[dict[Subject, float], frozenset[Subject]]:
    """The declared p95 of time to first token (seconds) by workload, and the workloads that are declared warm standbys."""
    ttft: dict[Subject, float] = {}
    standby: set[Subject] = set()
    for one in intents:
        for subject in filter(one.means, topology.workloads):
            if one.spec.objectives is not None and one.spec.objectives.ttft_p95_seconds is not None:
                ttft[subject] = one.spec.objectives.ttft_p95_seconds
            if one.spec.warm_standby:
                standby.add(subject)
    return ttft, frozenset(standby)


def read_drift(
    settings: Settings,
    intents: Sequence[Intent],
    cluster: str | None = None,
    clock: Callable[[], float] = time.time,
) -> tuple[DriftReport, Snapshot]:
    """Hold intents against the live fleet."""
    from bot.app import make_sources
    from tools.costs import WINDOW
    from tools.costs import asks as cost_asks
    from tools.survey import survey

    prom, kube, matchers = make_sources(settings, cluster)
    wanted = set(asks(intents))
    if any(one.spec.budget_usd_per_hour is not None for one in intents):
        wanted |= cost_asks(WINDOW)
    snapshot = survey(prom, kube, wanted, clock(), matchers=matchers)
    return drift_of(settings, intents, snapshot), snapshot


def drift_of(settings: Settings, intents: Sequence[Intent], snapshot: Snapshot) -> DriftReport:
    """Hold intents against a snapshot that was taken with `tools.intent_drift.asks` (and those of costs, for budgets)."""
    from bot.cost import costs_of

    figures: dict[Subject, Figure] = {}
    if any(one.spec.budget_usd_per_hour is not None for one in intents):
        told = costs_of(settings, snapshot, intents=intents)
        figures = {Subject.parse(one.workload): one.usd_per_hour for one in told.workloads if one.usd_per_hour}
    counts = Counts(snapshot)
    held = [drift(one, counts, figures) for one in intents]
    meant = {subject for one in held for subject in one.subjects}
    engines = [str(one) for one in snapshot.topology.engines if str(one) not in meant]
    blind = [BlindSpot(one.name, str(one.blind)) for one in snapshot.sources if one.blind is not None]
    return DriftReport(
        at=datetime.fromtimestamp(snapshot.at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        intents=tuple(f"{one.name} ({one.source})" for one in intents),
        findings=_worst_first(held),
        same=tuple(said for one in held for said in one.same),
        burn=tuple(
            BurnRate(who, one.verdict, one.why, one.burns, what) for each in held for who, what, one in each.burns
        ),
        undeclared=tuple(sorted(engines)),
        remarks=tuple(f"{one.source}: {remark}" for one in intents for remark in one.remarks),
        blind=(*blind, *(spot for one in held for spot in one.blind)),
    )


def _worst_first(held: Sequence[Drift]) -> tuple[Finding, ...]:
    found = [finding for one in held for finding in one.findings]
    return tuple(sorted(found, key=lambda one: (SEVERITIES.index(one.severity), one.key)))
