"""Markdown taken apart into what can be judged on its own, and put together again without what was dropped.

A *unit* is a sentence of a paragraph, list item, quote or heading, a row of a table, or a whole fenced block. Joining all
units gives the text back character for character. Decimals, versions, metric names, code spans, links and the spans that the
caller protects never end a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["prose", "heading", "row", "code", "blank"]

_FENCE = re.compile(r"^\s{0,3}(?:>\s?)*\s*(`{3,}|~{3,})")
_LIST = re.compile(r"^(?:\s*>)*\s*(?:[-*+•]|\d{1,3}[.)])\s+(?:\[[ xX]\]\s+)?")
_QUOTE = re.compile(r"^\s*(?:>\s?)+")
_HEADING = re.compile(r"^\s{0,3}#{1,6}\s+")
_RULE = re.compile(r"^[\s>]*(?:[-=*_]\s*){3,}$")
_TABLE_RULE = re.compile(r"^[\s|:+-]*-[\s|:+-]*$")
_END = re.compile(r"[.!?…]+[)\]\"'”’»*_]*(?=\s)|[。！？]+[」』”’]*|\n(?=\s*\n)")
_CODE = re.compile(r"(`+)(?:(?!\1).)+?\1", re.DOTALL)
_LINK = re.compile(r"!?\[[^\]\n]*\]\([^)\n]*\)")
_SHORT = re.compile(r"\b(?:e\.g|i\.e|vs|etc|cf|approx|ca|incl|no|fig|resp|min|max|avg)\.$", re.IGNORECASE)
# A protected span shorter than this is a word, not a sentence somebody else's words could hide in.
_PROTECTED = 16


@dataclass(frozen=True, slots=True)
class Unit:
    """A piece of the text: `lead` (list mark, quote mark, spaces), `body` (what is judged), `tail` (space after it).

    Units with the same `block` stand in one paragraph, list item, row or fenced block. `level` is a heading's depth.
    """

    kind: Kind
    lead: str
    body: str
    tail: str
    block: int
    level: int = 0

    @property
    def text(self) -> str:
        """The unit as it stood in the text."""
        return self.lead + self.body + self.tail


def units(text: str, protected: Collection[str] = ()) -> list[Unit]:
    """Take a Markdown text apart. `protected` are texts that are kept in one piece where they occur whole."""
    out: list[Unit] = []
    for block, (kind, chunk) in enumerate(_blocks(text)):
        if kind == "prose":
            out.extend(_sentences(chunk, block, protected))
        elif kind == "heading":
            mark = _HEADING.match(chunk)
            cut = mark.end() if mark else 0
            body = chunk[cut:].rstrip("\n")
            depth = chunk[:cut].count("#")
            out.append(Unit("heading", chunk[:cut], body, chunk[cut + len(body) :], block, depth))
        elif kind in {"row", "code"}:
            body = chunk.rstrip("\n")
            out.append(Unit(kind, "", body, chunk[len(body) :], block))
        else:
            out.append(Unit("blank", "", "", chunk, block))
    return out


def join(kept: Sequence[Unit], every: Sequence[Unit]) -> str:
    """The text of the kept units: list marks move on, and headings and tables that lost all they held go too."""
    if len(kept) == len(every):
        return "".join(unit.text for unit in every)
    left = {id(unit) for unit in kept}
    left -= {id(unit) for at, unit in enumerate(every) if _hollow(at, every, left)}
    out: list[str] = []
    pending = ""
    for at, unit in enumerate(every):
        begins = at == 0 or every[at - 1].block != unit.block
        if begins:
            pending = ""
        if id(unit) in left:
            out.append((pending or unit.lead) + unit.body + unit.tail)
            pending = ""
        elif unit.kind != "blank":
            pending = pending or unit.lead
            # The line still has to end where its last sentence went.
            ends = at + 1 == len(every) or every[at + 1].block != unit.block
            if ends and out and not out[-1].endswith("\n") and "\n" in unit.tail:
                out.append("\n")
    return re.sub(r"\n{3,}", "\n\n", re.sub(r"[ \t]+\n", "\n", "".join(out))).strip("\n") + (
        "\n" if every and every[-1].text.endswith("\n") else ""
    )


def _hollow(at: int, every: Sequence[Unit], left: Collection[int]) -> bool:
    """Has a heading or a table's head nothing left under it, where it had something?"""
    unit = every[at]
    if unit.kind not in {"heading", "row"} or id(unit) not in left:
        return False
    if unit.kind == "row" and not _is_head(at, every):
        return False
    held = False
    for other in every[at + 1 :]:
        if unit.kind == "heading" and other.kind == "heading" and other.level <= unit.level:
            break
        if unit.kind == "row" and other.kind != "row":
            break
        if other.kind in {"blank", "heading"} or _TABLE_RULE.match(other.body):
            continue
        held = True
        if id(other) in left:
            return False
    return held


