"""Packs of Markdown pages, as they lie on disk.

A pack is a folder with `pack.toml`; a page is a Markdown file in it whose front matter says title, aliases,
date, sources, related pages, what it applies to and the checks that cite it. The page's id is `<pack>/<file
name>`.
"""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

Trust = Literal["high", "medium", "low"]
TRUSTS: tuple[Trust, ...] = ("high", "medium", "low")
MAX_PAGE_BYTES = 1_000_000
MAX_LINE_CHARS = 100_000

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)^---[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_SLUG = re.compile(r"[a-z0-9][a-z0-9._-]*")
# A page must not be able to move the terminal's cursor or hide text; tabs and newlines are text.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x80-\x9f\u200b\u202a-\u202e\u2066-\u2069\ufeff]")


class PageError(ValueError):
    """One page or pack that cannot be used: a sentence that names the file and says what to mend."""

    def __init__(self, where: str, what: str) -> None:
        """Name the file (`where`) and finish the sentence (`what`)."""
        super().__init__(f"{where}: {what}")
        self.where = where
        self.what = what


@dataclass(frozen=True, slots=True)
class Pack:
    """A folder of pages with one owner, one licence and one level of trust."""

    id: str
    title: str
    owner: str
    license: str
    trust: Trust
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a page's facts come from."""

    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Page:
    """One page.

    `text` is its Markdown without the front matter; `date` is ISO 8601 or empty; `path` is relative, or the web
    address of a user's page that can be read there.
    """

    id: str
    pack: Pack
    title: str
    text: str
    path: str
    date: str = ""
    aliases: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()
    related: tuple[str, ...] = ()
    applies: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shelf:
    """What was read.

    Packs and pages in a stable order, and a sentence for each file that could not be used.
    """

    packs: tuple[Pack, ...]
    pages: tuple[Page, ...]
    problems: tuple[PageError, ...]


def decode(raw: bytes, where: str) -> str:
    """UTF-8 bytes as text with plain newlines and no control characters.

    PageError where they are something else.
    """
    if b"\x00" in raw[:8192] and not raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise PageError(where, "it holds binary data, not text")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PageError(where, f"it is not UTF-8 (byte {error.start}): save it as UTF-8") from error
    return tidy(text, where)


def tidy(text: str, where: str) -> str:
    """Text with plain newlines and no control characters; PageError where it is empty or looks like data."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if max(map(len, text.split("\n"))) > MAX_LINE_CHARS:
        raise PageError(where, f"a line is longer than {MAX_LINE_CHARS:,} characters: it looks like data, not text")
    text = _CONTROL.sub("", text)
    if not text.strip():
        raise PageError(where, "it is empty")
    return text


def split_front_matter(text: str, where: str) -> tuple[dict[str, Any], str]:
    """Front matter as a mapping (empty where there is none) and the Markdown after it."""
    match = _FRONT_MATTER.match(text)
    if match is None:
        return {}, text
    try:
        fields = yaml.safe_load(match.group(1))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        line = getattr(getattr(error, "problem_mark", None), "line", None)
        spot = "" if line is None else f" near line {line + 2}"
        raise PageError(where, f"its front matter is not valid YAML{spot}") from error
    if fields is None:
        fields = {}
    if not isinstance(fields, dict):
        raise PageError(where, "its front matter is not a list of `name: value` lines")
    return {str(name): value for name, value in fields.items()}, text[match.end() :]


def parse_page(text: str, pack: Pack, slug: str, path: str) -> Page:
    """One page from the text of its file; PageError with a sentence for what is missing or malformed."""
    if not _SLUG.fullmatch(slug):
        raise PageError(path, "a page's file name is lower-case letters, digits and hyphens, as it becomes its id")
    if not text.startswith("---"):
        raise PageError(path, "it has no front matter: begin it with `---`, a title and `---`")
    if _FRONT_MATTER.match(text) is None:
        raise PageError(path, "its front matter is never closed: end it with a line `---`")
    fields, body = split_front_matter(text, path)
    title = _word(fields, "title", path)
    if not title:
        raise PageError(path, "it has no title: add `title:` to its front matter")
    if not body.strip():
        raise PageError(path, "it has a front matter and nothing below it")
    return Page(
        id=f"{pack.id}/{slug}",
        pack=pack,
        title=title,
        text=body.strip("\n") + "\n",
        path=path,
        date=_date(fields, path),
        aliases=_words(fields, "aliases", path),
        sources=_sources(fields, path),
        related=_words(fields, "related", path),
        applies=_words(fields, "applies", path),
        checks=_words(fields, "checks", path),
    )


def read_pack(folder: Path) -> Pack:
    """The pack that `folder/pack.toml` describes; PageError where it says too little."""
    where = f"{folder.name}/pack.toml"
    try:
        fields = tomllib.loads((folder / "pack.toml").read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise PageError(where, "it is missing: a pack needs id, title, owner, license, trust and language") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise PageError(where, f"it cannot be read: {error}") from error
    words = {name: _word(fields, name, where) for name in ("id", "title", "owner", "license", "trust", "language")}
    missing = [name for name, value in words.items() if not value]
    if missing:
        raise PageError(where, f"it does not say {', '.join(missing)}")
    if words["id"] != folder.name or not _SLUG.fullmatch(words["id"]):
        raise PageError(where, f"its id {words['id']!r} is not the name of its folder ({folder.name!r})")
    trust = next((level for level in TRUSTS if level == words["trust"]), None)
    if trust is None:
        raise PageError(where, f"its trust is {words['trust']!r}: write one of {', '.join(TRUSTS)}")
    return Pack(words["id"], words["title"], words["owner"], words["license"], trust, words["language"])


def load_shelf(root: Path) -> Shelf:
    """Every pack under `root`, each a folder with a `pack.toml`, with its pages by name.

    What is bad is said and left out.
    """
    packs: list[Pack] = []
    pages: list[Page] = []
    problems: list[PageError] = []
    folders = sorted(entry for entry in root.iterdir() if entry.is_dir()) if root.is_dir() else []
    for folder in folders:
        files = [file for file in sorted(folder.glob("*.md")) if file.stem.lower() != "readme"]
        if not files and not (folder / "pack.toml").exists():
            continue
        try:
            pack = read_pack(folder)
        except PageError as problem:
            problems.append(problem)
            continue
        packs.append(pack)
        for file in files:
            try:
                pages.append(_read_page(file, pack))
            except PageError as problem:
                problems.append(problem)
    return Shelf(tuple(packs), tuple(pages), tuple(problems))


def _read_page(file: Path, pack: Pack) -> Page:
    path = f"knowledge/packs/{pack.id}/{file.name}"
    try:
        if file.stat().st_size > MAX_PAGE_BYTES:
            raise PageError(path, f"it is larger than {MAX_PAGE_BYTES // 1_000_000} MB: split it into pages")
        raw = file.read_bytes()
    except OSError as error:
        raise PageError(path, f"it cannot be read: {error.strerror}") from error
    return parse_page(decode(raw, path), pack, file.stem, path)


def _word(fields: Mapping[str, Any], name: str, where: str) -> str:
    value = fields.get(name, "")
    if isinstance(value, bool | int | float):
        value = str(value)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise PageError(where, f"`{name}` is not a text")
    return " ".join(value.split())


def _words(fields: Mapping[str, Any], name: str, where: str) -> tuple[str, ...]:
    value = fields.get(name)
    if value is None:
        return ()
    if not isinstance(value, list):
        raise PageError(where, f"`{name}` is not a list: write `{name}: [one, two]`")
    words = (_word({name: item}, name, where) for item in value)
    return tuple(dict.fromkeys(word for word in words if word))


def _date(fields: Mapping[str, Any], where: str) -> str:
    value = fields.get("date")
    if value is None or value == "":
        return ""
    if isinstance(value, dt.datetime):
        return value.date().isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    try:
        return dt.date.fromisoformat(str(value)).isoformat()
    except ValueError as error:
        raise PageError(where, "`date` is not a date: write it as 2026-11-21") from error


def _sources(fields: Mapping[str, Any], where: str) -> tuple[Source, ...]:
    value = fields.get("sources")
    if value is None:
        return ()
    items: Iterable[Any] = value if isinstance(value, list) else [value]
    sources = []
    for item in items:
        if not isinstance(item, dict):
            raise PageError(where, "`sources` is not a list of {title, url}")
        source = Source(_word(item, "title", where), _word(item, "url", where))
        if not source.title and not source.url:
            raise PageError(where, "one of its sources has neither title nor url")
        sources.append(source)
    return tuple(sources)
