"""Passages as citations: each was retrieved, and its quote is a piece of it word for word."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from bot.advisor.question import Citation
from knowledge.encoder import EncoderProblem
from knowledge.index import IndexProblem
from knowledge.passages import Passage
from knowledge.search import Hit, Library
from tools.finding import BlindSpot, Finding

QUOTE_LONGEST = 600
PAGES_PER_FINDING = 2
MOST = 6


def of_findings(findings: Sequence[Finding], library: Library) -> tuple[Citation, ...]:
    """The opening answers of the pages that the headlines name, each page once; where there is none, of what only looks wrong."""
    cited: dict[str, Citation] = {}
    headlines = [finding for finding in findings if finding.root]
    for finding in headlines or [finding for finding in findings if finding.severity == "info"]:
        told = 0
        # The page of the failure mode itself says what the finding says: it comes after the guidance behind it.
        for page in (*finding.pages[1:], *finding.pages[:1]):
            passage = library.opening(page)
            if passage is not None and told < PAGES_PER_FINDING and passage.page_id not in cited:
                cited[passage.page_id] = cite(passage)
                told += 1
    return tuple(cited.values())[:MOST]


def cite(passage: Passage, longest: int = QUOTE_LONGEST) -> Citation:
    """A passage as a citation; its quote ends at a sentence where it is cut to `longest` characters."""
    return Citation(
        id=passage.id,
        title=passage.title,
        pack=passage.pack,
        section=passage.section,
        url=passage.url,
        quote=quote(passage.text, longest),
        date=passage.date,
    )


def link(citation: Citation) -> str:
    """A citation as Markdown: its title, linked where there is somewhere to go."""
    title = f"{citation.title}, {citation.section}" if citation.section else citation.title
    return f"[{title}]({citation.url})" if citation.url.startswith("http") else f"{title} [{citation.id}]"


def quote(text: str, longest: int = QUOTE_LONGEST) -> str:
    """The beginning of a passage, word for word, up to a length, at the end of a sentence."""
    text = text.strip()
    if len(text) <= longest:
        return text
    cut = text[:longest]
    ends = [match.end() for match in re.finditer(r"[.!?](?=\s)", cut)]
    return cut[: ends[-1]].rstrip() if ends else cut.rsplit(" ", 1)[0]


def search(library: Library, question: str, k: int) -> tuple[list[Hit], BlindSpot | None]:
    """Search the library; an index that is missing or broken is a blind spot with the command that mends it."""
    try:
        return library.search(question, k), None
    except (IndexProblem, EncoderProblem) as problem:
        return [], BlindSpot("Knowledge base", str(problem))


def unique_pages(hits: Iterable[Hit]) -> list[Passage]:
    """The passages of hits, the best of each page."""
    found: dict[str, Passage] = {}
    for hit in hits:
        found.setdefault(hit.passage.page_id, hit.passage)
    return list(found.values())
