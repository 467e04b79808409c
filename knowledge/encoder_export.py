"""The default weights as one ONNX file, proven equal to sentence-transformers before it is used.

Needs torch and onnx (the `export` extra), and nothing of this is imported when a question is answered.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from knowledge.encoder import (
    EXPORTER_VERSION,
    MAX_TOKENS,
    WEIGHTS_SHA256,
    EncoderProblem,
    OnnxEncoder,
    Say,
    Vectors,
    export_folder,
    sha256,
    verified_weights,
)
from knowledge.home import default_home

LEAST_COSINE = 0.9999
# Short, long, empty, foreign, over the limit: where two implementations would part.
PROOF_TEXTS = (
    "",
    "x",
    "OOMKilled",
    "Why is time to first token high?",
    "kv cache usage is at 98 % and 40 requests are waiting",
    "NVRM: Xid (PCI:0000:65:00): 79, pid=1234, GPU has fallen off the bus.",
    "DCGM_FI_DEV_GPU_UTIL reads 0 while vllm:num_requests_running stays at 12",
    "Die Grafikkarte wird zu heiß, und 显存不足 appears in the log 🔥",
    "```\nresources:\n  limits:\n    nvidia.com/gpu: 8\n```",
    "| dtype | bytes |\n| --- | --- |\n| bf16 | 2 |",
    "Tensor parallelism splits every layer over the GPUs of one node. " * 12,
    "preemption " * (2 * MAX_TOKENS),
)


def export(home: Path, say: Say = lambda _: None, again: bool = False) -> Path:
    """The folder of a current export under `home`, made when it is missing, damaged, or wanted `again`.

    Raises EncoderProblem when the weights are not the known ones, torch or onnx is missing, or the export
    encodes differently from sentence-transformers; nothing is left behind then.
    """
    folder = export_folder(home)
    if folder.is_dir() and not again:
        try:
            OnnxEncoder(folder)
        except EncoderProblem:
            say("The exported encoder is damaged and is made anew.")
        else:
            return folder
    started = time.monotonic()
    say("Exporting the encoder to ONNX, once (about 20 seconds).")
    source = verified_weights()
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".export-", dir=folder.parent))
    try:
        reference = _write(source, draft / "model.onnx")
        record = {
            "weights": WEIGHTS_SHA256,
            "exporter": EXPORTER_VERSION,
            "model": sha256(draft / "model.onnx"),
        }
        (draft / "export.json").write_text(json.dumps(record), encoding="utf-8")
        prove_equal(OnnxEncoder(draft).passages(PROOF_TEXTS), reference)
        _put(draft, folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    say(f"The encoder is exported and encodes as sentence-transformers does ({time.monotonic() - started:.0f} s).")
    return folder


def prove_equal(exported: Vectors, reference: Vectors) -> None:
    """Raise EncoderProblem unless each row points where the reference's does (cosine of at least 0.9999)."""
    cosines = (exported * reference).sum(axis=1)
    worst = float(cosines.min()) if np.isfinite(cosines).all() else float("nan")
    if not worst >= LEAST_COSINE:
        raise EncoderProblem(
            f"The exported encoder differs from sentence-transformers (cosine {worst:.5f}, at least {LEAST_COSINE} is "
            "needed) and was thrown away. Answers are not affected: sentence-transformers encodes instead."
        )


def _put(draft: Path, folder: Path) -> None:
    """Move a finished export into place; another process that was quicker has made the same one."""
    draft.chmod(0o755)
    if folder.exists():
        aside = Path(tempfile.mkdtemp(prefix=".replaced-", dir=folder.parent))
        folder.rename(aside / "old")
        shutil.rmtree(aside, ignore_errors=True)
    try:
        draft.rename(folder)
    except OSError:
        OnnxEncoder(folder)


def _write(source: Path, target: Path) -> Vectors:
    """Write the ONNX file and return what sentence-transformers makes of the proof texts."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    try:
        import onnx  # noqa: F401 - torch would find out only at the end
        import torch
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging
    except ImportError as error:
        raise EncoderProblem(
            f"The export needs {error.name}, which is not installed: pip install 'rackside[export]', or leave it: "
            "sentence-transformers then encodes."
        ) from error

    class Pooled(torch.nn.Module):
        """Token vectors averaged over the text's own tokens, at length 1.

        What the model's last two layers do.
        """

        def __init__(self, bert: Any) -> None:
            super().__init__()
            self.bert = bert

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            tokens = self.bert(
                input_ids=input_ids,
                attention_mask=attention_mask,
                token_type_ids=torch.zeros_like(input_ids),
            ).last_hidden_state
            weights = attention_mask.unsqueeze(-1).to(tokens.dtype)
            mean = (tokens * weights).sum(1) / weights.sum(1).clamp(min=1e-9)
            return torch.nn.functional.normalize(mean, p=2.0, dim=1)

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    model = SentenceTransformer(str(source), device="cpu", model_kwargs={"attn_implementation": "eager"})
    reference = np.asarray(
        model.encode(list(PROOF_TEXTS), normalize_embeddings=True, show_progress_bar=False), dtype=np.float32
    )
    example = torch.ones((2, 8), dtype=torch.int64)
    free = {0: "text", 1: "token"}
    with warnings.catch_warnings(), torch.no_grad():
        # The tracer warns of Python branches on shapes; the proof below is what decides.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Pooled(model[0].auto_model).eval(),
            (example, example),
            str(target),
            input_names=["input_ids", "attention_mask"],
            output_names=["vector"],
            dynamic_axes={"input_ids": free, "attention_mask": free, "vector": {0: "text"}},
            opset_version=17,
            dynamo=False,
        )
    return reference


def main(arguments: Sequence[str]) -> int:
    """Export the default weights unless that is done.

    Exit status 0 when an export is there, 1 with a sentence.
    """

    def say(line: str) -> None:
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()

    unknown = [word for word in arguments if word != "--again"]
    if unknown:
        say(f"rackside: {unknown[0]!r} is not known here: python -m knowledge.encoder [--again]")
        return 2
    try:
        export(default_home(), say=say, again="--again" in arguments)
    except EncoderProblem as problem:
        say(f"rackside: {problem}")
        return 1
    return 0
