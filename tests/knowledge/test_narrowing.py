"""A search kept to packs, to a phase, to a runtime or to checklist items, and a search with a part left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from knowledge.indexing import build_index
from knowledge.narrowing import Only
from knowledge.search import Library, Parts
from tests.knowledge.conftest import CountingEncoder

TOML = 'id = "{0}"\ntitle = "{0}"\nowner = "o"\nlicense = "l"\ntrust = "high"\nlanguage = "en"\n'
FRONT = (
    "---\ntitle: {0}\ndate: 2026-11-21\napplies: [{1}]\nsources:\n  - {{title: S, url: 'https://example.org'}}\n---\n"
)


def item(number: int, what: str, phase: int, applies: str = "any") -> str:
    return (
        f"## AB-{number:02d} · {what}\n\nThe memory of {what} is checked.\n\n"
        f"- **Phase:** day {phase} · **Owner:** sre · **Severity:** low · **Applies to:** {applies}\n"
        "- **Why:** memory.\n- **Verify:** memory.\n- **Evidence:** memory.\n- **Fix:** memory.\n"
        "- **Source:** [S](https://example.org) (2026-11-21)\n\n"
    )


@pytest.fixture(scope="module")
def shelves(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A home with an index of five small pages, and their packs."""
    root = tmp_path_factory.mktemp("packs")
    pages = {
        "list/first": FRONT.format("First", "kubernetes")
        + "Memory.\n\n"
        + item(1, "tokens", 0)
        + item(2, "volumes", 1),
        "list/second": FRONT.format("Second", "kubernetes") + "Memory.\n\n" + item(3, "engines", 2, "vllm"),
        "read/vllm": FRONT.format("Of vLLM", "vllm, kubernetes") + "Memory of one engine.\n",
        "read/tgi": FRONT.format("Of TGI", "tgi") + "Memory of another engine.\n",
        "read/any": FRONT.format("Of all", "kubernetes") + "Memory of every engine.\n",
    }
    for name, text in pages.items():
        file = root / f"{name}.md"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        (file.parent / "pack.toml").write_text(TOML.format(file.parent.name))
    home = tmp_path_factory.mktemp("home")
    build_index(home, packs=root, encoder=CountingEncoder())
    return home, root


def found(shelves: tuple[Path, Path], only: Only | None, parts: Parts | None = None, query: str = "memory") -> set[str]:
    home, root = shelves
    library = Library.open(home, packs=root, encoder=CountingEncoder(), parts=parts)
    try:
        return {hit.passage.id for hit in library.search(query, 20, only)}
    finally:
        library.close()


def test_nothing_is_kept_out_by_nothing(shelves: tuple[Path, Path]) -> None:
    pages = {name.partition("#")[0] for name in found(shelves, None)}
    assert pages == {"list/first", "list/second", "read/vllm", "read/tgi", "read/any"}
    assert found(shelves, Only()) == found(shelves, None)


def test_packs(shelves: tuple[Path, Path]) -> None:
    assert found(shelves, Only(packs=("read",))) == {"read/vllm", "read/tgi", "read/any"}
    assert found(shelves, Only(packs=("no-such-pack",))) == set()


def test_items_stand_for_themselves(shelves: tuple[Path, Path]) -> None:
    assert found(shelves, Only(items=True)) == {"list/first#ab-01", "list/first#ab-02", "list/second#ab-03"}


@pytest.mark.parametrize(
    ("phase", "ids"), [(0, {"list/first#ab-01"}), (1, {"list/first#ab-02"}), (2, {"list/second#ab-03"})]
)
def test_phases(shelves: tuple[Path, Path], phase: int, ids: set[str]) -> None:
    assert found(shelves, Only(phase=phase)) == ids


def test_a_runtime_drops_what_is_about_others_alone(shelves: tuple[Path, Path]) -> None:
    kept = {name.partition("#")[0] for name in found(shelves, Only(packs=("read",), runtime="vllm"))}
    assert kept == {"read/vllm", "read/any"}
    assert found(shelves, Only(items=True, runtime="tgi")) == {"list/first#ab-01", "list/first#ab-02"}
    assert "list/second#ab-03" in found(shelves, Only(items=True, runtime="vllm"))


def test_pages_passage_by_passage(shelves: tuple[Path, Path]) -> None:
    kept = found(shelves, Only(pages=("list/first",)))
    assert kept == {"list/first", "list/first#ab-01", "list/first#ab-02"}
    assert found(shelves, Only(pages=("list/none",))) == set()


def test_an_item_is_had_by_its_passage(shelves: tuple[Path, Path]) -> None:
    home, root = shelves
    library = Library.open(home, packs=root, encoder=CountingEncoder())
    item = library.item("list/second#ab-03")
    assert item is not None
    assert (item.id, item.phase) == ("AB-03", 2)
    assert library.item("list/second") is None
    library.close()


def test_filters_meet(shelves: tuple[Path, Path]) -> None:
    assert found(shelves, Only(packs=("read",), phase=1)) == set()
    assert found(shelves, Only(packs=("list",), phase=1, runtime="vllm")) == {"list/first#ab-02"}


def test_parts_can_be_left_out(shelves: tuple[Path, Path]) -> None:
    assert found(shelves, None, Parts(words=False, vectors=False, names=False)) == set()
    only_words = found(shelves, None, Parts(vectors=False, names=False), "volumes")
    assert only_words == {"list/first#ab-02"}
    unfolded = found(shelves, None, Parts(folded=False))
    assert {"list/first#ab-01", "list/first#ab-02"} <= unfolded


def test_a_library_lists_its_items(shelves: tuple[Path, Path]) -> None:
    home, root = shelves
    library = Library.open(home, packs=root)
    assert [one.id for one in library.items()] == ["AB-01", "AB-02", "AB-03"]
    assert [one.id for one in library.items("list")] == ["AB-01", "AB-02", "AB-03"]
    assert library.items("read") == []
