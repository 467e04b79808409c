"""The error that a log ends with, in whatever language the program was written: what to quote where no known line explains an end.

Exceptions of Python, panics of Rust and Go, what C++ throws, glog and klog, JSON loggers, and plain words like ERROR. An exception says
more than a line marked as an error, and a wrapper ("see root cause above", "exited with code 1") says less than what it wraps.
"""

from __future__ import annotations

import json
import re

# Bounded repetitions only: a log may be one giant line.
LONGEST_READ = 4000
_EXCEPTION = re.compile(
    r"(?:^|[\s\]|])(?P<said>(?:[A-Za-z_]\w{0,60}\.){0,8}[A-Z]\w{0,60}(?:Error|Exception|Exit|Interrupt|Failure|NotFound|Unavailable|Timeout)(?:: .+)?)$"
)
_NATIVE = re.compile(
    r"(?P<said>(?:thread '[^'\n]{0,120}' panicked at |panic: |fatal error: |terminate called after throwing |Fatal Python error: "
    r"|Assertion `|Check failed: |Segmentation fault|Illegal instruction|Aborted \().*)"
)
_WHAT = re.compile(r"^\s*what\(\):\s+(?P<said>.+)")
_GLOG = re.compile(r"^\[?[EF]\d{4} \d{2}:\d{2}:\d{2}\.\d+ +\d+ (?P<said>.+)")
_MARKED = re.compile(
    r"(?:^|[\s\[|(:])(?:(?:ERROR|FATAL|CRITICAL)\b(?! *[=:]? *0\b)[\]\s:]*|(?:Error|error|fatal): )(?P<said>[^\s\]].{7,})"
)
_WRAPPER = re.compile(
    r"[Ss]ee (?:the )?(?:root cause|stack trace|error|logs?|above)|Engine core initialization failed|EngineDeadError|^SystemExit|exit(?:ed)? (?:code|status|with)|CalledProcessError"
    r"|ChildFailedError|KeyboardInterrupt|non-zero exit status|EngineCore (?:failed|encountered)|died unexpectedly|Traceback"
    r"|Application startup failed|BrokenPipeError|CancelledError|ActorDiedError|Shard(?:CannotStart|Failed)|ShutdownError"
)
# Rust tells the place first, pydantic the class: the message is in the next line.
_GOES_ON = re.compile(r"panicked at \S{1,300}:\d{1,6}:\d{1,6}:$|\d{1,6} validation errors? for \w{1,80}$")
_LEVELS = ("error", "fatal", "critical", "panic")


def last_error(log: str) -> str:
    """The line, without what loggers put before it; empty where nothing in the log is told as an error."""
    best, rank = "", 0
    lines = log.splitlines()
    for at, line in enumerate(lines):
        said, weight = _of(line[:LONGEST_READ].rstrip())
        if said and _GOES_ON.search(said) and at + 1 < len(lines):
            said += f" {lines[at + 1][:LONGEST_READ].strip()}"
        if said and weight >= rank:
            best, rank = said, weight
    return best


def exception(line: str) -> str:
    """The exception that a line tells with its message, empty where it is no such line or one of a wrapper."""
    found = _EXCEPTION.search(line.rstrip())
    said = found["said"].strip() if found else ""
    return "" if _WRAPPER.search(said) else said


def _of(line: str) -> tuple[str, int]:
    """What a line says of an error, and how much that says: 4 an exception or panic, 2 a marked line; one less for a wrapper."""
    if not line:
        return "", 0
    if line.lstrip().startswith("{"):
        return _json(line)
    for pattern, weight in ((_EXCEPTION, 4), (_NATIVE, 4), (_WHAT, 4), (_GLOG, 2), (_MARKED, 2)):
        found = pattern.search(line)
        if found:
            said = " ".join(found["said"].split())
            return said, weight - bool(_WRAPPER.search(said))
    return "", 0


def _json(line: str) -> tuple[str, int]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return "", 0
    if not isinstance(row, dict):
        return "", 0
    level = str(row.get("level") or row.get("severity") or row.get("levelname") or "").lower()
    if level not in _LEVELS:
        return "", 0
    fields = row.get("fields")
    row = {**fields, **row} if isinstance(fields, dict) else row
    said = [str(row[key]) for key in ("msg", "message", "error", "err", "exc_info") if row.get(key)]
    text = ": ".join(" ".join(part.split()) for part in dict.fromkeys(said))
    return text, (2 - bool(_WRAPPER.search(text))) if text else 0
