"""Packs on disk: what is good is loaded whole, what is bad is one sentence, and the rest still loads."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from knowledge.pages import Pack, PageError, decode, load_shelf, parse_page, split_front_matter

PACKS = Path(__file__).parent / "data" / "packs"
PACK = Pack("serving", "Serving", "tests", "Apache-2.0", "high")
GOOD = "---\ntitle: KV cache\n---\nIt holds keys and values.\n"


def test_a_page_keeps_every_field() -> None:
    shelf = load_shelf(PACKS)
    assert not shelf.problems
    assert [pack.id for pack in shelf.packs] == ["gpu", "serving"]
    page = next(page for page in shelf.pages if page.id == "serving/kv-cache")
    assert page.title == "KV cache"
    assert page.date == "2026-11-21"
    assert page.aliases == ("kv cache", "key-value cache", "paged attention")
    assert page.related == ("serving/preemption",)
    assert page.applies == ("vllm",)
    assert page.checks == ("kv_saturation_queueing",)
    assert page.sources[0].url == "https://example.org/serving/kv-cache"
    assert page.path == "knowledge/packs/serving/kv-cache.md"
    assert page.text.startswith("The KV cache holds")
    assert page.pack.trust == "high"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Just text.\n", "no front matter"),
        ("---\ntitle: A\nNever closed.\n", "never closed"),
        ("---\ndate: 2026-11-21\n---\nText.\n", "no title"),
        ("---\ntitle:\n---\nText.\n", "no title"),
        ("---\ntitle: A\n---\n\n  \n", "nothing below"),
        ("---\ntitle: [unclosed\n---\nText.\n", "not valid YAML"),
        ("---\n- a\n- b\n---\nText.\n", "`name: value`"),
        ("---\ntitle: {a: b}\n---\nText.\n", "`title` is not a text"),
        ("---\ntitle: A\naliases: one\n---\nText.\n", "`aliases` is not a list"),
        ("---\ntitle: A\naliases: [[nested]]\n---\nText.\n", "`aliases` is not a text"),
        ("---\ntitle: A\ndate: yesterday\n---\nText.\n", "`date` is not a date"),
        ("---\ntitle: A\nsources: [plain]\n---\nText.\n", "`sources` is not a list"),
        ("---\ntitle: A\nsources: [{}]\n---\nText.\n", "neither title nor url"),
        ("---\ntitle: A\ndate: 2026-13-45\n---\nText.\n", ""),
    ],
)
def test_a_bad_page_is_one_sentence(text: str, says: str) -> None:
    with pytest.raises(PageError, match=r"^knowledge/packs/serving/x\.md: ") as caught:
        parse_page(text, PACK, "x", "knowledge/packs/serving/x.md")
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_page_without_a_usable_name_has_no_id() -> None:
    with pytest.raises(PageError, match="file name"):
        parse_page(GOOD, PACK, "Über Page", "p.md")


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "it is empty"),
        (b" \n\t\n", "it is empty"),
        (b"\xff\xfe\x00k\x00v", "not UTF-8"),
        (b"caf\xe9 kv cache", r"not UTF-8 \(byte 3\)"),
        (b"\x7fELF\x00\x00\x01", "binary"),
        (b"x" * 100_001, "longer than 100,000"),
    ],
)
def test_what_is_not_text_is_refused(raw: bytes, says: str) -> None:
    with pytest.raises(PageError, match=says):
        decode(raw, "p.md")


def test_control_characters_and_carriage_returns_do_not_survive() -> None:
    assert decode(b"\xef\xbb\xbfa\r\nb\rc\x1b[31m\xe2\x80\xaed\ttab\n", "p.md") == "a\nb\nc[31md\ttab\n"


def test_front_matter_cannot_blow_up() -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}, *a{n - 1}]" for n in range(1, 40)]
    text = (
        "---\ntitle: Bomb\naliases: *a39\n".replace("aliases: *a39\n", "\n".join(lines) + "\naliases: *a39\n")
        + "---\nT.\n"
    )
    with pytest.raises(PageError, match="`aliases` is not a text"):
        parse_page(text, PACK, "bomb", "bomb.md")


def test_front_matter_runs_no_code() -> None:
    with pytest.raises(PageError, match="not valid YAML"):
        split_front_matter("---\ntitle: !!python/object/apply:os.getcwd []\n---\nT.\n", "p.md")


def test_bad_neighbours_take_nothing_with_them(tmp_path: Path) -> None:
    shutil.copytree(PACKS, tmp_path / "packs")
    serving = tmp_path / "packs" / "serving"
    (serving / "empty.md").write_bytes(b"")
    (serving / "latin.md").write_bytes(b"---\ntitle: caf\xe9\n---\nText.\n")
    (serving / "README.md").write_text("Not a page.")
    (serving / "huge.md").write_bytes(b"---\ntitle: A\n---\n" + b"word \n" * 200_000)
    (tmp_path / "packs" / "halfway").mkdir()
    (tmp_path / "packs" / "halfway" / "a.md").write_text(GOOD)
    (tmp_path / "packs" / "__pycache__").mkdir()
    for name, text in {
        "silent": 'id = "silent"\ntitle = "T"\n',
        "other": 'id = "x"\ntitle = "T"\nowner = "o"\nlicense = "l"\ntrust = "high"\nlanguage = "en"\n',
        "trusting": 'id = "trusting"\ntitle = "T"\nowner = "o"\nlicense = "l"\ntrust = "total"\nlanguage = "en"\n',
        "broken": "id = \n",
    }.items():
        (tmp_path / "packs" / name).mkdir()
        (tmp_path / "packs" / name / "pack.toml").write_text(text)
    shelf = load_shelf(tmp_path / "packs")
    assert [page.id for page in shelf.pages] == [page.id for page in load_shelf(PACKS).pages]
    said = [str(problem) for problem in shelf.problems]
    assert len(said) == 8
    for part in ("empty.md: it is empty", "latin.md: it is not UTF-8", "huge.md: it is larger than 1 MB"):
        assert any(part in line for line in said)
    for part in ("halfway/pack.toml: it is missing", "does not say owner, license, trust, language"):
        assert any(part in line for line in said)
    for part in ("its id 'x' is not the name", "its trust is 'total'", "broken/pack.toml: it cannot be read"):
        assert any(part in line for line in said)


def test_no_packs_at_all() -> None:
    shelf = load_shelf(Path("/nowhere/at/all"))
    assert (shelf.packs, shelf.pages, shelf.problems) == ((), (), ())
