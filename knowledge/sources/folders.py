"""A user's own Markdown, files or folders, as pages of the pack `user`. Nothing in them can stop the rest."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from knowledge.pages import Pack, Page, PageError, decode, split_front_matter
from knowledge.passages import plain, sections

USER_PACK = Pack(id="user", title="Your own pages", owner="you", license="yours", trust="medium")
MAX_FILE_BYTES = 5_000_000
MAX_FILES = 20_000
ENDINGS = frozenset({".md", ".markdown", ".mdown", ".txt"})
# Folders that hold no knowledge, only copies of other people's.
_PASSED_OVER = frozenset({".git", ".venv", "node_modules", "__pycache__", ".rackside"})
_FIRST_HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(.+?)[ \t]*#*[ \t]*$", re.MULTILINE)
_NOT_IN_SLUG = re.compile(r"[^a-z0-9]+")


def read_paths(paths: Iterable[Path]) -> tuple[list[Page], list[str]]:
    """Pages of all Markdown under `paths`, and a sentence for each thing that was skipped.

    Never raises for content.
    """
    pages: list[Page] = []
    skipped: list[str] = []
    taken: set[str] = set()
    seen: set[tuple[int, int]] = set()
    for root in paths:
        named = root.expanduser().absolute()
        if not named.exists():
            skipped.append(f"{root}: it does not exist, so nothing of it was indexed")
            continue
        for file in _files(named, seen, skipped):
            if len(pages) >= MAX_FILES:
                skipped.append(f"{root}: more than {MAX_FILES:,} pages; the rest was not indexed")
                return pages, skipped
            shown = file.name if file == named else f"{named.name}/{file.relative_to(named).as_posix()}"
            try:
                pages.append(_read(file, shown, taken))
            except PageError as problem:
                skipped.append(str(problem))
    return pages, skipped


def _files(root: Path, seen: set[tuple[int, int]], skipped: list[str]) -> Iterator[Path]:
    """Regular Markdown files in a stable order, each once, however links are knotted."""
    if not root.is_dir():
        if _first_time(root, seen):
            yield root
        return
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        try:
            if not _first_time(folder, seen):
                if folder.is_symlink():
                    skipped.append(f"{folder}: a link back to a folder that was read already")
                continue
            entries = sorted(folder.iterdir(), reverse=True)
        except OSError as error:
            skipped.append(f"{folder}: it cannot be read ({error.strerror})")
            continue
        for entry in reversed(entries):
            if entry.is_dir():
                continue
            if entry.suffix.lower() not in ENDINGS:
                continue
            try:
                if _first_time(entry, seen):
                    yield entry
            except OSError as error:
                skipped.append(f"{entry}: it cannot be read ({error.strerror})")
        waiting.extend(entry for entry in entries if entry.name not in _PASSED_OVER and entry.is_dir())


def _first_time(path: Path, seen: set[tuple[int, int]]) -> bool:
    """Is this the first path to this file or folder? Raises OSError for a dangling or circular link."""
    found = path.stat()
    key = (found.st_dev, found.st_ino)
    if key in seen:
        return False
    seen.add(key)
    return True


def _read(file: Path, shown: str, taken: set[str]) -> Page:
    try:
        if not file.is_file():
            raise PageError(shown, "it is not a file")
        size = file.stat().st_size
        if size > MAX_FILE_BYTES:
            raise PageError(
                shown,
                f"{size / 1e6:.0f} MB is too large for a page ({MAX_FILE_BYTES // 1_000_000} MB at most)",
            )
        raw = file.read_bytes()
    except OSError as error:
        raise PageError(shown, f"it cannot be read ({error.strerror})") from error
    text = decode(raw, shown)
    try:
        fields, body = split_front_matter(text, shown)
    except PageError:
        # Somebody else's dashes: then all of it is text.
        fields, body = {}, text
    if not any("".join(section.lines).strip() for section in sections(body)):
        raise PageError(shown, "it holds headings and nothing below them")
    return Page(
        id=f"{USER_PACK.id}/{_free_slug(shown, taken)}",
        pack=USER_PACK,
        title=_title(fields, body, file),
        text=body.strip("\n") + "\n",
        path=shown,
        date=str(fields.get("date") or "")[:10],
    )


def _title(fields: dict[str, Any], body: str, file: Path) -> str:
    named = fields.get("title")
    if isinstance(named, str) and named.strip():
        return " ".join(named.split())[:200]
    match = _FIRST_HEADING.search(body)
    title = plain(match.group(1)) if match else ""
    return (title or file.stem.replace("-", " ").replace("_", " ").strip() or os.fspath(file))[:200]


def _free_slug(shown: str, taken: set[str]) -> str:
    """An id of letters, digits and hyphens that no other file has.

    Files are read in a stable order, so it is stable.
    """
    stem = shown.rsplit(".", 1)[0].lower()
    slug = wanted = _NOT_IN_SLUG.sub("-", stem).strip("-") or "page"
    number = 2
    while slug in taken:
        slug, number = f"{wanted}-{number}", number + 1
    taken.add(slug)
    return slug
