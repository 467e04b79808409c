"""A Markdown text in which data cannot act: no link but to what we cite, no picture, no HTML.

Names, labels, log lines and quotations stand in our Markdown as they came. What they would do there is undone once, on the whole text,
when an answer is made.
"""

from __future__ import annotations

import re
from collections.abc import Collection

_CODE = re.compile(r"(`+)(?:(?!\1)[\s\S]){0,20000}?\1")
_LINK = re.compile(r"!?\[((?:[^\[\]\\]|\\.){0,2000})\](\()\s*<?([^)\s>]{0,2000})>?[^)\n]{0,500}\)?")
_REFERENCE = re.compile(r"^( {0,3})\[(?=[^\]\n]{0,500}\]:)", re.MULTILINE)
_TAG = re.compile(r"(?<!\\)<(?=[a-zA-Z/!?@#])")
_NEITHER = re.compile(r"\]\((?=\s*<?\s*(?:[a-zA-Z][a-zA-Z0-9+.-]*:|//))")
_DEEP = 5


def only_our_links(text: str, addresses: Collection[str]) -> str:
    """The text with links to `addresses` alone; of others their words stay. What stands in code stays as it is."""
    if "[" not in text and "<" not in text:
        return text
    for _ in range(_DEEP):
        # A link may stand in the words of another.
        undone = _LINK.sub(lambda found: _kept(found, addresses), text)
        if undone == text:
            break
        text = undone
    text = _NEITHER.sub(lambda found: found[0] if _ours(text, found.end(), addresses) else "] (", text)
    text = _REFERENCE.sub(r"\1\\[", text)
    return _tags(text)


def _kept(found: re.Match[str], addresses: Collection[str]) -> str:
    ours = found[3] in addresses and not found[0].startswith("!")
    return found[0] if ours else found[1] if found[1].strip() else found[3]


def _ours(text: str, at: int, addresses: Collection[str]) -> bool:
    return any(text.startswith(f"{address})", at) for address in addresses)


def _tags(text: str) -> str:
    out, end = [], 0
    for code in _CODE.finditer(text):
        out += [_TAG.sub(r"\\<", text[end : code.start()]), code[0]]
        end = code.end()
    return "".join((*out, _TAG.sub(r"\\<", text[end:])))
