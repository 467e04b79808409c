"""Answers from the pages alone: the opening answer, the steps that matter, where sources disagree, what is related.

Everything said is a passage word for word, so that nothing has to be grounded. A page's opening answers its
question; the sections below it are those that a search shows, told in the page's own order. The nearest section of the page that came
second is read with it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.advisor import citing
from bot.advisor.question import Citation
from knowledge.items import Item
from knowledge.narrowing import Only
from knowledge.opened import Section
from knowledge.passages import Passage
from knowledge.search import Hit, Library
from knowledge.vocabulary import identifiers

# The pack that holds what public advice gets wrong: a passage of it beside another page's answer is a disagreement.
DISPUTED = "corrections"
SECTIONS = 2
RELATED = 2
# How near to the best page's score a second one must come for its nearest section to be read in the same answer.
ALSO = 0.6
DISAGREES = 0.8
NEAR = 0.8
_WANTS_STEPS = re.compile(
    r"\b(?:what (?:do|can|should|must|to)|how (?:do|can|should|to|would|must)|fix|mend|solve|remed\w*|reduce|lower|improve|avoid|prevent|steps?|tune|speed up)\b",
    re.IGNORECASE,
)
_STEPS = re.compile(r"what to do|what to change|how to|fix|remed|mitigat|steps|in order|do now|prevent", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Known:
    """An answer from pages. `line` is what answers; `sections` are headings with Markdown; `used` quotes all that is said."""

    line: str
    sections: tuple[tuple[str, str], ...]
    used: tuple[Citation, ...]
    related: tuple[Citation, ...]

    @property
    def citations(self) -> tuple[Citation, ...]:
        """What was used, then what is related."""
        return (*self.used, *self.related)


def known(question: str, hits: Sequence[Hit], library: Library) -> Known:
    """The answer that the hits of a search hold; `hits` are not empty, best first."""
    best = hits[0]
    item = library.item(best.passage.id)
    if item is not None:
        line, sections, cited = item.statement, _of_item(item), [best.passage]
    else:
        opening = library.opening(best.passage.page_id) or best.passage
        chosen = _chosen(question, best, library)
        line = citing.quote(opening.text)
        sections = [(section.heading, section.text) for section in chosen]
        cited = [opening, *(passage for section in chosen for passage in section.passages)]
    others = [hit for hit in hits[1:] if hit.passage.page_id != best.passage.page_id]
    for hit in others:
        if hit.passage.pack == DISPUTED and best.passage.pack != DISPUTED and hit.cosine >= DISAGREES * best.cosine:
            sections.append(
                (f"Where public advice differs: {hit.passage.section or hit.passage.title}", hit.passage.text)
            )
            cited.append(hit.passage)
            break
    else:
        if others and others[0].score >= ALSO * best.score:
            also = others[0]
            read = also.sections[0] if also.sections else Section((also.passage,))
            title = also.passage.title
            sections.append((f"{title}, {read.heading}" if read.heading else title, read.text))
            cited.extend(read.passages)
    used = {passage.id: passage for passage in cited}
    near = _near(question, best, library) + [hit.passage for hit in others[:2]]
    related = {passage.id: passage for passage in near or _named(best, library) if passage.id not in used}
    return Known(
        line=line,
        sections=tuple(sections),
        # What is said is quoted whole, however long; what is only pointed to is quoted in brief.
        used=tuple(citing.cite(passage, len(passage.text)) for passage in used.values()),
        related=tuple(citing.cite(passage) for passage in related.values()),
    )


def text(answer: Known) -> str:
    """The whole answer as Markdown."""
    parts = [answer.line]
    parts.extend(f"### {heading}\n\n{body}" for heading, body in answer.sections)
    for heading, cited in (("Sources", answer.used), ("Related", answer.related)):
        if cited:
            parts.append(f"### {heading}\n\n" + "\n".join(f"- {citing.link(one)}" for one in cited))
    return "\n\n".join(parts)


def _of_item(item: Item) -> list[tuple[str, str]]:
    proof = f"\n\nProof: {item.evidence}" if item.evidence else ""
    return [
        (f"{item.id}: {item.title}", f"Day {item.phase}, {' and '.join(item.owners)}, {item.severity}. {item.why}"),
        ("How to verify", f"{item.verify}{proof}"),
        ("How to fix", item.fix),
    ]


def _chosen(question: str, best: Hit, library: Library) -> list[Section]:
    """The sections of the page that come nearest to the question, and what to do when that is asked, in the page's order."""
    chosen = _of_what_is_named(question, best.sections)[:SECTIONS]
    if _WANTS_STEPS.search(question) and not any(_STEPS.search(section.heading) for section in chosen):
        within = library.search(question, 50, Only(pages=(best.passage.page_id,)))
        steps = [hit.passage for hit in within if _STEPS.search(hit.passage.section)]
        chosen = [*chosen[: SECTIONS - 1], *(Section((passage,)) for passage in steps[:1])]
    order = {passage.id: place for place, passage in enumerate(library.passages(best.passage.page_id))}
    return sorted(chosen, key=lambda section: order.get(section.passages[0].id, len(order)))


def _of_what_is_named(question: str, sections: Sequence[Section]) -> list[Section]:
    """Without the sections on another Xid, code or flag, where one is on what the question names."""
    wanted = identifiers(question)
    named = [identifiers(section.heading) for section in sections]
    if not any(wanted & one for one in named):
        return list(sections)
    return [section for section, one in zip(sections, named, strict=True) if not one or wanted & one]


def _near(question: str, best: Hit, library: Library) -> list[Passage]:
    """At most two checklist items that come near the question."""
    found = library.search(question, RELATED, Only(items=True))
    return [hit.passage for hit in found if hit.cosine >= NEAR * best.cosine]


def _named(best: Hit, library: Library) -> list[Passage]:
    """The first pages that the answering page itself names."""
    page = library.page(best.passage.page_id)
    openings = [library.opening(name) for name in (page.related if page else ())[:RELATED]]
    return [one for one in openings if one is not None]
