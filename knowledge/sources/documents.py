"""One file of a user's, whatever wrote it, as Markdown and what is known about it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import PurePosixPath
from typing import Any

from knowledge.pages import TRUSTS, PageError, Trust, split_front_matter, tidy
from knowledge.passages import plain, sections
from knowledge.sources.cleaning import clean, tight
from knowledge.sources.dates import iso_date
from knowledge.sources.mojibake import mend
from knowledge.sources.plain_text import is_markdown, to_markdown
from knowledge.sources.web_page import charset, read_web_page, web_link

MAX_FILE_BYTES = 5_000_000
MAX_SECTIONS = 5_000
MARKDOWN = frozenset({".md", ".markdown", ".mdown"})
PLAIN = frozenset({".txt", ".text"})
HTML = frozenset({".html", ".htm", ".xhtml"})
ARCHIVED_PAGE = frozenset({".mht", ".mhtml"})
ENDINGS = MARKDOWN | PLAIN | HTML | ARCHIVED_PAGE
_FIRST_HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(.+?)[ \t]*#*[ \t]*$", re.MULTILINE)
# Notion writes the page's id behind its name.
_EXPORT_ID = re.compile(r"[ _-]+[0-9a-f]{32}$")
_LFS = "version https://git-lfs.github.com/spec/"
_SEPARATORS = (",", ";", "\t")
_LEAST_ROWS = 5
_ARCHIVES = {
    b"PK\x03\x04": "a zip archive",
    b"\x1f\x8b": "a gzip archive",
    b"7z\xbc\xaf": "a 7-zip archive",
    b"%PDF": "a PDF",
}


@dataclass(frozen=True, slots=True)
class Document:
    """A file that was read. Empty fields are those that it does not say.

    `notes` say what was left out of it; `doubtful` is true where so much was guessed or lost that its text should
    be trusted less.
    """

    title: str
    text: str
    date: str = ""
    link: str = ""
    license: str = ""
    trust: Trust | None = None
    aliases: tuple[str, ...] = ()
    applies: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())
    doubtful: bool = False


def read_document(raw: bytes, where: str) -> Document:
    """The document in a file's bytes; its kind is told by the ending of `where`. PageError with a sentence otherwise."""
    path = PurePosixPath(where)
    ending = path.suffix.lower()
    if len(raw) > MAX_FILE_BYTES:
        raise PageError(
            where, f"{len(raw) / 1e6:.0f} MB is too large for a page ({MAX_FILE_BYTES // 1_000_000} MB at most)"
        )
    for magic, kind in _ARCHIVES.items():
        if raw.startswith(magic):
            raise PageError(where, f"it is {kind}: unpack or export it, and add the folder of pages")
    if ending in ARCHIVED_PAGE:
        raw = _archived_html(raw, where)
    if ending in HTML or ending in ARCHIVED_PAGE:
        return _html(raw, where, path)
    text = tidy(mend(decoded(raw, where)), where)
    if text.startswith(_LFS):
        raise PageError(where, "it is only a pointer to a file in Git LFS, which is not fetched")
    _refuse_data(text, where)
    fields, body = _front_matter(text, where)
    saved = ending in PLAIN and not is_markdown(body)
    if saved:
        # Chrome and flattened tables first: their short lines look like headings.
        first = clean(body, saved=True)
        cleaned = clean(to_markdown(first.text), saved=True)
        tables = (*first.tables, *cleaned.tables)
    else:
        cleaned = clean(body, saved=ending in PLAIN)
        tables = cleaned.tables
    _refuse_bare(cleaned.text, where)
    return _document(fields, cleaned.text, tables, title=_title(cleaned.text, path))


def decoded(raw: bytes, where: str, encoding: str = "utf-8") -> str:
    """Bytes as text: by their byte order mark, else as UTF-8, else as they declare. PageError for anything else."""
    for mark, name in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if raw.startswith(mark):
            try:
                return raw.decode(name)
            except UnicodeDecodeError as error:
                what = "UTF-8" if name == "utf-8-sig" else "UTF-16"
                raise PageError(where, f"it is not {what} (byte {error.start}): save it as UTF-8") from error
    if b"\x00" in raw[:8192]:
        raise PageError(where, "it holds binary data, not text")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        if encoding.lower() not in {"utf-8", "utf8"}:
            return raw.decode(encoding, "replace")
        raise PageError(where, f"it is not UTF-8 (byte {error.start}): save it as UTF-8") from error


def file_title(path: PurePosixPath) -> str:
    """A title from a file's name."""
    name = _EXPORT_ID.sub("", path.stem)
    return (" ".join(name.replace("-", " ").replace("_", " ").split()) or path.name)[:200]


