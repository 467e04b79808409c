"""``python -m evals.fleet RECIPE --out DIR [--end TIME]``.

Let a fleet live and write it as a folder to look at.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from evals.fleet import folder
from evals.fleet.openmetrics import DEMO_BUDGET
from evals.fleet.recipe import load
from evals.fleet.world import build


def main() -> int:
    """Run; the exit status is 0, or 2 when the recipe or the time cannot be read."""
    parser = argparse.ArgumentParser(
        prog="python -m evals.fleet", description="Simulate a fleet and write its evidence."
    )
    parser.add_argument("recipe", type=Path, help="the recipe (fleet.yaml)")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write")
    parser.add_argument(
        "--end",
        default="-0s",
        help="when the history ends: RFC 3339, seconds, or for example -30m; default now",
    )
    parser.add_argument("--budget", type=int, default=DEMO_BUDGET, help="the most samples")
    asked = parser.parse_args()
    began = time.monotonic()
    try:
        world = build(load(asked.recipe), folder.moment(asked.end, time.time()))
        count = folder.write(world, asked.out, asked.budget)
    except ValueError as why:
        print(why, file=sys.stderr)
        return 2
    taken = time.monotonic() - began
    print(
        f"{count:,} samples in {len(world.columns):,} series, {len(world.objects)} objects, "
        f"{len(world.logs)} logs, {taken:.1f} s: {asked.out}"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
