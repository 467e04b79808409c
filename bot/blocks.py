"""Answer -> Block Kit, pure.

The order is the reader's: the verdict with its confidence, each cause with its evidence and remedies, then
what could not be seen, what was ruled out, the sources and how the answer was worded. Every text has a budget
and every list an end that says how much was left off, so no answer can exceed what Slack accepts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

from bot.advisor.question import Answer, Citation
from bot.copyable import copyable
from bot.deep_links import Links
from bot.mrkdwn import code, escape, fence, from_markdown, link, prose, visible, width
from tools.finding import BlindSpot, Evidence, Finding, Recovered, Remedy, RuledOut
from tools.together import together, told

Block = dict[str, Any]
Item = TypeVar("Item")

FULL_HEADLINES = 3
FALLBACK_TEXT = 3000
HAPPENED = 3
# Slack refuses a message somewhere above this (msg_blocks_too_long), whatever its single blocks weigh.
MESSAGE_SIZE = 12_000
_TITLE = 150
NO_LINKS = Links()
UNCHANGED = "Rackside only reads: nothing was changed."
_BADGE = {"critical": ":red_circle:", "high": ":large_orange_circle:", "medium": ":large_yellow_circle:"}
# Units that each part may take.
_VERDICT, _BODY, _BODY_ALONE, _EVIDENCE, _REMEDIES, _SMALL, _SOURCES = 600, 1800, 2900, 1100, 1500, 600, 1200


@dataclass(frozen=True, slots=True)
class Message:
    """What is posted: `blocks`, and `text` for notifications and screen readers. Both are already escaped."""

    text: str
    blocks: list[Block]


def blocks(answer: Answer, links: Links = NO_LINKS, *, fold: bool = False, spare: int = 0) -> Message:
    """The answer as a Slack message: at most 26 blocks, every text within 3,000 characters, 12,000 in all.

    As many headlines are shown in full as fit, three at most; the others get a line each. `links` open the queries of readings,
    `fold` puts evidence and what was ruled out into containers that are closed at first, `spare` is left free for what follows.
    """
    for full in range(FULL_HEADLINES, 1, -1):
        shown = _compose(answer, full, links, fold=fold)
        if size(shown) <= MESSAGE_SIZE - spare:
            break
    else:
        shown = _compose(answer, 1, links, fold=fold)
        if size(shown) > MESSAGE_SIZE - spare:
            # Addresses are long: without them it fits by construction.
            shown = _compose(answer, 1, NO_LINKS, fold=fold)
    return Message(text=_fallback(answer), blocks=shown)


def size(shown: list[Block]) -> int:
    """What Slack weighs against its cumulative limit, counted strictly: the blocks' JSON in UTF-16 units."""
    return width(json.dumps(shown, ensure_ascii=False, separators=(",", ":")))


def _compose(answer: Answer, full: int, links: Links, *, fold: bool) -> list[Block]:
    groups = together(answer.findings)
    shown = [_verdict(answer)]
    body = _body(answer)
    if body:
        shown.append(section(body))
    for group in groups[:full]:
        shown.extend(_headline(group, answer, links, fold=fold))
    rest = (*map(told, groups[full:]), *_unexplained(answer))
    if rest:
        shown += [{"type": "divider"}, section(f"*Also found*\n{_listed(rest, _one_line, _SMALL, 'more')}")]
    if answer.recovered:
        shown.append(context(f"*Recovered*\n{_listed(answer.recovered, _recovered_line, _SMALL, 'more')}"))
    if answer.blind:
        unseen = f"*Could not see*\n{_listed(answer.blind, _blind_line, _SMALL, 'more')}"
        shown.append(section(unseen) if answer.saw_nothing else context(unseen))
    if answer.ruled_out:
        out = _listed(answer.ruled_out, _ruled_out_line, _SMALL, "more")
        shown.append(folded(f"Ruled out ({len(answer.ruled_out)})", out) if fold else context(f"*Ruled out*\n{out}"))
    if answer.citations:
        shown.append(context(f"*Sources*\n{_listed(answer.citations, _citation_line, _SOURCES, 'more')}"))
    shown.append(_footer(answer))
    return shown


def plain(sentence: str) -> Message:
    """One sentence of ours (a help text, an apology) as a message; line breaks stay."""
    # A notification and a screen reader show no mark-up.
    text = escape(re.sub(r"\*\*|`", "", sentence), FALLBACK_TEXT, lines=True) or "…"
    return Message(text=text, blocks=[section(from_markdown(sentence, (), _BODY) or text)])


