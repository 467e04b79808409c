"""Pages cut into passages: the unit that is found, quoted and cited.

A passage is the text under one heading, with the path of headings that leads to it. Sections that would not
fit the encoder are cut between paragraphs; code and tables only between lines.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from knowledge.pages import Page, Trust

# What the encoder reads at once, less its two markers.
ENCODER_TOKENS = 254
# However long its headings are, a passage keeps this much room for its text.
LEAST_ROOM = 64

_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))?[ \t]*#*[ \t]*$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)$")
_TABLE_ROW = re.compile(r" {0,3}\|")
_LIST_ITEM = re.compile(r"(?:[-*+]|\d{1,3}[.)])[ \t]+")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[^a-z\s])")
_NOT_IN_SLUG = re.compile(r"[^\w\- ]")
# A checklist's item: its id is its anchor, so that its wording may change and links to it stay good.
ITEM_HEADING = re.compile(r"(?P<id>[A-Z]{2,4}-\d{2}) · (?P<title>\S.*)")
# The generated list of a checklist's items: each item is a passage of its own, so the list is not cut into more.
ITEMS_BEGIN, ITEMS_END = "<!-- items -->", "<!-- /items -->"
LISTED = re.compile(f"{ITEMS_BEGIN}.*?{ITEMS_END}", re.DOTALL)
_MARKUP = re.compile(r"[`*]+|!?\[([^\]]*)\]\([^)]*\)")

Count = Callable[[str], int]


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a page that can be cited.

    `id` is the page's id, with `#` and the heading's anchor below the opening. `section` is the heading
    path joined by ` › `, empty for the opening. `text` is Markdown. `aliases` (opening only) are other
    names of the page's topic.
    """

    id: str
    page_id: str
    pack: str
    title: str
    section: str
    text: str
    url: str
    trust: Trust
    date: str
    aliases: tuple[str, ...] = ()

    @property
    def searched(self) -> str:
        """What the encoder and the word index see: title, other names, headings, text."""
        names = f" ({', '.join(self.aliases)})" if self.aliases else ""
        head = f"{self.title}{names}"
        return f"{head}\n{self.section}\n{self.text}" if self.section else f"{head}\n{self.text}"


def anchor(heading: str) -> str:
    """The anchor that GitHub gives a heading, without the number it adds to a repeated one."""
    return _NOT_IN_SLUG.sub("", plain(heading).strip().lower()).replace(" ", "-")


def _mark(section: Section) -> str:
    item = ITEM_HEADING.fullmatch(section.path[-1]) if section.path else None
    return item["id"].lower() if item else section.anchor


def plain(markdown: str) -> str:
    """A heading without its inline markup."""
    return _MARKUP.sub(lambda match: match.group(1) or "", markdown).strip()


@dataclass(frozen=True, slots=True)
class Section:
    """The lines under one heading. `path` is the headings that lead to it, `level` 0 for the opening."""

    path: tuple[str, ...]
    level: int
    anchor: str
    lines: tuple[str, ...]


def sections(markdown: str, title: str = "") -> Iterator[Section]:
    """The opening, then every heading in order, also those with nothing below them.

    A first heading that repeats the title belongs to the opening. Headings inside code are code.
    """
    path: list[tuple[int, str]] = []
    anchors: dict[str, int] = {}
    here: tuple[tuple[str, ...], int, str] = ((), 0, "")
    lines: list[str] = []
    fence = ""
    for line in markdown.split("\n"):
        fence = _fence_after(fence, line)
        match = None if fence else _HEADING.match(line)
        heading = plain(match.group(2) or "") if match else ""
        if match is None or not heading:
            lines.append(line)
            continue
        if here[1] == 0 and not "".join(lines).strip() and heading.casefold() == title.casefold():
            lines = []
            continue
        yield Section(*here, tuple(lines))
        level = len(match.group(1))
        path = [*(step for step in path if step[0] < level), (level, heading)]
        name = anchor(heading) or "section"
        seen = anchors.get(name, 0)
        anchors[name] = seen + 1
        here = (tuple(step[1] for step in path), level, f"{name}-{seen}" if seen else name)
        lines = []
    yield Section(*here, tuple(lines))


