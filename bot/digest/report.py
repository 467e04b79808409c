"""The full report of a digest for a thread: every failing item with all its subjects, every item that could not be seen."""

from __future__ import annotations

from bot.blocks import Block, Message, size
from bot.digest import words
from bot.digest.content import Digest
from bot.mrkdwn import code, escape, prose, width
from bot.store.readiness import KeptItem

# Slack refuses a message somewhere above 12,000 characters of blocks; a thread of many messages is read by nobody.
_PART_SIZE, MOST_PARTS = 9_000, 8
_SECTION, _SUBJECTS = 2_400, 8


def messages(digest: Digest) -> list[Message]:
    """The report, the first message first; what does not fit is counted and said to be in `rackside digest --html`."""
    texts = [
        f"*Full report of {code(str(digest.place), 120)}, {words.date(digest.now.at)}*\n{prose(words.verdict(digest), 600)}"
    ]
    texts += [_item(one) for one in digest.failing]
    if not digest.failing:
        texts.append("Nothing that could be seen fails.")
    texts += [f"• _not seen_ {escape(one, 320)}" for one in digest.unseen]
    texts += [f"• _not seen_ {prose(words.blind(why, ids), 400)}" for why, ids in digest.blind]
    pages: list[list[Block]] = [[]]
    left = 0
    for at, text in enumerate(texts):
        block: Block = {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}
        if pages[-1] and (size([*pages[-1], block]) > _PART_SIZE or len(pages[-1]) >= 45):
            if len(pages) == MOST_PARTS:
                left = len(texts) - at
                break
            pages.append([])
        pages[-1].append(block)
    if left:
        told = f"_and {left} more: `rackside digest --html report.html` has them all_"
        pages[-1].append({"type": "context", "elements": [{"type": "mrkdwn", "text": told, "verbatim": True}]})
    return [Message("Full readiness report", page) for page in pages]


def _item(one: KeptItem) -> str:
    lines = [
        f"*{escape(one.id, 20)} {escape(one.title, 160)}* ({escape(one.severity, 20)}, {escape(' and '.join(one.owners), 60)})"
    ]
    cells = [cell for cell in one.cells if cell.state == "fail"]
    for cell in cells[:_SUBJECTS]:
        line = f"• {code(cell.subject, 120)} {prose(cell.said, 260)}"
        if sum(map(width, lines)) + width(line) > _SECTION - 500:
            break
        lines.append(line)
    shown = len(lines) - 1
    if len(cells) > shown:
        lines.append(f"_and {len(cells) - shown} more_")
    remedy = one.remedy(cells[0].check) if cells else ""
    if remedy:
        lines.append(f"_Do:_ {prose(remedy, 400)}")
    return "\n".join(lines)
