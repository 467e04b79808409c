"""An alert's `runbook_url` to the page that it means, among the pages that are known."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Iterable
from dataclasses import dataclass

from knowledge.pages import Page
from knowledge.passages import sections
from knowledge.sources.folders import USER_PACK

_ENDING = re.compile(r"\.(?:md|markdown|mdown|txt|html?|xhtml|aspx?|php)$")
_INDEX = re.compile(r"/(?:readme|index|_index)$")
_NOT_IN_SLUG = re.compile(r"[^a-z0-9]+")
# What a wiki puts before a page's own name: /wiki/spaces/SRE/pages/123456/GPU+out
_PLUMBING = frozenset(
    {"blob", "tree", "raw", "src", "wiki", "pages", "spaces", "display", "docs", "-", "edit", "view", "plain"}
)
_LEAST_TAIL = 2
_LONGEST = 2000


@dataclass(frozen=True, slots=True)
class _Address:
    """An address as it is compared: host without www, path in lower case without its ending, and the fragment."""

    host: str
    path: tuple[str, ...]
    query: str
    fragment: str


def resolve_runbook(url: str, pages: Iterable[Page]) -> str | None:
    """The id of the page that a `runbook_url` means, None where no page or more than one could be meant.

    Tried in this order: the page's own link; the longest common tail of both paths; the last word of the path (or
    the heading it points to) as the slug, a title or another name of one page. Any text is a URL; never raises.
    """
    address = _address(url)
    if address is None:
        return None
    known = list(pages)
    return _by_link(address, known) or _by_tail(address, known) or _by_name(address, known)


def runbook_passage(url: str, pages: Iterable[Page]) -> str | None:
    """As `resolve_runbook`, with `#` and the heading's anchor behind it where the address points to one that exists."""
    known = {page.id: page for page in pages}
    found = resolve_runbook(url, known.values())
    if found is None:
        return None
    address = _address(url)
    wanted = _slug(address.fragment) if address else ""
    if wanted:
        page = known[found]
        for section in sections(page.text, page.title):
            if (
                section.anchor
                and wanted in {_slug(section.anchor), _slug(section.path[-1])}
                and "".join(section.lines).strip()
            ):
                return f"{found}#{section.anchor}"
    return found


def _by_link(address: _Address, pages: list[Page]) -> str | None:
    return _the_one({page.id for page in pages for one in _addresses(page) if _same(one, address)})


def _by_tail(address: _Address, pages: list[Page]) -> str | None:
    """The page whose path ends like the address, in at least two parts, more than any other's."""
    best: list[tuple[int, str]] = []
    for page in pages:
        tails = [_common(one.path, address.path) for one in _addresses(page)]
        tails.append(_common(_parts(page.path) if "://" not in page.path else (), address.path))
        best.append((max(tails), page.id))
    most = max((length for length, _ in best), default=0)
    found = {page for length, page in best if length == most}
    return _the_one(found) if most >= _LEAST_TAIL else None


def _by_name(address: _Address, pages: list[Page]) -> str | None:
    for word in (_slug(address.path[-1]) if address.path else "", _slug(address.fragment)):
        if len(word) < 3 or word in _PLUMBING:
            continue
        found = _the_one({page.id for page in pages if word in _names(page)})
        if found:
            return found
    return None


def _the_one(found: set[str]) -> str | None:
    """The page that is meant: the only one, or the only one of the users' own, whose alert it is."""
    own = {page for page in found if page.startswith(f"{USER_PACK.id}/")}
    some = own or found
    return some.pop() if len(some) == 1 else None


def _names(page: Page) -> set[str]:
    slug = page.id.partition("/")[2]
    last = _parts(page.path)[-1:] if "://" not in page.path else (a.path[-1:] if (a := _address(page.path)) else ())
    return {_slug(name) for name in (slug, page.title, *page.aliases, *last)}


def _addresses(page: Page) -> list[_Address]:
    """Where a user's page lies. The sources of our own pages are what they rest on, not where they are."""
    one = _address(page.path) if "://" in page.path else None
    return [one] if one else []


def _same(one: _Address, other: _Address) -> bool:
    if one.host != other.host or one.query != other.query:
        return False
    # A branch's link and a commit's lead to the same file.
    return _without_commit(one.path) == _without_commit(other.path)


def _without_commit(path: tuple[str, ...]) -> tuple[str, ...]:
    for at, part in enumerate(path[:-1]):
        if part in {"blob", "tree", "raw", "src"} and at >= 2:
            return (*path[:at], *path[at + 2 :])
    return path


def _common(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    length = 0
    for left, right in zip(reversed(one), reversed(other), strict=False):
        if left != right or (left in _PLUMBING and not length):
            break
        length += 1
    return length


def _address(url: str) -> _Address | None:
    text = url.strip()
    if not text or len(text) > _LONGEST or not text.isprintable():
        return None
    try:
        parts = urllib.parse.urlsplit(text)
        host = (parts.hostname or "").removeprefix("www.")
    except ValueError:
        return None
    path = _parts(urllib.parse.unquote(parts.path))
    return _Address(host, path, parts.query, urllib.parse.unquote(parts.fragment)) if path or parts.query else None


def _parts(path: str) -> tuple[str, ...]:
    plain = _INDEX.sub("", _ENDING.sub("", path.rstrip("/").lower()))
    return tuple(part.replace("+", " ").replace(" ", "-") for part in plain.split("/") if part)


def _slug(text: str) -> str:
    return _NOT_IN_SLUG.sub("-", text.lower()).strip("-")