def cut(page: Page, count: Count, base_url: str = "") -> list[Passage]:
    """The page's passages in reading order, each within the encoder's reach by `count` (tokens of a text)."""
    passages: list[Passage] = []
    taken: set[str] = set()
    root = f"{base_url.rstrip('/')}/{page.path}" if base_url else page.path
    for section in sections(LISTED.sub("", page.text), page.title):
        trail = " › ".join(section.path)
        aliases = page.aliases if not section.level else ()
        name = _mark(section)
        head = f"{page.title} ({', '.join(aliases)})\n{trail}"
        room = max(ENCODER_TOKENS - count(head), LEAST_ROOM)
        for part, text in enumerate(_pieces(section.lines, room, count), start=1):
            mark = name if part == 1 else f"{name}-{part}"
            while (mark or "") in taken:
                part += 1  # noqa: PLW2901 - a heading may already carry this number
                mark = f"{name}-{part}"
            taken.add(mark)
            passages.append(
                Passage(
                    id=f"{page.id}#{mark}" if mark else page.id,
                    page_id=page.id,
                    pack=page.pack.id,
                    title=page.title,
                    section=trail,
                    text=text,
                    url=f"{root}#{section.anchor}" if section.anchor else root,
                    trust=page.pack.trust,
                    date=page.date,
                    aliases=aliases if part == 1 else (),
                )
            )
    return passages


def _fence_after(fence: str, line: str) -> str:
    """The fence that is open after this line, empty when none is."""
    match = _FENCE.match(line)
    if match is None:
        return fence
    marks, rest = match.group(1), match.group(2)
    if not fence:
        return marks
    closes = marks[0] == fence[0] and len(marks) >= len(fence) and not rest.strip()
    return "" if closes else fence


def _pieces(lines: tuple[str, ...], room: int, count: Count) -> Iterator[str]:
    """A section's text in pieces of at most `room` tokens, cut where it hurts least."""
    held: list[str] = []
    used = 0
    for block, joint in _fitting(lines, room, count):
        size = count(block)
        if held and used + size > room:
            yield "".join(held).strip("\n")
            held, used = [], 0
        held.append(f"{joint}{block}" if held else block)
        used += size
    if held:
        yield "".join(held).strip("\n")


def _fitting(lines: tuple[str, ...], room: int, count: Count) -> Iterator[tuple[str, str]]:
    """Blocks that fit, each with what joins it to the one before (a blank line, a newline, a space)."""
    for kind, block in _blocks(lines):
        text = "\n".join(block)
        if count(text) <= room:
            yield text, "\n" if kind == "item" else "\n\n"
        elif kind == "code":
            yield from (("\n".join(part), "\n\n") for part in _fenced(block, room, count))
        elif kind == "table":
            yield from ((line, "\n" if number else "\n\n") for number, line in enumerate(block))
        else:
            sentences = [part for piece in _SENTENCE_END.split(text) for part in _words_within(piece, room, count)]
            yield from ((part, " " if number else "\n\n") for number, part in enumerate(sentences))


def _blocks(lines: tuple[str, ...]) -> Iterator[tuple[str, list[str]]]:
    """Paragraphs, list items, tables and fenced code, in order."""
    kind, block, fence = "", list[str](), ""
    for line in lines:
        inside = bool(fence)
        fence = _fence_after(fence, line)
        if inside:
            block.append(line)
            if not fence:
                yield kind, block
                kind, block = "", []
            continue
        if fence:
            now = "code"
        elif not line.strip():
            now = ""
        elif _TABLE_ROW.match(line):
            now = "table"
        elif _LIST_ITEM.match(line):
            now = "item"
        else:
            now = kind if kind in {"item", "text"} else "text"
        if block and (now != kind or now == "code" or _LIST_ITEM.match(line)):
            yield kind, block
            block = []
        kind = now
        if now:
            block.append(line)
    if block:
        yield kind, block


def _fenced(block: list[str], room: int, count: Count) -> Iterator[list[str]]:
    """A code block in parts, each fenced like the whole, cut between lines."""
    first, body = block[0], block[1:]
    closing = _FENCE.match(first) or _FENCE.match("```")
    mark = closing.group(1) if closing else "```"
    if body and _FENCE.match(body[-1]):
        body = body[:-1]
    part: list[str] = []
    used = 0
    limit = max(room - count(first) - 6, 1)
    for line in body:
        size = count(line)
        if part and used + size > limit:
            yield [first, *part, mark]
            part, used = [], 0
        part.append(line)
        used += size
    yield [first, *part, mark]


def _words_within(text: str, room: int, count: Count) -> Iterator[str]:
    """A sentence as it is when it fits, else halved between words until it does.

    An endless word is halved itself.
    """
    if count(text) <= room or len(text) < 2:
        yield text
        return
    middle = len(text) // 2
    space = text.rfind(" ", 1, middle)
    at = space if space > 0 else middle
    yield from _words_within(text[:at].rstrip(), room, count)
    yield from _words_within(text[at:].lstrip(), room, count)
