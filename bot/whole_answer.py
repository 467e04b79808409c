"""The whole of an answer whose message had to leave something off: as Markdown, for a snippet in its thread. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from bot.advisor.question import Answer
from bot.mrkdwn import ELLIPSIS, visible

# Slack shows about a megabyte as a snippet.
LONGEST = 300_000
_LEFT_OFF = re.compile(r"^_and \d+ more(?: [a-z]+)?_$", re.MULTILINE)


def cut(blocks: list[dict[str, Any]]) -> bool:
    """Does a message of ours leave something off: a list that ends with how many more there are, or a text that was cut?"""
    return any(_LEFT_OFF.search(text) or text.endswith(f"\n{ELLIPSIS}") for text in _texts(blocks))


def _texts(blocks: list[dict[str, Any]]) -> Iterator[str]:
    for block in blocks:
        if block["type"] == "section":
            yield str((block.get("text") or {}).get("text", ""))
        elif block["type"] == "context":
            yield from (str(one.get("text", "")) for one in block["elements"])
        elif block["type"] == "container":
            yield from _texts(block["child_blocks"])


def whole(answer: Answer) -> str:
    """The answer's text, then every reading that it rests on with its query; no control characters, `LONGEST` characters at most."""
    text = "\n\n".join([answer.text.strip() or answer.verdict, *_readings(answer)])
    shown = visible(text[:LONGEST], lines=True)
    return shown if len(text) <= LONGEST else f"{shown}\n\nCut here: the whole has {len(text)} characters."


def _readings(answer: Answer) -> Iterator[str]:
    if any(finding.evidence for finding in answer.findings):
        yield "## Every reading"
    for finding in answer.findings:
        lines = [f"### {finding.title} ({finding.subject})", finding.because]
        for one in finding.evidence:
            lines.append(f"- {one.text} ({', '.join(part for part in (one.source, one.at, one.status) if part)})")
            lines += [f"      {line}" for line in one.query.splitlines()]
        if finding.evidence:
            yield "\n".join(lines)
