"""`rackside eval`: how good are the answers? Runs the repository's evals, which are not part of the installed package."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

import typer

BAD_USAGE = 2


def evaluate(context: typer.Context) -> None:
    """Score incidents and questions and print the figures with n: --incidents [DIR], --questions [FILE], --against, --json."""
    if find_spec("evals") is None or find_spec("evals.incident_runs") is None:
        print(
            "rackside: the evals are in Rackside's repository, not in the installed package. "
            "Clone it, run `make setup` and then `.venv/bin/rackside eval`.",
            file=sys.stderr,
        )
        raise typer.Exit(BAD_USAGE)
    # A process of its own: what the package does must not come to need what stands above it.
    raise typer.Exit(subprocess.run([sys.executable, "-m", "evals", *context.args], check=False).returncode)
