"""Does a question speak of what happens here and now? Told from the ways in which people on call point at their own system.

Such a question is looked at live, however few words of the field it has: it reports on "it", "the service" or "two of the boxes" and
asks for no advice, it names a time of the day or a change that somebody made, or it asks somebody to look.
"""

from __future__ import annotations

import re

_CLOCK = r"(?:\d{1,2}:\d{2}|\d{1,2} ?[ap]m|(?:half past|quarter (?:to|past)) \w+|noon|midday|midnight|lunch(?:time)?)"
_DAY = r"(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day|morning|afternoon|evening|night|weekend|shift|week|hour)"
_CHANGE = (
    r"(?:deploy(?:ment)?|roll-?out|release|update|upgrade|restart|reboot|maintenance(?: window)?|migration|swap|fail-?over"
    r"|patch|change|outage|incident)"
)
_WHEN = re.compile(
    rf"\b(?:(?:since|at|around|about|by|until|from|before|after) (?:about |around )?{_CLOCK}"
    rf"|(?:this|last|since(?: the)?) {_DAY}|(?:in|over|within) the last (?:\w+ )?(?:minutes|hours?|days|week)"
    r"|(?:minutes?|hours?|days?) ago|tonight|today|yesterday|overnight|right now|at the moment|currently"
    rf"|(?:since|after|before|during|was it) (?:the|our|my|this|that|last|today's|yesterday's) (?:\w+ )?{_CHANGE})\b",
    re.IGNORECASE,
)
# A report begins with what is pointed at: a pronoun, some of what there is, what is ours; or with somebody or something to whom it happens.
_REPORTS = re.compile(
    rf"(?:and |but |so |hey,? |hi,? |(?:since|after|during) [^,]{{1,60}}, |errors since {_CLOCK}, )?"
    r"(?:(?:it|this|that|these|those|they|there|ours|we|i|the|our|my|one|half|all|both|neither|(?:every|some|no|any)(?:thing|body|one)"
    r"|(?:two|three|four|five|six|\d{1,3}|some|most|many|none) (?:of|out of) \w+|(?:some|most|many) (?:the|our|my)"
    r"|(?:still |now )?(?:feels?|looks?|seems?|hangs?|crawls?|died|broke|went|keeps? \w+ing|not (?:a single|one)))(?:'s|'re|'ve)? (?!eu ai act|model's\b)"
    r"|(?:users|customers|clients|callers|people|requests|answers|responses|calls|errors|traffic|throughput|latency|staging|production|prod"
    r"|service|p\d\d) (?:is|are|was|were|has|have|keeps?|says?|complains?|reports?|sees?|gets?|got|waits?|piles?|hangs?|crawls?|fails?|times?|takes?"
    r"|comes?|goes|went|fell|rose|drop\w*|double\w*|halve\w*|triple\w*|do|does|did|will|won't|don't|doesn't|didn't|never|start\w*|stop\w*)\b)",
    re.IGNORECASE,
)
_KEEPS = re.compile(r"\b(?:keeps?|kept) \w+ing\b", re.IGNORECASE)
# Who is to look, and at whom: nobody asks a book so.
_LOOK = re.compile(
    r"\b(?:(?:have|take) a look|can you (?:see|check|look)|where do (?:i|we) look|what(?: has|'s)? hit us|how bad is it"
    r"|(?:who|what)(?: is|'s) (?:using|eating|hogging|holding|blocking|taking|killing|slowing|filling|throttling)"
    r"|(?:did|has|had|was|were) (?:the|our|anyone|anybody|anything|someone|somebody|something|we) \w+"
    r"|(?:do|does) (?:anyone|anybody|someone|somebody)|which (?:one )?of (?:the|our|these|those|them)\b|are we (?:out|blind|down|okay|ok|healthy|affected|losing|being)|is it us"
    r"|is (?:the|our) (?:\w+ )?(?:fleet|cluster|service|system|platform|stack|site|region)"
    r"|(?<!what )(?<!how )(?<!why )(?:do|does|is|are) (?:they|these|those|(?:all|both) of (?:them|these|those))"
    r"|(?<!what )(?<!how )(?<!why )(?:do|does|is|are) (?:the|our|any of (?:the|our)|all(?: of)?(?: the| our)?) (?:\w+ ){1,2}?"
    r"(?:alive|healthy|doing|working|running|being|getting|ok|okay|fine|up|down|throttl\w+)"
    r"|(?:got|was|were|been|am|getting) paged|page[rd]? (?:went|goes|keeps)|woke (?:me|us) up)\b",
    re.IGNORECASE,
)
# Whoever asks for advice, a meaning or a comparison is told what the pages say.
_ADVICE = re.compile(
    r"\b(?:(?<!that )(?<!which )should|recommend\w*|best|better to|worth|how (?:do|can|to|would|must|much|many|long|often|keep|split)\b|what (?:is an?|are|does|do|counts|must|now|next|first|breaks)"
    r"|what should|means?\b|difference|versus|vs|or (?:just|not)|which (?!of\b|pod|node|gpu|replica)|explain|example|allowed|may we|can (?:i|we)|do (?:i|we) (?:have to|need)"
    r"|want to|is it (?:ok|okay|safe|good|bad)|expected|normal|realistic|possible|supports?|legally|policy)\b",
    re.IGNORECASE,
)
# What only somebody who runs systems speaks of; the words that a home or an office has too are not among them.
_OPERATED = re.compile(
    r"\b(?:alerts?|pag(?:ed|er)|on[- ]call|roll(?:ed)?[- ]?out|rolled|fail-?over|replicas?|fleet|hosts?|racks?|throughput|latency|p(?:50|90|95|99)|[45](?:\d\d|xx)s?"
    r"|time-?outs?|tenants|outage|requests|traffic|staging|prod(?:uction)?|maintenance window|dashboards?|deploy(?:ed|ment)?|throttl\w+|clusters?"
    r"|namespaces?|endpoints?|nodes?|pods?|gpus?|containers?|standby|autoscal\w+|load balancer|scheduler|drivers?|region|users|tokens?)\b",
    re.IGNORECASE,
)


def at_hand(question: str) -> bool:
    """Whether a question speaks of one system at one time, as opposed to how such systems are."""
    if _LOOK.search(question):
        return True
    told = _REPORTS.match(question) or _WHEN.search(question) or _KEEPS.search(question)
    return bool(told) and not _ADVICE.search(question)


def operated(question: str) -> bool:
    """Whether a question has a word that people use who run systems for others."""
    return bool(_OPERATED.search(question))
