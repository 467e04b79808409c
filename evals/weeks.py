"""Five weekly digests of one simulated fleet, on a real Prometheus: `python -m evals.weeks --out FOLDER`.

Of each week the day before its Monday is simulated, which is what a digest reads, and loaded into one Prometheus; Kubernetes stands as it
was then. `--history 90m` is quicker: then hours and costs are those of the last hour. What lies between is not simulated. Each digest
is written as Markdown, JSON, HTML and as a Slack message, with pictures where Chromium is installed.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console

from bot.app import make_library
from bot.audit_marks import attest
from bot.audit_output import Report
from bot.digest import make
from bot.digest.content import Digest
from bot.digest.html import as_html
from bot.digest.output import as_json
from bot.digest.slack import messages
from bot.digest.text import as_markdown
from bot.settings import Settings
from bot.store.database import database_url, open_engine
from bot.store.readiness import DAY_S, Kept, Place, Readiness
from evals.fleet import openmetrics
from evals.fleet.api_worlds import StaticWorld
from evals.fleet.kubeapi import KubeApi
from evals.fleet.prometheus import CannotRunError, Prometheus
from evals.fleet.recipe import parse
from evals.fleet.world import LogKey, build
from evals.slack_page import ThreadMessage, page, picture
from knowledge.home import default_home

WEEKS = Path(__file__).parent / "weeks.yaml"
SAMPLES = 10_000_000
# What the tests simulate of each week, and the window of its costs; by hand a digest reads what one of `rackside serve` does.
HISTORY, WINDOW = "90m", "1h"
DAY = "25h"
PREFIX = "digest:weeks:"
# What people said: shown before the third week, it ends before the fifth.
ATTESTED = "DR-03"


@dataclass(frozen=True)
class Lived:
    """One week as it was: its Monday (seconds since the epoch), its history as a file, its objects and logs."""

    monday: float
    history: Path
    samples: int
    objects: list[dict[str, Any]]
    logs: dict[LogKey, str]


@dataclass(frozen=True)
class Told:
    """One week's digest with what it rests on."""

    lived: Lived
    digest: Digest
    kept: Kept
    report: Report


def recipe(content: Mapping[str, Any], week: Mapping[str, Any], history: str = HISTORY) -> dict[str, Any]:
    """The fleet's recipe with a week's patches, removals and changes; what is older than 90 minutes is stored every five minutes."""
    gone, patches = set(week.get("remove", ())), week.get("patch", {})
    named = [(f"{one['namespace']}/{one['name']}", one) for one in content["fleet"]["workloads"]]
    workloads = [{**one, **patches.get(key, {})} for key, one in named if key not in gone]
    fleet = {**content["fleet"], "history": history}
    fleet["scrape"] = {**fleet["scrape"], "fine_for": HISTORY, "coarse": "5m"}
    return {**fleet, "workloads": workloads, "changes": week.get("changes", [])}


def mondays(content: Mapping[str, Any]) -> list[float]:
    """Nine o'clock UTC of each week's Monday."""
    days = (week["monday"] for week in content["weeks"])
    return [datetime(day.year, day.month, day.day, 9, tzinfo=UTC).timestamp() for day in days]


