"""Cutting pages into passages."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.encoder import count_tokens
from knowledge.pages import Pack, Page
from knowledge.passages import ENCODER_TOKENS, Passage, anchor, cut

PACK = Pack("p", "P", "o", "l", "high")


def page(text: str, title: str = "Title", aliases: tuple[str, ...] = ()) -> Page:
    return Page("p/s", PACK, title, text, "knowledge/packs/p/s.md", "2026-11-21", aliases)


def words(text: str) -> int:
    return len(text.split())


def pieces(text: str) -> list[Passage]:
    return cut(page(text), words)


def test_passages_follow_the_headings() -> None:
    found = pieces("Opening.\n\n## A *first* `thing`\nOne.\n\n### Deeper\nTwo.\n\n## Second\nThree.\n")
    assert [passage.id for passage in found] == ["p/s", "p/s#a-first-thing", "p/s#deeper", "p/s#second"]
    assert [passage.section for passage in found] == ["", "A first thing", "A first thing › Deeper", "Second"]
    assert [passage.text for passage in found] == ["Opening.", "One.", "Two.", "Three."]
    assert found[0].url == "knowledge/packs/p/s.md"
    assert found[2].url == "knowledge/packs/p/s.md#deeper"
    assert {(passage.title, passage.trust, passage.date) for passage in found} == {("Title", "high", "2026-11-21")}


def test_a_bare_heading_is_no_passage() -> None:
    assert [passage.id for passage in pieces("Opening.\n\n## Empty\n\n## Full\nText.\n\n## Last\n")] == [
        "p/s",
        "p/s#full",
    ]


def test_a_repeated_heading_gets_githubs_number() -> None:
    found = pieces("O.\n## Same\na\n## Same\nb\n## Same\nc\n")
    assert [passage.id for passage in found] == ["p/s", "p/s#same", "p/s#same-1", "p/s#same-2"]
    assert found[2].url.endswith("#same-1")


def test_a_heading_in_code_is_code() -> None:
    found = pieces("O.\n```\n# not a heading\n```\n## Real\n~~~sh\n## nor this\n```\n# nor this\n~~~\nend\n")
    assert [passage.id for passage in found] == ["p/s", "p/s#real"]
    assert "# nor this" in found[1].text


def test_a_first_heading_that_is_the_title_belongs_to_the_opening() -> None:
    assert [passage.id for passage in pieces("# Title\n\nText.\n")] == ["p/s"]
    assert [passage.id for passage in pieces("# Other\n\nText.\n")] == ["p/s#other"]


def test_long_sections_are_cut_between_paragraphs() -> None:
    paragraphs = [f"Paragraph {n} " + "word " * 98 for n in range(5)]
    found = pieces("O.\n\n## Long\n" + "\n\n".join(paragraphs))
    assert [passage.id for passage in found] == ["p/s", "p/s#long", "p/s#long-2", "p/s#long-3"]
    assert all(passage.url.endswith("#long") for passage in found[1:])
    assert [passage.text.count("Paragraph") for passage in found[1:]] == [2, 2, 1]


def test_a_long_opening_and_a_heading_with_a_number_do_not_share_an_id() -> None:
    found = pieces("word. " * 600 + "\n## Long\n" + "word. " * 600 + "\n## Long 2\nx\n## Long 2\ny\n")
    ids = [passage.id for passage in found]
    assert len(set(ids)) == len(ids)
    assert ids[:2] == ["p/s", "p/s#-2"]


def test_code_and_tables_are_cut_between_lines_only() -> None:
    code = [f"line {n} " + "x " * 20 for n in range(40)]
    rows = [f"| row {n} | " + "y " * 20 + "|" for n in range(40)]
    found = pieces("O.\n## Code\n```yaml\n" + "\n".join(code) + "\n```\n## Table\n" + "\n".join(rows) + "\n")
    lines = [line for passage in found for line in passage.text.split("\n")]
    assert [line for line in lines if line.startswith("line ")] == code
    assert [line for line in lines if line.startswith("| row")] == rows
    parts = [passage.text for passage in found if passage.id.startswith("p/s#code")]
    assert len(parts) > 1
    assert all(text.startswith("```yaml\n") and text.endswith("\n```") for text in parts)


def test_one_endless_line_of_code_stays_whole() -> None:
    line = "value " * 2000
    assert any(line in passage.text for passage in pieces(f"O.\n```\n{line}\n```\n"))


def test_other_names_are_searched_and_not_shown() -> None:
    found = cut(page("Opening.\n## S\nText.\n", aliases=("kv", "paged attention")), words)
    assert "paged attention" in found[0].searched
    assert "paged attention" not in found[0].text
    assert "paged attention" not in found[1].searched
    assert found[1].searched == "Title\nS\nText."


def test_base_url_comes_first() -> None:
    found = cut(page("Opening.\n## S\nText.\n"), words, "https://example.org/docs/")
    assert found[1].url == "https://example.org/docs/knowledge/packs/p/s.md#s"


@pytest.mark.parametrize(
    ("heading", "expected"),
    [
        ("What it costs", "what-it-costs"),
        ("`--max-num-seqs`", "--max-num-seqs"),
        ("A, b & c", "a-b--c"),
        ("显存", "显存"),
    ],
)
def test_anchors_are_githubs(heading: str, expected: str) -> None:
    assert anchor(heading) == expected


def test_real_tokens_fit_the_encoder() -> None:
    text = "Preemption of vllm:num_requests_waiting on GPU-0. " * 400
    for passage in cut(page(f"{text}\n\n## Section\n{text}", aliases=("one", "two")), count_tokens):
        assert count_tokens(passage.searched) <= ENCODER_TOKENS


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["heading", "text", "code", "table", "list"]), st.integers(1, 400)),
        max_size=8,
    )
)
def test_no_word_is_lost_or_doubled(blocks: list[tuple[str, int]]) -> None:
    lines: list[str] = []
    expected: list[str] = []
    for number, (kind, size) in enumerate(blocks):
        names = [f"w{number}x{at}" for at in range(size)]
        if kind == "heading":
            lines += ["", f"{'#' * (2 + size % 3)} H{number}", ""]
            continue
        expected += names
        rows = [names[at : at + 7] for at in range(0, size, 7)]
        if kind == "text":
            lines += ["", ". ".join(" ".join(row) for row in rows), ""]
        elif kind == "code":
            lines += ["```", *(" ".join(row) for row in rows), "```"]
        elif kind == "table":
            lines += ["", *(f"| {' | '.join(row)} |" for row in rows), ""]
        else:
            lines += ["", *(f"- {' '.join(row)}" for row in rows), ""]
    found = pieces("\n".join(lines))
    kept = [word.strip(".") for passage in found for word in passage.text.split() if word.startswith("w")]
    assert kept == expected
    assert len({passage.id for passage in found}) == len(found)
    assert all(words(passage.text) <= ENCODER_TOKENS for passage in found)
