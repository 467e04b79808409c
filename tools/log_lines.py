"""What an engine's log gives away: patterns of lines that engines, PyTorch, NCCL and the driver really print.

A log is data. Lines are cut to a length that fits a message; nothing in them is ever followed.
"""

from __future__ import annotations

import re

from tools import error_places, tracebacks
from tools.catalogue import printed
from tools.error_order import Order
from tools.last_error import last_error
from tools.line_literals import literals
from tools.signals import LOG_CUDA_OOM, LOG_LAST_ERROR, LOG_SERVING, LOG_SHM, LOG_XID, Signal
from tools.vocabulary import log_signals, patterns, retractions
from tools.vocabulary.cluster_parts import TAKEN_BACK
from tools.vocabulary.host_faults import AFTER_AN_ERROR, LOG_NATIVE_CRASH
from tools.vocabulary.order import LOG_ORDER
from tools.vocabulary.outcomes import LOG_OVERLOADED
from tools.vocabulary.startup import LOG_ENGINE_DEAD, LOG_UNREACHABLE
from tools.vocabulary.volumes import LOG_FILES_THERE

LONGEST_LINE = 300

PATTERNS: dict[Signal, re.Pattern[str]] = {
    LOG_CUDA_OOM: re.compile(
        r"CUDA out of memory\. Tried to allocate|torch(?:\.cuda)?\.OutOfMemoryError|CUDA error: out of memory"
        r"|cudaErrorMemoryAllocation|Failed to load model - not enough GPU memory"
        # TensorRT, TensorFlow, ONNX and what is written in Rust or C++.
        r"|Error Code 2: OutOfMemory|CUDA_ERROR_OUT_OF_MEMORY|OOM when allocating tensor with shape"
        r"|Failed to allocate memory for requested buffer of size \d+|cudaMalloc(?:Async)?(?:\(\))? failed: out of memory"
        r"|CUDA runtime error in .{1,160}?: out of memory"
    ),
    LOG_SERVING: re.compile(
        r"Application startup complete|Uvicorn running on|\"(?:POST|GET) /v1/\S+ HTTP/1\.\d\" \d{3}"
        r"|Avg generation throughput|The server is fired up and ready to roll"
        r"|\"POST /(?:openai/v1|generate|v2/models|embed|rerank|predictions|invocations)\S{0,200} HTTP/1\.\d\" \d{3}"
        r"|Started (?:HTTPService|GRPCInferenceService) at|text_generation_router\S{0,80} Success|text_embeddings_router\S{0,80} Ready"
    ),
    LOG_SHM: re.compile(
        # Older NCCL leaves the reason out of its line.
        r"Insufficient space in /dev/shm|/dev/shm/nccl-.{1,200}No space left on device"
        r"|Error while creating shared memory segment /dev/shm/nccl-|failed to extend /dev/shm/nccl-"
        r"|Failed to increase the shared memory pool size for key|unable to write to file </torch_\S{1,60}>: No space left"
        r"|Unable to initialize shared memory key '[^'\n]{1,80}' to requested size"
        r"|failed to create shared memory file|posix_fallocate failed: No space left on device|Bus error|SIGBUS"
        # TGI tells the number of the signal that ended a shard: 7 is a bus error.
        r"|was signaled to shutdown with signal 7\b"
    ),
    LOG_XID: re.compile(r"NVRM: Xid \(PCI:|GPU has fallen off the bus|CUDA error: uncorrectable (?:NVLink|ECC) error"),
    **patterns(),
}
_LITERALS = {signal: literals(pattern) for signal, pattern in PATTERNS.items()}
# All that is looked for in a log: what has a pattern, what the catalogue of printed lines proves, and the error that it ends with.
LINES: tuple[Signal, ...] = tuple(dict.fromkeys((*PATTERNS, *log_signals().values(), LOG_LAST_ERROR)))
# What stands beside any cause, and decides nothing about it.
_AFTERMATH = frozenset(
    {
        LOG_SERVING,
        LOG_ENGINE_DEAD,
        LOG_UNREACHABLE,
        LOG_NATIVE_CRASH,
        LOG_ORDER,
        LOG_FILES_THERE,
        LOG_OVERLOADED,
        retractions.LOG_RETRACTED,
    }
)
# What ends a start is told as an error: the same words in a warning are of what was tried and went on without.
_WARNING = re.compile(r"\b(?:WARNING|(?<!NCCL )WARN)\b|^W\d{4} |\b\w{1,40}Warning: ")
_SURVIVED_AS_A_WARNING = frozenset(
    f"log.{name}"
    for name in ("unsupported_model", "config_refused", "address_in_use", "build_tools", "os_limits", "library_missing")
) | {"log.permission_denied"}
# The message of an out-of-memory error spans its first line; the exception's name alone says less.
_FULLEST = re.compile(r"Tried to allocate|MiB required|size \d+|Xid")


