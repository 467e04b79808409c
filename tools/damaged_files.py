"""Files of a model that lie on the volume and are not whole: nothing was fetched where the server says that it had no need to."""

from __future__ import annotations

import re

from tools.check import Now
from tools.reading import Reading
from tools.vocabulary.volumes import LOG_FILES_THERE

# What safetensors and PyTorch say of a file that broke off, or that is a pointer of Git LFS.
_DAMAGED = re.compile(r"Error while deserializing header: |PytorchStreamReader failed |invalid load key, 'v'")
FETCH_AGAIN = (
    "The files are there and not whole: compare their sizes with the hub's (a few hundred bytes are a pointer of Git LFS: git lfs"
    " pull, or fetch with hf download), remove what is broken, and fetch it again with room to spare."
)


def damaged(text: str) -> bool:
    """Whether a line says that a file of weights is not whole."""
    return _DAMAGED.search(text) is not None


def lay_there(now: Now, line: Reading) -> bool:
    """Whether a line is on a damaged file of which the same log says that it was there before: no download can have failed."""
    there = now.of(line.subject, LOG_FILES_THERE.now)
    return damaged(line.text) and there is not None and bool(there.text)
