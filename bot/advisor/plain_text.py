"""A text as a reader would take it in: markup, invisible characters and look-alike digits undone.

Only judged, never shown: what is posted is the text itself.
"""

from __future__ import annotations

import html
import re
import unicodedata
from functools import lru_cache

# Spaces that group digits: `1 234` with a thin or no-break space reads as one number.
_GROUPED = re.compile(r"(?<=\d)[\u00a0\u2007\u2009\u202f](?=\d{3}(?!\d))")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_STRONG = re.compile(r"\*+|~~+")
_EMPHASIS = re.compile(r"(?<![\w`])_+(?=\S)|(?<=\S)_+(?![\w`])")
_LINK = re.compile(r"!?\[([^\]\n]*)\]\([^)\n]*\)")
_HIDDEN = frozenset({"Cf", "Cc", "Cs", "Co"})
_WORD = re.compile(r"[^\W\d_]{2,}")
_ENDINGS = ("ations", "ation", "ings", "ing", "ies", "edly", "ed", "es", "ly", "s", "e", "y")


# The same few texts are looked at for every sentence of an answer.
@lru_cache(maxsize=4096)
def plain(text: str) -> str:
    """The text without emphasis, entities, invisible characters and with every digit as 0 to 9."""
    shown = _GROUPED.sub("", html.unescape(text))
    hidden = [char for char in set(shown) if char not in "\n\t" and unicodedata.category(char) in _HIDDEN]
    if hidden:
        shown = shown.translate({ord(char): None for char in hidden})
    if not shown.isascii():
        shown = unicodedata.normalize("NFKC", shown)
        shown = shown.translate({ord(char): _digit(char) for char in set(shown) if _digit(char) != char})
    shown = _ESCAPED.sub(r"\1", shown)
    shown = _EMPHASIS.sub("", _STRONG.sub("", shown))
    return re.sub(r"[^\S\n]+", " ", shown.replace("’", "'").replace("‑", "-").replace("−", "-"))


def without_links(text: str) -> str:
    """Inline links as their labels alone."""
    return _LINK.sub(r"\1", text)


@lru_cache(maxsize=4096)
def folded(text: str) -> str:
    """For comparing: plain, lower case, one space between words."""
    return " ".join(plain(text).casefold().split())


@lru_cache(maxsize=16_384)
def stem(word: str) -> str:
    """A word without its commonest English endings, so that `requests` and `request` are one."""
    small = word.casefold()
    for ending in _ENDINGS:
        if small.endswith(ending) and not small.endswith("ss") and len(small) - len(ending) >= 3:
            return small[: -len(ending)]
    return small


@lru_cache(maxsize=4096)
def stems(text: str) -> frozenset[str]:
    """The stems of all words of two letters and more, names and metric names taken apart."""
    return frozenset(stem(word) for word in _WORD.findall(text))


def _digit(char: str) -> str:
    if char.isascii() or not char.isdecimal():
        return char
    return str(unicodedata.decimal(char))
