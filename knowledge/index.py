"""The index on disk and in Chroma: immutable builds, and a pointer to the one that counts.

`home/index/<build>/` holds a manifest, the passages, the pages, the word index, the vectors and a Chroma database;
`home/index/current` names the build. A build never changes once the pointer names it, so a reader that has it open
never sees a half of anything: it opens the next one when the pointer moves. With RACKSIDE_CHROMA_URL the vectors are
searched in a collection of that server, one per build and named after its content; all the rest stays under `home`.
"""

from __future__ import annotations

import json
import os
import tempfile
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from knowledge import lexical
from knowledge.encoder import Vectors
from knowledge.pages import Pack, Page, Source
from knowledge.passages import Passage

# Part of every manifest: raise it when the layout of a build or the cutting of passages changes.
SCHEMA = 1
REBUILD = "rackside knowledge index"
SERVER_SECONDS = 10.0
_ADD_AT_ONCE = 1000


class IndexProblem(RuntimeError):
    """The index cannot be used: a sentence for a person that ends with the command that mends it."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a build holds. `fingerprint` is the sha256 of everything that went into it, `keys` of each embedded text."""

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
        raise _damaged(folder) from error
    raise IndexProblem(
        f"The knowledge index was built by another version of Rackside (layout {schema}, this one reads {SCHEMA}). "
        f"Build it anew: {REBUILD}"
    )


class Build:
    """One build, opened for reading. Parts are read when they are first needed; each raises IndexProblem if damaged."""

    def __init__(self, folder: Path, chroma_url: str = "") -> None:
        """Read the manifest of `folder`; the vectors are searched at `chroma_url`, or in the folder when it is empty."""
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
    def keys(self) -> dict[str, int]:
        """The row of each embedded text by its sha256."""
        with _reading(self.folder):
            return {key: row for row, key in enumerate(json.loads((self.folder / "keys.json").read_text("utf-8")))}

    @cached_property
    def _client(self) -> Any:
        return _connect(self._url) if self._url else _open_folder(self.folder)

    @cached_property
    def _collection(self) -> Any:
        name = collection_name(self.manifest)
        if not self._url:
            with _reading(self.folder):
                return self._counted(self._client.get_collection(name, embedding_function=None))
        client = self._client
        try:
            return self._counted(client.get_collection(name, embedding_function=None))
        except Exception as error:  # the client raises its own, httpx's and ValueError
            raise IndexProblem(
                f"The Chroma server at {shown_url(self._url)} does not hold this index ({_first_line(error)}). "
                f"Build it there: {REBUILD}"
            ) from error

    def _counted(self, collection: Any) -> Any:
        if collection.count() != self.manifest.passages:
            raise ValueError("the collection is not complete")
        return collection

    def nearest(self, vector: Vectors, count: int) -> list[tuple[int, float]]:
        """The rows whose vectors are nearest to a unit vector, with their cosine, best first."""
        wanted = min(count, self.manifest.passages)
        if not wanted:
            return []
        collection = self._collection
        try:
            answer = collection.query(query_embeddings=[vector], n_results=wanted, include=["distances"])
            found = zip(answer["ids"][0], answer["distances"][0], strict=True)
            return [(self.rows[name], 1.0 - float(distance)) for name, distance in found]
        except Exception as error:  # Chroma's errors have no common type
            if self._url:
                raise IndexProblem(
                    f"The Chroma server at {shown_url(self._url)} did not answer ({_first_line(error)}). Check that it runs."
                ) from error
            raise _damaged(self.folder) from error

    def verify(self) -> None:
        """Open every part; IndexProblem for the first that is damaged or missing."""
        _ = (self.passages, self.pages, self.words, self.vectors, self.keys, self._collection)

    def close(self) -> None:
        """Let go of the database. A build must not be used afterwards."""
        client = self.__dict__.pop("_client", None)
        self.__dict__.pop("_collection", None)
        if client is not None:
            client.close()


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
    folder: Path, passages: list[Passage], pages: list[Page], keys: list[str], vectors: Vectors, manifest: Manifest
) -> None:
    """Write all parts of a build that lie under `home` into an empty folder, Chroma's excepted."""
    with (folder / "passages.jsonl").open("w", encoding="utf-8") as stream:
        stream.writelines(json.dumps(asdict(passage)) + "\n" for passage in passages)
    (folder / "pages.json").write_text(json.dumps([asdict(page) for page in pages]), encoding="utf-8")
    (folder / "keys.json").write_text(json.dumps(keys), encoding="utf-8")
    np.save(folder / "vectors.npy", vectors)
    lexical.write([passage.searched for passage in passages], folder / "words")
    # Last: a folder without a manifest is an attempt that was broken off.
    (folder / "manifest.json").write_text(json.dumps(asdict(manifest)), encoding="utf-8")


