"""Builds: immutable, incremental, replaced in one step; whatever is wrong with one is a sentence and a command."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import chromadb
import numpy as np
import pytest
from chromadb.config import Settings

from knowledge import builds, indexing
from knowledge.builds import Build, current_build, index_folder
from knowledge.encoder import Encoder, Vectors
from knowledge.index import REBUILD, IndexProblem
from knowledge.indexing import BuildReport, build_index
from knowledge.search import Library

PACKS = Path(__file__).parent / "data" / "packs"


class Counting(Encoder, Protocol):
    """What the fixture `counting` gives."""

    encoded: list[str]


@pytest.fixture
def packs(tmp_path: Path) -> Path:
    shutil.copytree(PACKS, tmp_path / "packs")
    return tmp_path / "packs"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def folders(home: Path) -> set[str]:
    return {entry.name for entry in index_folder(home).iterdir() if entry.is_dir()}


def test_a_first_build_holds_everything(home: Path, packs: Path, counting: Counting) -> None:
    seen: list[tuple[int, int, str]] = []
    report = build_index(home, progress=lambda *step: seen.append(step), packs=packs, encoder=counting)
    assert (report.pages, report.embedded, report.reused, report.skipped) == (12, report.passages, 0, [])
    # Passages and the pages' names.
    assert seen[0] == (0, seen[0][1], "embedding")
    assert seen[0][1] > report.passages + report.pages
    assert seen[-1][2] == "writing"
    folder = current_build(home)
    assert folder is not None
    build = Build(folder)
    build.verify()
    assert build.manifest.packs == {"gpu": 6, "serving": 6}
    page = build.pages["serving/kv-cache"]
    assert page.sources[0].title == "A fixture"
    assert page.pack.license == "Apache-2.0"
    row = build.rows["serving/kv-cache#when-it-saturates"]
    assert build.nearest(np.array(build.vectors[row]), 1) == [row]
    assert len(build.names) == len(build.named) > report.pages
    alone = next(at for at, (name, page) in enumerate(build.named) if (name, page) == ("fallen off the bus", "gpu/xid"))
    assert abs(float(build.names[alone] @ counting.passages(["fallen off the bus"])[0]) - 1.0) < 1e-5
    assert build.passages[row].section == "When it saturates"
    build.close()


def test_nothing_changed_means_nothing_done(home: Path, packs: Path, counting: Counting) -> None:
    build_index(home, packs=packs, encoder=counting)
    before, counting.encoded = folders(home), []
    report = build_index(home, packs=packs, encoder=counting)
    assert (report.embedded, report.reused, report.pages) == (0, 0, 12)
    assert counting.encoded == []
    assert folders(home) == before


def test_only_what_changed_is_embedded(home: Path, packs: Path, counting: Counting) -> None:
    first = build_index(home, packs=packs, encoder=counting)
    counting.encoded = []
    page = packs / "serving" / "routing.md"
    page.write_text(page.read_text().replace("One pod has most", "A single pod has most"))
    report = build_index(home, packs=packs, encoder=counting)
    assert (report.embedded, report.reused) == (1, first.passages - 1)
    assert len(counting.encoded) == 1
    assert "A single pod" in counting.encoded[0]
    library = Library.open(home, packs=packs, encoder=counting)
    assert "A single pod" in library.search("single pod running requests", 1)[0].passage.text
    page.unlink()
    counting.encoded = []
    build_index(home, packs=packs, encoder=counting)
    assert counting.encoded == []
    assert library.page("serving/routing") is None
    assert all(hit.passage.page_id != "serving/routing" for hit in library.search("single pod running requests", 12))
    library.close()


def test_a_changed_date_is_shown_and_not_embedded_again(home: Path, packs: Path, counting: Counting) -> None:
    build_index(home, packs=packs, encoder=counting)
    counting.encoded = []
    page = packs / "serving" / "routing.md"
    page.write_text(page.read_text().replace("2026-11-21", "2026-12-01"))
    report = build_index(home, packs=packs, encoder=counting)
    assert report.reused == report.passages
    found = Library.open(home, packs=packs, encoder=counting).opening("serving/routing")
    assert found is not None
    assert found.date == "2026-12-01"


def test_the_replaced_build_stays_and_older_ones_go(home: Path, packs: Path, counting: Counting) -> None:
    names: list[str] = []
    for number in range(4):
        (packs / "serving" / "routing.md").write_text(f"---\ntitle: T{number}\n---\nText {number}.\n")
        build_index(home, packs=packs, encoder=counting)
        folder = current_build(home)
        assert folder is not None
        names.append(folder.name)
        assert folders(home) == set(names[-2:])
    (index_folder(home) / "broken-off").mkdir()
    (packs / "serving" / "routing.md").unlink()
    build_index(home, packs=packs, encoder=counting)
    assert "broken-off" not in folders(home)


def test_an_encoder_that_fails_leaves_the_old_index(home: Path, packs: Path, counting: Counting) -> None:
    build_index(home, packs=packs, encoder=counting)
    before = current_build(home)
    (packs / "serving" / "routing.md").write_text("---\ntitle: New\n---\nNew text.\n")

    class Failing:
        id = counting.id

        def passages(self, texts: list[str]) -> Vectors:
            raise MemoryError

        queries = passages

    with pytest.raises(MemoryError):
        build_index(home, packs=packs, encoder=Failing())  # type: ignore[arg-type]
    assert current_build(home) == before
    assert folders(home) == {before.name if before else ""}


def test_users_pages_are_remembered_until_forgotten(
    home: Path, packs: Path, counting: Counting, tmp_path: Path
) -> None:
    docs = tmp_path / "runbooks"
    docs.mkdir()
    (docs / "restart.md").write_text("# Restarting zanzibar\n\nDrain zanzibar before you restart it.\n")
    (docs / "broken.md").write_bytes(b"\xff\xff")
    report = build_index(home, [docs], packs=packs, encoder=counting)
    assert report.pages == 13
    assert report.skipped == ["runbooks/broken.md: it is not UTF-8 (byte 0): save it as UTF-8"]
    library = Library.open(home, packs=packs, encoder=counting, base_url="https://kb.example.org")
    hit = library.search("zanzibar", 1)[0].passage
    assert (hit.id, hit.url, hit.trust) == ("user/runbooks-restart", "runbooks/restart.md", "medium")
    assert build_index(home, packs=packs, encoder=counting).pages == 13
    shutil.rmtree(docs)
    gone = build_index(home, packs=packs, encoder=counting)
    assert gone.pages == 12
    assert "it does not exist" in gone.skipped[0]
    assert build_index(home, packs=packs, encoder=counting, forget=True).skipped == []
    library.close()


def test_equal_ids_do_not_break_a_build(home: Path, packs: Path, counting: Counting, tmp_path: Path) -> None:
    shutil.copytree(packs / "gpu", packs / "user")
    (packs / "user" / "pack.toml").write_text((packs / "gpu" / "pack.toml").read_text().replace('"gpu"', '"user"'))
    file = tmp_path / "xid.md"
    file.write_text("# Mine\n\nMine.\n")
    report = build_index(home, [file], packs=packs, encoder=counting)
    assert report.skipped == ["xid.md: another page has its id user/xid already"]
    assert build_index(home, [file], packs=packs, encoder=counting).embedded == 0


def test_building_and_reading_log_nothing(
    home: Path, packs: Path, counting: Counting, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    build_index(home, packs=packs, encoder=counting)
    assert Library.open(home, packs=packs, encoder=counting).search("kv", 1)
    assert [record.getMessage() for record in caplog.records if record.name.startswith("bm25s")] == []


def test_an_index_that_may_only_be_read(
    home: Path, packs: Path, counting: Counting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in an image: its files belong to somebody else, and Chroma would write to them."""
    build_index(home, packs=packs, encoder=counting)
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    before = contents(home)
    library = Library.open(home, packs=packs, encoder=counting)
    assert library.search("kv cache", 1)
    assert len(list(temporary.iterdir())) == 1
    library.close()
    assert list(temporary.iterdir()) == []
    assert contents(home) == before
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    with pytest.raises(IndexProblem, match=r"no copy of it can be made .*TMPDIR"):
        Library.open(home, packs=packs, encoder=counting).search("kv")


