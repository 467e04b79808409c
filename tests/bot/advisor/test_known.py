"""Answers from pages alone, on small pages whose every sentence is known."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from bot.advisor.known import ALSO, _of_what_is_named, known, text
from evals.bench.known_questions import known_questions
from knowledge.encoder import load_encoder
from knowledge.home import default_home
from knowledge.indexing import build_index
from knowledge.opened import Section
from knowledge.passages import Passage
from knowledge.search import Library

TOML = 'id = "{0}"\ntitle = "{0}"\nowner = "o"\nlicense = "l"\ntrust = "high"\nlanguage = "en"\n'
FRONT = (
    "---\ntitle: {0}\ndate: 2026-11-21\nrelated: [{1}]\nsources:\n  - {{title: S, url: 'https://example.org'}}\n---\n"
)
ITEM = """## AB-01 · Kettle drill

The kettle drill was done.

- **Phase:** day 2 · **Owner:** sre · **Severity:** high · **Applies to:** any
- **Why:** kettle boiled dry.
- **Verify:** look at the drill.
- **Evidence:** a report.
- **Fix:** do the drill.
- **Source:** [S](https://example.org) (2026-11-21)
"""
PAGES = {
    "tea/kettle": FRONT.format("Kettle", "tea/leaves")
    + "A kettle boils water.\n\n## Why it whistles\n\nSteam whistles in the kettle.\n\n## Colours\n\nEnamel comes in red.\n\n"
    "## What to do\n\n1. Switch it off.\n2. Open the window.\n",
    "tea/leaves": FRONT.format("Leaves", "") + "Leaves steep in water from the kettle.\n",
    "tea/pot": FRONT.format("Teapot", "") + "A teapot keeps warm with a cosy.\n",
    "corrections/myths": FRONT.format("Myths", "") + "Myths are many.\n\n## Whistles\n\nA rule says that steam whistles in the kettle: it does not.\n",
    "list/drills": FRONT.format("Drills", "") + "Drills are done.\n\n" + ITEM,
}  # fmt: skip


@pytest.fixture(scope="module")
def tea(tmp_path_factory: pytest.TempPathFactory) -> Library:
    root = tmp_path_factory.mktemp("packs")
    for name, page in PAGES.items():
        file = root / f"{name}.md"
        file.parent.mkdir(exist_ok=True)
        file.write_text(page)
        (file.parent / "pack.toml").write_text(TOML.format(file.parent.name))
    home = tmp_path_factory.mktemp("home")
    encoder = load_encoder(default_home())
    known_questions(home)
    build_index(home, packs=root, encoder=encoder, forget=True)
    return Library.open(home, packs=root, encoder=encoder)


def flat(markdown: str) -> str:
    return " ".join(markdown.split())


def ask(tea: Library, question: str) -> tuple[str, list[str], list[str], list[str]]:
    hits = tea.search(question, 5)
    answer = known(question, hits, tea)
    return (
        answer.line,
        [heading for heading, _ in answer.sections],
        [one.id for one in answer.related],
        [one.id for one in answer.citations],
    )


def test_the_opening_answers_and_the_nearest_section_follows(tea: Library) -> None:
    line, headings, _, cited = ask(tea, "kettle colours red enamel")
    assert line == "A kettle boils water."
    assert "Colours" in headings
    assert "What to do" not in headings
    assert cited[0] == "tea/kettle"
    assert "tea/kettle#colours" in cited


def test_the_nearest_section_of_the_next_page_is_read_with_it_under_that_pages_name(tea: Library) -> None:
    hits = tea.search("leaves and the cosy of the teapot", 5)
    answer = known("leaves and the cosy of the teapot", hits, tea)
    second = hits[1].passage
    assert hits[1].score >= ALSO * hits[0].score
    assert any(heading.startswith(second.title) for heading, _ in answer.sections)
    far = [replace(hits[0], score=1.0), replace(hits[1], score=0.9 * ALSO)]
    assert not any(heading.startswith(second.title) for heading, _ in known("leaves", far, tea).sections)


def test_the_steps_are_told_when_they_are_asked_for_and_in_the_pages_order(tea: Library) -> None:
    _, headings, _, _ = ask(tea, "kettle enamel red colours, what to do")
    told = [heading for heading in headings if heading in {"Colours", "What to do"}]
    assert told == ["Colours", "What to do"]
    _, headings, _, _ = ask(tea, "kettle enamel red colours")
    assert "What to do" not in headings


def test_what_public_advice_says_otherwise_is_told_beside(tea: Library) -> None:
    _, headings, _, cited = ask(tea, "why the kettle whistles, steam in the kettle")
    assert headings[-1] == "Where public advice differs: Whistles"
    assert "corrections/myths#whistles" in cited


def test_an_item_is_told_with_its_proof_and_its_fix(tea: Library) -> None:
    line, headings, _, cited = ask(tea, "kettle drill done report")
    assert line == "The kettle drill was done."
    assert headings[:3] == ["AB-01: Kettle drill", "How to verify", "How to fix"]
    assert cited[0] == "list/drills#ab-01"
    answer = known("kettle drill done report", tea.search("kettle drill done report", 5), tea)
    assert answer.sections[1][1] == "look at the drill.\n\nProof: a report."


def test_every_quote_is_in_a_page(tea: Library) -> None:
    for question in ("kettle", "drill", "what should I do about the teapot", "leaves and teapot"):
        answer = known(question, tea.search(question, 5), tea)
        for one in answer.citations:
            assert any(flat(one.quote) in flat(page) for page in PAGES.values())


def test_near_items_and_the_next_pages_are_related_and_nothing_twice(tea: Library) -> None:
    _, _, related, cited = ask(tea, "done drill of the kettle")
    assert len(set(cited)) == len(cited)
    assert set(related) <= set(cited)
    _, _, related, _ = ask(tea, "whistles in the kettle")
    assert related[0] in {"list/drills#ab-01", "tea/leaves"}


def test_the_text_has_no_bare_heading_and_ends_with_the_sources(tea: Library) -> None:
    question = "kettle enamel red colours, what to do"
    said = text(known(question, tea.search(question, 5), tea))
    blocks = said.split("\n\n")
    for before, after in pairwise(blocks):
        assert not (before.startswith("### ") and after.startswith("### "))
    assert not blocks[-1].startswith("### ")
    assert {"### Sources", "### Related"} <= set(blocks)


def test_a_section_on_another_code_than_the_one_asked_of_is_not_told() -> None:
    def section(heading: str) -> Section:
        return Section((Passage(f"x#{heading}", "x", "pack", "Codes", heading, "text", "", "high", "2026-11-21"),))

    sections = [section("Exit code 137: killed"), section("Exit code 139: crashed"), section("In general")]
    told = [one.heading for one in _of_what_is_named("what is exit code 139?", sections)]
    assert told == ["Exit code 139: crashed", "In general"]
    assert _of_what_is_named("what is exit code 1?", sections) == sections, "of none of them: they may still help"
    assert _of_what_is_named("why does it die?", sections) == sections
