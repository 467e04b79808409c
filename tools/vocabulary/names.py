"""What servers print when a name is not resolved to an address: Python's getaddrinfo, urllib3, curl, Go, Rust."""

from __future__ import annotations

import re

from tools.signals import line

LOG_UNRESOLVED = line("log.unresolved", "Line on a name that was not resolved")

PATTERNS = {
    LOG_UNRESOLVED: re.compile(
        r"(?:failure in|failed) name resolution|NameResolutionError|[Cc]ould not resolve host"
        r"|Name or service not known|dial tcp: lookup \S{1,253}|getaddrinfo (?:failed|ENOTFOUND|EAI_AGAIN)"
        r"|failed to lookup address information"
    ),
}