def section(text: str) -> Block:
    """A paragraph of mrkdwn that is already escaped."""
    # verbatim: Slack must not turn names of people, channels or addresses in the data into links.
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def folded(title: str, text: str) -> Block:
    """A paragraph that is closed at first; the title is plain text, the paragraph mrkdwn that is already escaped."""
    return {
        "type": "container",
        "title": {"type": "plain_text", "text": title[:_TITLE]},
        "is_collapsible": True,
        "default_collapsed": True,
        "child_blocks": [section(text)],
    }


def context(*texts: str) -> Block:
    """Small print of mrkdwn that is already escaped."""
    return {
        "type": "context",
        "elements": [{"type": "mrkdwn", "text": text, "verbatim": True} for text in texts],
    }


def _verdict(answer: Answer) -> Block:
    if answer.intent in {"help", "declined"} and answer.text.strip() == answer.verdict.strip():
        return section(from_markdown(answer.text, (), _BODY_ALONE) or "Rackside has no verdict.")
    verdict = prose(answer.verdict, _VERDICT) or "Rackside has no verdict."
    worst = answer.headlines[0] if answer.headlines else None
    confidence = f"\nConfidence: *{escape(worst.confidence, 20)}*" if worst else ""
    return section(f"*{verdict}*{confidence}")


def _body(answer: Answer) -> str:
    """The answer's own text where findings do not say it already: knowledge, help, a model's wording."""
    if answer.findings or answer.intent == "live":
        # The blocks say what the rules found: only what a model added to it is said in prose.
        links = frozenset(cited.url for cited in answer.citations if cited.url)
        return from_markdown(answer.explanation, links, _body_budget(answer)) if answer.explanation else ""
    # The verdict is said already, the sources come below.
    text = answer.text.strip().removeprefix(answer.verdict.strip()).lstrip()
    if answer.citations:
        text = text.partition("### Sources\n")[0]
    return from_markdown(text, frozenset(cited.url for cited in answer.citations if cited.url), _body_budget(answer))


def _body_budget(answer: Answer) -> int:
    return _BODY if answer.findings else _BODY_ALONE


def _headline(group: Sequence[Finding], answer: Answer, links: Links, *, fold: bool) -> list[Block]:
    finding = told(group)
    badge = _BADGE.get(finding.severity, ":white_circle:")
    rank = f"{escape(finding.severity, 20)}, confidence {escape(finding.confidence, 20)}"
    lines = [
        f"{badge} *{escape(finding.title, 150)}* ({rank})",
        code(finding.subject, 150),
        prose(finding.because, 350),
    ]
    lines += _times(finding)
    out: list[Block] = [{"type": "divider"}, section("\n".join(line for line in lines if line))]
    symptoms = [other for other in answer.findings if any(_leads_to(one.key, other, answer) for one in group)]
    if symptoms:
        out.append(context(f"*Explains*\n{_listed(symptoms, _one_line, _SMALL, 'more symptoms')}"))
    if finding.evidence:
        said = _listed(finding.evidence, lambda one: _evidence_line(one, links), _EVIDENCE, "more readings")
        out.append(folded(f"Evidence ({len(finding.evidence)})", said) if fold else section(f"*Evidence*\n{said}"))
    if finding.remedies:
        out.append(
            section(
                f"*What to do*\n{_listed(_said_once(finding.remedies), partial(_remedy, finding.subject), _REMEDIES, 'more remedies')}"
            )
        )
    return out


def _times(finding: Finding) -> list[str]:
    """Since when, and what happened just before."""
    found = [f":clock3: {prose(finding.since.text, 300)}"] if finding.since is not None else []
    if finding.happened:
        found.append("_Just before, which proves no cause:_")
        found += [f"• {prose(one.text, 250)}" for one in finding.happened[:HAPPENED]]
    return found


def _unexplained(answer: Answer) -> list[Finding]:
    """Findings under no headline: nothing that was found may go unsaid."""
    causes = [headline.key for headline in answer.headlines]
    return [f for f in answer.findings if not f.root and not any(_leads_to(cause, f, answer) for cause in causes)]


def _leads_to(cause: str, finding: Finding, answer: Answer) -> bool:
    """Does the cause explain the finding, at once or along a chain? Broken chains and circles end it."""
    by_key = {other.key: other for other in answer.findings}
    seen: set[str] = set()
    waiting = list(finding.explained_by)
    while waiting:
        key = waiting.pop()
        if key == cause:
            return finding.key != cause
        if key not in seen:
            seen.add(key)
            waiting.extend(by_key[key].explained_by if key in by_key else ())
    return False


