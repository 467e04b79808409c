"""Lines that engines and drivers really print, in logs of every shape."""

from __future__ import annotations

import time

import pytest

from tools.log_lines import LONGEST_LINE, matches
from tools.signals import LOG_CUDA_OOM, LOG_SERVING, LOG_SHM, LOG_XID, Signal
from tools.sources.log_text import plain
from tools.vocabulary.gpu_software import LOG_NO_DEVICES

OOM = "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79.10 GiB"


@pytest.mark.parametrize(
    ("line", "signal"),
    [
        (OOM, LOG_CUDA_OOM),
        ("RuntimeError: CUDA error: out of memory", LOG_CUDA_OOM),
        (
            "[TRT] [E] [engine.cpp::readEngineFromArchive::1091] Error Code 2: OutOfMemory (Requested size was 5244672 bytes.)",
            LOG_CUDA_OOM,
        ),
        ('Error: DriverError(CUDA_ERROR_OUT_OF_MEMORY, "out of memory")', LOG_CUDA_OOM),
        (
            "ResourceExhaustedError: OOM when allocating tensor with shape[64,3,224,224] and type float on GPU:0",
            LOG_CUDA_OOM,
        ),
        ("[TensorRT-LLM][ERROR] CUDA runtime error in ::cudaMallocAsync(ptr, n, stream): out of memory", LOG_CUDA_OOM),
        ("INFO:     Application startup complete.", LOG_SERVING),
        ('INFO:     10.1.2.3:4242 - "POST /generate HTTP/1.1" 200 OK', LOG_SERVING),
        ('INFO:     10.1.2.3:4242 - "POST /openai/v1/chat/completions HTTP/1.1" 200 OK', LOG_SERVING),
        ("I1030 22:33:28.292879 1 http_server.cc:4497] Started HTTPService at 0.0.0.0:8000", LOG_SERVING),
        (
            "Unable to initialize shared memory key 'triton_python_backend_shm_region_2' to requested size (67108864 bytes).",
            LOG_SHM,
        ),
        ('INFO:     10.1.2.3:4242 - "POST /v1/chat/completions HTTP/1.1" 200 OK', LOG_SERVING),
        ("Error: failed to extend /dev/shm/nccl-kUj2 to 33030532 bytes, error: No space left on device (28)", LOG_SHM),
        ("Bus error (core dumped)", LOG_SHM),
        ("ERROR text_generation_launcher: Shard process was signaled to shutdown with signal 7 rank=1", LOG_SHM),
        ("Error while creating shared memory segment /dev/shm/nccl-vzIpS6 (size 9637888)", LOG_SHM),
        (
            "Failed to increase the shared memory pool size for key 'triton_python_backend_shm_region_1' to 67108864 bytes",
            LOG_SHM,
        ),
        ("I0627 10:11:00.588113       1 main.go:287] No devices found. Waiting indefinitely.", LOG_NO_DEVICES),
        ("NVRM: Xid (PCI:0000:3b:00): 48, pid=1, DBE (double bit error)", LOG_XID),
    ],
)
def test_each_line_is_told(line: str, signal: Signal) -> None:
    found = matches(f"before\n{line}\nafter")
    assert {told for told, text in found.items() if text} == {signal}
    assert found[signal] == line


@pytest.mark.parametrize(
    "log",
    [
        "",
        "\n\n",
        "all well",
        "out of memory budget of the user: 3 tokens",
        "creating shared memory segment /dev/shm/psm_1",
        "GET /health 200",
        'INFO:     10.1.2.3:4242 - "GET /generate_health HTTP/1.1" 503',
        "Error Code 2: Internal Error (Assertion failed)",
        "OOM score adjusted",
        "Shard process was signaled to shutdown with signal 15 rank=0",
    ],
)
def test_a_log_without_any_says_nothing(log: str) -> None:
    assert set(matches(log).values()) == {""}


def test_the_last_line_that_says_most_wins() -> None:
    log = "\n".join([OOM.replace("2.00", "1.00"), OOM, "torch.OutOfMemoryError", "done"])
    assert "Tried to allocate 2.00" in matches(log)[LOG_CUDA_OOM]


def test_colours_are_gone_and_a_line_is_cut() -> None:
    raw = f"\x1b[31mERROR\x1b[0m {OOM} {'x' * 5000}\r\n\x1b]0;title\x07next".encode()
    line = matches(plain(raw))[LOG_CUDA_OOM]
    assert "\x1b" not in line
    assert line.startswith("ERROR torch")
    assert len(line) == LONGEST_LINE


@pytest.mark.parametrize(
    "bait", ["/dev/shm/nccl-", "/dev/shm/nccl-a ", "NVRM: Xid (PCI", '"POST /v1/', "Tried to allocate "]
)
def test_a_giant_line_is_read_in_no_time(bait: str) -> None:
    started = time.process_time()
    matches(bait + "a" * 262_144)
    matches(bait * (262_144 // len(bait)))
    assert time.process_time() - started < 2


def test_a_line_in_the_middle_of_a_giant_one_is_shown() -> None:
    """One line of JSON may hold the whole of a log."""
    line = matches("{" + "a" * 3000 + OOM + "b" * 3000)[LOG_CUDA_OOM]
    assert "CUDA out of memory" in line
    assert len(line) <= LONGEST_LINE
