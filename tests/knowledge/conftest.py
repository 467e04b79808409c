"""The real encoder once a session, and a counting stand-in for tests that are not about meaning."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from knowledge.encoder import EncoderProblem, OnnxEncoder, Vectors, export_folder
from knowledge.indexing import build_index
from knowledge.search import Library
from knowledge.vocabulary import terms

CHECKOUT = Path(__file__).resolve().parents[2]
PACKS = Path(__file__).parent / "data" / "packs"


class CountingEncoder:
    """Vectors from a text's terms alone. Remembers every passage that it was asked for."""

    def __init__(self, identity: str = "counting", width: int = 64) -> None:
        self.id = identity
        self.width = width
        self.encoded: list[str] = []

    def passages(self, texts: Sequence[str]) -> Vectors:
        self.encoded.extend(texts)
        return self._vectors(texts)

    def queries(self, texts: Sequence[str]) -> Vectors:
        return self._vectors(texts)

    def _vectors(self, texts: Sequence[str]) -> Vectors:
        found = np.full((len(texts), self.width), 1e-3, dtype=np.float32)
        for row, text in enumerate(texts):
            for term in terms(text):
                found[row, hashlib.sha256(term.encode()).digest()[0] % self.width] += 1.0
        unit: Vectors = found / np.linalg.norm(found, axis=1, keepdims=True)
        return unit


@pytest.fixture
def counting() -> CountingEncoder:
    return CountingEncoder()


@pytest.fixture(scope="session")
def exported_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a current export: the checkout's own when set-up has made it, else one made now."""
    ours = CHECKOUT / ".rackside"
    try:
        OnnxEncoder(export_folder(ours))
    except EncoderProblem:
        home = tmp_path_factory.mktemp("exported")
        subprocess.run(
            [sys.executable, "-m", "knowledge.encoder"],
            cwd=CHECKOUT,
            env={**os.environ, "RACKSIDE_HOME": str(home)},
            check=True,
            capture_output=True,
            timeout=240,
        )
        return home
    return ours


@pytest.fixture(scope="session")
def onnx(exported_home: Path) -> OnnxEncoder:
    return OnnxEncoder(export_folder(exported_home))


@pytest.fixture(scope="session")
def built_home(exported_home: Path, onnx: OnnxEncoder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the export and an index of the fixture packs. Read it; never build in it."""
    home = tmp_path_factory.mktemp("home")
    (home / "encoder").symlink_to(exported_home / "encoder")
    if (exported_home / "index").is_dir():
        # The vectors of strays and kin are kept from it, a minute's encoding.
        shutil.copytree(exported_home / "index", home / "index")
    build_index(home, packs=PACKS, encoder=onnx, forget=True)
    return home


@pytest.fixture(scope="session")
def shipped(exported_home: Path, onnx: OnnxEncoder, tmp_path_factory: pytest.TempPathFactory) -> Library:
    """The packs that Rackside ships, indexed. What the checkout's own index has encoded already is not encoded again."""
    home = tmp_path_factory.mktemp("shipped")
    if (exported_home / "index").is_dir():
        shutil.copytree(exported_home / "index", home / "index")
    report = build_index(home, encoder=onnx, forget=True)
    assert report.skipped == []
    return Library.open(home, encoder=onnx)


@pytest.fixture(scope="session")
def library(built_home: Path) -> Library:
    return Library.open(built_home, packs=PACKS)