def _listed(items: Sequence[Item], line: Callable[[Item], str], budget: int, more: str) -> str:
    """One entry per item within the budget, then how many were left off; the first is always shown."""
    tail = 40
    out: list[str] = []
    used = 0
    for at, item in enumerate(items):
        entry = line(item)
        if at and used + width(entry) + 1 > budget - tail:
            out.append(f"_and {len(items) - at} {more}_")
            break
        out.append(entry)
        used += width(entry) + 1
    return "\n".join(out)


def _one_line(finding: Finding) -> str:
    return f"• {escape(finding.title, 150)} {code(finding.subject, 150)}"


def _evidence_line(evidence: Evidence, links: Links = NO_LINKS) -> str:
    if evidence.status == "blind":
        return f"• _could not see:_ {prose(evidence.text, 250)}"
    # A sentence usually holds its number already; where it does not, the number stands beside it.
    said = evidence.value is None or _says(evidence.text)
    value = "" if said else f" *{escape(f'{evidence.value:g} {evidence.unit}', 40)}*"
    url = links.graph(evidence.query, evidence.at) if evidence.query else ""
    opened = link(url, evidence.source or "query", 30) if url else ""
    # What opens with a click need not be printed as well; `show the query` prints it.
    linked = opened.startswith("<")
    source = opened if linked else escape(evidence.source, 30)
    origin = " · ".join(part for part in (source, escape(evidence.at, 25)) if part)
    query = "" if linked else code(" ".join(evidence.query[:800].split()), 180)
    origin = " · ".join(part for part in (origin, query) if part)
    return f"• {prose(evidence.text, 250)}{value}" + (f"\n    {origin}" if origin else "")


def _says(text: str) -> bool:
    return any(char.isdecimal() for char in text[:1000])


def _said_once(remedies: Sequence[Remedy]) -> list[Remedy]:
    """The remedies, with a check that several have in a row told under the last of them."""
    following = [*(remedy.verify for remedy in remedies[1:]), ""]
    pairs = zip(remedies, following, strict=True)
    return [replace(remedy, verify="") if remedy.verify == after else remedy for remedy, after in pairs]


def _remedy(subject: str, remedy: Remedy) -> str:
    lines = [f"• {prose(remedy.text, 350)}"]
    change = remedy.change
    if change is not None:
        before = code(change.from_, 80) or "unset"
        lines.append(f"    {code(change.what, 120)}: {before} → {code(change.to, 80) or 'unset'}")
        command = copyable(change, subject)
        if command:
            lines.append(fence(command, 360))
    if remedy.verify:
        lines.append(f"    Check that it worked: {prose(remedy.verify, 300)}")
    return "\n".join(lines)


def _ruled_out_line(ruled_out: RuledOut) -> str:
    name = escape(ruled_out.id[:200].replace("_", " "), 80)
    return f"• {name} {code(ruled_out.subject, 120)}: {prose(ruled_out.why, 200)}"


def _recovered_line(one: Recovered) -> str:
    return f"• {prose(one.text, 300)}"


def _blind_line(spot: BlindSpot) -> str:
    return f"• {prose(spot.what, 150)}: {prose(spot.why, 250)}"


def _citation_line(citation: Citation) -> str:
    section = f", {escape(citation.section, 100)}" if citation.section else ""
    quoted = f"\n    “{escape(citation.quote, 180)}”" if visible(citation.quote).strip() else ""
    title = citation.title or citation.id
    dated = f" ({escape(citation.date, 20)})" if citation.date else ""
    return f"• {link(citation.url, title, 120)}{section}{dated}{quoted}"


def _footer(answer: Answer) -> Block:
    # A note that says it already need not be followed by our own sentence about the same.
    note = prose(answer.note.removesuffix(" Nothing was changed."), 250)
    model = f"model {escape(answer.model.name, 60)}" if answer.model and answer.model.name not in answer.note else ""
    return context(" · ".join(part for part in (note, model, UNCHANGED) if part))


def _fallback(answer: Answer) -> str:
    titles = "; ".join(f"{escape(finding.title, 150)}" for finding in answer.headlines[:FULL_HEADLINES])
    verdict = escape(answer.verdict, 1500) or "Rackside has answered."
    return f"{verdict} ({titles})" if titles and titles not in verdict else verdict
