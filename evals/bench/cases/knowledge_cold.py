"""The first `knowledge search` of a new process, beside a new process that only encodes the question."""

from __future__ import annotations

import re
from collections.abc import Iterator

from evals.bench.processes import python, spend
from evals.bench.rows import Row, Size, compared

QUESTION = "the KV cache is full and requests wait"
ENCODE = (
    "from knowledge.encoder import load_encoder; from knowledge.home import default_home;"
    f" load_encoder(default_home()).queries([{QUESTION!r}])"
)
# The command line as ever, and at its end one line on what it had imported.
WATCHED = (
    "import atexit, sys; from bot.__main__ import main;"
    " atexit.register(lambda: print('torch modules:', sum(m.split('.')[0] == 'torch' for m in sys.modules), file=sys.stderr));"
    " main()"
)
_SAID = re.compile(r"^torch modules: (\d+)$", re.MULTILINE)


def torch_modules(said: str) -> int:
    """How many modules of torch a watched process had imported at its end; raises ValueError when it did not say."""
    match = _SAID.search(said)
    if match is None:
        raise ValueError("the process ended without saying what it had imported")
    return int(match[1])


def measure(size: Size) -> Iterator[Row]:
    """Wall-clock seconds from start to end, and whether torch was imported on the way."""
    ours: list[float] = []
    raw: list[float] = []
    most = 0
    for _ in range(size.runs):
        raw.append(spend(python("-c", ENCODE)).wall_s)
        spent = spend(python("-c", WATCHED, "knowledge", "search", QUESTION, "--json"))
        ours.append(spent.wall_s)
        most = max(most, torch_modules(spent.err))
    detail = {"imports torch": f"yes, {most} modules" if most else "no"}
    yield compared("knowledge search, cold", "s", ours, raw, "a process that encodes", "no import of torch", detail)
