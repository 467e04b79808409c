"""A diagnosis as it is kept with the alerts: enough to tell it again, later, without looking."""

from __future__ import annotations

from typing import Any

from bot.advisor.question import Answer

_MOST = 5
_EVIDENCE = 4


def noted(answer: Answer, at: float) -> dict[str, Any]:
    """The verdict, its headlines with evidence, times and remedies, and what could not be seen. JSON."""
    first = answer.headlines[0] if answer.headlines else None
    return {
        "at": at,
        "verdict": answer.verdict[:1500],
        "confidence": first.confidence if first else "",
        "nothing_seen": answer.saw_nothing,
        "headlines": [
            {
                "id": one.id,
                "key": one.key,
                "title": one.title,
                "subject": one.subject,
                "severity": one.severity,
                "confidence": one.confidence,
                "because": one.because[:600],
                "since": one.since.text if one.since else "",
                "since_at": one.since.at if one.since else None,
                "happened": [{"at": h.at, "text": h.text[:400]} for h in one.happened[:_MOST]],
                "evidence": [{"text": e.text[:300], "at": e.at, "source": e.source} for e in one.evidence[:_EVIDENCE]],
                "remedies": [{"text": r.text[:500], "verify": r.verify[:300]} for r in one.remedies[:_MOST]],
            }
            for one in answer.headlines[:_MOST]
        ],
        "recovered": [one.text[:300] for one in answer.recovered[:_MOST]],
        "blind": [f"{one.what}: {one.why}"[:300] for one in answer.blind[:_MOST]],
        "citations": [{"id": c.id, "title": c.title, "url": c.url} for c in answer.citations[:_MOST]],
        "ruled_out": [f"{one.id.replace('_', ' ')} on {one.subject}" for one in answer.ruled_out[:_MOST]],
    }
