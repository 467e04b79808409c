"""Published holes of serving engines, by the versions that they concern: what a request, a neighbour or a model may do to the server.

From the Python packaging advisory database and the CVE list, read on 21 November 2026. Later ones are not in here, so that a
version without an entry is no proof of safety.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

Version = tuple[int, ...]
READ = "2026-11-21"
_PYPA = "https://github.com/pypa/advisory-database/blob/main/vulns"
_CVES = "https://github.com/CVEProject/cvelistV5/blob/main/cves"


@dataclass(frozen=True, slots=True)
class Advisory:
    """A hole: versions from `since` up to and without `fixed` are concerned, whatever else must hold stands in `what`."""

    id: str
    engine: str
    since: Version
    fixed: Version
    what: str
    source: str


ADVISORIES = (
    Advisory(
        "CVE-2025-32444", "vllm", (0, 6, 5), (0, 8, 5),
        "with Mooncake, code from the network is run", f"{_PYPA}/vllm/PYSEC-2025-42.yaml",
    ),
    Advisory(
        "CVE-2026-27893", "vllm", (0, 10, 1), (0, 18, 0),
        "code of a model is run although that is switched off", f"{_PYPA}/vllm/PYSEC-2026-2297.yaml",
    ),
    Advisory(
        "CVE-2026-34756", "vllm", (0, 1, 0), (0, 19, 0),
        "one request for very many answers stops the server", f"{_PYPA}/vllm/PYSEC-2026-2298.yaml",
    ),
    Advisory(
        "CVE-2026-47155", "vllm", (0,), (0, 22, 0),
        "a pinned revision does not pin every file", f"{_PYPA}/vllm/PYSEC-2026-2301.yaml",
    ),
    Advisory(
        "PYSEC-2026-2303", "vllm", (0, 12, 0), (0, 24, 0),
        "a request of prompt embeddings stops the server of some models", f"{_PYPA}/vllm/PYSEC-2026-2303.yaml",
    ),
    Advisory(
        "PYSEC-2026-4199", "vllm", (0,), (0, 30, 0),
        "a request for structured output stops the engine", f"{_PYPA}/vllm/PYSEC-2026-4199.yaml",
    ),
    Advisory(
        "PYSEC-2026-4344", "vllm", (0, 19, 0), (0, 32, 0),
        "a chat template of a request blocks the server", f"{_PYPA}/vllm/PYSEC-2026-4344.yaml",
    ),
    Advisory(
        "CVE-2026-3059", "sglang", (0,), (0, 5, 10),
        "with multimodal generation, code from the network is run", f"{_PYPA}/sglang/PYSEC-2026-539.yaml",
    ),
    Advisory(
        "CVE-2026-3060", "sglang", (0,), (0, 5, 10),
        "with a separate encoder, code from the network is run", f"{_PYPA}/sglang/PYSEC-2026-537.yaml",
    ),
    Advisory(
        "CVE-2026-86793", "sglang", (0,), (0, 5, 19),
        "without keys, code from the network is run by the route that updates weights",
        f"{_CVES}/2026/86xxx/CVE-2026-86793.json",
    ),
    Advisory(
        "CVE-2026-93034", "sglang", (0,), (0, 5, 21),
        "with data-parallel attention over nodes, code from the network is run",
        f"{_CVES}/2026/93xxx/CVE-2026-93034.json",
    ),
)  # fmt: skip
ENGINES = frozenset(one.engine for one in ADVISORIES)


def version(text: str) -> Version:
    """The numbers of a version such as `0.10.2`, none where it is not made of them."""
    return tuple(int(part) for part in text.split(".")) if re.fullmatch(r"\d{1,4}(\.\d{1,4}){1,3}", text) else ()


def known(engine: str, at: Version) -> tuple[Advisory, ...]:
    """The advisories that concern a version of an engine, those that were fixed last first."""
    found = [one for one in ADVISORIES if one.engine == engine and one.since <= at < one.fixed]
    return tuple(sorted(found, key=lambda one: (one.fixed, one.id), reverse=True))
