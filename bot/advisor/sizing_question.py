"""A sizing question in plain words as numbers: model, GPUs, context, users, types, and what had to be assumed.

A pure function of the text and the catalogues. A name that is not known is a sentence with near names, never a guess.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from tools.catalogue import gpus, models
from tools.catalogue.gpus import Gpu
from tools.catalogue.instances import instances
from tools.catalogue.models import Model
from tools.catalogue.spelling import UnknownNameError, printable

LONGEST = 2000
_NUMBERS = {
    "a": 1, "an": 1, "one": 1, "single": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "eight": 8, "ten": 10, "twelve": 12,
    "sixteen": 16, "thirty-two": 32, "hundred": 100,
}  # fmt: skip
_WORDS = "|".join(sorted(_NUMBERS, key=len, reverse=True))
_COUNT = rf"(?P<count>\d{{1,5}}|{_WORDS})"
_QUANTITY = r"(?P<n>\d[\d,_]{0,12}(?:\.\d+)?)\s*(?P<k>k|m|ki|thousand|million)?"
_CONTEXT = (
    re.compile(rf"\b(?:at|with|context(?: (?:length|window|size))?(?: of)?|max[- ]model[- ]len(?:gth)?|ctx|seq(?:uence)?[- ]len(?:gth)?)[ =:]*"
               rf"{_QUANTITY}(?=[- ]?(?:tok|ctx|context)|\b(?! ?(?:users?|concurrent|requests?|sessions?|streams?|sequences?|gpus?|gib|gb|%)))", re.IGNORECASE),
    re.compile(rf"\b{_QUANTITY}[- ]?(?:tokens?\b(?! ?(?:per|/|a) ?s)|ctx\b|context\b)", re.IGNORECASE),
    re.compile(r"\b(?P<n>\d{1,4})(?P<k>k)\b", re.IGNORECASE),
)  # fmt: skip
_USERS = (
    re.compile(
        rf"\b(?P<n>\d[\d,_]{{0,9}}|{_WORDS})\s*(?P<k>k)?[- ](?:(?:concurrent|parallel|simultaneous|active)[- ])?"
        r"(?:users?|requests?|sessions?|streams?|sequences?|people|seqs?|conversations?|chats?)\b",
        re.IGNORECASE,
    ),
    re.compile(r"\b(?:concurrency|users|batch(?: size)?|max[- ]num[- ]seqs)[ =:]*(?:of |will be |would be |are )?(?P<n>\d[\d,_]{0,9})(?P<k>k)?\b", re.IGNORECASE),
    re.compile(r"\b(?P<n>\d[\d,_]{0,9})(?P<k>k)? (?:concurrent|at a time|at once|in parallel)\b", re.IGNORECASE),
)  # fmt: skip
_CACHE = re.compile(
    r"\b(?:fp8[- ](?:kv|cache)(?:[- ]cache)?|(?:kv|cache)(?:[- ](?:cache|dtype))*(?: in|=|:| is)? ?fp8(?:_e4m3|_e5m2)?)\b", re.IGNORECASE
)  # fmt: skip
_DTYPES = (
    (re.compile(r"\b(?:fp8|w8a8[- ]fp8|float8)\b", re.IGNORECASE), "fp8"),
    (re.compile(r"\b(?:nvfp4)\b", re.IGNORECASE), "nvfp4"),
    (re.compile(r"\b(?:mxfp4)\b", re.IGNORECASE), "mxfp4"),
    (re.compile(r"\b(?:int4|awq|gptq|w4a16|4[- ]bits?|q4(?:_\w+)?)\b", re.IGNORECASE), "int4"),
    (re.compile(r"\b(?:int8|w8a8|w8a16|8[- ]bits?|q8(?:_\w+)?)\b", re.IGNORECASE), "int8"),
    (re.compile(r"\b(?:fp16|half(?: precision)?|float16)\b", re.IGNORECASE), "fp16"),
    (re.compile(r"\b(?:bf16|bfloat16|16[- ]bits?)\b", re.IGNORECASE), "bf16"),
    (re.compile(r"\b(?:fp32|float32)\b", re.IGNORECASE), "fp32"),
)
_FAMILY = re.compile(
    r"\b(?P<name>(?:meta-llama/|qwen/|mistralai/|google/|deepseek-ai/)?(?:code)?(?:llama|qwen|qwq|mistral|mixtral|gemma|phi|deepseek|kimi|glm|gpt-?oss|minimax|falcon|granite"
    r"|command|dbrx|yi|olmo|nemotron|mpt|bloom|opt|grok)[\w.:/-]*(?: (?:v?\d[\w.]*|large|small|nemo|mini|scout|maverick|coder|distill|instruct|chat|r1|a\d+b))*)",
    re.IGNORECASE,
)  # fmt: skip
_SIZE_ONLY = re.compile(
    r"\b(?P<size>\d{1,4}(?:\.\d)?) ?b(?:illion)?\b(?: parameters?| model)?(?! (?:users?|requests?|tokens?|people|calls?|rows?)\b)",
    re.IGNORECASE,
)
# `llama 70b`, and not `llama 9 70b`: a release that is not known is not taken for another.
_FAMILY_AND_SIZE = re.compile(r"(?P<family>[a-z]+)[ -]\d{1,4}(?:\.\d)?b", re.IGNORECASE)
_MANY = 4
_GPU_LIKE = re.compile(
    r"\b(?:nvidia |rtx |tesla )?(?:[abhglvt]|gb|gh|mi|rtx)[- ]?\d{2,4}[a-z]{0,3}\b|\brtx(?: \w+)? \d{4}\b",
    re.IGNORECASE,
)
# What somebody has already, where it is other cards that are asked about: `from 8 a100 to 4 h100`, `we use a100, would h100 do`.
_HAD = re.compile(
    rf"\b(?P<said>from|instead of|rather than|(?:we|i)(?: currently| now)? (?:use|have|run|own|are on)) (?:the |our )?(?:\d{{1,5}} ?[x×]? ?|(?:{_WORDS}) )?"
    rf"(?:{_GPU_LIKE.pattern})(?: ?\d{{2,3}} ?gb)?s?\b",
    re.IGNORECASE,
)
_HOW_MANY = re.compile(r"\b(?:how many|fewest|smallest number)\b", re.IGNORECASE)
_PROFILE = re.compile(r"\b[1-7]g\.\d{1,3}gb\b", re.IGNORECASE)
_PHRASES = re.compile(r"[A-Za-z0-9][\w.+-]*")


@dataclass(frozen=True, slots=True)
class SizingQuestion:
    """What the words say. None where they say nothing; `problem` is a sentence when a name is not known or is missing."""

    model: Model | None = None
    gpu: Gpu | None = None
    count: int | None = None
    context: int | None = None
    users: int | None = None
    dtype: str | None = None
    kv_dtype: str | None = None
    how_many: bool = False
    assumed: tuple[str, ...] = ()
    problem: str = ""
    model_assumed: bool = False


def read(text: str) -> SizingQuestion:
    """Read a question. Never raises; cut at 2,000 characters."""
    text = " ".join("".join(c if c.isprintable() else " " for c in text[:LONGEST]).split())
    had = _HAD.search(text)
    if had and _GPU_LIKE.search(_without(text, had)):
        text = _without(text, had)
    found = SizingQuestion()
    found, rest = _model(found, text)
    profile = _PROFILE.search(rest)
    found, rest = _gpu(found, _without(rest, profile) if profile else rest)
    if profile:
        found = _sliced(found, profile[0])
    cache = _CACHE.search(rest)
    if cache:
        found, rest = replace(found, kv_dtype="fp8"), _without(rest, cache)
    users, rest = _first(_USERS, rest)
    context, rest = _first(_CONTEXT, rest)
    kinds = [kind for pattern, kind in _DTYPES if pattern.search(text if not cache else _CACHE.sub(" ", text))]
    assumed = list(found.assumed)
    if context and context % 1000 == 0 and "k" in _suffix(_CONTEXT, text):
        context = context // 1000 * 1024
        assumed.append(f"{context // 1024}k means {context:,} tokens.")
    return replace(
        found,
        users=users or None,
        context=context or None,
        dtype=kinds[0] if kinds else None,
        how_many=found.count is None and bool(_HOW_MANY.search(text)),
        assumed=tuple(assumed),
    )


def profile_in(name: str) -> str | None:
    """The MIG profile in a GPU's name or label (`...-MIG-1g.10gb`), None when there is none."""
    found = _PROFILE.search(name[:LONGEST])
    return found[0].lower() if found else None


