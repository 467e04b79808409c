"""Lines of servers whose volume does not give its files, and lines that only look alike."""

from __future__ import annotations

import pytest

from tools.log_lines import matches
from tools.vocabulary.volumes import LOG_FILES_THERE, LOG_UNREADABLE


@pytest.mark.parametrize(
    "line",
    [
        "OSError: [Errno 116] Stale file handle: '/models/config.json'",
        "OSError: [Errno 107] Transport endpoint is not connected: '/models/llama/model-00001-of-00004.safetensors'",
        "OSError: [Errno 5] Input/output error",
        "safetensors_rust.SafetensorError: Error: Stale NFS file handle (os error 116)",
        "Error: Transport endpoint is not connected (os error 107)",
    ],
)
def test_a_volume_that_does_not_give_its_files(line: str) -> None:
    assert matches(f"INFO starting\n{line}\n")[LOG_UNREADABLE]


@pytest.mark.parametrize(
    "line",
    [
        "OSError: [Errno 98] Address already in use",
        "FileNotFoundError: [Errno 2] No such file or directory: '/models/config.json'",
        "ConnectionResetError: [Errno 104] Connection reset by peer",
        "NCCL WARN socketProgress: Transport endpoint is not connected",
        "BrokenPipeError: [Errno 32] Broken pipe",
        "WARNING: handling of stale file handles is enabled",
    ],
)
def test_what_only_looks_alike(line: str) -> None:
    assert not matches(f"INFO starting\n{line}\n").get(LOG_UNREADABLE)


def test_files_that_lay_there() -> None:
    line = "2025-07-04T12:35:08.906826Z  INFO text_generation_launcher: Files are already present on the host. Skipping download."
    assert matches(f"INFO starting\n{line}\n")[LOG_FILES_THERE]
    fetched = "INFO download: text_generation_launcher: Successfully downloaded weights for org/model"
    assert not matches(f"INFO starting\n{fetched}\n")[LOG_FILES_THERE]
