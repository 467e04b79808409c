"""Follow-ups that the last answer of a thread settles by itself: no source is asked again, no model takes part. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from bot.advisor.question import Answer
from bot.blocks import Message, context, section
from bot.deep_links import Links
from bot.follow_up_other import evidence_line, told, wanted
from bot.mrkdwn import code, escape, fence, link, prose, width
from tools.finding import Evidence, Finding

BUDGET = 2800
_QUERIES = 8


def settled(text: str, answer: Answer, links: Links, made_at: float) -> Message | None:
    """The message that settles a follow-up out of the last answer; None where it has to be asked anew."""
    words = " ".join(re.findall(r"[a-z']+", text.lower()[:200]))
    for pattern, said in _KNOWN:
        if pattern.fullmatch(words):
            found = said(answer, links)
            return None if found is None else _message(*found, made_at)
    other = wanted(text, answer)
    found = told(other, answer, links) if other is not None else None
    return None if found is None else _message(*found, made_at)


def _message(head: str, lines: Iterable[str], made_at: float) -> Message:
    shown, used = [], 0
    every = list(lines)
    for at, line in enumerate(every):
        if at and used + width(line) > BUDGET - 60:
            shown.append(f"_and {len(every) - at} more_")
            break
        shown.append(line)
        used += width(line) + 1
    moment = datetime.fromtimestamp(made_at, UTC).strftime("%H:%M:%S UTC")
    told = f"From the answer of {moment}; nothing was looked at again. Ask the question anew for what is so now."
    body = "\n".join(shown)
    blocks = [section(f"*{head}*"), *([section(body)] if body else []), context(told)]
    return Message(head, blocks)


Told = tuple[str, list[str]] | None


def _since(answer: Answer, _links: Links) -> Told:
    times = [(finding, finding.since) for finding in answer.headlines if finding.since is not None]
    if not times:
        return None
    lines = []
    for finding, since in times:
        lines.append(f"• {escape(finding.title, 150)} {code(finding.subject, 150)}: {prose(since.text, 400)}")
        lines += [f"    just before: {prose(one.text, 250)}" for one in finding.happened[:3]]
        lines += [f"    {prose(finding.unseen_before, 250)}"] if finding.unseen_before else []
    return "Since when", lines


def _ruled_out(answer: Answer, _links: Links) -> Told:
    if not answer.ruled_out:
        return None if answer.intent != "live" else ("Nothing was ruled out", [])
    lines = [
        f"• {escape(one.id.replace('_', ' '), 80)} {code(one.subject, 120)}: {prose(one.why, 220)}"
        for one in answer.ruled_out
    ]
    return f"Looked for and ruled out ({len(lines)})", lines


def _blind(answer: Answer, _links: Links) -> Told:
    if answer.intent != "live":
        return None
    lines = [f"• {prose(one.what, 200)}: {prose(one.why, 300)}" for one in answer.blind]
    return ("Could not see", lines) if lines else ("Nothing that I looked for was out of sight", [])


def _query(answer: Answer, links: Links) -> Told:
    seen: dict[str, Evidence] = {}
    for finding in answer.headlines or answer.findings:
        for evidence in finding.evidence:
            if evidence.query:
                seen.setdefault(evidence.query, evidence)
    if not seen:
        return None
    lines = []
    for evidence in list(seen.values())[:_QUERIES]:
        url = links.graph(evidence.query, evidence.at)
        opened = f" {link(url, 'open')}" if url else ""
        lines.append(f"• {prose(evidence.text, 160)}{opened}\n{fence(evidence.query, 600)}")
    left = len(seen) - len(lines)
    if left:
        lines.append(f"_and {left} more_")
    return "The queries behind it", lines


def _why(answer: Answer, links: Links) -> Told:
    if not answer.headlines:
        return None
    lines: list[str] = []
    for finding in answer.headlines:
        lines.append(
            f"*{escape(finding.title, 150)}* {code(finding.subject, 150)}: confidence {escape(finding.confidence, 20)}"
        )
        if finding.because:
            lines.append(prose(finding.because, 350))
        lines += [evidence_line(one, links) for one in finding.evidence]
        lines += [f"    it also explains: {escape(one.title, 150)}" for one in _explained(answer, finding)]
    return "Why I say that", lines


def _explained(answer: Answer, cause: Finding) -> list[Finding]:
    return [one for one in answer.findings if cause.key in one.explained_by][:4]


_START = r"(?:and |but |so |ok |please |hey )*"
_END = r"(?: please| then| exactly| again| though)?"
_KNOWN: tuple[tuple[re.Pattern[str], Callable[[Answer, Links], Told]], ...] = tuple(
    (re.compile(_START + pattern + _END), said)
    for pattern, said in (
        (r"(?:since when|how long(?: has (?:it|this|that) been (?:so|like (?:this|that)|going on))?|when did (?:it|this|that) (?:start|begin))(?: is (?:it|this|that) so)?", _since),
        (r"(?:what (?:did|have) you (?:already )?rule[d]? out|what (?:was|is|has been) ruled out|what is it not|what else did you (?:check|look at))", _ruled_out),
        (r"(?:what (?:could|can|did)(?:n't| not)? you (?:not )?see|what (?:are|were) you blind (?:to|for)|what(?:'s| is) missing)", _blind),
        (r"(?:(?:show|give|send)(?: me)? (?:the |your )?(?:promql |prometheus )?quer(?:y|ies)|what(?:'s| is| was| are| were) the quer(?:y|ies)|which quer(?:y|ies)(?: did you (?:use|run))?)", _query),
        (r"(?:why(?: do you (?:say|think|believe) (?:that|this|so))?|how do you know(?: that| this)?|are you sure|what(?:'s| is) the evidence|show (?:me )?(?:the |your )?evidence|says who|prove it)", _why),
    )
)  # fmt: skip
