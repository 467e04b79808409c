"""What a server prints when its volume does not give its files, and when it found them there and had nothing to fetch."""

from __future__ import annotations

import re

from tools.signals import line

LOG_UNREADABLE = line("log.weights_unreadable", "Line on files that cannot be read")
LOG_FILES_THERE = line("log.files_there", "Line that says that the model's files are there")

PATTERNS = {
    # Python's OSError names the number; what is written in Rust says "os error".
    LOG_UNREADABLE: re.compile(
        r"\[Errno (?:116|5|107|121)\] (?:Stale file handle|Input/output error|Transport endpoint is not connected|Remote I/O error)"
        r"|(?:Stale (?:NFS )?file handle|Input/output error|Transport endpoint is not connected) \(os error \d{1,3}\)"
    ),
    # TGI, whose launcher looks before it fetches.
    LOG_FILES_THERE: re.compile(r"Files are already present on the host\. Skipping download"),
}
