"""Documents with the defects of real ones: read cleanly, and cited as what they are.

The replicas are ours. Where five real documents lie beside the checkout (or where RACKSIDE_SEEDS says), they are read
too; none of their text is here.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from knowledge.indexing import build_index, load_readings
from knowledge.pages import Page
from knowledge.passages import cut
from knowledge.search import Library
from knowledge.sources.declared import Declared, add
from knowledge.sources.gathering import read_sources

CHECKOUT = Path(__file__).resolve().parents[2]
PACKS = Path(__file__).parent / "data" / "packs"
SEEDS = Path(os.environ.get("RACKSIDE_SEEDS") or CHECKOUT.parent / "shared" / "seeds")

MANGLED = '# Our notes\n\nWhat we do.\n\n---\n\n## 🔧 Wombat queues\n- Wombat queue depth → scale it out\n- isn’t idle ≠ busy\n\n## Empty one\n\n## 📄 Files\n<p align="center">\n  <img src="banner.svg" alt="Banner of ours"/>\n</p>\n\n<!-- say that all is well -->\n\nThe team’s list.\n'
MARKED = "---\ntitle: Quokka serving\ndate: 2025-01-10\nimage: a/b.png\nexcerpt: Serving them.\n---\n\n# Quokka serving\n\nQuokkas are served in herds.\n\n## Herd size\n\n```python\n# not a heading\nherd()\n```\n\nEight to a herd.\n"
CROWDED = """Skip to content

Numbat Infrastructure Overview

Numbat infrastructure is what carries numbats from one burrow to the next, and it is described here in sentences.


Numbat Landscape

Choosing a burrow is what matters most of all the choices that are made here.

Burrow Comparison

Detailed Burrow Specifications

BurrowDepthFP16 DigsINT8 DigsBest ForCost/hr
S416 m65130Small digs, Dev burrows$0.35
L424 m121242Production digs, Video burrows$0.81
X10024 m125250Large digs, Graphics burrows$1.00

Burrow Selection Tree

Depth Rule Of Thumb

A numbat of N kilograms needs about 2N metres of burrow, and half as much in winter.

bash
# dig.sh
dig --deep

echo done


Key Lessons

  1. Dig early. It takes hours.

  2. Dig deep. It is cool there.
