"""Building the index: packs and users' pages, cut, embedded where they changed, written as one new build."""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from knowledge.belonging import sides_of
from knowledge.builds import (
    SCHEMA,
    Build,
    Manifest,
    current_build,
    index_folder,
    named,
    point_at,
    read_manifest,
    write_build,
)
from knowledge.encoder import Encoder, Say, Vectors, count_tokens, encoder_id, load_encoder
from knowledge.home import PACKS
from knowledge.index import IndexProblem, drop_vectors, write_vectors
from knowledge.pages import Page, load_shelf
from knowledge.passages import Passage, cut
from knowledge.sources.declared import Declared, SourceProblem, add, forget_all, load_declared, new_source
from knowledge.sources.gathering import Progress, Reading, read_sources
from knowledge.strays import DIGEST, KIN, STRAYS

_ENCODE_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build did: counts, seconds, and a sentence for each thing that was left out.

    `embedded` passages were encoded now, `reused` ones keep the vector they had. Both are 0 when nothing
    had changed.
    """

    pages: int
    passages: int
    embedded: int
    reused: int
    seconds: float
    skipped: list[str]


def build_index(
    home: Path,
    extra_paths: Sequence[Path | str] = (),
    progress: Progress = lambda _done, _total, _what: None,
    *,
    embeddings: str = "",
    chroma_url: str = "",
    packs: Path = PACKS,
    forget: bool = False,
    say: Say = lambda _: None,
    encoder: Encoder | None = None,
) -> BuildReport:
    """Make the index current, and return what that took. Does nothing when nothing changed.

    `extra_paths` are users' own files, folders and git addresses; they are declared in `sources.toml` for later builds, until
    `forget`. Only passages whose text changed are embedded. Raises IndexProblem (cannot write, Chroma
    refuses, no pages) or EncoderProblem; the index that was there before then still counts.
    """
    started = time.monotonic()
    try:
        index_folder(home).mkdir(parents=True, exist_ok=True)
        with _one_builder(home, say):
            sources, wrong = _declared(home, extra_paths, forget)
            pages, skipped, readings = _gather(home, packs, sources, progress)
            skipped = [*wrong, *skipped]
            write_readings(home, readings)
            passages = [passage for page in pages for passage in cut(page, count_tokens)]
            if not passages:
                raise IndexProblem("There is no page to index. " + " ".join(skipped[:3]))
            identity = encoder.id if encoder else encoder_id(embeddings)
            fingerprint = _fingerprint(identity, pages, passages)
            embedded = reused = 0
            if not _is_current(home, fingerprint, chroma_url):
                made = encoder or load_encoder(home, embeddings, say)
                embedded, reused = _build(
                    home,
                    made,
                    pages=pages,
                    passages=passages,
                    fingerprint=fingerprint,
                    chroma_url=chroma_url,
                    progress=progress,
                    say=say,
                )
    except OSError as error:
        raise IndexProblem(
            f"The index cannot be written in {home} ({error.strerror or error}). "
            "Free some space or set RACKSIDE_HOME to a folder that can be written."
        ) from error
    return BuildReport(len(pages), len(passages), embedded, reused, time.monotonic() - started, skipped)


def _gather(
    home: Path, packs: Path, sources: Sequence[Declared], progress: Progress
) -> tuple[list[Page], list[str], list[Reading]]:
    shelf = load_shelf(packs)
    theirs, readings = read_sources(home, sources, progress)
    skipped = [*map(str, shelf.problems), *(line for reading in readings for line in reading.problems)]
    pages: dict[str, Page] = {}
    skipped += [
        f"{page.path}: another page has its id {page.id} already"
        for page in (*shelf.pages, *theirs)
        if pages.setdefault(page.id, page) is not page
    ]
    return list(pages.values()), skipped, readings


def _fingerprint(identity: str, pages: Sequence[Page], passages: Sequence[Passage]) -> str:
    told = hashlib.sha256(f"{SCHEMA}\n{identity}\n{DIGEST}\n".encode())
    parts = [asdict(page) for page in pages] + [asdict(passage) for passage in passages]
    told.update(json.dumps(parts, sort_keys=True).encode())
    return told.hexdigest()


def _is_current(home: Path, fingerprint: str, chroma_url: str) -> bool:
    folder = current_build(home)
    if folder is None:
        return False
    try:
        build = Build(folder, chroma_url)
        if build.manifest.fingerprint != fingerprint:
            return False
        try:
            build.verify()
        finally:
            build.close()
    except IndexProblem:
        return False
    return True


def _build(
    home: Path,
    encoder: Encoder,
    *,
    pages: list[Page],
    passages: list[Passage],
    fingerprint: str,
    chroma_url: str,
    progress: Progress,
    say: Say,
) -> tuple[int, int]:
    previous = current_build(home)
    keys = [hashlib.sha256(passage.searched.encode()).hexdigest() for passage in passages]
    folder = Path(tempfile.mkdtemp(prefix=f"{fingerprint[:12]}-", dir=index_folder(home)))
    folder.chmod(0o755)
    try:
        known = _known_vectors(previous, encoder.id)
        texts = {key: passage.searched for key, passage in zip(keys, passages, strict=True)}
        called = [name for name, _ in named(pages)]
        made = _embed(encoder, texts | {_name_key(name): name for name in called}, known, progress)
        vectors = np.stack([made[key] for key in keys]).astype(np.float32)
        names = np.stack([made[_name_key(name)] for name in called]).astype(np.float32)
        embedded = sum(key not in known for key in keys)
        strays, kin, sides = _questions(encoder, previous)
        nearest = (strays @ vectors.T).max(axis=1)
        manifest = Manifest(
            schema=SCHEMA,
            encoder=encoder.id,
            dimensions=int(vectors.shape[1]),
            fingerprint=fingerprint,
            passages=len(passages),
            pages=len(pages),
            packs=_counts(pages),
            stray_mean=float(nearest.mean()),
            stray_spread=float(nearest.std()),
        )
        progress(len(passages), len(passages), "writing")
        write_vectors(chroma_url or folder / "chroma", manifest.collection, passages, vectors)
        write_build(
            folder,
            manifest=manifest,
            pages=pages,
            passages=passages,
            keys=keys,
            vectors=vectors,
            names=names,
            strays=strays,
            kin=kin,
            sides=sides,
        )
        point_at(home, folder.name)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    # A reader may still have the build open that was just replaced; nobody has one older than that.
    _sweep(home, {folder, previous} if previous else {folder}, chroma_url, say)
    return embedded, len(passages) - embedded


def _embed(
    encoder: Encoder, texts: dict[str, str], known: dict[str, Vectors], progress: Progress
) -> dict[str, Vectors]:
    """A vector for each text by its key; equal texts are encoded once, those that are known not at all."""
    waiting = sorted((key for key in texts if key not in known), key=lambda key: len(texts[key]))
    found = dict(known)
    for start in range(0, len(waiting), _ENCODE_AT_ONCE):
        progress(start, len(waiting), "embedding")
        some = waiting[start : start + _ENCODE_AT_ONCE]
        found.update(zip(some, encoder.passages([texts[key] for key in some]), strict=True))
    progress(len(waiting), len(waiting), "embedding")
    return found


def _questions(encoder: Encoder, previous: Path | None) -> tuple[Vectors, Vectors, Vectors]:
    """The vectors of the strays and of the field's own questions, and their sides: the last build's where the questions are the same."""
    if previous is not None:
        with suppress(IndexProblem, OSError, UnicodeDecodeError):
            build = Build(previous)
            same = (previous / "questions.sha256").read_text(encoding="utf-8") == DIGEST
            if same and build.manifest.encoder == encoder.id and len(build.strays) == len(STRAYS):
                return build.strays, build.kin, build.sides
    strays, kin = encoder.queries(STRAYS), encoder.queries(KIN)
    return strays, kin, sides_of(kin, strays)


def _name_key(name: str) -> str:
    return f"name {name}"


def _known_vectors(previous: Path | None, identity: str) -> dict[str, Vectors]:
    """The previous build's vectors by key; none where it is damaged or another encoder made them."""
    if previous is None:
        return {}
    try:
        build = Build(previous)
        if build.manifest.encoder != identity:
            return {}
        keys = [*build.keys, *(_name_key(name) for name, _ in build.named)]
        vectors = np.concatenate([build.vectors[list(build.keys.values())], build.names])
        usable = np.abs(np.linalg.norm(vectors, axis=1) - 1.0) < 1e-3
        return {key: vectors[row] for row, key in enumerate(keys) if usable[row]}
    except (IndexProblem, IndexError):
        return {}