def contents(home: Path) -> dict[str, tuple[int, int]]:
    """Size and time of change of every file."""
    files = [file for file in sorted(home.rglob("*")) if file.is_file()]
    return {str(file): (file.stat().st_size, file.stat().st_mtime_ns) for file in files}


def test_no_pages_is_said(home: Path, tmp_path: Path, counting: Counting) -> None:
    with pytest.raises(IndexProblem, match="There is no page to index"):
        build_index(home, packs=tmp_path / "none", encoder=counting)


def test_a_home_that_cannot_be_written_is_said(tmp_path: Path, packs: Path, counting: Counting) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(IndexProblem, match=r"cannot be written .*set RACKSIDE_HOME"):
        build_index(tmp_path / "file", packs=packs, encoder=counting)


def test_a_missing_index_names_the_command(home: Path, counting: Counting) -> None:
    with pytest.raises(IndexProblem, match=f"no knowledge index .*{REBUILD}"):
        Library.open(home, packs=PACKS, encoder=counting).search("kv")


def test_an_index_of_another_encoder_names_both(home: Path, packs: Path, counting: Counting) -> None:
    build_index(home, packs=packs, encoder=counting)
    with pytest.raises(IndexProblem, match=f"built with the embeddings counting, .*ask for .*MiniLM.*{REBUILD}"):
        Library.open(home, packs=packs).search("kv")
    with pytest.raises(IndexProblem, match="ask for sentence-transformers:mine"):
        Library.open(home, packs=packs, embeddings="mine").search("kv")
    make: Any = type(counting)
    other = make("other", 32)
    report = build_index(home, packs=packs, encoder=other)
    assert report.embedded == report.passages
    assert Library.open(home, packs=packs, encoder=other).search("kv", 1)


