"""Builds of the index: immutable folders, and a pointer to the one that counts.

`home/index/<build>/` holds a manifest, the passages, the pages, the word index, the vectors and a Chroma
database; `home/index/current` names the build. A build never changes once the pointer names it, so a reader
that has it open never sees half of anything: it opens the next one when the pointer moves. With
RACKSIDE_CHROMA_URL the vectors are searched in a collection of that server, one per build and named after
its content, so that replicas share it; all the rest stays under `home`.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from knowledge import lexical
from knowledge.belonging import sides_of
from knowledge.encoder import Vectors
from knowledge.index import REBUILD, IndexProblem, VectorIndex, damaged
from knowledge.pages import Pack, Page, Source
from knowledge.passages import Passage
from knowledge.strays import DIGEST

# Part of every manifest: raise it when the layout of a build or the cutting of passages changes.
SCHEMA = 3


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a build holds. `fingerprint` is the sha256 of everything that went into it."""

    schema: int
    encoder: str
    dimensions: int
    fingerprint: str
    passages: int
    pages: int
    packs: dict[str, int]
    # Cosine of the best passage for questions that have nothing to do with the field: mean and spread.
    stray_mean: float
    stray_spread: float

    @property
    def collection(self) -> str:
        """The Chroma collection: the same content has the same name."""
        return f"rackside-{self.fingerprint[:16]}"


def named(pages: Iterable[Page]) -> tuple[tuple[str, str], ...]:
    """Every title and other name of the pages with the page's id, each name of a page once."""
    return tuple((name, page.id) for page in pages for name in dict.fromkeys((page.title, *page.aliases)))


def index_folder(home: Path) -> Path:
    """Where the builds and the pointer lie."""
    return home / "index"


def current_build(home: Path) -> Path | None:
    """The folder of the build that counts, None when there is none."""
    try:
        name = (index_folder(home) / "current").read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
    folder = index_folder(home) / name
    return folder if name and Path(name).name == name and folder.is_dir() else None


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a build; IndexProblem where it is damaged or of another version of Rackside."""
    try:
        fields = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        schema = fields["schema"]
        if schema == SCHEMA:
            return Manifest(**fields)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise damaged(folder) from error
    raise IndexProblem(
        f"The knowledge index was built by another version of Rackside (layout {schema}, this one reads {SCHEMA}). "
        f"Build it anew: {REBUILD}"
    )


class Build:
    """One build, opened for reading.

    Parts are read when they are first needed; each raises IndexProblem if damaged.
    """

    def __init__(self, folder: Path, chroma_url: str = "") -> None:
        """Read the manifest of `folder`.

        The vectors are searched at `chroma_url`, or in the folder when it is empty.
        """
        self.folder = folder
        self.manifest = read_manifest(folder)
        self._url = chroma_url

    @cached_property
    def passages(self) -> tuple[Passage, ...]:
        """Every passage, in the order of the rows of all other parts."""
        with _reading(self.folder):
            lines = (self.folder / "passages.jsonl").read_text(encoding="utf-8").splitlines()
            found = tuple(_passage(json.loads(line)) for line in lines)
            if len(found) != self.manifest.passages:
                raise ValueError("passages are missing")
            return found

    @cached_property
    def pages(self) -> dict[str, Page]:
        """Every page by its id."""
        with _reading(self.folder):
            stored = json.loads((self.folder / "pages.json").read_text(encoding="utf-8"))
            return {page.id: page for page in map(_page, stored)}

    @cached_property
    def rows(self) -> dict[str, int]:
        """The row of each passage by its id."""
        return {passage.id: row for row, passage in enumerate(self.passages)}

    @cached_property
    def words(self) -> lexical.WordIndex:
        """The word index."""
        with _reading(self.folder):
            return lexical.WordIndex(self.folder / "words")

    @cached_property
    def vectors(self) -> Vectors:
        """One row per passage, mapped rather than read."""
        with _reading(self.folder):
            found: Vectors = np.load(self.folder / "vectors.npy", mmap_mode="r")
            if found.shape != (self.manifest.passages, self.manifest.dimensions):
                raise ValueError("vectors are missing")
            return found

    @cached_property
    def strays(self) -> Vectors:
        """The vectors of questions that have nothing to do with the field."""
        return self._questions("strays.npy")

    @cached_property
    def kin(self) -> Vectors:
        """The vectors of questions that are the field's own."""
        return self._questions("kin.npy")

    @cached_property
    def sides(self) -> Vectors:
        """To which side each question of both, kin before strays, pulls; see knowledge.belonging."""
        kept = self.folder / "sides.npy"
        with _reading(self.folder):
            # A build that was made before there were sides has all that they are computed from.
            found: Vectors = np.load(kept) if kept.exists() else sides_of(self.kin, self.strays)
            if found.shape != (len(self.kin) + len(self.strays),):
                raise ValueError("sides.npy is incomplete")
            return found

    def _questions(self, name: str) -> Vectors:
        with _reading(self.folder):
            found: Vectors = np.load(self.folder / name)
            if found.ndim != 2 or found.shape[1] != self.manifest.dimensions:
                raise ValueError(f"{name} is incomplete")
            return found

    @cached_property
    def named(self) -> tuple[tuple[str, str], ...]:
        """Every title and other name with the id of the page that bears it, in the order of the rows of `names`."""
        return named(self.pages.values())

    @cached_property
    def names(self) -> Vectors:
        """One row per title and other name of a page."""
        with _reading(self.folder):
            found: Vectors = np.load(self.folder / "names.npy")
            if found.shape != (len(self.named), self.manifest.dimensions):
                raise ValueError("names are missing")
            return found

    @cached_property
    def keys(self) -> dict[str, int]:
        """The row of each embedded text by its sha256."""
        with _reading(self.folder):
            return {key: row for row, key in enumerate(json.loads((self.folder / "keys.json").read_text("utf-8")))}

    @cached_property
    def _chroma(self) -> VectorIndex:
        place = self._url or self.folder / "chroma"
        return VectorIndex(place, self.manifest.collection, self.manifest.passages)

    def nearest(self, vector: Vectors, count: int) -> list[int]:
        """The rows whose vectors are nearest to a unit vector, best first."""
        found = self._chroma.nearest(vector, min(count, self.manifest.passages))
        with _reading(self.folder):
            return [self.rows[name] for name in found]

    def verify(self) -> None:
        """Open every part; IndexProblem for the first that is damaged or missing."""
        _ = (
            self.passages,
            self.pages,
            self.words,
            self.vectors,
            self.names,
            self.strays,
            self.kin,
            self.sides,
            self.keys,
            self._chroma,
        )

    def close(self) -> None:
        """Let go of the database. A build must not be used afterwards."""
        chroma = self.__dict__.pop("_chroma", None)
        if chroma is not None:
            chroma.close()


