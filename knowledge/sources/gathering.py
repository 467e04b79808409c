"""Users' own knowledge as pages of the pack `user`. Nothing in it can stop the rest."""

from __future__ import annotations

import re
import time
import urllib.parse
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from knowledge.pages import TRUSTS, Pack, Page, PageError, Source, Trust
from knowledge.sources import repositories
from knowledge.sources.declared import Declared
from knowledge.sources.documents import ENDINGS, Document, read_document, tidy_path
from knowledge.sources.folders import (
    USER_PACK,
    contents,
    counted_as_unread,
    passed_over,
    refuse_large,
    unread_kinds,
    walk,
)
from knowledge.sources.repositories import GitProblem

MAX_PAGES = 20_000
MAX_REPOSITORY_BYTES = 500_000_000
_NOT_IN_SLUG = re.compile(r"[^a-z0-9]+")
# Called with what is done, of how many, and of what.
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a build found in one source. `at` is in seconds since 1970; `commit` is empty for what is no repository."""

    name: str
    pages: int
    at: float
    commit: str
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _File:
    """A file of a source: how it is shown, its path inside the source, and its bytes."""

    shown: str
    inner: str
    raw: bytes


def read_sources(
    home: Path, sources: Sequence[Declared], progress: Progress = lambda _done, _total, _what: None
) -> tuple[list[Page], list[Reading]]:
    """Every page of the sources, and what was found in each, with a sentence for each thing that was left out.

    Never raises for content, for a place that is gone, or for a repository that cannot be fetched.
    """
    pages: list[Page] = []
    readings: list[Reading] = []
    taken: set[str] = set()
    seen: set[tuple[int, int]] = set()
    for number, source in enumerate(sources):
        progress(number, len(sources), f"{'fetching' if source.is_git else 'reading'} {source.name}")
        problems: list[str] = []
        commit = ""
        before = len(pages)
        try:
            if source.is_git:
                fetched = repositories.fetch(home, source.place, source.ref)
                commit = fetched.commit
                if fetched.stale:
                    problems.append(f"{source.name}: {fetched.stale}; the pages of commit {commit[:12]} were kept")
                found = _of_repository(source, fetched, problems)
            else:
                found = _of_folder(source, seen, problems)
            for file in found:
                if len(pages) >= MAX_PAGES:
                    problems.append(f"{source.name}: more than {MAX_PAGES:,} pages; the rest was not indexed")
                    break
                try:
                    document = read_document(file.raw, file.shown)
                except PageError as problem:
                    problems.append(str(problem))
                    continue
                problems.extend(f"{file.shown}: {note}" for note in document.notes)
                pages.append(_page(source, file, document, commit, _free_slug(file.shown, taken)))
        except GitProblem as problem:
            problems.append(f"{source.name}: {problem}, so nothing of it was indexed")
        readings.append(Reading(source.name, len(pages) - before, time.time(), commit, tuple(problems)))
    return pages, readings


def _of_folder(source: Declared, seen: set[tuple[int, int]], problems: list[str]) -> Iterator[_File]:
    root = Path(source.place)
    if not root.exists():
        problems.append(f"{source.place}: it does not exist, so nothing of it was indexed")
        return
    for file in walk(root, seen, problems):
        inner = file.name if file == root else file.relative_to(root).as_posix()
        shown = inner if file == root else f"{source.name}/{inner}"
        try:
            yield _File(shown, "" if file == root else inner, contents(file, shown))
        except PageError as problem:
            problems.append(str(problem))


def _of_repository(source: Declared, fetched: repositories.Fetched, problems: list[str]) -> Iterator[_File]:
    unread: Counter[str] = Counter()
    wanted = []
    total = 0
    for one in repositories.files(fetched, source.under):
        if passed_over(one.path):
            continue
        counted_as_unread(one.path, unread)
        if Path(one.path).suffix.lower() not in ENDINGS:
            continue
        shown = f"{source.name}/{one.path}"
        try:
            refuse_large(one.size, shown)
        except PageError as problem:
            problems.append(str(problem))
            continue
        total += one.size
        if total > MAX_REPOSITORY_BYTES:
            problems.append(
                f"{source.name}: more than {MAX_REPOSITORY_BYTES // 1_000_000} MB of pages; the rest was not indexed"
            )
            break
        wanted.append(one)
    problems.extend(unread_kinds(source.name, unread))
    if not wanted:
        where = f" under {source.under}" if source.under else ""
        problems.append(f"{source.name}: commit {fetched.commit[:12]} holds no pages{where}")
    for one, raw in repositories.read(fetched, wanted):
        yield _File(f"{source.name}/{one.path}", one.path, raw)


def _page(source: Declared, file: _File, document: Document, commit: str, slug: str) -> Page:
    link = document.link or _link(source, file.inner, commit)
    pack = Pack(
        id=USER_PACK.id,
        title=source.name,
        owner=USER_PACK.owner,
        license=document.license or source.license or USER_PACK.license,
        trust=_trust(source, document),
    )
    return Page(
        id=f"{USER_PACK.id}/{slug}",
        pack=pack,
        title=document.title,
        text=document.text.strip("\n") + "\n",
        path=link or file.shown,
        date=document.date or source.date,
        aliases=document.aliases,
        sources=(Source(f"{source.name}: {file.inner}" if file.inner else source.name, link),) if link else (),
        applies=document.applies,
    )


def _trust(source: Declared, document: Document) -> Trust:
    """What the page says, but never more than the user granted its source; little where much was lost of it."""
    granted = source.trust or None
    said = document.trust or granted or ("low" if document.doubtful else USER_PACK.trust)
    return max(said, granted or said, key=TRUSTS.index)


def _link(source: Declared, inner: str, commit: str) -> str:
    if source.url:
        if not inner or "?" in source.url:
            return source.url
        return f"{source.url.rstrip('/')}/{urllib.parse.quote(inner)}"
    return repositories.web_address(source.place, commit, inner) if commit else ""


def _free_slug(shown: str, taken: set[str]) -> str:
    """An id of letters, digits and hyphens that no other file has.

    Files are read in a stable order, so it is stable.
    """
    stem = tidy_path(shown).rsplit(".", 1)[0].lower()
    slug = wanted = _NOT_IN_SLUG.sub("-", stem).strip("-") or "page"
    number = 2
    while slug in taken:
        slug, number = f"{wanted}-{number}", number + 1
    taken.add(slug)
    return slug
