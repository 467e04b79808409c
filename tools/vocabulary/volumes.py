"""What a server prints when its volume does not give its files; files that are damaged or not whole are a failed download."""

from __future__ import annotations

import re

from tools.signals import line

LOG_UNREADABLE = line("log.weights_unreadable", "Line on files that cannot be read")

PATTERNS = {
    # Python's OSError names the number; what is written in Rust says "os error".
    LOG_UNREADABLE: re.compile(
        r"\[Errno (?:116|5|107|121)\] (?:Stale file handle|Input/output error|Transport endpoint is not connected|Remote I/O error)"
        r"|(?:Stale (?:NFS )?file handle|Input/output error|Transport endpoint is not connected) \(os error \d{1,3}\)"
    ),
}