def open_build(home: Path, encoder: str, chroma_url: str = "") -> Build:
    """The build that counts; IndexProblem where there is none, or where it was made with another encoder."""
    folder = current_build(home)
    if folder is None:
        raise IndexProblem(f"There is no knowledge index in {home} yet. Build it: {REBUILD}")
    build = Build(folder, chroma_url)
    if build.manifest.encoder != encoder:
        raise IndexProblem(
            f"The knowledge index was built with the embeddings {build.manifest.encoder}, and the settings ask for "
            f"{encoder}. Build it anew: {REBUILD}"
        )
    return build


def write_build(
    folder: Path,
    *,
    manifest: Manifest,
    pages: list[Page],
    passages: list[Passage],
    keys: list[str],
    vectors: Vectors,
    names: Vectors,
    strays: Vectors,
    kin: Vectors,
    sides: Vectors,
) -> None:
    """Write all parts of a build that lie under `home` into an empty folder, Chroma's excepted."""
    with (folder / "passages.jsonl").open("w", encoding="utf-8") as stream:
        stream.writelines(json.dumps(asdict(passage)) + "\n" for passage in passages)
    (folder / "pages.json").write_text(json.dumps([asdict(page) for page in pages]), encoding="utf-8")
    (folder / "keys.json").write_text(json.dumps(keys), encoding="utf-8")
    np.save(folder / "vectors.npy", vectors)
    np.save(folder / "names.npy", names)
    np.save(folder / "strays.npy", strays)
    np.save(folder / "kin.npy", kin)
    np.save(folder / "sides.npy", sides)
    (folder / "questions.sha256").write_text(DIGEST, encoding="utf-8")
    lexical.write([passage.searched for passage in passages], folder / "words")
    # Last: a folder without a manifest is an attempt that was broken off.
    (folder / "manifest.json").write_text(json.dumps(asdict(manifest)), encoding="utf-8")


def point_at(home: Path, build: str) -> None:
    """Make a build the one that counts, in one step."""
    folder = index_folder(home)
    handle, draft = tempfile.mkstemp(prefix=".current-", dir=folder)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(build + "\n")
    Path(draft).chmod(0o644)
    Path(draft).replace(folder / "current")


@contextmanager
def _reading(folder: Path) -> Iterator[None]:
    try:
        yield
    except IndexProblem:
        raise
    except Exception as error:  # a damaged file can make each library raise anything
        raise damaged(folder) from error


def _passage(fields: dict[str, Any]) -> Passage:
    return Passage(**{**fields, "aliases": tuple(fields["aliases"])})


def _page(fields: dict[str, Any]) -> Page:
    lists = {name: tuple(fields[name]) for name in ("aliases", "related", "applies", "checks")}
    sources = tuple(Source(**source) for source in fields["sources"])
    return Page(**{**fields, **lists, "pack": Pack(**fields["pack"]), "sources": sources})
