"""New processes, measured: the CPU and wall-clock seconds of one command from its start to its end."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from evals.bench.rows import CannotMeasureError

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 900.0


@dataclass(frozen=True, slots=True)
class Spent:
    """What a command took: user and system CPU seconds, wall-clock seconds; and what it printed."""

    cpu_s: float
    wall_s: float
    out: str
    err: str


def python(*arguments: str) -> list[str]:
    """A command for the interpreter that runs now."""
    return [sys.executable, *arguments]


def spend(command: Sequence[str]) -> Spent:
    """Run a command in the checkout; raises CannotMeasureError with its last words when it fails."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        started = time.monotonic()
        before = _children_cpu_s()
        try:
            done = subprocess.run(
                command, stdout=out, stderr=err, stdin=subprocess.DEVNULL, cwd=ROOT, timeout=PATIENCE_S, check=False
            )
        except subprocess.TimeoutExpired:
            raise CannotMeasureError(f"{_named(command)} took more than {PATIENCE_S:.0f} s") from None
        wall = time.monotonic() - started
        # Commands run one at a time, so what finished children used in between is this command's.
        cpu = _children_cpu_s() - before
        said, complained = _read(out), _read(err)
    if done.returncode:
        last = (complained or said).strip().splitlines()[-1:] or ["it said nothing"]
        raise CannotMeasureError(f"{_named(command)} ended with status {done.returncode}: {last[0][:300]}")
    return Spent(cpu, wall, said, complained)


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _read(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")


def _named(command: Sequence[str]) -> str:
    return " ".join(["python", *command[1:4]])[:120]
