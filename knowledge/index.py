"""Vectors in Chroma: a folder of its own by default, or a collection of a server.

The only module that imports chromadb. Vectors are always passed in, telemetry is off, and whatever Chroma
raises becomes one sentence.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import urllib.parse
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from knowledge.encoder import Vectors
from knowledge.passages import Passage

REBUILD = "rackside knowledge index"
SERVER_SECONDS = 10.0
_ADD_AT_ONCE = 1000
_DATABASE = "/api/v2/tenants/default_tenant/databases/default_database"


class IndexProblem(RuntimeError):  # noqa: N818 - what people read
    """The index cannot be used: a sentence for a person that ends with the command that mends it."""


class VectorIndex:
    """One collection, opened for reading."""

    def __init__(self, place: Path | str, name: str, count: int) -> None:
        """Open collection `name`, which must hold `count` vectors, in a folder (Path) or at a server's URL (str).

        Raises IndexProblem.
        """
        self._place = place
        copy = _copied(place) if isinstance(place, Path) and not os.access(place, os.W_OK) else None
        self._forget_copy = weakref.finalize(self, shutil.rmtree, copy, ignore_errors=True) if copy else None
        self._client = _open(copy or place)
        try:
            self._collection = self._client.get_collection(name, embedding_function=None)
            found = self._collection.count()
        except Exception as error:  # Chroma's errors have no common type
            self.close()
            raise self._incomplete(first_line(error)) from error
        if found != count:
            self.close()
            raise self._incomplete(f"{found} of {count} passages")

    def nearest(self, vector: Vectors, count: int) -> list[str]:
        """The ids of the passages nearest to a unit vector, best first."""
        try:
            answer = self._collection.query(query_embeddings=[vector], n_results=count, include=[])
            return [str(name) for name in answer["ids"][0]]
        except Exception as error:  # Chroma's errors have no common type
            if isinstance(self._place, Path):
                raise damaged(self._place.parent) from error
            raise IndexProblem(
                f"The Chroma server at {shown_url(self._place)} did not answer ({first_line(error)}). "
                "Check that it runs, then ask again."
            ) from error

    def close(self) -> None:
        """Let go of the files or the connection."""
        _close(self._client)
        if self._forget_copy:
            self._forget_copy()

    def _incomplete(self, why: str) -> IndexProblem:
        if isinstance(self._place, Path):
            return damaged(self._place.parent)
        return IndexProblem(
            f"The Chroma server at {shown_url(self._place)} does not hold this index ({why}). Build it there: {REBUILD}"
        )


def write_vectors(place: Path | str, name: str, passages: Sequence[Passage], vectors: Vectors) -> None:
    """Make collection `name` in a folder or at a server's URL.

    One that is complete already is left as it is.
    """
    client = _open(place)
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
                metadatas=[{"pack": one.pack, "page": one.page_id, "url": one.url} for one in some],
            )
    except Exception as error:  # Chroma's errors have no common type
        where = f"Chroma in {place}" if isinstance(place, Path) else f"The Chroma server at {shown_url(place)}"
        raise IndexProblem(f"{where} did not take the index ({first_line(error)}). Then again: {REBUILD}") from error
    finally:
        _close(client)


def drop_vectors(url: str, name: str) -> None:
    """Remove a stale collection from a server; one that is gone already is fine."""
    client = _open(url)
    try:
        if any(collection.name == name for collection in client.list_collections()):
            client.delete_collection(name)
    except Exception as error:  # Chroma's errors have no common type
        raise IndexProblem(
            f"The Chroma server at {shown_url(url)} kept the stale collection {name} ({first_line(error)})."
        ) from error
    finally:
        _close(client)


def shown_url(url: str) -> str:
    """A URL without the password that it may carry."""
    try:
        parts = urllib.parse.urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "an address that is none"
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"


def first_line(error: BaseException) -> str:
    """What an error says, in one short line."""
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__


def damaged(folder: Path) -> IndexProblem:
    """The problem of a build whose files do not belong together."""
    return IndexProblem(f"The knowledge index in {folder} is damaged. Build it anew: {REBUILD}")


def _copied(folder: Path) -> Path:
    """A private copy of a database that this process may not write to: Chroma writes even when it only reads."""
    if not folder.is_dir():
        raise damaged(folder.parent)
    try:
        copy = Path(tempfile.mkdtemp(prefix="rackside-chroma-"))
        shutil.copytree(folder, copy, dirs_exist_ok=True, copy_function=shutil.copyfile)
        copy.chmod(0o700)
    except OSError as error:
        raise IndexProblem(
            f"The knowledge index in {folder.parent} cannot be written to, and no copy of it can be made "
            f"({first_line(error)}). Give Rackside a temporary folder (TMPDIR) or a RACKSIDE_HOME of its own."
        ) from error
    return copy


def _open(place: Path | str) -> Any:
    return _open_folder(place) if isinstance(place, Path) else _connect(place)


def _open_folder(folder: Path) -> Any:
    import chromadb
    from chromadb.config import Settings

    try:
        return chromadb.PersistentClient(path=str(folder), settings=Settings(anonymized_telemetry=False))
    except Exception as error:  # a damaged database makes it raise anything
        raise damaged(folder.parent) from error


def _close(client: Any) -> None:
    """Close a client, and the sockets that its own closing leaves open (it and its admin half have one session each)."""
    client.close()
    for half in (client, client._admin_client):  # noqa: SLF001 - no public way
        session = getattr(half._server, "_session", None)  # noqa: SLF001
        if session is not None:
            session.close()


def _connect(url: str) -> Any:
    import chromadb
    import requests
    from chromadb.config import Settings

    try:
        parts = urllib.parse.urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        parts, port = urllib.parse.urlsplit(""), 0
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise IndexProblem("RACKSIDE_CHROMA_URL is not an address: write it as http://HOST:8000.")
    try:
        # The client itself would wait for ever on a server that accepts and says nothing.
        requests.get(urllib.parse.urljoin(url, _DATABASE), timeout=SERVER_SECONDS).raise_for_status()
        client = chromadb.HttpClient(
            host=parts.hostname,
            port=port,
            ssl=parts.scheme == "https",
            settings=Settings(anonymized_telemetry=False),
        )
        session: Any = client._server  # type: ignore[attr-defined]  # noqa: SLF001 - no public way to a limit
        session._session.timeout = SERVER_SECONDS  # noqa: SLF001
    except Exception as error:  # requests', httpx's and the client's own ValueError
        raise IndexProblem(
            f"The Chroma server at {shown_url(url)} cannot be reached ({first_line(error)}). "
            "Check RACKSIDE_CHROMA_URL and that the server runs; without the setting the index lies on disk."
        ) from error
    return client
