"""What anybody would build first, over the same pages: plain Chroma with MiniLM, and plain BM25.

Both cut pages into windows of 1,000 characters that overlap by 200, the commonest defaults of tutorials, and
search the question as it was typed. Neither can decline. Their windows are shorter than our passages, so they are also read as
far as ours are, in characters.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator

from evals.question_runs import Piece
from knowledge.encoder import Encoder
from knowledge.pages import Page

WINDOW = 1000
OVERLAP = 200


def windows(pages: Iterable[Page]) -> list[Piece]:
    """The pages' text, title first, in overlapping windows."""
    return [Piece(page.id, text) for page in pages for text in _windows(f"# {page.title}\n\n{page.text}")]


class PlainChroma:
    """A Chroma collection in memory, the default encoder, cosine."""

    def __init__(self, pages: Iterable[Page], encoder: Encoder) -> None:
        """Embed every window; takes seconds per hundred pages."""
        import chromadb
        from chromadb.config import Settings

        self._pieces = windows(pages)
        self._encoder = encoder
        client = chromadb.EphemeralClient(Settings(anonymized_telemetry=False))
        self._collection = client.create_collection(f"plain-{uuid.uuid4().hex}", metadata={"hnsw:space": "cosine"})
        most = client.get_max_batch_size()
        vectors = encoder.passages([piece.text for piece in self._pieces])
        for start in range(0, len(self._pieces), most):
            rows = range(start, min(start + most, len(self._pieces)))
            self._collection.add(ids=[str(row) for row in rows], embeddings=vectors[start : start + most])

    def search(self, question: str, k: int) -> list[Piece]:
        """The nearest windows."""
        vector = self._encoder.queries([question])
        found = self._collection.query(query_embeddings=vector, n_results=min(k, len(self._pieces)))
        return [self._pieces[int(row)] for row in found["ids"][0]]

    def declines(self, question: str) -> bool | None:
        """It always answers."""
        del question
        return None


class PlainBM25:
    """bm25s with its own tokens and stop words."""

    def __init__(self, pages: Iterable[Page]) -> None:
        """Index every window."""
        import bm25s

        self._bm25s = bm25s
        self._pieces = windows(pages)
        self._index = bm25s.BM25()
        self._index.index(
            bm25s.tokenize([piece.text for piece in self._pieces], show_progress=False), show_progress=False
        )

    def search(self, question: str, k: int) -> list[Piece]:
        """The windows with the highest scores, those that share no word left out."""
        tokens = self._bm25s.tokenize(question, show_progress=False)
        rows, scores = self._index.retrieve(tokens, k=min(k, len(self._pieces)), show_progress=False)
        return [self._pieces[int(row)] for row, score in zip(rows[0], scores[0], strict=True) if score > 0]

    def declines(self, question: str) -> bool | None:
        """It always answers."""
        del question
        return None


def _windows(text: str) -> Iterator[str]:
    for start in range(0, max(len(text) - OVERLAP, 1), WINDOW - OVERLAP):
        yield text[start : start + WINDOW]
