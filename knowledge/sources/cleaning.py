"""What a web page carries around its text is left out: navigation, banners, teasers, headings with nothing below."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import count

from knowledge.sources.flattened import is_flattened

_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(.*?)[ \t]*#*[ \t]*$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)$")
_MARKS = re.compile(r"!?\[([^\]]*)\]\([^)]*\)|[*_`#>|←→↑«»‹›\-•]+")
_CHROME = re.compile(
    r"(?:skip|jump) to (?:the )?(?:main |page )?(?:content|navigation|search|footer)"
    r"|(?:accept|reject|allow|decline) (?:all )?(?:optional |non-essential )?cookies"
    r"|(?:manage|cookie) (?:cookies|cookie|preferences|settings|policy)(?: preferences| settings)?"
    r"|(?:this|our) (?:web ?)?site uses cookies\b.{0,240}|we use cookies\b.{0,240}"
    r"|on this page|in this article|table of contents|back to (?:the )?top|toggle (?:navigation|menu|dark mode)"
    r"|(?:edit|improve|view) (?:this page|page source|source)(?: on (?:github|gitlab))?"
    r"|was this (?:page|article) helpful\??(?: yes\W+no)?|share (?:this|on)(?: (?:page|article|post|twitter|x|linkedin|facebook))?"
    r"|(?:log|sign) ?(?:in|up|out)(?: (?:log|sign) ?(?:in|up))?|(?:previous|next)(?: page| article| post)?|subscribe(?: now)?"
    r"|(?:\d{1,3} )?min(?:ute)?s? read|all rights reserved\.?|(?:©|\(c\)|copyright) .{0,80}\b(?:19|20)\d\d\b.{0,120}",
    re.IGNORECASE,
)
_TEASERS = re.compile(
    r"(?:related|recommended|more|similar|popular|recent|latest) (?:articles|posts|stories|reading|content|news)"
    r"|(?:you (?:might|may) also (?:like|enjoy)|read next|keep reading|what to read next|further stories|more from .{1,60}"
    r"|recommended for you|about the author|leave a (?:comment|reply)|comments(?: \(\d+\))?|(?:join|subscribe to) (?:our|the) newsletter)",
    re.IGNORECASE,
)
_UNSEEN = (("<!--", "-->"), ("<script", "</script>"), ("<style", "</style>"), ("<template", "</template>"))
_INLINE_CODE = re.compile(r"`[^`\n]+`")
_ASIDE = re.compile(r"\x00(\d+)\x00")
# Only tags that Markdown is written with: `<pod-name>` is a placeholder.
_TAG = re.compile(
    r"</?(?:a|abbr|b|blockquote|br|center|code|details|div|em|figcaption|figure|font|h[1-6]|hr|i|iframe|img|kbd|li|ol|p|picture"
    r"|pre|section|small|source|span|strong|sub|summary|sup|table|tbody|td|th|thead|tr|u|ul|video)(?:\s[^<>]{0,2000})?/?>",
    re.IGNORECASE,
)
# Teasers stand at the end; above that a heading of this name is the page's own.
_TAIL = 0.5


@dataclass(frozen=True, slots=True)
class Cleaned:
    """`text` is what is left; `tables` are the first words of the flattened tables that were left out."""

    text: str
    tables: tuple[str, ...] = ()


def clean(markdown: str, *, saved: bool = False) -> Cleaned:
    """Markdown without site chrome, flattened tables and empty headings. Code is never touched.

    `saved` says that the text comes from a web page, so that whatever follows a heading such as `Related articles`
    at its end is teasers.
    """
    lines = _without_markup(_with_code(markdown.split("\n")))
    lines = [(line, code) for line, code in lines if code or not _is_chrome(line)]
    lines, tables = _without_tables(lines)
    lines = _without_teasers(lines, saved)
    return Cleaned("\n".join(_without_empty_headings(lines)).strip("\n") + "\n", tuple(tables))


def tight(markdown: str) -> str:
    """Markdown with at most one blank line in a row outside code."""
    kept: list[str] = []
    for line, code in _with_code(markdown.split("\n")):
        if code or line.strip() or (kept and kept[-1].strip()):
            kept.append(line if code or line.strip() else "")
    return "\n".join(kept).strip("\n") + "\n"


Marked = list[tuple[str, bool]]


def _with_code(lines: list[str]) -> Marked:
    """Each line, and whether it is part of fenced code."""
    marked: Marked = []
    fence = ""
    for line in lines:
        match = _FENCE.match(line)
        inside = bool(fence)
        if match and not fence:
            fence = match[1]
        elif match and match[1][0] == fence[0] and len(match[1]) >= len(fence) and not match[2].strip():
            fence = ""
        marked.append((line, inside or match is not None))
    return marked


def _without_markup(lines: Marked) -> Marked:
    """Without HTML comments, scripts and tags: what a reader of the page does not see is not its text."""
    kept: Marked = []
    block: list[str] = []

    def close() -> None:
        text = "\n".join(block)
        if "<" in text or "&nbsp;" in text:
            # Code in a line is put aside, so that a tag that is written about stays.
            aside = _INLINE_CODE.findall(text)
            numbers = count()
            text = _INLINE_CODE.sub(lambda _: f"\x00{next(numbers)}\x00", text)
            for start, end in _UNSEEN:
                text = _cut_between(text, start, end)
            text = _TAG.sub("\x01", text.replace("&nbsp;", " "))
            # What stood between tags is no longer indented by them: that would make it code.
            text = "\n".join(line.replace("\x01", "").strip() if "\x01" in line else line for line in text.split("\n"))
            text = _ASIDE.sub(lambda match: aside[int(match[1])], text)
        kept.extend((line, False) for line in (text.split("\n") if block else ()))
        block.clear()

    for line, code in lines:
        if code:
            close()
            kept.append((line, True))
        else:
            block.append(line)
    close()
    return kept


def _cut_between(text: str, start: str, end: str) -> str:
    """Without every stretch from `start` to `end`; one that never ends is text."""
    pieces: list[str] = []
    at, low = 0, text.lower()
    while (first := low.find(start, at)) >= 0 and (last := low.find(end, first + len(start))) >= 0:
        pieces.append(text[at:first])
        at = last + len(end)
    return "".join((*pieces, text[at:]))


def _is_chrome(line: str) -> bool:
    if len(line) > 300 or not line.strip():
        return False
    return _CHROME.fullmatch(" ".join(_MARKS.sub(r"\1 ", line).split())) is not None


def _without_tables(lines: Marked) -> tuple[Marked, list[str]]:
    kept: Marked = []
    tables: list[str] = []
    block: list[str] = []

    def close() -> bool:
        dropped = bool(block) and is_flattened(block)
        if dropped:
            tables.append(f"{' '.join(block[0].split())[:40]}…")
        else:
            kept.extend((line, False) for line in block)
        block.clear()
        return dropped

    for line, code in lines:
        row = not code and line.strip() and not line.lstrip().startswith(("•", "- ", "* ", "#"))
        if row:
            block.append(line)
            continue
        if not (close() and not line.strip()):
            kept.append((line, code))
    close()
    return kept, tables


def _without_teasers(lines: Marked, saved: bool) -> Marked:
    """Up to the heading under which a site advertises its other pages."""
    for at in range(len(lines) - 1, int(len(lines) * _TAIL) - 1, -1):
        line, code = lines[at]
        match = None if code else _HEADING.match(line)
        name = " ".join(_MARKS.sub(r"\1 ", match[2] if match else line).split())
        if code or not (match or saved) or not _TEASERS.fullmatch(name):
            continue
        level = len(match[1]) if match else 7
        later = (_HEADING.match(after) for after, inside in lines[at + 1 :] if not inside)
        if saved or all(len(found[1]) > level for found in later if found):
            return lines[:at]
    return lines


def _without_empty_headings(lines: Marked) -> list[str]:
    """Backwards, so that a heading is known to have text or a filled heading below it."""
    kept: list[str] = []
    filled = 0  # the level of what is kept below: 0 nothing, 7 text
    for line, code in reversed(lines):
        match = None if code else _HEADING.match(line)
        if match is None:
            kept.append(line)
            if line.strip() and line.strip() not in {"---", "***", "___"}:
                filled = 7
            continue
        level = len(match[1])
        if filled > level:
            kept.append(line)
            filled = level
    return kept[::-1]