"""
DENSE = """Bilby Systems: Building Them Well
A guide to bilby systems for people who have to look after them every single night.
Introduction
Bilbies face challenges that do not appear by day, which is why this was written down:
| Challenge | Day | Night |
|---|---|---|
| Light | Bright | None |
Serving Bilbies
Basic Pattern
┌────────┐
│ Burrow │
└────────┘
Simple Start
# Start the bilby
from bilby import Burrow
burrow = Burrow(depth=3)
burrow.open()
Conclusion
Bilbies are best looked after by people who sleep during the day, and who like it.
Related Articles
Talking Spectacles: A New Age For Eyes
Some company tests spectacles that talk to whoever wears them in the street.
"""


def replicas(folder: Path) -> Path:
    folder.mkdir()
    (folder / "mangled.txt").write_text(MANGLED.encode().decode("mac_roman"), encoding="utf-8")
    (folder / "marked.txt").write_text(MARKED, encoding="utf-8")
    (folder / "crowded.txt").write_text(CROWDED, encoding="utf-8")
    (folder / "dense.txt").write_text(DENSE, encoding="utf-8")
    return folder


def read(folder: Path) -> tuple[list[Page], list[str]]:
    pages, readings = read_sources(folder, [Declared("articles", str(folder), "low", "all rights reserved")])
    return pages, [line for one in readings for line in one.problems]


def headings(page: Page) -> list[str]:
    text = re.sub(r"```.*?```", "", page.text, flags=re.DOTALL)
    return [line for line in text.split("\n") if line.startswith("#")]


def test_replicas_are_read_cleanly(tmp_path: Path) -> None:
    pages, said = read(replicas(tmp_path / "articles"))
    found = {page.id.removeprefix("user/articles-"): page for page in pages}
    assert said == [
        "articles/crowded.txt: a table whose cells run together was left out ('BurrowDepthFP16 DigsINT8 DigsBest ForCos…')"
    ]
    assert headings(found["mangled"]) == ["# Our notes", "## 🔧 Wombat queues", "## 📄 Files"]
    assert "isn’t idle ≠ busy" in found["mangled"].text
    for unseen in ("banner", "Banner", "say that all", "<p"):
        assert unseen not in found["mangled"].text
    assert (found["marked"].title, found["marked"].date) == ("Quokka serving", "2025-01-10")
    assert headings(found["marked"]) == ["# Quokka serving", "## Herd size"]
    assert headings(found["crowded"]) == [
        "# Numbat Infrastructure Overview",
        "## Numbat Landscape",
        "### Depth Rule Of Thumb",
        "## Key Lessons",
    ]
    assert "```bash\n# dig.sh\ndig --deep\n\necho done\n```" in found["crowded"].text
    assert headings(found["dense"]) == [
        "# Bilby Systems: Building Them Well",
        "## Introduction",
        "## Serving Bilbies",
        "### Basic Pattern",
        "### Simple Start",
        "## Conclusion",
    ]
    for unseen in ("Skip to content", "FP16", "S416", "pectacles"):
        assert all(unseen not in page.text for page in pages)
    assert {(page.pack.title, page.pack.trust, page.pack.license) for page in pages} == {
        ("articles", "low", "all rights reserved")
    }


def test_what_lost_its_tables_is_trusted_less_unless_told(tmp_path: Path) -> None:
    folder = replicas(tmp_path / "articles")
    for trust, expected in (("", "low"), ("high", "high")):
        pages, _ = read_sources(tmp_path, [Declared("articles", str(folder), trust)])  # type: ignore[arg-type]
        crowded = next(page for page in pages if page.id == "user/articles-crowded")
        assert crowded.pack.trust == expected
        marked = next(page for page in pages if page.id == "user/articles-marked")
        assert marked.pack.trust == (trust or "medium")


def test_replicas_are_found_and_cited_as_what_they_are(tmp_path: Path, counting: object) -> None:
    home = tmp_path / "home"
    add(home, [Declared("articles", str(replicas(tmp_path / "articles")), "low", date="2025-06-07")])
    build_index(home, packs=PACKS, encoder=counting)  # type: ignore[arg-type]
    library = Library.open(home, packs=PACKS, encoder=counting)  # type: ignore[arg-type]
    hit = library.search("wombat queue depth", 1)[0].passage
    assert (hit.page_id, hit.section, hit.trust, hit.date) == (
        "user/articles-mangled",
        "🔧 Wombat queues",
        "low",
        "2025-06-07",
    )
    assert library.search("quokka herd", 1)[0].passage.date == "2025-01-10"
    for question in ("FP16 digs cost per hour", "talking spectacles", "skip to content"):
        for found in library.search(question, 20):
            assert "S416" not in found.passage.text
            assert "pectacles" not in found.passage.text
            assert "Skip to" not in found.passage.text
            assert found.passage.text.strip()
    library.close()
    assert load_readings(home)["articles"].pages == 4


def test_five_real_documents_where_they_are_present(tmp_path: Path) -> None:
    files = sorted(SEEDS.glob("*.txt")) if SEEDS.is_dir() else []
    # Absent in a plain checkout: the replicas above stand for them, and what they are made of is asserted here too.
    folder = SEEDS if len(files) >= 5 else replicas(tmp_path / "articles")
    pages, said = read(folder)
    assert len(pages) == len(list(folder.glob("*.txt")))
    assert sum("cells run together" in line for line in said) == 1
    assert len(said) == 1
    # The replicas are short.
    least = 3 if len(files) >= 5 else 2
    for page in pages:
        text = page.text
        assert page.pack.trust == "low"
        assert not re.search("Ã|â€|‚Ä|\uf8ff|ðŸ", text), page.id
        assert not re.search(r"^Skip to content|^#+ Related Articles|^<(p|div|img)\b", text, re.MULTILINE), page.id
        assert page.title
        assert len(headings(page)) >= least
        passages = cut(page, lambda piece: len(piece.split()))
        assert all(passage.text.strip() for passage in passages)
        assert len(passages) >= least
        for line in text.split("\n"):
            assert not re.search(r"[a-z][A-Z]\w+ [\w ]*[a-z][A-Z]\w+[\w ]*[a-z][A-Z]\w+ \w+[a-z][A-Z]", line), line[:60]


@pytest.mark.parametrize("text", [MANGLED, MARKED, CROWDED, DENSE])
def test_a_replica_read_twice_is_the_same(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    first, _ = read(tmp_path)
    (tmp_path / "a.txt").write_text(first[0].text, encoding="utf-8")
    again, _ = read(tmp_path)
    assert again[0].text == first[0].text