def test_an_index_of_another_layout_is_rebuilt(home: Path, packs: Path, counting: Counting) -> None:
    build_index(home, packs=packs, encoder=counting)
    folder = current_build(home)
    assert folder is not None
    fields = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**fields, "schema": builds.SCHEMA + 1}))
    with pytest.raises(IndexProblem, match=f"another version of Rackside .*{REBUILD}"):
        Library.open(home, packs=packs, encoder=counting).search("kv")
    build_index(home, packs=packs, encoder=counting)
    assert Library.open(home, packs=packs, encoder=counting).search("kv", 1)


@pytest.mark.parametrize(
    "harm",
    [
        "manifest.json",
        "passages.jsonl",
        "pages.json",
        "words",
        "vectors.npy",
        "strays.npy",
        "kin.npy",
        "keys.json",
        "chroma",
        "chroma/chroma.sqlite3",
    ],
)
@pytest.mark.parametrize("how", ["gone", "cut", "noise"])
def test_any_damage_is_a_sentence_and_mended(home: Path, packs: Path, counting: Counting, harm: str, how: str) -> None:
    build_index(home, packs=packs, encoder=counting)
    folder = current_build(home)
    assert folder is not None
    target = folder / harm
    files = [file for file in target.rglob("*") if file.is_file()] if target.is_dir() else [target]
    for file in files:
        size = file.stat().st_size
        if how == "gone":
            file.unlink()
        elif how == "cut":
            with file.open("r+b") as stream:
                stream.truncate(size // 3)
        else:
            file.write_bytes(b"\x9f{" * (size // 2))
    with pytest.raises(IndexProblem, match=REBUILD) as caught:
        Build(folder).verify()
    assert "\n" not in str(caught.value)
    library = Library.open(home, packs=packs, encoder=counting)
    with suppress(IndexProblem):
        # Parts that this question does not need may be damaged; anything but an answer or a sentence fails here.
        library.outside("kv cache", library.search("kv cache"))
    build_index(home, packs=packs, encoder=counting)
    assert library.search("kv cache", 1)[0].passage.page_id == "serving/kv-cache"
    library.close()


def test_a_collection_with_passages_missing_is_damaged(home: Path, packs: Path, counting: Counting) -> None:
    build_index(home, packs=packs, encoder=counting)
    folder = current_build(home)
    assert folder is not None
    manifest = Build(folder).manifest
    client: Any = chromadb.PersistentClient(folder / "chroma", Settings(anonymized_telemetry=False))
    client.get_collection(manifest.collection, embedding_function=None).delete(ids=["serving/kv-cache"])
    client.close()
    library = Library.open(home, packs=packs, encoder=counting)
    with pytest.raises(IndexProblem, match=f"is damaged.*{REBUILD}"):
        library.search("kv cache")
    report = build_index(home, packs=packs, encoder=counting)
    assert report.reused == report.passages
    assert library.search("kv cache", 1)[0].passage.page_id == "serving/kv-cache"
    library.close()


@pytest.mark.parametrize("pointer", [b"", b"nothing-like-that\n", b"../..\n", b"\xff\xfe", b"/etc\n"])
def test_a_pointer_to_nowhere_is_no_index(home: Path, packs: Path, counting: Counting, pointer: bytes) -> None:
    build_index(home, packs=packs, encoder=counting)
    (index_folder(home) / "current").write_bytes(pointer)
    with pytest.raises(IndexProblem, match="no knowledge index"):
        Library.open(home, packs=packs, encoder=counting).search("kv")
    assert build_index(home, packs=packs, encoder=counting).passages
    assert Library.open(home, packs=packs, encoder=counting).search("kv", 1)


def test_broken_vectors_are_not_reused(home: Path, packs: Path, counting: Counting) -> None:
    build_index(home, packs=packs, encoder=counting)
    folder = current_build(home)
    assert folder is not None
    vectors = np.load(folder / "vectors.npy")
    vectors[0], vectors[1] = 0.0, np.nan
    np.save(folder / "vectors.npy", vectors)
    (packs / "serving" / "routing.md").unlink()
    assert build_index(home, packs=packs, encoder=counting).embedded == 2


def test_two_builders_take_turns(home: Path, packs: Path, counting: Counting, monkeypatch: pytest.MonkeyPatch) -> None:
    inside, most = 0, 0
    waiting: list[str] = []
    gate = threading.Event()
    real = indexing._build

    def watched(*arguments: object, **named: object) -> tuple[int, int]:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        gate.wait(20)
        found = real(*arguments, **named)  # type: ignore[arg-type]
        inside -= 1
        return found

    monkeypatch.setattr(indexing, "_build", watched)
    reports: list[BuildReport] = []

    def say(line: str) -> None:
        waiting.append(line)
        gate.set()

    threads = [
        threading.Thread(target=lambda: reports.append(build_index(home, packs=packs, encoder=counting, say=say)))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert waiting == ["Another process is building the index; waiting for it."]
    assert most == 1
    assert sorted(report.embedded for report in reports) == [0, reports[0].passages]


def test_what_went_in_is_what_the_fingerprint_says(home: Path, packs: Path, counting: Counting) -> None:
    build_index(home, packs=packs, encoder=counting)
    folder = current_build(home)
    assert folder is not None
    manifest = Build(folder).manifest
    assert manifest.collection == f"rackside-{manifest.fingerprint[:16]}"
    assert replace(manifest, fingerprint="0" * 64).collection == "rackside-" + "0" * 16
