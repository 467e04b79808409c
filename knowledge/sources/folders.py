"""The files of a folder that a user added, each once, however links are knotted."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from knowledge.pages import Pack, PageError
from knowledge.sources.documents import ENDINGS, MAX_FILE_BYTES

# Each page's own copy says its source, its licence and its trust.
USER_PACK = Pack(id="user", title="Your own pages", owner="you", license="yours", trust="medium")
# Folders that hold no knowledge, only copies of other people's.
_PASSED_OVER = frozenset({".git", ".venv", "node_modules", "__pycache__", ".rackside", ".obsidian"})
# Beside `Page.html` a browser puts the page's pictures and scripts.
_BESIDE_A_PAGE = ("_files", "-Dateien", "_fichiers", ".fld")
# Knowledge may lie in these, and it is not read: one sentence says so.
_UNREAD = re.compile(
    r"\.(?:zip|tar|t?gz|7z|rar|pdf|docx?|odt|rtf|pptx?|xlsx?|epub|adoc|asciidoc|rst|org|ipynb|one)", re.IGNORECASE
)


def walk(root: Path, seen: set[tuple[int, int]], skipped: list[str]) -> Iterator[Path]:
    """Files with an ending that can be read, in a stable order; what cannot is a sentence in `skipped`.

    `seen` holds the files and folders that were met before (device, inode).
    """
    if not root.is_dir():
        if _first_time(root, seen):
            yield root
        return
    waiting = [root]
    unread: Counter[str] = Counter()
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
            ending = entry.suffix.lower()
            if _UNREAD.fullmatch(ending):
                unread[ending] += 1
            if ending not in ENDINGS or entry.is_dir():
                continue
            try:
                if _first_time(entry, seen):
                    yield entry
            except OSError as error:
                skipped.append(f"{entry}: it cannot be read ({error.strerror})")
        waiting.extend(entry for entry in entries if not _passed_over(entry.name) and entry.is_dir())
    skipped.extend(unread_kinds(root.name, unread))


def passed_over(path: str) -> bool:
    """Does a path inside a repository lead through a folder that is not read?"""
    return any(_passed_over(part) for part in path.split("/")[:-1])


def unread_kinds(name: str, unread: Counter[str]) -> list[str]:
    """A sentence for each kind of file that is not read."""
    return [
        f"{name}: {count} {ending} file{'s' if count > 1 else ''} left out: {_advice(ending)}"
        for ending, count in sorted(unread.items())
    ]


def counted_as_unread(path: str, unread: Counter[str]) -> None:
    """Count a file whose kind is not read."""
    ending = Path(path).suffix.lower()
    if _UNREAD.fullmatch(ending):
        unread[ending] += 1


def contents(file: Path, shown: str) -> bytes:
    """A file's bytes; PageError where it is none, is too large, or cannot be read."""
    try:
        if not file.is_file():
            raise PageError(shown, "it is not a file")
        refuse_large(file.stat().st_size, shown)
        return file.read_bytes()
    except OSError as error:
        raise PageError(shown, f"it cannot be read ({error.strerror})") from error


def refuse_large(size: int, shown: str) -> None:
    """PageError for a file that is too large for a page."""
    if size > MAX_FILE_BYTES:
        most = MAX_FILE_BYTES // 1_000_000
        raise PageError(shown, f"{size / 1e6:.0f} MB is too large for a page ({most} MB at most)")


def _advice(ending: str) -> str:
    if ending in {".zip", ".tar", ".gz", ".tgz", ".7z", ".rar"}:
        return "archives are not opened, unpack them"
    return "export them as Markdown or HTML"


def _passed_over(name: str) -> bool:
    return name in _PASSED_OVER or name.endswith(_BESIDE_A_PAGE)


def _first_time(path: Path, seen: set[tuple[int, int]]) -> bool:
    """Is this the first path to this file or folder? Raises OSError for a dangling or circular link."""
    found = path.stat()
    key = (found.st_dev, found.st_ino)
    if key in seen:
        return False
    seen.add(key)
    return True
