"""What servers print when a name is not resolved to an address: Python's getaddrinfo, urllib3, curl, Go, Rust."""

from __future__ import annotations

import re

from tools.signals import line

LOG_UNRESOLVED = line("log.unresolved", "Line on a name that was not resolved")

PATTERNS = {
    LOG_UNRESOLVED: re.compile(
        r"(?:failure in|failed) name resolution|NameResolutionError|[Cc]ould not resolve host"
        # PyTorch asks for IPv6 first and says that there is none; the IPv4 address that it finds then is enough.
        r"|(?<!gai error: -2 - )Name or service not known|The (?:IPv4 )?network addresses of \(.{1,260}? cannot be retrieved"
        r"|dial tcp: lookup \S{1,253}|getaddrinfo (?:failed|ENOTFOUND|EAI_AGAIN)"
        r"|failed to lookup address information"
    ),
}
