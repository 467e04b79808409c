"""`knowledge search` once everything is loaded, beside encoding the same question alone."""

from __future__ import annotations

import time
from collections.abc import Iterator

from evals.bench.rows import CannotMeasureError, Row, Size, compared
from knowledge.encoder import EncoderProblem, load_encoder
from knowledge.home import default_home
from knowledge.index import IndexProblem
from knowledge.search import Library

PER_RUN = 20


def measure(size: Size) -> Iterator[Row]:
    """Milliseconds per question; each question is new to the library, since it remembers the last ones."""
    try:
        encoder = load_encoder(default_home())
        library = Library.open(default_home(), encoder=encoder)
        titles = [page.title for page in library.pages()]
        library.search("what is this?")
        ours: list[float] = []
        raw: list[float] = []
        for run in range(size.runs):
            for number in range(PER_RUN):
                question = f"{titles[(run * PER_RUN + number) % len(titles)]}, why is that so in case {run}-{number}?"
                started = time.perf_counter()
                encoder.queries([question])
                raw.append(1000.0 * (time.perf_counter() - started))
                started = time.perf_counter()
                library.search(question)
                ours.append(1000.0 * (time.perf_counter() - started))
    except (IndexProblem, EncoderProblem) as problem:
        raise CannotMeasureError(str(problem)) from None
    detail = {"pages": len(titles)}
    yield compared("knowledge search, warm", "ms", ours, raw, "encoding the question", "2 x raw", detail)
    library.close()