def _counts(pages: Sequence[Page]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for page in pages:
        counts[page.pack.id] = counts.get(page.pack.id, 0) + 1
    return counts


def _sweep(home: Path, keep: set[Path], chroma_url: str, say: Say) -> None:
    """Remove builds that nobody can be pointed at any more, and attempts that were broken off."""
    kept = {read_manifest(folder).collection for folder in keep if _is_build(folder)}
    for folder in index_folder(home).iterdir():
        if not folder.is_dir() or folder in keep:
            continue
        if chroma_url and _is_build(folder):
            collection = read_manifest(folder).collection
            try:
                if collection not in kept:
                    drop_vectors(chroma_url, collection)
            except IndexProblem as problem:
                # The folder stays, so that the next build tries again.
                say(str(problem))
                continue
        shutil.rmtree(folder, ignore_errors=True)


def _is_build(folder: Path) -> bool:
    try:
        read_manifest(folder)
    except IndexProblem:
        return False
    return True


def _declared(home: Path, extra_paths: Sequence[Path | str], forget: bool) -> tuple[list[Declared], list[str]]:
    """The users' sources, these and the earlier ones, unless those are to be forgotten."""
    try:
        if forget:
            forget_all(home)
        add(home, [new_source(str(path)) for path in extra_paths])
        return load_declared(home)
    except SourceProblem as problem:
        raise IndexProblem(str(problem)) from problem


def write_readings(home: Path, readings: Sequence[Reading]) -> None:
    """Keep what a build found in each source, for `rackside knowledge sources`."""
    file = index_folder(home) / "sources.json"
    if not readings and not file.exists():
        return
    draft = file.with_suffix(".draft")
    draft.write_text(json.dumps([asdict(reading) for reading in readings]), encoding="utf-8")
    draft.replace(file)


def load_readings(home: Path) -> dict[str, Reading]:
    """What the last build found in each source, by name; empty where none was built."""
    try:
        stored = json.loads((index_folder(home) / "sources.json").read_text(encoding="utf-8"))
        found = [Reading(**{**one, "problems": tuple(one["problems"])}) for one in stored]
    except (OSError, ValueError, TypeError, KeyError):
        return {}
    return {one.name: one for one in found}


@contextmanager
def _one_builder(home: Path, say: Say) -> Iterator[None]:
    """Builds of one home take turns; a builder that dies lets go."""
    with (index_folder(home) / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another process is building the index; waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
