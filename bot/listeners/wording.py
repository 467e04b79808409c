"""Slack's message text as the question that a person typed."""

from __future__ import annotations

import html
import re

_MENTION = re.compile(r"<@([A-Z0-9]+)(?:\|[^>]*)?>")
_REFERENCE = re.compile(r"<(?:[#!@])?([^|>]*)(?:\|([^>]*))?>")
_COURTESY = re.compile(
    r"(thanks?|thank you|thx|ty|ok|okay|k|great|cool|nice|perfect|got it|will do|good|yes|no|done|same|[+-]1)"
    r"([\s,!.]+(a lot|so much|all|everyone|rackside|will do|great|perfect|thanks))*[\s!.]*",
    re.IGNORECASE,
)
_ASKING = re.compile(
    r"(and|but|so|what|whats|why|who|whom|whose|which|where|when|how|since|until|is|are|was|were|do|does|did|can|could|"
    r"should|would|will|has|have|show|explain|list|check|compare|tell|give|find|look|diagnose|summari[sz]e|rackside)\b",
    re.IGNORECASE,
)

# Words of a follow-up that names nothing: such a question is about what the thread was about.
_POINTING_WORDS = """
a about again all also and any anything are at before been can cause check did do does else evidence explain fix for
from get getting give happened has have how i if in is it its itself just last long me metric metrics more much my next
now of on one ones or other others out pod pods proof query queries replica replicas request requests rule ruled same
say see should show since so start started still such tell than that the their them then there these they thing this
those to too until us was we were what when where whether which who why will with worse would wrong yet you your
"""
_POINTING = frozenset(_POINTING_WORDS.split())


def mentioned(text: str) -> set[str]:
    """Ids of the users that a message mentions."""
    return set(_MENTION.findall(text))


def first_mentioned(text: str) -> str | None:
    """The user whose mention opens the message."""
    opening = _MENTION.match(text.lstrip())
    return opening[1] if opening else None


def question_text(text: str, me: str) -> str:
    """What was asked: without our own mention, Slack's references and entities as a person reads them."""
    without = re.sub(rf"<@{re.escape(me)}(?:\|[^>]*)?>", " ", text)
    readable = _REFERENCE.sub(lambda found: found[2] or found[1], without)
    return html.unescape(readable.strip().lstrip(",:; ")).strip()


def is_courtesy(text: str) -> bool:
    """`Thanks!` and the like: nothing that wants an answer. Emoji alone are no question either."""
    words = re.sub(r":[a-z0-9_+'-]+:", " ", text).strip()
    return not any(char.isalnum() or char == "?" for char in words) or _COURTESY.fullmatch(words) is not None


def reads_as_question(text: str) -> bool:
    """Does it ask for something: a question mark, or an opening that asks?"""
    return "?" in text or _ASKING.match(text.strip()) is not None


def points_back(text: str) -> bool:
    """Does a follow-up name nothing of its own, so that the scope of the thread still holds?"""
    words = re.findall(r"[^\s?!.,;:]+", text.lower())
    return bool(words) and all(word.partition("'")[0] in _POINTING for word in words)