def weights_in(name: str) -> str | None:
    """The type of weights that a model's name says (`...-AWQ`, `...-FP8`), None when it says none."""
    return next((kind for pattern, kind in _DTYPES if pattern.search(name.replace("_", "-"))), None)


def _model(found: SizingQuestion, text: str) -> tuple[SizingQuestion, str]:
    named = models.mentioned(text)
    spoken = _FAMILY.search(text)
    if spoken:
        # The longest beginning of the phrase that is a name: what follows it may be a count or a context.
        words = spoken["name"].split()
        for end in range(len(words), 0, -1):
            try:
                return replace(found, model=models.model(" ".join(words[:end]))), _cut(
                    text, spoken.start(), " ".join(words[:end])
                )
            except UnknownNameError as error:
                if end == len(words) and not named:
                    found = replace(found, problem=str(error))
        bare = None if named else _FAMILY_AND_SIZE.fullmatch(spoken["name"])
        meant = _meant(spoken["name"], bare["family"].casefold()) if bare else None
        if meant is not None:
            found = replace(found, model=meant[0], assumed=(meant[1],), problem="", model_assumed=True)
        if not named:
            return found, text[: spoken.start()] + " " + text[spoken.end() :]
    if named:
        return replace(found, model=named[0][0], problem=""), text
    sized = _SIZE_ONLY.search(text)
    if sized and not found.problem:
        meant = _meant(sized[0])
        if meant is not None:
            return replace(found, model=meant[0], assumed=(meant[1],), model_assumed=True), _without(text, sized)
        near = [
            one.title
            for one in models.models()
            if abs(one.params / 1e9 - float(sized["size"])) <= 0.12 * float(sized["size"])
        ]
        listed = f" Of that size I know {', '.join(near[:6])}." if near else ""
        return replace(
            found, problem=f"A {sized['size']}B model has no shape of its own: name the model.{listed}"
        ), _without(text, sized)
    return (found if found.problem else replace(found, problem="Name a model, for example Llama 3.1 70B.")), text


