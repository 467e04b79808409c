"""The pages behind runbook addresses, and the items of the checklists; opened when they are first wanted."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from bot.advisor.citing import cite
from knowledge.runbooks import runbook_passage
from knowledge.search import Library

if TYPE_CHECKING:
    from bot.advisor.question import Citation
    from bot.desk import Bench
    from knowledge.items import Item

_QUOTE = 300


class Pages:
    """The knowledge base of a bench, read without an encoder."""

    def __init__(self, bench: Bench) -> None:
        """Loads nothing yet."""
        self._bench = bench
        self._lock = threading.Lock()
        self._library: Library | None = None

    def runbook(self, url: str) -> Citation | None:
        """The page that a runbook's address means, with its opening or the section that is pointed to."""
        library = self._opened()
        found = runbook_passage(url, library.pages())
        if found is None:
            return None
        passage = next((one for one in library.passages(found.partition("#")[0]) if one.id == found), None)
        passage = passage or library.opening(found.partition("#")[0])
        return cite(passage, _QUOTE) if passage else None

    def items(self) -> list[Item]:
        """Every item of the checklists."""
        return self._opened().items()

    def _opened(self) -> Library:
        with self._lock:
            if self._library is None:
                chosen = self._bench.settings
                make: Callable[..., Library] = Library.open
                self._library = (
                    make(
                        chosen.home,
                        embeddings=chosen.embeddings,
                        chroma_url=chosen.chroma_url,
                        base_url=chosen.pages_url,
                    )
                    if chosen
                    else make(self._bench.home)
                )
            return self._library
