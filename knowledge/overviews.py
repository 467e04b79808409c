"""The table of items in each checklist's overview page, and a page for each team: generated, so that they never lag behind the items.

`python -m knowledge.overviews` writes them, `--check` says which pages are stale.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from knowledge import team_pages
from knowledge.home import PACKS
from knowledge.items import items, table
from knowledge.pages import load_shelf
from knowledge.passages import ITEMS_BEGIN, ITEMS_END, LISTED

SLUG = "overview"


def pages(root: Path = PACKS) -> dict[Path, str]:
    """Every overview page with the content that it should have. Raises ValueError where one has no place for its table."""
    found = {}
    shelf = load_shelf(root)
    for pack in shelf.packs:
        listed = [item for item in items(shelf.pages) if item.pack == pack.id]
        if not listed:
            continue
        file = root / pack.id / f"{SLUG}.md"
        text = file.read_text(encoding="utf-8") if file.is_file() else ""
        if not LISTED.search(text):
            raise ValueError(
                f"{file} is missing or has no line `{ITEMS_BEGIN}` and `{ITEMS_END}` for the table of its items"
            )
        listed.sort(key=lambda item: item.id)
        made = f"{ITEMS_BEGIN}\n\n{len(listed)} items.\n\n{table(listed)}\n\n{ITEMS_END}"
        before, after = LISTED.split(text, maxsplit=1)
        found[file] = f"{before}{made}{after}"
    return found


def main(args: Sequence[str]) -> int:
    """Write the tables and the teams' pages, or with `--check` say which are stale (exit status 1)."""
    try:
        wanted = pages() | team_pages.pages()
    except ValueError as problem:
        print(problem, file=sys.stderr)
        return 1
    stale = [file for file, text in wanted.items() if not file.is_file() or file.read_text(encoding="utf-8") != text]
    for file in stale:
        shown = file.relative_to(PACKS.parent.parent)
        if "--check" in args:
            print(f"{shown} is stale: run `python -m knowledge.overviews`", file=sys.stderr)
        else:
            file.write_text(wanted[file], encoding="utf-8")
            print(f"wrote {shown}")
    return 1 if stale and "--check" in args else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