def tidy_path(shown: str) -> str:
    """A path without the ids that an export puts behind names."""
    parts = [PurePosixPath(part) for part in shown.split("/")]
    return "/".join(f"{_EXPORT_ID.sub('', part.stem) or part.stem}{part.suffix}" for part in parts)


def _html(raw: bytes, where: str, path: PurePosixPath) -> Document:
    text = mend(decoded(raw, where, charset(raw)))
    page = read_web_page(text)
    if not page.text.strip():
        raise PageError(where, "it shows no text of its own")
    body = tidy(page.text, where)
    cleaned = clean(body, saved=True)
    _refuse_bare(cleaned.text, where)
    title = page.title or _title(cleaned.text, path)
    found = _document({}, cleaned.text, cleaned.tables, title=tidy(title, where)[:200], notes=page.notes)
    return Document(found.title, found.text, page.date, page.link, notes=found.notes, doubtful=found.doubtful)


def _archived_html(raw: bytes, where: str) -> bytes:
    """The page inside a single-file save."""
    try:
        message = message_from_bytes(raw, policy=policy.default)
        for part in message.walk():
            if isinstance(part, EmailMessage) and part.get_content_type() == "text/html":
                payload = part.get_payload(decode=True)
                if isinstance(payload, bytes):
                    return payload
    except Exception as error:  # the parser raises anything for a broken message
        raise PageError(where, "it is not a page that a browser saved") from error
    raise PageError(where, "it holds no HTML page")


def _front_matter(text: str, where: str) -> tuple[dict[str, Any], str]:
    try:
        return split_front_matter(text, where)
    except PageError:
        # Somebody else's dashes: then all of it is text.
        return {}, text


def _document(
    fields: Mapping[str, Any], text: str, tables: tuple[str, ...], *, title: str, notes: list[str] | None = None
) -> Document:
    said = list(notes or ())
    if tables:
        which = "a table whose cells run" if len(tables) == 1 else f"{len(tables)} tables whose cells run"
        said.append(
            f"{which} together was left out ({tables[0]!r})"
            if len(tables) == 1
            else f"{which} together were left out (the first: {tables[0]!r})"
        )
    trust = next((level for level in TRUSTS if level == fields.get("trust")), None)
    link = next(
        (found for name in ("url", "link", "source", "canonical") if (found := web_link(_one_line(fields.get(name))))),
        "",
    )
    date = next(
        (found for name in ("date", "updated", "last_updated") if (found := iso_date(_one_line(fields.get(name))))), ""
    )
    return Document(
        title=_one_line(fields.get("title"))[:200] or title,
        text=tight(text),
        date=date,
        link=link,
        license=_one_line(fields.get("license"))[:100],
        trust=trust,
        aliases=_lines(fields.get("aliases")),
        applies=_lines(fields.get("applies")),
        notes=tuple(said),
        doubtful=bool(tables),
    )


def _title(text: str, path: PurePosixPath) -> str:
    match = _FIRST_HEADING.search(text)
    return (plain(match[1]) if match else "")[:200] or file_title(path)


def _one_line(value: Any) -> str:
    return "" if value is None or isinstance(value, list | dict) else " ".join(str(value).split())


def _lines(value: Any) -> tuple[str, ...]:
    """Front matter is other people's: what is no list of words is no reason to lose the page."""
    items = value if isinstance(value, list) else [value] if isinstance(value, str) else []
    words = (_one_line(item)[:100] for item in items[:20])
    return tuple(dict.fromkeys(word for word in words if word))


def _refuse_bare(text: str, where: str) -> None:
    filled = False
    for number, section in enumerate(sections(text), start=1):
        if number > MAX_SECTIONS:
            raise PageError(where, f"it has more than {MAX_SECTIONS:,} headings: split it into pages")
        filled = filled or bool("".join(section.lines).strip())
    if not filled:
        raise PageError(where, "it holds headings and nothing below them")


def _refuse_data(text: str, where: str) -> None:
    """Rows of a spreadsheet and JSON are not text that can be quoted."""
    lines = [line for line in text.split("\n")[:200] if line.strip()]
    if text.lstrip()[:1] in {"{", "["}:
        try:
            json.loads(text)
        except (ValueError, RecursionError):
            pass
        else:
            raise PageError(where, "it is JSON, not text")
    if len(lines) < _LEAST_ROWS or any(line.lstrip().startswith(("#", "|", "- ", "* ", "```")) for line in lines):
        return
    for separator in _SEPARATORS:
        counts = [line.count(separator) for line in lines]
        if (
            counts[0] >= 2
            and sum(count == counts[0] for count in counts) >= 0.9 * len(counts)
            and not any(". " in line for line in lines[:_LEAST_ROWS])
        ):
            raise PageError(where, "it holds rows of a spreadsheet, not text")
