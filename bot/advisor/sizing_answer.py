"""Sizing questions among all others: told apart, worked out, and said as an Answer. No cluster is asked and no model words it."""

from __future__ import annotations

import re

from bot.advisor import citing
from bot.advisor.question import Answer, Citation, Scope
from bot.advisor.sizing_question import SizingQuestion, read
from bot.advisor.sizing_report import SizingProblemError, markdown, report
from knowledge.search import Library
from tools.prices import PriceBook
from tools.sizing import SizingError

PAGES = ("hardware/model-sizing", "hardware/kv-cache-arithmetic")
NOTE = "Computed from the catalogue of models and GPUs; no cluster was read, no language model took part."
_WANTS = re.compile(
    r"\b(?:fits?|fitting|squeeze|how many (?:gpus?|cards?|[abhlmt]\w{0,4}\d\w*)|how much (?:v?ram|gpu memory|memory)|how big|which (?:gpus?|cards?|hardware)"
    r"|what (?:gpus?|cards?|hardware)|(?:can|could|will|would) (?:i|we|it|you|one)? ?(?:run|serve|host|load)|enough (?:gpus?|memory|v?ram)|siz(?:e|ing)"
    r"|big enough|large enough|sufficient)\b",
    re.IGNORECASE,
)
_NO_GPU_NEEDED = re.compile(
    r"\b(?:how many|how much|which|what|smallest|cheapest|fewest|siz(?:e|ing))\b", re.IGNORECASE
)
_OURS = re.compile(
    r"\b(?:our|my|ours|currently|right now|running|in use|(?:do|did) we (?:use|have|run)|does \S+ use)\b", re.IGNORECASE
)
_STATE = re.compile(r"\b(?:why|wrong|failed|failing|crash\w*|restart\w*|pending|stuck|slow\w*|OOM\w*)\b", re.IGNORECASE)


def wanted(text: str) -> SizingQuestion | None:
    """The question's numbers when it asks for a size and names enough to work one out, else None.

    Enough is a model (or a size, `70b`) with a GPU, or a model where it is the GPUs that are asked for. An unknown model beside a known GPU counts too:
    to say which names are known is the answer then.
    """
    if not _WANTS.search(text) or _STATE.search(text):
        return None
    asked = read(text)
    if asked.model is not None:
        if asked.gpu or asked.problem:
            return asked
        if asked.model_assumed:
            # Of sizes in general the pages know more than one model's sum.
            return None
        # How many GPUs ours uses is asked of the fleet, not of a catalogue.
        return asked if _NO_GPU_NEEDED.search(text) and not _OURS.search(text) else None
    unknown = "I do not know" in asked.problem or "no shape of its own" in asked.problem
    return asked if asked.gpu is not None and unknown else None


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
