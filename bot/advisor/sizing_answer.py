"""Sizing questions among all others: told apart, worked out, and said as an Answer. No cluster is asked and no model words it."""

from __future__ import annotations

import re

from bot.advisor import citing
from bot.advisor.at_hand import at_hand
from bot.advisor.question import Answer, Citation, Scope
from bot.advisor.sizing_question import SizingQuestion, read
from bot.advisor.sizing_report import SizingProblemError, markdown, report
from knowledge.search import Library
from tools.prices import PriceBook
from tools.sizing import SizingError

PAGES = ("hardware/model-sizing", "hardware/kv-cache-arithmetic")
NOTE = "Computed from the catalogue of models and GPUs; no cluster was read, no language model took part."
_WANTS = re.compile(
    r"\b(?:fits?|fitting|squeeze|how many (?:gpus?|cards?|[abhlmt]\w{0,4}\d\w*)|how much (?:v?ram|gpu memory|memory|context)|how big|how long a context"
    r"|how many (?:\w+ )?(?:users?|requests?|sessions?|streams?|sequences?|replicas?|copies)|max(?:imum)? (?:context|users|concurrency|batch)"
    r"|which (?:gpus?|cards?|hardware)|what (?:gpus?|cards?|hardware|do (?:i|we) need)|what (?:does|do|will|would) (?:\S+ ){1,4}?(?:need|require|take)"
    r"|(?:i|we) need (?:for|to|an?|another|more)|(?:smallest|cheapest|fewest|biggest|largest|minimum|least)(?: \w+){0,2} (?:gpus?|cards?|machine|instance|node|server|number|model|context|[abhlmt]\w{0,4}\d\w*)"
    r"|recommend(?: me)?(?: an?| some)? (?:gpus?|cards?|hardware|instance|machine)|(?:gpu|card|node)s? count|count of"
    r"|(?:v?ram|memory) (?:needed|needs?|required|requirements?|footprint|for)"
    r"|(?:can|could|will|would|do|does|need(?:s)? to|want to|like to|going to|plan to|to)(?: \S+){0,8}? (?:run|serve|host|load|hold|handle|take)"
    r"|(?:be |good )?enough|siz(?:e|ing)|sufficient|suffices?|possible|feasible)\b",
    re.IGNORECASE,
)
# A model beside a card is asked of as a pair, unless it is another thing about them that is wanted, or one of two pairs.
_OF_THE_PAIR = re.compile(
    r"\b(?:how (?:do|to|can|should|would|does|is|are|fast|well)|why|what (?:is|are) (?!left\b|the (?:max|most|longest))|flags?|settings?|arg(?:ument)?s?|config\w*|tun(?:e|ed|ing)|speed|throughput"
    r"|tokens? (?:per|a) second|tok/s|latency|ttft|faster|price|prices|difference|versus|vs|or|than|explain|deploy\w*|set ?up|install\w*|guides?|examples?|yaml|parallel\w*"
    r"|tp ?=? ?\d|quality|accuracy|benchmark\w*|docs?|support\w*)\b",
    re.IGNORECASE,
)
_NO_GPU_NEEDED = re.compile(
    r"\b(?:how many|how much|how big an?|which|what|smallest|cheapest|fewest|minimum|least|recommend|count|needed|required?|requirements?|siz(?:e|ing))\b",
    re.IGNORECASE,
)
_OURS = re.compile(
    r"\b(?:our|my|ours|currently|right now|running|in use|(?:do|did) we (?:use|have|run)|does \S+ use)\b", re.IGNORECASE
)
# What is said of something that runs already: it went wrong, it is measured, it is asked after.
_STATE = re.compile(
    r"\b(?:why|wrong|fail(?:s|ed|ing|ure)?|crash\w*|restart\w*|pending|stuck|slow(?!\w* to\b)\w*|oom\w*|out of memory|hang(?:s|ing)?|hung|stop(?:s|ped)?|die[sd]?|dead|down"
    r"|stall\w*|throttl\w*|evict\w*|preempt\w*|saturated|overloaded|tim(?:e[sd]?|ing) out|time-?outs?|complain\w*|queue[sd]?|queue?ing|waiting|lost|lose[sd]?"
    r"|dropp?(?:s|ed)?|fell|halved|doubled|tripled|garbage|gibberish|xid|nccl|\w*errors?|\w*exceptions?|[45]\d\ds|\d+ ?x slower|late|hot|busy|idle|healthy|full|unhealthy|broken|misbehav\w*"
    r"|status|warn(?:s|ed|ing|ings)?|are we (?:about|going|out|safe|in)|yet|back (?:up|online)|pil(?:e[sd]?|ing) up|kill\w*|returns?|(?:at|to|than|only) \d+ ?(?:%|percent)"
    r"|(?:cannot|can't|won't|will not|does not|doesn't|didn't|did not|isn't|is not) (?!fit\b|be enough\b|enough\b|have\b)|happen(?:s|ed|ing)|stopped|answers|leak\w*|recover\w*|only (?:one|two|three|\d+) of"
    r"|(?:anything|something|what) chang(?:e|ed)|(?:is|are) \S+(?: \S+)? using|in use|us(?:e[sd]?|ing) (?:right now|now|at the moment|currently|today)"
    r"|never (?:gets?|got|becomes?|turns?|comes?|came|goes|went|starts?|finish\w*|reach\w*|loads?)|starts? over|(?:not|never|until|turns?|gets?|becomes?) ready"
    r"|used to (?:be|take|get|run|have|answer)|(?<!target )(?<!limit )(?<!objective )(?<!slo )(?:is|are|was|were) (?:now |at |about |around ){0,2}\d[\d.]*(?: ?(?:-|–|to) ?\d[\d.]*)? ?(?:s|ms|sec\w*)"
    r"|at the moment|right now|since (?!it\b|we (?:want|plan|need)\b)|(?:last|this) (?:night|week|morning|hour)|yesterday|an? (?:hour|minute) ago|(?:minutes|hours|days) ago"
    r"|(?:run|answer)s? at \d+|took|takes \d+ ?(?:s|ms|sec\w*|min\w*)|\d+ ?(?:s|ms|seconds) to (?:the )?first token|p(?:50|95|99))\b",
    re.IGNORECASE,
)
# Of something that runs, what is planned for it is asked of the catalogue all the same.
_PLANNED = re.compile(
    r"\b(?:would|could|if we|want to|plan(?:ning|s)? to|(?<!should we )(?<!should i )move to|moving to|instead|next (?:week|month|quarter|year)|to buy|to order)\b",
    re.IGNORECASE,
)
# The arithmetic is that of serving.
_TRAINS = re.compile(
    r"\b(?:(?:pre-?)?train(?:ing)?|(?:to|for|i|we|can|while|during) (?:full )?fine-?tun(?:e|ing)|qlora|fsdp|deepspeed|zero[- ]?(?:[123o]|stage|strategy))\b",
    re.IGNORECASE,
)
# A sentence about the pair says how it does; a plan mostly has no verb at all.
_SAID_OF_IT = re.compile(
    r"^(?!(?:can|could|will|would|does|do|is|are|may|might)\b).*\b(?:has|have|had|does|did|was|were|are|runs|ran|gets?|got|comes?|came|goes|went|gone|keeps?|shows?|says?|said|sits?|makes?|made|gives?|gave|forgot|forgets|started"
    r"|became|becomes|turns|turned|sees?|waits?|now)\b",
    re.IGNORECASE,
)
# Asked for outright, whatever is told of what runs.
_SIZED = re.compile(
    r"\b(?:fit(?:s|ting)?|squeeze|how many|how much|how big|enough|siz(?:e|ing)|(?:which|what) (?:gpus?|cards?))\b",
    re.IGNORECASE,
)
_UNKNOWN = ("I do not know", "no shape of its own")