def _meant(said: str, family: str = "") -> tuple[Model, str] | None:
    """The model that a size is taken for, with the sentence that says so; None where the catalogue has none of the size."""
    sized = _SIZE_ONLY.search(said)
    known = models.of_size(sized["size"], family) if sized else ()
    if sized is None or not known:
        return None
    taken, *others = known
    same = [one.title for one in others if one.cache_shape == taken.cache_shape]
    differ = [one.title for one in others if one.cache_shape != taken.cache_shape]
    name = " ".join(said.split()) if family else f"A {sized['size']}B model"
    told = f"{name} is taken as {taken.title}; another model's cache may differ: name yours."
    if same and not differ:
        told = f"{name} is taken as {taken.title}; the cache of {_listed(same)} has the same shape."
    elif differ:
        told = f"{name} is taken as {taken.title}; of that size {_listed(differ)} cache{'s' * (len(differ) == 1)} otherwise: name yours."
    return taken, told


def _listed(titles: list[str]) -> str:
    shown = titles[:_MANY]
    return ", ".join(shown) + (f" and {len(titles) - _MANY} more" if len(titles) > _MANY else "")


def _gpu(found: SizingQuestion, text: str) -> tuple[SizingQuestion, str]:
    for word in _PHRASES.finditer(text):
        machine = instances().get(word[0].lower().strip(".?!,"))
        if machine:
            said = f"{machine.type} has {machine.count} × {gpus.gpu(machine.gpu).title} ({machine.cloud})."
            rest = _without(text, word)
            return replace(found, gpu=gpus.gpu(machine.gpu), count=machine.count, assumed=(*found.assumed, said)), rest
    small = text.lower()
    for name in sorted(_gpu_names(), key=len, reverse=True):
        # Making an expression for every card there is takes longer than answering.
        if not all(part in small for part in name.lower().split()):
            continue
        pattern = r"[ -]?".join(re.escape(part) for part in name.split())
        match = re.search(rf"(?:\b{_COUNT} ?(?:[x×*] ?|units? of |cards? of )?)?(?<![a-z0-9])(?:nvidia[ -])?{pattern}(?:s|es|'s)?(?![a-z0-9])(?: ?[x×*] ?(?P<after>\d{{1,5}})\b)?",
                          text, re.IGNORECASE)  # fmt: skip
        if match is None:
            joined = re.search(rf"\b(?P<count>\d{{1,5}})[x×*]{pattern}s?(?![a-z0-9])", text, re.IGNORECASE)
            if joined is None:
                continue
            match = joined
        groups = match.groupdict()
        counted = groups.get("count") or groups.get("after")
        card = gpus.gpu(_gpu_names()[name])
        assumed = list(found.assumed)
        if card.title.casefold().split()[-1] not in match[0].casefold() and name in {
            "a100",
            "h100",
            "v100",
            "gh200",
            "mi300",
        }:
            assumed.append(f"{name.upper()} is taken as {card.title}.")
        return replace(found, gpu=card, count=_number(counted) if counted else None, assumed=tuple(assumed)), _without(
            text, match
        )
    unknown = _GPU_LIKE.search(text)
    if unknown and not found.problem:
        try:
            gpus.gpu(unknown[0])
        except UnknownNameError as error:
            return replace(found, problem=str(error)), _without(text, unknown)
    return found, text