def live(number: int, folder: Path, source: Path = WEEKS, history: str = HISTORY) -> Lived:
    """Simulate one week's end."""
    content = yaml.safe_load(source.read_text(encoding="utf-8"))
    monday = mondays(content)[number]
    world = build(parse(recipe(content, content["weeks"][number], history), f"week {number + 1}"), monday)
    file = folder / f"week-{number + 1}.om"
    count = openmetrics.write(world.columns, file, SAMPLES // len(content["weeks"]))
    return Lived(monday, file, count, list(world.objects), dict(world.logs))


def lived(folder: Path, source: Path = WEEKS, workers: int = 2, history: str = HISTORY) -> list[Lived]:
    """Simulate every week's end, side by side."""
    weeks = range(len(yaml.safe_load(source.read_text(encoding="utf-8"))["weeks"]))
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        return list(pool.map(live, weeks, [folder] * len(weeks), [source] * len(weeks), [history] * len(weeks)))


@contextlib.contextmanager
def told(
    weeks: Sequence[Lived], home: Path, window: str = WINDOW
) -> Iterator[tuple[list[Told], Prometheus, Readiness]]:
    """The digests, one after the other, each kept before the next; Prometheus and the store stay open."""
    library = make_library(Settings(home=default_home()))
    engine = open_engine(database_url(None, home))
    with Prometheus([one.history for one in weeks]) as prometheus:
        found: list[Told] = []
        readiness = Readiness(engine)
        for number, one in enumerate(weeks):
            if number == 2:
                shown = Readiness(engine, lambda at=one.monday: at - DAY_S)  # type: ignore[misc]
                attest(shown, ATTESTED, Place(), by="Kim", evidence="https://wiki.example.org/capacity-plan",
                       until=one.monday + 12 * DAY_S, now=one.monday - DAY_S)  # fmt: skip
            with KubeApi(StaticWorld(one.objects, one.logs)) as api:
                kubeconfig = api.kubeconfig(home / f"kubeconfig-{number}")
                given: dict[str, Any] = {
                    "home": home,
                    "prometheus_url": prometheus.url,
                    "KUBECONFIG": str(kubeconfig),
                }
                settings = Settings(**given)
                snapshot = make.look(settings, Place(), one.monday, window=window)
                kept, report = make.judged(
                    settings, library.items(), Place(), snapshot, readiness, f"{PREFIX}{number + 1}", (), window=window
                )
            readiness.keep(kept)
            found.append(Told(one, make.digest(readiness, kept, prefix=PREFIX), kept, report))
        yield found, prometheus, readiness
    engine.dispose()


def write(number: int, one: Told, folder: Path) -> list[str]:
    """Write a week's digest in every form; returns the names of pictures that could not be taken."""
    name = folder / f"week-{number}"
    missing = []
    name.with_suffix(".md").write_text(as_markdown(one.digest) + "\n", encoding="utf-8")
    name.with_suffix(".json").write_text(json.dumps(as_json(one.digest), indent=1), encoding="utf-8")
    html = name.with_suffix(".html")
    html.write_text(as_html(one.digest), encoding="utf-8")
    slack = folder / f"week-{number}-slack.html"
    thread = [ThreadMessage("Rackside", "09:00", part.blocks, app=True) for part in messages(one.digest, "s1")]
    slack.write_text(page(thread, "Readiness digest"), encoding="utf-8")
    for source, height in ((html, 1700), (slack, 1300)):
        for theme, dark in (("light", False), ("dark", True)):
            target = source.with_name(f"{source.stem}-{theme}.png")
            if not picture(source, target, dark=dark, height=height):
                missing.append(target.name)
    return missing


def main(arguments: Sequence[str]) -> int:
    """Simulate, digest, write; 0 when every week was told, 2 when something that it needs is missing."""
    parser = argparse.ArgumentParser(
        prog="python -m evals.weeks", description="Five weekly digests of a simulated fleet."
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--history", choices=(DAY, HISTORY), default=DAY, help="How much of each week is simulated.")
    chosen = parser.parse_args(arguments)
    window = make.WINDOW if chosen.history == DAY else WINDOW
    chosen.out.mkdir(parents=True, exist_ok=True)
    err = Console(stderr=True)
    try:
        with tempfile.TemporaryDirectory(prefix="rackside-weeks-") as scratch:
            with err.status("Simulating five weeks ..."):
                weeks = lived(Path(scratch), history=chosen.history)
            err.print(f"{sum(one.samples for one in weeks):,} samples in {len(weeks)} weeks")
            with err.status("Digesting ..."), told(weeks, Path(scratch), window) as (found, _, _):
                for number, one in enumerate(found, 1):
                    missing = write(number, one, chosen.out)
                    print(f"week {number}: {as_markdown(one.digest).splitlines()[-1 if one.digest.uneventful else 2]}")
                    if missing:
                        err.print(f"no pictures: {', '.join(missing)}; is Chromium installed?")
    except CannotRunError as problem:
        print(f"weeks: {problem}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
