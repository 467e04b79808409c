"""The knowledge base that set-up built, opened once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from knowledge.home import default_home
from knowledge.search import Library


@pytest.fixture(scope="session")
def library() -> Iterator[Library]:
    """The shipped pages with their index."""
    opened = Library.open(default_home())
    yield opened
    opened.close()