def write_collection(folder: Path, passages: list[Passage], vectors: Vectors, manifest: Manifest, chroma_url: str) -> None:
    """Put the vectors into Chroma, in the folder or on the server; one that is complete already is left as it is."""
    client = _connect(chroma_url) if chroma_url else _open_folder(folder)
    name = collection_name(manifest)
    try:
        collection = client.get_or_create_collection(
            name, embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
        )
        if collection.count() == len(passages):
            return
        for start in range(0, len(passages), _ADD_AT_ONCE):
            some = passages[start : start + _ADD_AT_ONCE]
            collection.upsert(
                ids=[passage.id for passage in some],
                embeddings=vectors[start : start + _ADD_AT_ONCE],
                metadatas=[{"pack": passage.pack, "page": passage.page_id, "url": passage.url} for passage in some],
            )
    except Exception as error:  # Chroma's errors have no common type
        where = f"The Chroma server at {shown_url(chroma_url)}" if chroma_url else f"Chroma in {folder}"
        raise IndexProblem(f"{where} did not take the index ({_first_line(error)}). Then run again: {REBUILD}") from error
    finally:
        client.close()


def drop_collection(manifest: Manifest, chroma_url: str) -> None:
    """Remove a stale build's collection from the server; one that is gone already is fine."""
    client = _connect(chroma_url)
    try:
        client.delete_collection(collection_name(manifest))
    except Exception as error:  # NotFoundError, or ValueError in older servers
        if "not" not in str(error).lower():
            raise IndexProblem(f"The Chroma server at {shown_url(chroma_url)} kept a stale collection: {error}") from error
    finally:
        client.close()


def point_at(home: Path, build: str) -> None:
    """Make a build the one that counts, in one step."""
    folder = index_folder(home)
    handle, draft = tempfile.mkstemp(prefix=".current-", dir=folder)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(build + "\n")
    Path(draft).chmod(0o644)
    Path(draft).replace(folder / "current")


def collection_name(manifest: Manifest) -> str:
    """The collection's name: the same content has the same name, so that replicas share one."""
    return f"rackside-{manifest.fingerprint[:16]}"


def shown_url(url: str) -> str:
    """A URL without the password that it may carry."""
    parts = urllib.parse.urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}{parts.path}"


def _open_folder(folder: Path) -> Any:
    import chromadb

    with _reading(folder):
        return chromadb.PersistentClient(
            path=str(folder / "chroma"), settings=chromadb.Settings(anonymized_telemetry=False)
        )


def _connect(url: str) -> Any:
    import chromadb
    import httpx

    try:
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("write it as http://host:8000")
        # The client itself would wait for ever on a server that accepts and says nothing.
        httpx.get(urllib.parse.urljoin(url, "/api/v2/heartbeat"), timeout=SERVER_SECONDS).raise_for_status()
        client = chromadb.HttpClient(
            host=parts.hostname,
            port=parts.port or (443 if parts.scheme == "https" else 8000),
            ssl=parts.scheme == "https",
            settings=chromadb.Settings(anonymized_telemetry=False),
        )
        client._server._session.timeout = httpx.Timeout(SERVER_SECONDS)  # type: ignore[attr-defined]  # noqa: SLF001 - no public way
    except Exception as error:  # httpx's, the client's ValueError, a URL that is none
        raise IndexProblem(
            f"The Chroma server at {shown_url(url)} cannot be reached ({_first_line(error)}). "
            "Check RACKSIDE_CHROMA_URL and that the server runs; without the setting the index lies on disk."
        ) from error
    return client


@contextmanager
def _reading(folder: Path) -> Iterator[None]:
    try:
        yield
    except IndexProblem:
        raise
    except Exception as error:  # a damaged file can make each library raise anything
        raise _damaged(folder) from error


def _damaged(folder: Path) -> IndexProblem:
    return IndexProblem(f"The knowledge index in {folder} is damaged. Build it anew: {REBUILD}")


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__


def _passage(fields: dict[str, Any]) -> Passage:
    return Passage(**{**fields, "aliases": tuple(fields["aliases"])})


def _page(fields: dict[str, Any]) -> Page:
    lists = {name: tuple(fields[name]) for name in ("aliases", "related", "applies", "checks")}
    sources = tuple(Source(**source) for source in fields["sources"])
    return Page(**{**fields, **lists, "pack": Pack(**fields["pack"]), "sources": sources})
