"""Questions that have nothing to do with this field.

How near the nearest passage comes to each of them says what nearness means nothing, for whatever encoder
and pages are in use: that is how `outside what I know` is calibrated at every build. Many use the field's words in another sense.
"""

from __future__ import annotations

from pathlib import Path

STRAYS: tuple[str, ...] = tuple(
    line
    for line in Path(__file__).with_suffix(".txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
)
