"""HTML elements written as Markdown: what a reader sees, without what stands around a page's own text."""

from __future__ import annotations

import re
from collections.abc import Callable

from lxml import etree

_words = re.compile(r"\S+").findall
_SILENT = frozenset(
    _words(
        "script style template noscript svg math iframe object embed applet canvas video audio map form button input select "
        "textarea dialog menu nav aside footer head link meta base param source track del"
    )
)
_CHROME_ROLES = frozenset(
    _words("navigation banner contentinfo search dialog alertdialog complementary menu menubar tooltip")
)
# A class begins with one of these words; `page-with-sidebar` is the page itself.
_CHROME_CLASS = re.compile(
    r"(?:^|\s)(?:cookies?|consent|gdpr|breadcrumbs?|sidebar|navbar|nav|navigation|menu|toc|table-of-contents|skip-link"
    r"|skip-to-content|related|recommended|share|sharing|social|comments|newsletter|subscribe|advert|advertisement|ads?|promo"
    r"|popup|modal|pagination|prev-next|edit-page|edit-this-page|site-footer|site-header|page-metadata|likes-and-labels"
    r"|headerlink|anchor-link|hash-link|sr-only|visually-hidden|screen-reader-text|noprint)(?:[-_][\w-]*)?(?=\s|$)",
    re.IGNORECASE,
)
_CHROME_ID = re.compile(
    r"(?:cookies?|consent|breadcrumbs?|sidebar|navbar|toc|footer|site-footer|site-header)(?:[-_][\w-]*)?", re.IGNORECASE
)
_HIDDEN_STYLE = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|opacity\s*:\s*0(?:\.0+)?\s*(?:;|$)|font-size\s*:\s*0(?:px|pt|em|%)?\s*(?:;|$)"
    r"|(?:left|top|text-indent)\s*:\s*-\d{3,}|(?:^|;)\s*(?:width|height)\s*:\s*[01](?:px)?\s*(?:;|$)|clip\s*:\s*rect\(",
    re.IGNORECASE,
)
_LANGUAGE = re.compile(r"(?:language|lang|brush:|highlight-source|highlight)[-: ]+([A-Za-z0-9+#]{1,20})")
_SPACE = re.compile(r"[ \t\r\n\f]+")
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BLOCKS = frozenset(
    _words(
        "address article blockquote body center dd details div dl dt fieldset figcaption figure header hgroup hr html li main ol p "
        "section summary ul td th tr tbody thead tfoot caption"
    )
)
MAX_TABLE_CELLS = 40


def markdown_of(root: etree._Element, chrome: bool = True) -> str:
    """An element as Markdown; `chrome` says whether what looks like navigation by its class is left out."""
    writer = _Writer(chrome)
    writer.element(root)
    return writer.text()


