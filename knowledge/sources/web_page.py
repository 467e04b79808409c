"""HTML, saved by a browser or exported by a wiki, as Markdown: what a reader sees of the page's own text.

Scripts, comments, hidden elements, navigation, forms and banners are left out; a hidden instruction to a
language model never becomes a passage. Python's own HTML parser takes minutes for a small hostile file; libxml2
does not.
"""

from __future__ import annotations

import re
import urllib.parse
from dataclasses import dataclass, field

from lxml import etree, html

from knowledge.sources.dates import iso_date
from knowledge.sources.elements import flat, is_hidden, markdown_of

_MAIN = (
    "//main|//*[@role='main']",
    "//*[@id='main-content' or @id='content' or contains(concat(' ',@class,' '),' wiki-content ')]",
    "//article",
)
_SAVED_FROM = re.compile(r"saved from url=\(\d+\)\s*(https?://\S+)|^\s*url:\s*(https?://\S+)", re.MULTILINE)
_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]{2,40})", re.IGNORECASE)
_CHARSETS = re.compile(
    r"utf-?8|us-ascii|ascii|iso-?8859-\d{1,2}|latin-?1|windows-125\d|cp125\d|macintosh|koi8-[ru]|shift_jis|euc-(?:jp|kr)|gb2312"
    r"|gbk|gb18030|big5",
    re.IGNORECASE,
)
_DATES = ("article:modified_time", "article:published_time", "last-modified", "dcterms.modified", "date", "dc.date")
_MODIFIED = re.compile(
    r"(?:last (?:modified|updated|edited)|created)\b[^.\n]{0,80}?\bon\s+([A-Za-z0-9 ,.-]{8,20})", re.IGNORECASE
)
# A page's main part counts only where it holds most of what there is to read.
_MAIN_LEAST = 0.3
# A page that shows less than this (characters) may have lost its text to what looked like chrome.
_LITTLE = 2_000


@dataclass(slots=True)
class WebPage:
    """What an HTML file holds: Markdown, and what it says about itself (empty where it does not)."""

    text: str
    title: str = ""
    link: str = ""
    date: str = ""
    notes: list[str] = field(default_factory=list)


def charset(raw: bytes) -> str:
    """The encoding that an HTML file declares, `utf-8` where it declares none that is known."""
    match = _CHARSET.search(raw[:4096])
    name = match[1].decode("ascii") if match else ""
    return name if _CHARSETS.fullmatch(name) else "utf-8"


def read_web_page(text: str) -> WebPage:
    """An HTML document as Markdown. Any text can be read; where nothing is to be seen, `text` is empty."""
    parser = html.HTMLParser(encoding="utf-8", no_network=True, remove_pis=True)
    try:
        root = html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except (etree.LxmlError, ValueError):
        return WebPage("")
    page = WebPage("", title=_title(root), link=_link(root), date=_date(root))
    if any("depth" in error.message for error in parser.error_log):
        page.notes.append("its elements are nested too deeply, so what lies below was left out")
    whole = markdown_of(root)
    if len(whole) < _LITTLE:
        seen = markdown_of(root, chrome=False)
        if len(whole) < _MAIN_LEAST * len(seen):
            # The names of its classes mean something else here.
            page.text = seen
            return page
    page.text = whole
    for path in _MAIN:
        parts = [part for part in root.xpath(path) if not is_hidden(part)]
        chosen = set(parts)
        outer = (part for part in parts if not any(one in chosen for one in part.iterancestors()))
        own = "\n\n".join(map(markdown_of, outer))
        if len(own) >= _MAIN_LEAST * len(whole) and own.strip():
            page.text = own
            break
    return page


def _title(root: etree._Element) -> str:
    for path in (
        "//h1[@id='title-text' or @id='title-heading']",
        "//h1[contains(@class,'page-title')]",
        "//main//h1|//article//h1",
        "//h1",
    ):
        for node in root.xpath(path):
            words = "" if is_hidden(node) else flat(node)
            if words:
                # Confluence puts the space's name before the page's.
                return words.split(" : ", 1)[-1]
    named = root.findtext(".//title") or ""
    return " ".join(named.split())


def _link(root: etree._Element) -> str:
    links = [node.get("href") or "" for node in root.xpath("//link[@rel='canonical']")]
    links += [node.get("content") or "" for node in root.xpath("//meta[@property='og:url']")]
    for comment in root.xpath("//comment()|/comment()")[:20]:
        match = _SAVED_FROM.search((comment.text or "")[:2000])
        links += [match[1] or match[2]] if match else []
    return next((found for link in links if (found := web_link(link))), "")


def _date(root: etree._Element) -> str:
    for name in _DATES:
        for node in root.xpath("//meta[@content]")[:200]:
            if (node.get("property") or node.get("name") or node.get("http-equiv") or "").lower() == name:
                found = iso_date(node.get("content") or "")
                if found:
                    return found
    for node in root.xpath("//*[contains(@class,'page-metadata')]")[:3]:
        match = _MODIFIED.search(" ".join(node.itertext())[:500])
        if match:
            return iso_date(match[1])
    return ""


def web_link(text: str) -> str:
    """A web address without its fragment, empty where the text is none that can be followed."""
    link = text.strip()
    if len(link) > 2000 or re.search(r"[\s<>\"'|\\^`{}()\[\]]", link):
        return ""
    try:
        parts = urllib.parse.urlsplit(link)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.password:
            return ""
    except ValueError:
        return ""
    return urllib.parse.urlunsplit(parts._replace(fragment=""))