def _is_head(at: int, every: Sequence[Unit]) -> bool:
    following = every[at + 1] if at + 1 < len(every) else every[at]
    return any(unit.kind == "row" and _TABLE_RULE.match(unit.body) for unit in (every[at], following))


def _blocks(text: str) -> list[tuple[Kind, str]]:
    out: list[tuple[Kind, str]] = []
    fence = ""
    open_prose = False
    for line in text.splitlines(keepends=True):
        mark = _FENCE.match(line)
        if fence:
            out[-1] = ("code", out[-1][1] + line)
            if mark and mark[1].startswith(fence) and not line.strip().strip("`~> "):
                fence = ""
            continue
        if mark:
            fence = mark[1]
            out.append(("code", line))
            open_prose = False
        elif not line.strip() or _RULE.match(line):
            out.append(("blank", line))
            open_prose = False
        elif _HEADING.match(line):
            out.append(("heading", line))
            open_prose = False
        elif line.lstrip("> ").startswith("|") or (_TABLE_RULE.match(line) and "|" in line):
            out.append(("row", line))
            open_prose = False
        elif open_prose and not _LIST.match(line):
            out[-1] = ("prose", out[-1][1] + line)
        else:
            out.append(("prose", line))
            open_prose = True
    return out


def _sentences(chunk: str, block: int, protected: Collection[str]) -> list[Unit]:
    mark = _LIST.match(chunk) or _QUOTE.match(chunk) or re.match(r"\s*", chunk)
    start = mark.end() if mark else 0
    closed = spans(chunk, protected)
    closed += [match.span() for pattern in (_CODE, _LINK) for match in pattern.finditer(chunk)]
    out: list[Unit] = []
    lead, begin = chunk[:start], start
    for end in _END.finditer(chunk, start):
        if any(first <= end.start() < last and end.end() < last for first, last in closed):
            continue
        if _SHORT.search(chunk, begin, end.end()) or not re.search(r"\w", chunk[begin : end.start()]):
            continue
        gap = re.match(r"\s*", chunk[end.end() :])
        stop = end.end() + (gap.end() if gap else 0)
        out.append(Unit("prose", lead, chunk[begin : end.end()], chunk[end.end() : stop], block))
        lead, begin = "", stop
    rest = chunk[begin:]
    if rest or lead:
        body = rest.rstrip()
        out.append(Unit("prose", lead, body, rest[len(body) :], block))
    return out


def spans(text: str, protected: Collection[str]) -> list[tuple[int, int]]:
    """Where the protected texts occur whole, as (start, end) pairs."""
    found: list[tuple[int, int]] = []
    for piece in protected:
        if len(piece) < _PROTECTED:
            continue
        at = text.find(piece)
        while at >= 0:
            end = at + len(piece)
            inside = (at and text[at - 1].isalnum() and piece[0].isalnum()) or (
                end < len(text) and text[end].isalnum() and piece[-1].isalnum()
            )
            if not inside:
                found.append((at, end))
            at = text.find(piece, end)
    return found