def matches(log: str) -> dict[Signal, str]:
    """For every kind of line that is known the one that says most (the last of its kind), empty where none matches."""
    found: dict[Signal, str] = dict.fromkeys((line for line in LINES if line is not LOG_LAST_ERROR), "")
    there = ((signal, pattern) for signal, pattern in PATTERNS.items() if _may_hold(log, signal))
    looked_for = [*there, *_printed(log)]
    order = Order()
    for line in log.splitlines():
        told: list[str] = []
        for signal, pattern in TAKEN_BACK.items():
            if found[signal] and pattern.search(line):
                found[signal] = ""
        for signal, pattern in looked_for:
            match = pattern.search(line)
            if match and signal.name in _SURVIVED_AS_A_WARNING and _WARNING.search(line, 0, match.end()):
                continue
            if match and signal not in _AFTERMATH:
                told.append(signal.name)
            if match and (not _FULLEST.search(found[signal]) or _FULLEST.search(line)):
                found[signal] = _cut(line, match)
        order.line(line, told)
    return {**found, LOG_ORDER: str(order)}


def read(log: str) -> dict[Signal, str]:
    """The same with the error that the log ends with: all of `LINES`.

    Where no wording is known, the part of the program that raised or printed the error says what it is about.
    """
    found = matches(log)
    if not any(text for signal, text in found.items() if signal not in _AFTERMATH):
        for inferred in (tracebacks.inferred, error_places.inferred):
            means, said = inferred(log)
            if means in log_signals():
                found[log_signals()[means]] = said[:LONGEST_LINE]
                break
    if AFTER_AN_ERROR.search(found[LOG_NATIVE_CRASH]) and any(tracebacks.traced(log)):
        found[LOG_NATIVE_CRASH] = ""
    # One such line is nothing: how many there were is what counts.
    taken_back = retractions.counted(log)[:LONGEST_LINE] if found[retractions.LOG_RETRACTED] else ""
    return {**found, retractions.LOG_RETRACTED: taken_back, LOG_LAST_ERROR: last_error(log)[:LONGEST_LINE]}


def _may_hold(log: str, signal: Signal) -> bool:
    """Whether a log holds what a pattern cannot do without; most logs hold that of a few patterns only."""
    return not _LITERALS[signal] or any(text in log for text in _LITERALS[signal])


def _printed(log: str) -> list[tuple[Signal, re.Pattern[str]]]:
    """The catalogue's lines that this log may hold, with the signals that they prove."""
    signals = log_signals()
    return [(signals[line.means], line.pattern) for line in printed.held(log) if line.means in signals]


def _cut(line: str, match: re.Match[str]) -> str:
    """The line, or what it holds from the match on where the match lies beyond the cut."""
    start = len(line) - len(line.lstrip())
    if match.end() > start + LONGEST_LINE:
        start = match.start()
    return line[start : start + LONGEST_LINE].strip()