def running(text: str) -> bool:
    """Whether a question speaks of a model that runs on named GPUs and of the state it is in: to be looked at, not worked out."""
    said = _SAID_OF_IT.search(text) and not _WANTS.search(text) and not _OF_THE_PAIR.search(text)
    if not (_of_a_state(text) or said) or _TRAINS.search(text):
        return False
    asked = read(text)
    return asked.gpu is not None and (asked.model is not None or _not_known(asked))


def wanted(text: str) -> SizingQuestion | None:
    """The question's numbers when it asks for a size and names enough to work one out, else None.

    Enough is a model (or a size, `70b`) with a GPU, or a model where it is the GPUs that are asked for. An unknown model beside a known GPU counts too:
    to say which names are known is the answer then.
    """
    if _TRAINS.search(text) or (_of_a_state(text) and not _PLANNED.search(text)):
        return None
    asked = read(text)
    if _of_a_state(text) and asked.model_assumed and not _SIZED.search(text):
        # "The 70B is slow, and a second one would be four more cards" asks why it is slow.
        return None
    if not _WANTS.search(text):
        pair = asked.model is not None and asked.gpu is not None and not asked.model_assumed
        return asked if pair and not _OF_THE_PAIR.search(text) and not _SAID_OF_IT.search(text) else None
    if asked.model is not None:
        if asked.gpu or asked.problem:
            return asked
        if asked.model_assumed:
            # Of sizes in general the pages know more than one model's sum.
            return None
        # How many GPUs ours uses is asked of the fleet, not of a catalogue.
        return asked if _NO_GPU_NEEDED.search(text) and not _OURS.search(text) else None
    return asked if asked.gpu is not None and _not_known(asked) else None


def _of_a_state(text: str) -> bool:
    return bool(_STATE.search(text)) or at_hand(text)


def _not_known(asked: SizingQuestion) -> bool:
    return any(said in asked.problem for said in _UNKNOWN)


def answer(asked: SizingQuestion, question: str | None, prices: PriceBook, library: Library) -> Answer:
    """Work a sizing question out; what cannot be sized is said in one sentence."""
    cited = citations(library)
    try:
        told = report(asked, prices, question=question)
    except (SizingProblemError, SizingError) as problem:
        line = str(problem)
        return Answer(question, "sizing", Scope(), line, citations=cited, text=line, note=NOTE)
    return Answer(question, "sizing", Scope(), told.verdict, citations=cited, text=markdown(told), note=NOTE)


def citations(library: Library) -> tuple[Citation, ...]:
    """The pages behind the arithmetic, as far as the knowledge base holds them."""
    found = (library.opening(page) for page in PAGES)
    return tuple(citing.cite(passage) for passage in found if passage is not None)
