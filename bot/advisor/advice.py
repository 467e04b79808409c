"""Does a question ask for advice, or how such systems are, whoever asks it? Told from its form, not from its subject.

`How do we roll out a model without downtime` speaks of us and of nothing that happens: the pages answer it. Whoever says when, or names
something of the fleet, asks what happens.
"""

from __future__ import annotations

import re

_WE = r"(?:we|i|you|one|people|teams?|somebody|anyone)"
# A thing that is pointed at is at hand.
_POINTED = r"(?:the|our|my|it|this|that|they|any|these|those|everything|all|one|only|two|three|some)\b"
_FORMS = (
    rf"how (?:do|does|can|could|should|would|must|might) {_WE} (?!know if|look|stand|(?:even )?(?:get|stop|fix) (?:it|this|that|them)\b|recover)",
    r"how to ",
    rf"how (?:many|much|often|long|big|large|high|low|far|early)\b[^?]{{0,80}}?\b(?:should|do {_WE} need|must|to keep|makes? sense|is enough|is too)\b",
    (
        rf"what\b[^?]{{0,80}}?\b(?:should|must|do|can|could) {_WE} (?:need|alert|use|measure|set|keep|watch|monitor|check|log|record|write|tell|ask|buy|choose"
        r"|pick|plan|test|document|track|store|look (?:for|at))\b"
    ),
    r"wh(?:o|ich\b[^?]{0,40}) (?:should|must|has to|needs to|may)\b",
    (
        rf"(?:can|could|may|should|must|do|does|would) {_WE} (?:need|have to|run|use|mix|put|share|trust|skip|serve|host|set|turn|deploy|keep|store|log|replace"
        r"|combine|disable|enable|rely|expect|want)\b"
    ),
    r"(?:is|are) (?:it|there) (?:ok|okay|safe|good|bad|worth|possible|allowed|normal (?:for|that)|a (?:way|good|rule|reason))\b",
    (
        rf"(?:does|do|will|would|can|could) (?!{_POINTED})[\w.+/-]+(?: [\w.+/-]+){{0,4}}? (?:help|support|work (?:with|on|without)|need|scale|survive|matter|hurt"
        r"|replace|reduce|increase|improve|cost|break|use|share|cause|affect|require|include|count|see)\b"
    ),
    r"(?:when|where) (?:should|do|does|is it|to|would) ",
    (
        rf"why (?:does|do|is|are|would|should) (?!{_POINTED})[^?]{{2,60}}?\b(?:than|need|needs|bad for|good for|better|worse|require|prefer|recommend\w*|reserve\w*"
        r"|not enough|matter|important|dangerous|risky)\b"
    ),
)
_ADVICE = re.compile(
    r"(?:(?:hi|hey|hello|quick (?:one|question)|question|so|ok|and|but|please|pls)[,:\s]+){0,2}(?:"
    + "|".join(_FORMS)
    + ")",
    re.IGNORECASE,
)
_COMPARES = re.compile(r"\b(?:vs|versus|difference between|compared (?:to|with))\b", re.IGNORECASE)
_HERE = re.compile(
    r"\b(?:right now|now|currently|today|tonight|yesterday|this (?:morning|afternoon|evening|week)|last (?:night|hour|week)|since|ago"
    r"|at the moment|again)\b",
    re.IGNORECASE,
)


def asks_advice(question: str) -> bool:
    """Whether a cleaned question asks what is good practice or how things are in general, and points at no time."""
    return bool(_ADVICE.match(question) or _COMPARES.search(question)) and not _HERE.search(question)
