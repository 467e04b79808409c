"""`knowledge search` over ten and a hundred thousand passages, beside encoding the same question alone."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator

from evals.bench.processes import python, spend
from evals.bench.rows import Row, Size, compared

PER_RUN = 20


def measure(size: Size) -> Iterator[Row]:
    """Milliseconds per question; with it what opening takes and the peak memory of the searching process."""
    for passages in size.large_libraries:
        with tempfile.TemporaryDirectory(prefix="rackside-bench-") as home:
            module = ("-m", "evals.bench.library")
            made = json.loads(spend(python(*module, "make", home, "--passages", str(passages))).out)
            seen = json.loads(spend(python(*module, "search", home, "--questions", str(PER_RUN * size.runs))).out)
        detail = {
            "opened in s": round(seen["opened_s"], 2),
            "peak MiB": round(seen["peak_mib"]),
            "written in s": round(made["chroma_s"] + made["written_s"], 1),
        }
        what = f"knowledge search, {made['passages']:,} passages"
        yield compared(what, "ms", seen["ours"], seen["raw"], "encoding the question", "2 x raw", detail)
