"""Building the index anew, beside the encoder alone on the same passages; once, since it takes a minute or two."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from evals.bench.known_questions import known_questions
from evals.bench.rows import CannotMeasureError, Row, Size, compared
from knowledge.encoder import EncoderProblem, count_tokens, load_encoder
from knowledge.home import PACKS, default_home
from knowledge.index import IndexProblem
from knowledge.indexing import build_index
from knowledge.pages import load_shelf
from knowledge.passages import cut

AT_ONCE = 64


def measure(size: Size) -> Iterator[Row]:
    """Seconds, and how many are needed when nothing had changed."""
    try:
        encoder = load_encoder(default_home())
        with tempfile.TemporaryDirectory(prefix="rackside-bench-") as folder:
            packs = PACKS
            if size.built_pack:
                packs = Path(folder) / "packs"
                packs.mkdir()
                (packs / size.built_pack).symlink_to(PACKS / size.built_pack)
            texts = [one.searched for page in load_shelf(packs).pages for one in cut(page, count_tokens)]
            # The shortest first, as the build does it: a batch is as long as its longest text.
            texts.sort(key=len)
            started = time.perf_counter()
            for start in range(0, len(texts), AT_ONCE):
                encoder.passages(texts[start : start + AT_ONCE])
            raw = time.perf_counter() - started
            home = Path(folder) / "home"
            if size.built_pack:
                known_questions(home)
            report = build_index(home, packs=packs, encoder=encoder, forget=bool(size.built_pack))
            again = build_index(home, packs=packs, encoder=encoder)
    except (IndexProblem, EncoderProblem) as problem:
        raise CannotMeasureError(str(problem)) from None
    detail = {"passages": report.passages, "unchanged, in s": round(again.seconds, 2)}
    yield compared(
        "knowledge index, anew", "s", [report.seconds], [raw], "encoding its passages", "said, not bounded", detail
    )
