"""Files of a model that lie on the volume and are not whole: nothing was fetched where the server says that it had no need to."""

from __future__ import annotations

import re

from tools.check import Now
from tools.reading import Reading
from tools.vocabulary.configuration import MODEL
from tools.vocabulary.container_rights import MOUNTS, mounted
from tools.vocabulary.volumes import LOG_FILES_THERE

LIES_WHERE = (MODEL.now, MOUNTS.now)

# What safetensors and PyTorch say of a file that broke off, or that is a pointer of Git LFS.
_DAMAGED = re.compile(r"Error while deserializing header: |PytorchStreamReader failed |invalid load key, 'v'")
_POINTER = re.compile(r"HeaderTooLarge|invalid load key, 'v'")
FETCH_AGAIN = (
    "The files are there and not whole: compare their sizes with the hub's (a few hundred bytes are a pointer of Git LFS: git lfs"
    " pull, or fetch with hf download), remove what is broken, and fetch it again with room to spare."
)


def damaged(text: str) -> bool:
    """Whether a line says that a file of weights is not whole."""
    return _DAMAGED.search(text) is not None


def lay_there(now: Now, line: Reading) -> bool:
    """Whether a line is on a damaged file that was there before, as the same log says or its mount that nobody can write: no download can have failed."""
    if not damaged(line.text):
        return False
    there = now.of(line.subject, LOG_FILES_THERE.now)
    # A pointer of Git LFS was never fetched by whoever put it there.
    return (there is not None and bool(there.text)) or (_POINTER.search(line.text) is None and _read_only(now, line))


def _read_only(now: Now, line: Reading) -> bool:
    model, mounts = (now.of(line.subject, ask) for ask in LIES_WHERE)
    if model is None or mounts is None or not model.text.startswith("/"):
        return False
    lies = mounted(mounts.text, model.text)
    return lies is not None and lies[1]
