"""Vectors: the same whichever engine makes them, from weights that are the known ones, with no network."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from knowledge import encoder, encoder_export
from knowledge.encoder import (
    DEFAULT_ID,
    EncoderProblem,
    OnnxEncoder,
    Vectors,
    count_tokens,
    encoder_id,
    export_folder,
    load_encoder,
)
from knowledge.encoder_export import LEAST_COSINE, PROOF_TEXTS, export, prove_equal

CHECKOUT = Path(__file__).resolve().parents[2]

# Runs in a process of its own: torch's import is slow and warns.
FALLBACK = """
import json, sys
from pathlib import Path
from knowledge.encoder import load_encoder
said = []
found = load_encoder(Path(sys.argv[1]), say=said.append)
vectors = found.passages(json.loads(sys.argv[2]))
print(json.dumps({"id": found.id, "said": said, "vectors": vectors.tolist(), "none": found.passages([]).shape}))
"""


def test_vectors_are_unit_length_and_in_order(onnx: OnnxEncoder) -> None:
    texts = ["kv cache " * n for n in range(70, 0, -1)]
    vectors = onnx.passages(texts)
    assert vectors.shape == (70, 384)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    alone = np.vstack([onnx.passages([texts[row]]) for row in (0, 35, 69)])
    assert np.allclose(vectors[[0, 35, 69]], alone, atol=1e-5)


def test_meaning_is_near(onnx: OnnxEncoder) -> None:
    near, far = (
        onnx.passages(["The GPU ran out of memory", "A recipe for soup"])
        @ onnx.queries(["the graphics card has no memory left"])[0]
    )
    assert near > far + 0.3


@pytest.mark.parametrize("text", ["", " ", "\x00", "🔥" * 50, "x" * 50_000, "word " * 20_000, "Ж显 \u202e"])
def test_any_text_has_a_vector(onnx: OnnxEncoder, text: str) -> None:
    vector = onnx.queries([text])[0]
    assert np.isfinite(vector).all()
    assert abs(float(np.linalg.norm(vector)) - 1.0) < 1e-4


def test_no_text_has_none(onnx: OnnxEncoder) -> None:
    assert onnx.passages([]).shape == (0, 384)


def test_sentence_transformers_stands_in_and_agrees(onnx: OnnxEncoder, tmp_path: Path) -> None:
    texts = list(PROOF_TEXTS)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FALLBACK, str(tmp_path), json.dumps(texts)],
        cwd=CHECKOUT,
        env={**os.environ, "HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"},
        check=True,
        capture_output=True,
        text=True,
        timeout=240,
    )
    told = json.loads(done.stdout)
    assert told["id"] == DEFAULT_ID == onnx.id
    assert len(told["said"]) == 1
    assert "python -m knowledge.encoder" in told["said"][0]
    assert told["none"] == [0, 384]
    cosines = (np.array(told["vectors"], dtype=np.float32) * onnx.passages(texts)).sum(axis=1)
    assert cosines.min() >= LEAST_COSINE


def test_a_current_export_is_left_alone(exported_home: Path) -> None:
    said: list[str] = []
    before = (export_folder(exported_home) / "model.onnx").stat().st_mtime_ns
    assert export(exported_home, say=said.append) == export_folder(exported_home)
    assert said == []
    assert (export_folder(exported_home) / "model.onnx").stat().st_mtime_ns == before


def test_the_command_does_nothing_twice(exported_home: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "knowledge.encoder"],
        cwd=CHECKOUT,
        env={**os.environ, "RACKSIDE_HOME": str(exported_home)},
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == ""
    assert "Exporting" not in done.stderr
    assert "| torch" not in done.stderr
    wrong = subprocess.run(
        [sys.executable, "-m", "knowledge.encoder", "--modle"],
        check=False,
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert wrong.returncode == 2
    assert "'--modle' is not known here" in wrong.stderr


def test_other_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = encoder.weights_folder()
    for name in ("tokenizer.json", "config.json"):
        shutil.copy(real / name, tmp_path / name)
    (tmp_path / "model.safetensors").write_bytes(b"not the weights")
    monkeypatch.setattr(encoder, "weights_folder", lambda: tmp_path)
    with pytest.raises(EncoderProblem, match=r"not the known ones \(sha256 .*reinstall"):
        load_encoder(tmp_path)
    with pytest.raises(EncoderProblem, match="not the known ones"):
        export(tmp_path / "home")
    assert not any((tmp_path / "home").rglob("*.onnx"))


def test_missing_weights_say_how_to_get_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(encoder, "WEIGHTS_PACKAGE", "no_such_package_of_weights")
    with pytest.raises(EncoderProblem, match="not installed: run make setup"):
        load_encoder(tmp_path)


@pytest.mark.parametrize("harm", ["shorter", "record", "no record", "other weights"])
def test_a_damaged_export_is_noticed(exported_home: Path, tmp_path: Path, harm: str) -> None:
    folder = export_folder(tmp_path)
    shutil.copytree(export_folder(exported_home), folder)
    if harm == "shorter":
        with (folder / "model.onnx").open("r+b") as stream:
            stream.truncate(1_000_000)
    elif harm == "record":
        (folder / "export.json").write_text("{")
    elif harm == "no record":
        (folder / "export.json").unlink()
    else:
        record = json.loads((folder / "export.json").read_text())
        (folder / "export.json").write_text(json.dumps({**record, "weights": "0" * 64}))
    with pytest.raises(EncoderProblem, match=r"is damaged: run python -m knowledge\.encoder"):
        OnnxEncoder(folder)


def test_a_damaged_export_is_made_anew(exported_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = export_folder(tmp_path)
    folder.mkdir(parents=True)
    good = export_folder(exported_home)

    def write(_source: Path, target: Path) -> Vectors:
        shutil.copy(good / "model.onnx", target)
        return OnnxEncoder(good).passages(PROOF_TEXTS)

    monkeypatch.setattr(encoder_export, "_write", write)
    said: list[str] = []
    export(tmp_path, say=said.append)
    assert said[0] == "The exported encoder is damaged and is made anew."
    assert OnnxEncoder(folder).passages(["x"]).shape == (1, 384)
    assert sorted(entry.name for entry in folder.parent.iterdir()) == [folder.name]


def test_an_export_that_encodes_otherwise_is_thrown_away(
    exported_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = export_folder(exported_home)

    def write(_source: Path, target: Path) -> Vectors:
        shutil.copy(good / "model.onnx", target)
        reference = OnnxEncoder(good).passages(PROOF_TEXTS)
        reference[3] = np.roll(reference[3], 1)
        return reference

    monkeypatch.setattr(encoder_export, "_write", write)
    with pytest.raises(EncoderProblem, match="differs from sentence-transformers"):
        export(tmp_path)
    assert not any(tmp_path.rglob("*.onnx"))


def test_not_a_number_is_not_equal() -> None:
    rows = np.eye(3, dtype=np.float32)
    prove_equal(rows, rows)
    broken = rows.copy()
    broken[1] = np.nan
    with pytest.raises(EncoderProblem):
        prove_equal(broken, rows)


def test_a_model_is_named_by_its_id() -> None:
    assert encoder_id() == DEFAULT_ID
    assert encoder_id("BAAI/bge-small-en-v1.5") == "sentence-transformers:BAAI/bge-small-en-v1.5"


def test_tokens_are_counted_whole() -> None:
    assert count_tokens("") == 0
    assert count_tokens("preemption " * 400) >= 400
