"""What must not come out of a surface: each judge gives the reasons why a text got through, none where it did not."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from html.parser import HTMLParser
from typing import Any

_TOKEN = re.compile(r"<([^<>\n]*)>")
_BROADCAST = re.compile(r"@(here|channel|everyone)", re.IGNORECASE)
_SGR = re.compile(r"\x1b\[[0-9;]*m")
_MD_LINK = re.compile(r"(?<!\\)!?\[(?:[^\]\\]|\\.)*\]\(\s*<?([^)\s>]*)|^ {0,3}\[[^\]\n]+\]:\s*(\S+)", re.MULTILINE)
_MD_HTML = re.compile(r"(?<!\\)<(?:[a-zA-Z/!?][^>\n]*>|(?:https?|mailto|ftp|javascript|data|tel|slack):)")
_CODE = re.compile(r"(`+)(?:(?!\1).|\n)*?\1|^ {4}.*$", re.MULTILINE)
_LOADS = {"script", "iframe", "img", "object", "embed", "base", "link", "form", "audio", "video", "frame", "svg"}


def mrkdwn(parts: Collection[Mapping[str, Any]], addresses: Collection[str]) -> Iterator[str]:
    """Text objects of Slack blocks: no mention, no link but to `addresses`, nothing that Slack would turn into one."""
    for part in parts:
        text = part["text"]
        if part["type"] != "plain_text":
            for token in _TOKEN.findall(text):
                if token.partition("|")[0] not in addresses:
                    yield f"a control sequence <{token[:60]}>"
            if "<" in _TOKEN.sub("", text):
                yield "an open bracket"
            if part.get("verbatim") is not True:
                yield "Slack may link names and addresses by itself"
            if text.count("`") % 2:
                yield "an open code span"
        if _BROADCAST.search(text):
            yield "a broadcast in words"
        yield from unseen(text)


def links(text: str) -> set[str]:
    """Where mrkdwn leads."""
    return {token.partition("|")[0] for token in _TOKEN.findall(text)}


def unseen(text: str, also: str = "\n") -> Iterator[str]:
    """Characters that act or hide: controls, direction, zero width, surrogates, private ones."""
    for char in text:
        if char not in also and unicodedata.category(char)[0] == "C":
            yield f"character U+{ord(char):04X}"
            return


def terminal(text: str) -> Iterator[str]:
    """What a terminal gets: colours of ours, nothing else that acts."""
    plain = _SGR.sub("", text)
    if "\x1b" in plain:
        yield "an escape sequence"
    yield from (why for why in unseen(plain) if "U+001B" not in why)


def markdown(text: str, addresses: Collection[str]) -> Iterator[str]:
    """Markdown of ours: no link or picture but to `addresses`, no HTML; what stands in code is shown as it is."""
    shown = _CODE.sub("", text)
    for link in _MD_LINK.finditer(shown):
        address = link[1] or link[2] or ""
        if address not in addresses and re.match(r"[a-z][a-z0-9+.-]*:|//", address, re.IGNORECASE):
            yield f"a link to {address[:60]}"
    for tag in _MD_HTML.findall(shown):
        yield f"HTML {tag[:40]}"
    yield from unseen(text, "\n\t")


def one_line(text: str) -> Iterator[str]:
    """A line of JSON: whole, and readable by whoever reads lines of UTF-8."""
    try:
        json.loads(text)
        text.encode()
    except ValueError as error:
        yield f"no JSON line: {type(error).__name__}"
    if len(text.splitlines()) != 1 and any(char in text for char in "\n\r"):
        yield "more than one line"


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name.startswith("on"):
                self.found.append(f"a handler {name}")
            if name in {"href", "src", "action", "data", "srcset"} and "evil" in (value or ""):
                self.found.append(f"a link to {value}")
            if name in {"href", "src"} and re.match(r"\s*(javascript|data|vbscript):", value or "", re.IGNORECASE):
                self.found.append(f"an address {(value or '')[:40]}")
        if tag in _LOADS:
            self.found.append(f"an element <{tag}>")
        if tag == "meta" and any(name == "http-equiv" for name, _ in attrs):
            self.found.append("a redirection")


def html(text: str) -> Iterator[str]:
    """A page: no element of theirs, no address of theirs."""
    page = _Page()
    page.feed(text)
    page.close()
    yield from page.found
    yield from unseen(text, "\n\t\r")


def prompt(text: str) -> Iterator[str]:
    """What a model is given: all of it between two marks that the data cannot know."""
    opening = re.match(r"DATA ([0-9a-f]{12}) BEGINS\n", text)
    if opening is None:
        yield "no opening mark"
        return
    mark = opening[1]
    if not text.endswith(f"\nDATA {mark} ENDS") or text.count(f"DATA {mark} ") != 2:
        yield "the data can close itself"
    yield from unseen(text, "\n\t")
