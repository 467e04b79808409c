"""What a contributor must mend before a page is good: read by `rackside knowledge lint` and by a test."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from knowledge import items
from knowledge.home import PACKS
from knowledge.pages import Page, Shelf, load_shelf
from knowledge.passages import anchor, sections

_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)[^)]*\)")
_CODE = re.compile(r"`+[^`]*`+")
_SENTENCE_END = re.compile(r"[.!?](?=[\s\"')\]*_]|$)")
_ABBREVIATION = re.compile(r"\b(?:e\.g|i\.e|etc|vs|cf|approx|no)\.", re.IGNORECASE)
_OPENING_SENTENCES = 3


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend: the file, and a sentence."""

    where: str
    what: str

    def __str__(self) -> str:
        """Print it as `file: sentence`."""
        return f"{self.where}: {self.what}"


def lint(roots: Sequence[Path] = (PACKS,), checks: Collection[str] | None = None) -> list[Problem]:
    """All problems of the packs under `roots`, in the files' order, those of every file together.

    `checks` are the ids of the checks that exist; None leaves the pages' `checks` unexamined.
    """
    shelves = [load_shelf(root) for root in roots]
    pages = [page for shelf in shelves for page in shelf.pages]
    problems = [Problem(error.where, error.what) for shelf in shelves for error in shelf.problems]
    ids = {page.id: page for page in pages}
    for page_id, times in Counter(page.id for page in pages).items():
        if times > 1:
            problems.append(Problem(ids[page_id].path, f"its id {page_id} is used {times} times"))
    for page in pages:
        problems.extend(Problem(page.path, what) for what in _page(page, ids, checks))
        problems.extend(Problem(page.path, what) for what in items.problems(page, checks))
    problems.extend(_twice(items.items(pages), ids))
    return sorted(problems, key=lambda problem: (problem.where, problem.what))


def lint_report(roots: Sequence[Path] = (PACKS,), checks: Collection[str] | None = None) -> tuple[list[str], bool]:
    """The lines to print, and whether all is well; the last line counts packs, pages, items and problems."""
    problems = lint(roots, checks)
    shelves: list[Shelf] = [load_shelf(root) for root in roots]
    packs = sum(len(shelf.packs) for shelf in shelves)
    pages = sum(len(shelf.pages) for shelf in shelves)
    points = sum(len(items.items(shelf.pages)) for shelf in shelves)
    if not pages:
        problems.append(Problem(", ".join(map(str, roots)), "there is no page here"))
    counts = (
        _number(packs, "pack"),
        _number(pages, "page"),
        _number(points, "item"),
        _number(len(problems), "problem"),
    )
    counted = ", ".join(counts)
    return [*map(str, problems), counted], not problems


def _twice(found: Sequence[items.Item], ids: dict[str, Page]) -> Iterator[Problem]:
    for name, times in Counter(item.id for item in found).items():
        if times > 1:
            pages = dict.fromkeys(item.page for item in found if item.id == name)
            yield Problem(ids[next(iter(pages))].path, f"its item {name} is there {times} times ({', '.join(pages)})")


def _number(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _page(page: Page, ids: dict[str, Page], checks: Collection[str] | None) -> Iterator[str]:
    if not page.date:
        yield "it has no date: say when its facts were last true (`date: 2026-11-21`)"
    if not page.sources:
        yield "it names no source: add where its facts come from"
    for source in page.sources:
        if urlsplit(source.url).scheme not in {"http", "https"}:
            yield f"its source {source.title or source.url!r} has no http link"
        if not source.title:
            yield f"its source {source.url} has no title"
    for other in page.related:
        if other == page.id:
            yield "it names itself as related"
        elif other not in ids:
            yield f"its related page {other} does not exist"
    if checks is not None:
        for check in page.checks:
            if check not in checks:
                yield f"its check {check} does not exist"
    yield from _opening(page)
    yield from _headings(page)
    yield from _links(page, ids)


def _opening(page: Page) -> Iterator[str]:
    first = next(iter(sections(page.text, page.title)))
    lines = [line.strip() for line in first.lines if line.strip()]
    if not lines:
        yield "it has no opening answer: begin with one to three sentences before the first heading"
        return
    if any(re.match(r"[-*+|>]\s|\d+[.)]\s|```|~~~", line) or line.startswith("|") for line in lines):
        yield "its opening is not prose: lists, tables and code belong under a heading"
        return
    text = _ABBREVIATION.sub("x", _CODE.sub("x", " ".join(lines)))
    sentences = len(_SENTENCE_END.findall(text))
    if not 1 <= sentences <= _OPENING_SENTENCES:
        yield f"its opening has {_number(sentences, 'sentence')}: one to three answer the question"


def _headings(page: Page) -> Iterator[str]:
    found = list(sections(page.text, page.title))
    level = 1
    for number, section in enumerate(found[1:], start=1):
        name = section.path[-1]
        if section.level == 1:
            yield f"its heading {name!r} is of the first level, which is the title's: write ##"
        elif section.level > level + 1:
            yield f"its heading {name!r} skips a level"
        level = section.level
        deeper = number + 1 < len(found) and found[number + 1].level > section.level
        if not "".join(section.lines).strip() and not deeper:
            yield f"its heading {name!r} has nothing below it"
    for path, times in Counter(section.path for section in found[1:]).items():
        if times > 1:
            yield f"its heading {path[-1]!r} is there {times} times, so links to it are ambiguous"


def _links(page: Page, ids: dict[str, Page]) -> Iterator[str]:
    prose = "\n".join(_CODE.sub("", line) for line in _outside_code(page.text))
    for target in _LINK.findall(prose):
        parts = urlsplit(target)
        if parts.scheme in {"http", "https", "mailto"}:
            continue
        other = page
        if parts.path:
            steps = [page.pack.id, *parts.path.removesuffix(".md").split("/")]
            while ".." in steps[1:]:
                at = steps.index("..", 1)
                del steps[at - 1 : at + 1]
            wanted = "/".join(step for step in steps if step != ".")
            if wanted not in ids or not parts.path.endswith(".md"):
                yield f"its link to {target} leads nowhere: write ../PACK/PAGE.md"
                continue
            other = ids[wanted]
        anchors = {section.anchor for section in sections(other.text, other.title)} | {anchor(other.title)}
        if parts.fragment and parts.fragment not in anchors:
            yield f"its link to {target} leads to no heading"


def _outside_code(text: str) -> Iterator[str]:
    fence = ""
    for line in text.split("\n"):
        mark = line.strip()[:3]
        if mark in {"```", "~~~"} and (not fence or mark == fence):
            fence = "" if fence else mark
        elif not fence:
            yield line
