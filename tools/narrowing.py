"""Matchers that narrow a query to some of the things that a source speaks of, whatever stands in their names."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable

from tools.measure import Identity

# More keys than this are not named in a selector.
KEYS_MOST = 300


def one_of(label: str, values: Iterable[str]) -> str:
    """A matcher for any of some values of a label."""
    return f"{label}=~{json.dumps('|'.join(re.escape(value) for value in sorted(values)), ensure_ascii=False)}"


def narrowing(identity: Identity, keys: Collection[str]) -> str:
    """Matchers for some keys of a source, empty where they are too many or none."""
    names, prefix = identity.labels.keys, identity.source.key_prefix
    split = [key.removeprefix(prefix).split("/") for key in keys]
    if not split or len(split) > KEYS_MOST:
        return ""
    depth = min(len(names), *(len(parts) for parts in split))
    return ",".join(one_of(names[i], {parts[i] for parts in split}) for i in range(depth))