class _Writer:
    """Walks elements and writes Markdown blocks."""

    def __init__(self, chrome: bool) -> None:
        self._chrome = chrome
        self._blocks: list[str] = []
        self._line: list[str] = []
        self._indent = ""
        self._mark = ""
        self._quote = ""
        self._numbers: dict[etree._Element, int] = {}
        self._special: dict[str, Callable[[etree._Element], None]] = {
            **dict.fromkeys(_HEADINGS, self._heading),
            **dict.fromkeys(("code", "kbd", "samp", "tt"), self._inline_code),
            **dict.fromkeys(("strong", "b"), self._strong),
            "pre": self._code,
            "table": self._table,
            "br": lambda _: self._line.append("\n"),
            "a": self._anchor,
            "li": self._item,
            "blockquote": self._quoted,
        }

    def text(self) -> str:
        self._close()
        return "\n\n".join(self._blocks).replace("\n\n\x00", "\n").replace("\x00", "") + "\n"

    def element(self, node: etree._Element) -> None:
        name = node.tag if isinstance(node.tag, str) else ""
        if not name or name in _SILENT or is_hidden(node, self._chrome) or (name == "header" and _is_site_header(node)):
            return
        write = self._special.get(name)
        if write is not None:
            write(node)
        elif name in _BLOCKS:
            self._close()
            self._inside(node)
            self._close()
        else:
            self._inside(node)

    def _inside(self, node: etree._Element) -> None:
        self._words(node.text)
        for child in node:
            self.element(child)
            self._words(child.tail)

    def _words(self, text: str | None) -> None:
        if text:
            self._line.append(_SPACE.sub(" ", text))

    def _heading(self, node: etree._Element) -> None:
        self._close()
        words = flat(node)
        if words:
            self._blocks.append(f"{'#' * _HEADINGS[node.tag]} {words}")

    def _inline_code(self, node: etree._Element) -> None:
        words = flat(node)
        self._line.append(f"`{words}`" if words and "`" not in words else words)

    def _strong(self, node: etree._Element) -> None:
        words = "" if len(node) else flat(node)
        if words:
            self._line.append(f"**{words}**")
        else:
            self._inside(node)

    def _quoted(self, node: etree._Element) -> None:
        self._close()
        outer, self._quote = self._quote, self._quote + "> "
        self._inside(node)
        self._close()
        self._quote = outer

    def _anchor(self, node: etree._Element) -> None:
        start = len(self._line)
        self._inside(node)
        words = " ".join("".join(self._line[start:]).split())
        href = (node.get("href") or "").strip()
        if (
            start <= len(self._line)
            and words
            and href.startswith(("https://", "http://"))
            and not re.search(r"[\s()<>]", href)
        ):
            self._line[start:] = [f"[{words.replace('[', '').replace(']', '')}]({href})"]

    def _item(self, node: etree._Element) -> None:
        self._close()
        parent = node.getparent()
        ordered = parent is not None and parent.tag == "ol"
        number = 1
        if ordered:
            number = self._numbers[parent] = self._numbers.get(parent, 0) + 1
        outer = self._indent, self._mark
        depth = sum(1 for one in node.iterancestors("ul", "ol")) or 1
        self._indent = "  " * (min(depth, 6) - 1)
        self._mark = f"{number}. " if ordered else "- "
        self._inside(node)
        self._close()
        self._indent, self._mark = outer

    def _close(self) -> None:
        """End the paragraph or list item that is being written."""
        lines = [" ".join(line.split()) for line in "".join(self._line).split("\n")]
        self._line = []
        words = "\n".join(line for line in lines if line)
        if not words:
            return
        # Text must not become a heading or a fence by what it begins with.
        words = "\n".join(
            "\\" + line if re.match(r"#{1,6}\s|```|~~~|---", line) else line for line in words.split("\n")
        )
        if self._mark:
            follows = (
                "\x00"
                if self._blocks
                and self._blocks[-1].lstrip("\x00 ").startswith(("- ", "1", "2", "3", "4", "5", "6", "7", "8", "9"))
                else ""
            )
            words = f"{follows}{self._indent}{self._mark}{words}".replace("\n", f"\n{self._indent}  ")
            self._mark = "  "
        self._blocks.append("\n".join(self._quote + line for line in words.split("\n")) if self._quote else words)

    def _code(self, node: etree._Element) -> None:
        self._close()
        for line_break in node.iter("br"):
            line_break.tail = "\n" + (line_break.tail or "")
        words = "".join(node.itertext(with_tail=False)).strip("\n")
        if not words.strip():
            return
        classes = " ".join(one.get("class") or "" for one in (node, *node.iter("code")))
        match = _LANGUAGE.search(f"{classes} {node.get('data-syntaxhighlighter-params') or ''}")
        fence = "```"
        while fence in words:
            fence += "`"
        self._blocks.append(f"{fence}{match[1].lower() if match else ''}\n{words}\n{fence}")

    def _table(self, node: etree._Element) -> None:
        self._close()
        rows = [
            [flat(cell).replace("|", "\\|") for cell in row if cell.tag in {"td", "th"}][:MAX_TABLE_CELLS]
            for row in node.iter("tr")
            if next(row.iterancestors("table"), None) is node and not is_hidden(row)
        ]
        rows = [row for row in rows if any(row)]
        width = max(map(len, rows), default=0)
        if width < 2 or len(rows) < 2:
            # Laid out with a table: its cells are paragraphs.
            for cell in (
                cell for row in node.iter("tr") if next(row.iterancestors("table"), None) is node for cell in row
            ):
                self._inside(cell)
                self._close()
            return
        lines = ["| " + " | ".join([*row, *[""] * (width - len(row))]) + " |" for row in rows]
        self._blocks.append("\n".join((lines[0], "|" + "---|" * width, *lines[1:])))


def flat(node: etree._Element) -> str:
    """An element's visible text in one line."""
    pieces: list[str] = [node.text or ""]
    for child in node:
        if isinstance(child.tag, str) and child.tag not in _SILENT and not is_hidden(child):
            pieces.append((" " if child.tag in _BLOCKS or child.tag == "br" else "") + flat(child))
        pieces.append(child.tail or "")
    return " ".join("".join(pieces).replace("¶", "").split())


def is_hidden(node: etree._Element, chrome: bool = True) -> bool:
    """Is it something that a reader does not see, or (with `chrome`) does not read as the page's own?"""
    if not isinstance(node.tag, str):
        return True
    get = node.get
    if get("hidden") is not None or get("aria-hidden") == "true" or (get("role") or "") in _CHROME_ROLES:
        return True
    if _HIDDEN_STYLE.search((get("style") or "")[:2000]):
        return True
    if node.tag in {"body", "html", "main", "article"} or node.tag in _HEADINGS:
        return False
    if not chrome:
        return False
    named = node.tag == "div" and _CHROME_ID.fullmatch((get("id") or "")[:100])
    return bool(named) or _CHROME_CLASS.search((get("class") or "")[:300]) is not None


def _is_site_header(node: etree._Element) -> bool:
    return not any(one.tag in {"article", "main"} for one in node.iterancestors())