def _sliced(found: SizingQuestion, profile: str) -> SizingQuestion:
    if found.gpu is None:
        having = ", ".join(one.title for one in gpus.gpus() if profile.lower() in {p.name for p in one.mig})
        return replace(
            found,
            problem=found.problem or f"Name the GPU of the MIG slice {profile}: {having or 'none that I know has it'}.",
        )
    if not found.gpu.mig:
        return replace(found, problem=found.problem or f"The {found.gpu.title} cannot be sliced: it has no MIG.")
    try:
        return replace(found, gpu=gpus.slice_of(found.gpu, profile))
    except UnknownNameError as error:
        return replace(found, problem=found.problem or str(error))


def _gpu_names() -> dict[str, str]:
    return {name: identity for name, identity in gpus.names().items() if len(name) > 1}


def _first(patterns: tuple[re.Pattern[str], ...], text: str) -> tuple[int | None, str]:
    for pattern in patterns:
        match = pattern.search(text)
        if match:
            value = _number(match["n"], (match.groupdict().get("k") or "").lower())
            if value:
                return value, _without(text, match)
    return None, text


def _suffix(patterns: tuple[re.Pattern[str], ...], text: str) -> str:
    return next(
        (match.groupdict().get("k") or "" for pattern in patterns if (match := pattern.search(text))), ""
    ).lower()


def _number(said: str, suffix: str = "") -> int | None:
    if said.lower() in _NUMBERS:
        return _NUMBERS[said.lower()]
    try:
        value = float(printable(said).replace(",", "").replace("_", ""))
    except ValueError:
        return None
    scale = {"k": 1000, "ki": 1024, "thousand": 1000, "m": 1_000_000, "million": 1_000_000}.get(suffix, 1)
    return round(value * scale)


def _without(text: str, match: re.Match[str]) -> str:
    return f"{text[: match.start()]} ; {text[match.end() :]}"


def _cut(text: str, at: int, name: str) -> str:
    return f"{text[:at]} ; {text[at + len(name) :]}"
