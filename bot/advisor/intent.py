"""What a question wants, told from its words and from the names that exist in the fleet; no model is asked."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

from bot.advisor.advice import asks_advice
from bot.advisor.at_hand import at_hand, operated
from bot.advisor.question import Intent

LONGEST_QUESTION = 2000
# What is reported in words that a home or an office has too, and what in words of operations.
NEAR, FAR = 1.0, 2.0

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_HELP = re.compile(
    r"^(?:hi|hello|hey|help|good (?:morning|evening|day)|thanks?(?: you)?|thank you|what can you do|who are you|how do you work"
    r"|what do you do|\?+)(?:[ ,.!?]+(?:there|rackside|all|everyone|me|please|bot))*[ ,.!?]*$",
    re.IGNORECASE,
)
_ACTION = re.compile(
    r"^(?:hey[, ]+|hi[, ]+|rackside[, :]+|please[, ]+|pls[, ]+|(?:can|could|would|will) you (?:please )?|go ahead and |just |now )*"
    r"(?:restart|delete|remove|drain|cordon|uncordon|kill|reboot|evict|apply|patch|deploy|roll ?back|roll out|scale (?:up|down|out|in|the|it|to(?! zero)|my|our|\S+ (?:up|down|out|in|to))"
    r"|terminate|reset|upgrade|install|stop|start|edit|change|set|silence|fix)\b"
    # The same words as nouns: a restart loop, a stop sequence, a start-up probe, a change board, a connection reset by its peer, a deploy pipeline.
    r"(?!-)(?! (?:of|by|loops?|counts?|counters?|sequences?|tokens?|times?|reasons?|polic(?:y|ies)|strateg(?:y|ies)|probes?|boards?|windows?|freezes?|advisory|management|calendars?|pipelines?|jobs?|scripts?|bots?|hooks?|tickets?|requests?)\b(?!-))",
    re.IGNORECASE,
)
_READINESS = re.compile(
    r"\b(?:audit|checklists?|readiness(?! (?:probe|gate|path|endpoint|url|port|threshold|time-?out|delay|condition|fails?|failed|failing|wrong|false|never|is (?:failing|false|wrong)))|production[- ]ready|ready for production|go[- ]live|attest\w*)\b",
    re.IGNORECASE,
)
# Who asks, or for whom: the people of an audit may ask anything.
_AUDITORS = re.compile(
    r"^(?:an? |the )?(?:audit|compliance|security review)(?: (?:prep\w*|question|check|follow-?up|request|item|query))?(?: (?:for|about|on|of) [\w./-]{1,60})?: "
    r"|\b(?:from|by|at) (?:the |our |an? )?(?:[\w-]+ )?audit(?:ors?)?\b|\b(?:[\w-]+ )?auditors?\b"
    # What the API server wrote down of who did what.
    r"|\baudit (?:logs?|trails?|events?|records?|entries)\b|\b(?:the )?audit (?:says|shows|tells|claims|confirms|has (?:no|nothing))\b",
    re.IGNORECASE,
)
_SIZING = re.compile(
    r"\b(?:fits?|fit (?:on|in|into)|how many gpus?|how much (?:v?ram|gpu memory|memory)|which gpus? (?:do|should|for)|sizing|(?:to|should i|should we|we|i) size|size (?:my|our|the|a|an|for|up|it)|(?:what|which|right|gpu|cluster|fleet|node|card) sizes?)\b",
    re.IGNORECASE,
)
_ASKS_STATE = re.compile(
    r"\b(?:what(?:'s|s| is| has)? (?:wrong|going on|happening|broken|down|up|on fire|failing|failed|broke|happened|changed)|anything (?:wrong|broken|failing)"
    r"|is (?:anything|everything|something) (?:ok|okay|fine|wrong|broken|down)|how are (?:we|things)|status|root cause|which (?:pods?|nodes?|gpus?|workloads?|replicas?)"
    r"|any (?:problems?|issues?|incidents?))\b",
    re.IGNORECASE,
)
# A word that is neither of grammar nor of time.
_TOPIC = re.compile(
    r"\b(?!(?:and|but|so|or|the|an?|my|our|your|us|we|you|i|it|they|there|here|this|that|these|those|all|everything|anything|something|any|some|with|in|on|of|at"
    r"|for|to|by|is|are|was|were|be|do|does|did|has|have|had|not|no|now|again|today|tonight|yesterday|right|please|pls|hey|hi|hello|really|currently|just|since|about"
    r"|guys|folks|team|rackside|morning|night|last|can|could|tell|me|know|check|what|who|why|how|which|s|wrong|broken|down|up|ok|okay|fine)\b)[^\W\d_]+",
    re.IGNORECASE,
)
_LIVE = re.compile(
    r"\b(?:why (?:is|are|does|do|did|has|have|was|were|can't|cannot|won't)|right now|now|currently|today|tonight|yesterday|since|just|keeps?|again"
    r"|our|my|we|stuck|slow(?:er|ly)?|lag(?:s|ging)?|fail(?:s|ed|ing)?|crash(?:es|ed|ing)?|restart(?:s|ed|ing)|pending|timing out|times? out|down|broken|missing|idle"
    r"|(?:does|do|did|is|are|will|can|could)(?: ?n[o']t| not|n't)(?: yet| even)? (?:come|coming|start|starting|load|loading|respond|answer|schedule|boot|get ready|become ready|turn ready|go away|show up)"
    # They, it, the cards: what is spoken of is at hand.
    r"|(?<!what )(?<!how )(?<!why )(?:do|does|did|is|are|was|were|has|have) (?:they|it(?! (?:ok|okay|safe|good|bad|worth|possible|better|normal|true|fine|enough|a|an)\b)|these|those|the (?:cards?|gpus?|pods?|nodes?|replicas?|servers?|racks?|workers?))"
    r"|last (?:hour|night|few)|minutes? ago|hours? ago|users? (?:complain|say|report|see)\w*|got (?:killed|evicted|slower|worse))\b",
    re.IGNORECASE,
)
_KNOWLEDGE = re.compile(
    r"\b(?:what(?:'s| is| are| does| do) (?:a|an|the)?|what\b.*\bmeans?|how (?:do|does|can|should|to|would)|should (?:i|we|you)|difference between|explain|define"
    r"|best practices?|recommend\w*|when (?:to|should|do)|is it (?:ok|okay|safe|good|bad)|does \w+ support|versus|vs|meaning of|tell me about|guidance|which metrics?)\b",
    re.IGNORECASE,
)


# Questions about the time of what is wrong: since when, what changed before it, whether it comes and goes or is over.
_SINCE = re.compile(
    r"\bsince when(?!\w)"
    r"|\bwhen (?:exactly )?did (?:it|this|that|they|things|the \w+) (?:start|begin|break|happen|stop|first)\b"
    r"|\bhow long (?:ago )?(?:has|have|is|did|was) (?:\S+ ){1,4}?(?:been|start|begin|going on|happening|broken|down|slow|like this)\b",
    re.IGNORECASE,
)
_BEFORE = re.compile(
    r"\b(?:what(?: has| had|'s)? (?:changed|happened|was changed|was going on) (?:\w+ ){0,2}?before"
    r"|(?:did|has|had) (?:anything|something) (?:\w+ )?chang\w+"
    r"|(?:was|were) there (?:a|an|any) (?:recent )?(?:rollout|roll-out|deploy\w*|change|scal\w+|node event|config\w* change)s?\b"
    r"|what changed(?! in\b))",
    re.IGNORECASE,
)
_OVER = re.compile(
    r"\b(?:(?:has|have|did) (?:it|this|that|they|everything) recover(?:ed)?|is (?:it|this|that) (?:still )?(?:flapping|going on|over)"
    r"|(?:does|do|did) (?:it|this|that|they) (?:keep )?com(?:e|ing) and go(?:ing)?)\b",
    re.IGNORECASE,
)
# When software learnt or lost something is for the pages to say.
_OF_SOFTWARE = re.compile(
    r"\b(?:support\w*|available|deprecat\w+|introduced|removed|released|releases?|versions?|docs?)\b", re.IGNORECASE
)
_LONGEST_OF_TIME = 16
_ASKS_ADVICE = re.compile(
    r"(?:(?:what|how)\b(?!.*\bwe\b)|(?:should (?:i|we|you)|guidance|explain|tell me about)\b)(?!.*\b(?:our|my)\b)",
    re.IGNORECASE,
)
# What only somebody with a fleet has: such a question is about it, however far from the pages its words are.
_OWN_FLEET = re.compile(
    r"\b(?:our|any of (?:our|the|my)|all (?:of )?(?:our|the|my)|my) (?:[\w-]+ ){0,2}?(?:gpus?|pods?|nodes?|replicas?|workloads?|deployments?|accelerators?)\b"
    r"|\bour (?:[\w-]+ ){0,1}?(?:cards?|clusters?|fleet|engines?|servers?|machines?|endpoints?|inference)\b",
    re.IGNORECASE,
)

# Who points at one cluster or pool: with a practice that is surely meant, it is looked at there.
_HERE = re.compile(
    r"\b(?:in|on|of|across|for|inside|through|to) (?:(?:this|our) (?:[\w-]+ )?|the [a-z-]*\d[\w-]* )(?:clusters?|fleet|pool|site|estate)\b|\b(?:in|around) here\b",
    re.IGNORECASE,
)


def clean(text: str) -> str:
    """A question as it is worked with: no control or invisible characters, one line, cut to a length."""
    text = unicodedata.normalize("NFC", text[: LONGEST_QUESTION * 4])
    return " ".join(_CONTROL.sub(" ", text).split())[:LONGEST_QUESTION]


def classify(question: str, named: bool, outside: bool, far: bool = True) -> Intent:
    """The intent of a cleaned question.

    `named` says that it names something of the fleet, `outside` that the knowledge base holds nothing near it, `far` that it
    lies further outside than `reach` says.
    """
    if not question or _HELP.match(question):
        return "help"
    if _ACTION.match(question):
        return "declined"
    if named:
        return "live"
    if _READINESS.search(_AUDITORS.sub(" ", question)) and not outside:
        return "readiness"
    if _SIZING.search(question) and not outside:
        return "sizing"
    if not outside and asks_advice(question) and not at_hand(question):
        return "knowledge"
    if asks_time(question):
        return "live"
    if _ASKS_STATE.search(question):
        return "declined" if outside and far and _of_something_else(question) else "live"
    if outside:
        ours = _OWN_FLEET.search(question) or (not far and at_hand(question))
        return "live" if ours else "declined"
    if at_hand(question):
        return "live"
    live, knowledge = len(_LIVE.findall(question)), len(_KNOWLEDGE.findall(question))
    if live and live >= knowledge and not _ASKS_ADVICE.match(question):
        return "live"
    return "knowledge"


def of_here(question: str) -> bool:
    """Whether a question points at one cluster or pool."""
    return bool(_HERE.search(question))


def reach(question: str) -> float:
    """How far outside, in the unit of `Signs.total`, a question may lie that speaks of what is at hand and is looked at all the same."""
    return FAR if operated(question) else NEAR


def _of_something_else(question: str) -> bool:
    """Whether a question after a state names something to be in it that nobody runs for others."""
    return not operated(question) and bool(_TOPIC.search(_ASKS_STATE.sub(" ", question)))


def asks_state(question: str) -> bool:
    """Whether a question asks how things stand, and no more."""
    return bool(_ASKS_STATE.search(clean(question)))


def asks_time(question: str) -> Literal["since", "before", "over"] | None:
    """Which time a question is about: since when something is wrong, what came before it, or whether it is over."""
    if len(question.split()) > _LONGEST_OF_TIME or _OF_SOFTWARE.search(question):
        return None
    if _BEFORE.search(question):
        return "before"
    if _SINCE.search(question):
        return "since"
    return "over" if _OVER.search(question) else None


def wants_action(question: str) -> bool:
    """Whether a question asks to change something."""
    return bool(_ACTION.match(question))
