"""UTF-8 that was once read as Mac Roman, Windows-1252 or Latin-1, put right.

Good text must never be harmed, so only what hardly anybody writes on purpose is taken for damage: a sequence
that decodes as UTF-8, with more evidence the likelier it is that somebody meant it (`Spaß“` and `2√π` are text).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

_UTF8 = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]"
    rb"|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]"
    rb"|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}"
)
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
# What ends a quotation or a clause: after a letter it is punctuation, not the rest of a broken character.
_CLOSING = frozenset("”“’‘»›…–—\u00a0")
# What a text in the Latin alphabet holds beside letters: punctuation, currency, arrows, mathematics, boxes, dingbats.
_SIGNS = ((0x2000, 0x20CF), (0x2100, 0x2BFF), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFFD, 0xFFFD), (0x1F000, 0x1FAFF))
_LEAST_IN_A_ROW = 2
_LEAST_KINDS = 3
_SCRIPTS = frozenset(
    {"sign", "LATIN", "GREEK", "CYRILLIC", "HEBREW", "ARABIC", "CJK", "HIRAGANA", "KATAKANA", "HANGUL"}
)
_ROUNDS = 3


def _windows(byte: int) -> str:
    """Windows-1252 as browsers read it: the five bytes that it leaves open are control characters."""
    try:
        return bytes([byte]).decode("cp1252")
    except UnicodeDecodeError:
        return chr(byte)


_BYTES = {
    "mac": {ord(bytes([byte]).decode("mac_roman")): byte for byte in range(0x80, 0x100)},
    "windows": {ord(_windows(byte)): byte for byte in range(0x80, 0x100)},
    "latin": {byte: byte for byte in range(0x80, 0x100)},
}
_RUNS = {name: re.compile(f"[{re.escape(''.join(map(chr, table)))}]{{2,}}") for name, table in _BYTES.items()}


@dataclass(frozen=True, slots=True)
class _Broken:
    """A piece of a line that reads as one UTF-8 character. `start` and `end` are its place in the line."""

    start: int
    end: int
    raw: bytes
    char: str


def mend(text: str) -> str:
    """The text with such damage undone, wherever it is; text without it comes back as it is."""
    for _ in range(_ROUNDS):
        mended = text
        for name in _BYTES:
            mended = _mend(mended, name)
        if mended == text:
            break
        text = mended
    return text


def _mend(text: str, name: str) -> str:
    if text.isascii():
        return text
    whole = _whole(text, name)
    if whole:
        return whole
    lines = text.split("\n")
    found = {number: list(_broken(line, name)) for number, line in enumerate(lines) if not line.isascii()}
    sure = sum(_is_sure(one, lines[number], name) for number, some in found.items() for one in some)
    if not sure and not any(len(some) >= _LEAST_IN_A_ROW for some in found.values()):
        return text
    evidence = sure >= (2 if name == "mac" else 1)
    # Control characters that nobody can type: then all of the text went that way.
    certain = any(_is_control(one, lines[number]) for number, some in found.items() for one in some)
    for number, some in found.items():
        lines[number] = _line(lines[number], some, name, evidence, certain)
    return "\n".join(lines)


def _whole(text: str, name: str) -> str:
    """The text decoded as a whole where all of it is damage of one kind, else empty."""
    table = _BYTES[name]
    signs = set(_NOT_ASCII.findall(text))
    if not signs.issubset(map(chr, table)):
        return ""
    try:
        decoded = text.translate(table).encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return ""
    kinds = set(_NOT_ASCII.findall(decoded))
    likely = all(_script(char) in _SCRIPTS if char.isalpha() or len(char.encode()) < 3 else True for char in kinds)
    return decoded if likely and len(kinds) >= _LEAST_KINDS else ""


def _broken(line: str, name: str) -> Iterator[_Broken]:
    table = _BYTES[name]
    for run in _RUNS[name].finditer(line):
        raw = bytes(table[ord(char)] for char in run.group())
        for match in _UTF8.finditer(raw):
            char = match.group().decode("utf-8")
            if unicodedata.category(char) not in {"Cn", "Co", "Cs"} or char == "\uf8ff":
                yield _Broken(run.start() + match.start(), run.start() + match.end(), match.group(), char)


def _line(line: str, some: list[_Broken], name: str, evidence: bool, certain: bool) -> str:
    if not some:
        return line
    explained = sum(one.end - one.start for one in some) == len(_NOT_ASCII.findall(line))
    scripts = {_script(one.char) for one in some} - {"sign"}
    row = len(some) >= _LEAST_IN_A_ROW and explained and len(scripts) == 1 and scripts <= _SCRIPTS
    pieces, at = [], 0
    for one in some:
        if _is_sure(one, line, name) and (name != "mac" or len(one.raw) > 2 or evidence):
            taken = True
        elif _is_western(one):
            taken = certain or (explained and evidence)
        else:
            taken = certain or row
        if taken:
            pieces += [line[at : one.start], one.char]
            at = one.end
    return "".join((*pieces, line[at:]))


def _is_sure(one: _Broken, line: str, name: str) -> bool:
    """Is it something that nobody writes on purpose?"""
    if _is_control(one, line):
        return True
    before = line[one.start - 1] if one.start else " "
    second = line[one.start + 1]
    # A word's last letter and what closes a quotation after it.
    if line[one.start].isalpha() and second in _CLOSING and (before.isalpha() or len(one.raw) < 3):
        return False
    if len(one.raw) > 2:
        return any(low <= ord(one.char) <= high for low, high in _SIGNS)
    if not _is_western(one):
        return False
    if name == "mac":
        # `caf√©` is a broken word, `x√π` a formula.
        return len(line[max(one.start - 2, 0) : one.start].strip()) == 2 and line[one.start - 2 : one.start].isalpha()
    return one.raw[1] >= 0xA0


def _is_western(one: _Broken) -> bool:
    return one.raw[0] in {0xC2, 0xC3}


def _script(char: str) -> str:
    if not char.isalpha():
        return "sign" if ord(char) < 0x100 or ord(char) >= 0x800 or unicodedata.combining(char) == 0 else "mark"
    if ord(char) < 0x250:
        return "LATIN"
    return unicodedata.name(char, "unknown").split()[0].split("-")[0]


def _is_control(one: _Broken, line: str) -> bool:
    return any("\x80" <= char <= "\x9f" for char in line[one.start : one.end])
