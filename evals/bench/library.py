"""Knowledge bases of any size, made from the packs: `python -m evals.bench.library make|search HOME`, one process for each.

A large one holds the packs' pages again and again, each copy's vectors turned a little, so that the texts are real and no two
vectors are the same. `search` is a process of its own, so that its peak memory is the search's. Each prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from knowledge.builds import SCHEMA, Build, Manifest, current_build, index_folder, named, point_at, write_build
from knowledge.encoder import Vectors, load_encoder
from knowledge.home import default_home
from knowledge.index import write_vectors
from knowledge.pages import Page
from knowledge.passages import Passage
from knowledge.search import Library

# A copy's vector is this far from the original: cosine about 0.9, as between neighbouring passages of one page.
TURNED = 0.45


def make(home: Path, passages: int) -> dict[str, float]:
    """An index of so many passages in `home`, from the one that is current; seconds of each part."""
    folder = current_build(default_home())
    if folder is None:
        raise SystemExit("There is no index to take pages from: rackside knowledge index")
    real = Build(folder)
    chosen = np.random.default_rng(1)
    pages: list[Page] = []
    told: list[Passage] = []
    vectors: list[Vectors] = []
    names: list[Vectors] = []
    copies = -(-passages // len(real.passages))
    for copy in range(copies):
        left = passages - len(told)
        mark = f"copy-{copy}/"
        kept = [(row, one) for row, one in enumerate(real.passages[:left])]
        wanted = {one.page_id for _, one in kept}
        # Only our own pages have other names; a user's page has its title.
        pages += [
            replace(page, id=mark + page.id, aliases=() if copy else page.aliases)
            for page in real.pages.values()
            if page.id in wanted
        ]
        told += [replace(one, id=mark + one.id, page_id=mark + one.page_id) for _, one in kept]
        vectors.append(_turned(real.vectors[[row for row, _ in kept]], chosen))
        rows = [
            row
            for row, (name, page) in enumerate(real.named)
            if page in wanted and (not copy or name == real.pages[page].title)
        ]
        names.append(_turned(real.names[rows], chosen))
    manifest = Manifest(
        schema=SCHEMA,
        encoder=real.manifest.encoder,
        dimensions=real.manifest.dimensions,
        fingerprint=f"bench{passages:027d}",
        passages=len(told),
        pages=len(pages),
        packs={},
        stray_mean=real.manifest.stray_mean,
        stray_spread=real.manifest.stray_spread,
    )
    if len(named(pages)) != sum(map(len, names)):
        raise SystemExit("The copies' names do not match their pages.")
    build = index_folder(home) / "large"
    build.mkdir(parents=True)
    shutil.copytree(default_home() / "encoder", home / "encoder", symlinks=True, dirs_exist_ok=True)
    whole = np.concatenate(vectors)
    started = time.perf_counter()
    write_vectors(build / "chroma", manifest.collection, told, whole)
    chroma_s = time.perf_counter() - started
    write_build(
        build,
        manifest=manifest,
        pages=pages,
        passages=told,
        keys=[one.id for one in told],
        vectors=whole,
        names=np.concatenate(names),
        strays=real.strays,
        kin=real.kin,
        sides=real.sides,
    )
    point_at(home, build.name)
    return {"passages": len(told), "chroma_s": chroma_s, "written_s": time.perf_counter() - started - chroma_s}


def search(home: Path, questions: int) -> dict[str, object]:
    """Milliseconds of each search and of encoding the same question alone, seconds of opening, peak memory in MiB."""
    encoder = load_encoder(home)
    encoder.queries(["warm"])
    library = Library.open(home, encoder=encoder)
    started = time.perf_counter()
    library.search("what is this?")
    opened_s = time.perf_counter() - started
    titles = sorted({page.title for page in library.pages()})
    ours, raw = [], []
    for number in range(questions):
        question = f"{titles[number % len(titles)]}, why is that so in case {number}?"
        started = time.perf_counter()
        encoder.queries([question])
        raw.append(1000.0 * (time.perf_counter() - started))
        started = time.perf_counter()
        library.search(question)
        ours.append(1000.0 * (time.perf_counter() - started))
    library.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
    return {"ours": ours, "raw": raw, "opened_s": opened_s, "peak_mib": peak}


def _turned(vectors: Vectors, chosen: np.random.Generator) -> Vectors:
    noise = chosen.standard_normal(vectors.shape).astype(np.float32)
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    turned = vectors + TURNED * noise
    return np.asarray(turned / np.linalg.norm(turned, axis=1, keepdims=True), dtype=np.float32)


def main(arguments: Sequence[str]) -> None:
    """Do one of the two and print what was seen."""
    parser = argparse.ArgumentParser(prog="python -m evals.bench.library", description="Knowledge bases of any size.")
    parser.add_argument("act", choices=("make", "search"))
    parser.add_argument("home", type=Path)
    parser.add_argument("--passages", type=int, default=10_000)
    parser.add_argument("--questions", type=int, default=40)
    chosen = parser.parse_args(arguments)
    told = make(chosen.home, chosen.passages) if chosen.act == "make" else search(chosen.home, chosen.questions)
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1:])
