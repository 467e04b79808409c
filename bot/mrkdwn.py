"""Text that somebody else wrote, made safe for Slack's mrkdwn.

Names, labels, log lines, quotes and a model's words are data. After `escape` none of them can mention
anybody, ping a channel, make a link, reorder what is read or close the code span that it stands in. Lengths
are counted as the strictest reading of Slack's limits would: UTF-16 units of the escaped text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable
from urllib.parse import quote, urlsplit

ELLIPSIS = "…"
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
# Stand-ins that look alike but format nothing: only we open and close code spans and bold headlines.
_LOOKALIKES = {"`": "ˋ", "*": "∗", "~": "∼"}
_BROADCAST = re.compile(r"@(?=here|channel|everyone)", re.IGNORECASE)
_MARKS_IN_A_ROW = 2
_URL_LENGTH = 500
_LINE = 1200
_URL_SAFE = "/:?#[]@!$&()*+,;=%~-._"
_CODE_SPAN = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"!?\[([^\]\n]*)\]\(([^)\s]*)[^)\n]*\)")
_HEADING = re.compile(r"^#{1,6}\s+")
_BULLET = re.compile(r"^(\s*)[-*+]\s+")


def width(text: str) -> int:
    """Length in UTF-16 units, which is never less than the number of characters."""
    return len(text) + sum(1 for char in text if ord(char) > 0xFFFF)


def visible(text: str, *, lines: bool = False) -> str:
    """Drop what cannot be seen: control, format (zero-width, right-to-left overrides), surrogate, private and
    unassigned characters. Line breaks become spaces unless `lines`; piled-up combining marks are thinned.
    """
    kept: list[str] = []
    marks = 0
    for char in text.replace("\r\n", "\n"):
        category = unicodedata.category(char)
        if char in "\n\r\u2028\u2029\x0b\x0c\x85":
            kept.append("\n" if lines else " ")
        elif char == "\t" or category == "Zs":
            kept.append(" ")
        elif category[0] == "C":
            continue
        elif category[0] == "M":
            marks += 1
            if marks <= _MARKS_IN_A_ROW:
                kept.append(char)
            continue
        else:
            kept.append(char)
        marks = 0
    return _BROADCAST.sub("＠", "".join(kept))


def _head(text: str, limit: int, *, lines: bool = False) -> str:
    """What can be seen of the part of a text that could be shown at all, so that work stays bounded."""
    most = 4 * limit + 64
    return visible(text[:most], lines=lines).strip() + (ELLIPSIS if len(text) > most else "")


def clip(pieces: Iterable[str], limit: int) -> str:
    """Join pieces up to `limit` units; each is kept whole or left off, and `…` says that some were."""
    kept: list[str] = []
    used = 0
    for piece in pieces:
        size = width(piece)
        if used + size > limit:
            # Make room for the sign that something is missing.
            while kept and used + 1 > limit:
                used -= width(kept.pop())
            return "".join(kept).rstrip() + ELLIPSIS if limit else ""
        kept.append(piece)
        used += size
    return "".join(kept)


def escape(text: str, limit: int = 1000, *, lines: bool = False) -> str:
    """Untrusted text for the middle of a mrkdwn sentence, at most `limit` units long."""
    seen = _head(text, limit, lines=lines)
    return clip((_ENTITIES.get(char) or _LOOKALIKES.get(char, char) for char in seen), limit)


def code(text: str, limit: int = 200) -> str:
    """Untrusted text as an inline code span, at most `limit` units; nothing for empty text."""
    inner = escape_code(_head(text, limit), limit - 2)
    return f"`{inner}`" if inner else ""


def fence(text: str, limit: int = 1000) -> str:
    """Untrusted text as a block of code that can be copied, at most `limit` units with its fence."""
    inner = escape_code(_head(text, limit, lines=True), limit - 8)
    return f"```\n{inner}\n```" if inner else ""


def escape_code(text: str, limit: int) -> str:
    """Text inside code: only the backtick needs a stand-in, a command stays the command."""
    return clip((_ENTITIES.get(char) or ("ˋ" if char == "`" else char) for char in text), limit)


def prose(text: str, limit: int = 1000) -> str:
    """One line of Markdown prose as mrkdwn: closed code spans stay code, all else is escaped."""
    shown = _head(text, limit)
    pieces: list[str] = []
    end = 0
    for span in _CODE_SPAN.finditer(shown):
        pieces.extend(_escaped(shown[end : span.start()]))
        pieces.append(f"`{escape_code(span[1], limit // 2)}`")
        end = span.end()
    pieces.extend(_escaped(shown[end:]))
    return clip(pieces, limit)


def _escaped(text: str) -> list[str]:
    return [_ENTITIES.get(char) or _LOOKALIKES.get(char, char) for char in text]


def link(url: str, label: str, limit: int = 200) -> str:
    """A link of ours, http(s) only; neither address nor label can end it early. Otherwise the label alone."""
    shown = escape(label.replace("|", "¦"), limit) or "source"
    address = web_address(url)
    return f"<{address}|{shown}>" if address else shown


def web_address(url: str) -> str:
    """The address, percent-encoded so that it stays one token; nothing where it is no plain web address."""
    address = quote(visible(url[: 2 * _URL_LENGTH]).strip(), safe=_URL_SAFE).replace("&", "&amp;")
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    plain = parts.scheme in {"http", "https"} and parts.hostname and "@" not in parts.netloc
    return address if plain and width(address) <= _URL_LENGTH else ""


def from_markdown(text: str, addresses: Collection[str], limit: int) -> str:
    """A Markdown text as mrkdwn: headings, bullets, code, bold; links only to `addresses`.

    Other links leave their words, a table keeps its pipes. Whole lines are kept until `limit` units are used.
    """
    out: list[str] = []
    fenced = False
    for line in _head(text, limit, lines=True).split("\n"):
        if line.lstrip().startswith("```"):
            fenced = not fenced
            out.append("```")
        elif fenced:
            out.append(escape_code(line, _LINE))
        else:
            out.append(_line(line, addresses))
    return _close(out, limit)


def _line(line: str, addresses: Collection[str]) -> str:
    limit = _LINE
    # Escaped for Markdown; here it is escaped as Slack wants it.
    line = line.replace("\\<", "<")
    if len(line) > limit // 2:
        # Nobody writes such a line by hand: its words are kept, its formatting is not.
        return escape(line, limit)
    heading = _HEADING.match(line)
    if heading:
        return f"*{escape(line[heading.end() :].strip('#* '), limit)}*"
    bullet = _BULLET.match(line)
    lead = f"{bullet[1]}• " if bullet else ""
    rest = line[bullet.end() :] if bullet else line
    pieces: list[str] = []
    end = 0
    for found in _LINK.finditer(rest):
        pieces.append(_emphasis(rest[end : found.start()], limit))
        pieces.append(link(found[2], found[1]) if found[2] in addresses else escape(found[1], limit))
        end = found.end()
    pieces.append(_emphasis(rest[end:], limit))
    return lead + "".join(pieces)


def _emphasis(text: str, limit: int) -> str:
    parts = re.split(r"\*\*([^*\n]+)\*\*", text)
    shown = [_keep_space(part, limit) if at % 2 == 0 else f"*{escape(part, limit)}*" for at, part in enumerate(parts)]
    return "".join(shown)


def _keep_space(text: str, limit: int) -> str:
    head = " " if text[:1] == " " else ""
    tail = " " if text.strip() and text[-1:] == " " else ""
    return head + prose(text, limit) + tail


def _close(lines: list[str], limit: int) -> str:
    """Join whole lines within the limit, with an open fence closed and a cut shown."""
    kept: list[str] = []
    used = 0
    room = limit - 6
    fenced = False
    for line in lines:
        if used + width(line) + 1 > room:
            if not kept and not fenced:
                return ELLIPSIS
            kept.append("```" if fenced else ELLIPSIS)
            fenced = False
            break
        kept.append(line)
        used += width(line) + 1
        fenced = fenced != (line == "```")
    if fenced:
        kept.append("```")
    return "\n".join(kept).strip("\n ")
