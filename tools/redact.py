"""Secrets, and what users typed, taken out of texts that somebody else wrote: log lines, arguments, events, alerts, messages.

What is taken out leaves a mark that says what it was. Digests, UUIDs, commit hashes and names of pods, metrics and models stay.
Pure; `redact(redact(text)) == redact(text)`.
"""

from __future__ import annotations

import itertools
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import lru_cache
from typing import Any, TypeVar, cast

Item = TypeVar("Item")
PROMPT = "[removed: what a user typed]"
_SHORT_TEXT = 20_000
_MARK = re.compile(r"\[removed: [a-zA-Z' ]+\]")


_EMPTY_LINES = re.compile(r"\n{4,}")
_SEQUENCE = re.compile(
    r"(?:\x1b\]|\x9d)[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?|(?:\x1b[PX^_]|[\x90\x98\x9e\x9f])[^\x1b\x9c\n]*(?:\x1b\\|\x9c)?"
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?|\x1b[ -/]*[0-~]?"
)


def _mark(what: str) -> str:
    return f"[removed: {what}]"


# A name that means a secret, as an environment variable, a flag, a JSON key or a query parameter.
_NAME = (
    r"(?:[A-Za-z0-9]{1,40}[_-]){0,6}(?:[A-Za-z0-9]{0,20}pass(?:word|wd|phrase)|pwd|api[_-]?key|access[_-]?key(?:[_-]?id)?|secret[_-]?(?:access[_-]?)?key|private[_-]?key"
    r"|client[_-]?secret|signing[_-]?secret|webhook[_-]?secret|(?:auth|access|refresh|bearer|session|bot|app|hf|hub|hugging[_-]?face(?:[_-]?hub)?"
    r"|github|gitlab|slack|wandb|registry)[_-]?token|credentials?|sas[_-]?token|connection[_-]?string)"
)
# Plain `token` and `secret` mean many things in this trade: only as a variable, a flag or a parameter with a value beside it.
_SHORT = r"(?:[A-Z0-9]{1,40}_){1,6}(?:TOKEN|SECRET)|(?<=--)(?:token|secret)|(?<=[?&])(?:token|secret|key|sig|signature)"
_VALUE = r"(?P<quote>[\"']?)(?P<value>[^\s\"',;&|)}\]<>]{6,4096})"
# What stands where a secret would, and is none.
_NONE = re.compile(
    r"[0-9.,:]+(?:ms|s|m|h|Gi|Mi|%)?|\$.*|\{.*|%.*|\*+|x+|\.+|none|null|true|false|unset|missing|required|invalid|optional|not[_-]?set"
    r"|expired|removed|\[removed.*|valueFrom.*|secretKeyRef.*|secret://.*|changeme|your[-_].*|example.*",
    re.IGNORECASE,
)
_NAMED = re.compile(
    rf"(?<![A-Za-z0-9])(?P<name>(?i:{_NAME})|{_SHORT})(?P<sign>[\"']?\s*[=:]\s*|\s+(?=[^\s=:-])){_VALUE}"
)
# {"name": "HF_TOKEN", "value": "..."}, as Kubernetes objects and their dumps have it.
_PAIR = re.compile(
    rf"(?P<head>name[\"']?\s*[:=]\s*[\"']?(?:(?i:{_NAME})|{_SHORT})[\"']?[\s,]+[\"']?value[\"']?\s*[:=]\s*)[\"']?(?P<value>[^\s\"',}}]{{4,4096}})[\"']?"
)
_KNOWN: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), _mark(what))
    for pattern, what in (
        (
            r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?:(?!-----BEGIN|-----END)[\s\S])*(?:-----END [A-Z ]*PRIVATE KEY-----)?",
            "private key",
        ),
        (r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b", "AWS key"),
        (r"\bya29\.[A-Za-z0-9_-]{20,}", "Google token"),
        (r"\bAIza[A-Za-z0-9_-]{35}", "Google key"),
        (r"\bGOCSPX-[A-Za-z0-9_-]{20,}", "Google secret"),
        (r"\b(?:hf|api_org)_[A-Za-z0-9]{20,}\b", "Hugging Face token"),
        (r"\bsk-(?:proj|ant|svcacct|admin|or)?-?[A-Za-z0-9_-]{20,}", "API key"),
        (
            r"\b(?:nvapi|gsk|xai|pplx|r8|fw|csk|glpat|dop_v1|npm|pypi|rk_live|sk_live|sk_test)[-_][A-Za-z0-9_-]{20,}",
            "API key",
        ),
        (r"\bxox[a-z](?:\.xox[a-z])?-[A-Za-z0-9-]{8,}", "Slack token"),
        (r"\bxapp-\d-[A-Za-z0-9-]{8,}", "Slack token"),
        (r"https://hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9/_-]+", "Slack webhook"),
        (r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})", "GitHub token"),
        (r"\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}\.?[A-Za-z0-9_-]*", "JWT"),
        (r"\bAccountKey=[A-Za-z0-9+/=]{20,}", "Azure key"),
        (r"\bAge-secret-key-1[a-z0-9]{20,}|\bAGE-SECRET-KEY-1[A-Z0-9]{20,}", "private key"),
    )
)
_HEADER = re.compile(
    r"(?i)\b((?:proxy-)?authorization[\"']?\s*[:=]\s*[\"']?(?:(?:bearer|basic|token|apikey)\s+)?|\bbearer\s+)(?P<value>[^\s\"',;<>\[]{8,})"
)
_COOKIE = re.compile(r"(?i)\b((?:set-)?cookie[\"']?\s*:\s*)(?P<value>[^\n\"'\[]{8,})")
_URL = re.compile(r"\b([a-z][a-z0-9+.-]{1,20}://)[^\s/:@\"'<>]{0,200}:(?P<value>[^\s/@\"'<>]{1,200})@")
_RUN = re.compile(r"(?<![A-Za-z0-9+/_=.-])[A-Za-z0-9+/_=-]{32,512}(?![A-Za-z0-9+/_=-])")

# What engines print of a request: vLLM's `prompt: '...'` and `output: '...'`, SGLang's `text='...'`, an OpenAI body, token ids.
_QUOTED = r"(?:'(?:[^'\\\n]|\\.)*(?:'|\Z|$)|\"(?:[^\"\\\n]|\\.)*(?:\"|\Z|$))"
_TYPED = re.compile(
    r"(?P<head>(?<![A-Za-z0-9_])[\"']?(?:prompts?|inputs?|input_text|output_text|generated_text|user_prompt|system_prompt|completion|instructions?)"
    rf"[\"']?\s*(?::|=)\s*\[?)(?P<typed>{_QUOTED}(?:\s*,\s*{_QUOTED})*)",
    re.MULTILINE,
)
# These words are also ours: only in a line that an engine prints about a request.
_REQUEST = re.compile(
    r"Received request|Generated response|Receive(?: OpenAI)?: obj=|Finish: obj=|ReqInput\(|SamplingParams\(|sampling_params|\"messages\"|'messages'|max_tokens|chat/completions|request\.(?:received|finished)|generate\{"
)
_SAID = re.compile(
    rf"(?P<head>(?<![A-Za-z0-9_])[\"']?(?:text|content|outputs?|body|query|document|documents|suffix)[\"']?\s*(?::|=)\s*\[?)(?P<typed>{_QUOTED})",
    re.MULTILINE,
)
_IDS = re.compile(
    r"(?P<head>\b(?:prompt_token_ids|output_token_ids|input_ids|output_ids|token_ids)[\"']?\s*(?::|=)\s*)\[[\d,\s.]{2,}\]?"
)
# text-generation-inference prints both bare, to the end of the line.
_BARE = re.compile(
    r"(?P<head>(?:\bDEBUG\b|text_generation_router|server\.rs:\d+)[^\n]{0,300}?\b(?:Input|Output): )(?P<typed>[^\n]+)"
)


def redact(text: str) -> str:
    """The text without secrets and without what users typed."""
    return _redacted(text) if len(text) <= _SHORT_TEXT else _large(text)


# An answer holds the same texts in many places, and a huge one is slow to look through.
@lru_cache(maxsize=4096)
def _shown(text: str) -> str:
    return _redact(seen(text))


@lru_cache(maxsize=16)
def _shown_large(text: str) -> str:
    return _redact(seen(text))


@lru_cache(maxsize=4096)
def _redacted(text: str) -> str:
    return _redact(text)


@lru_cache(maxsize=16)
def _large(text: str) -> str:
    return _redact(text)


def _redact(text: str) -> str:
    if len(text) < 8:
        return text
    for pattern, mark in _KNOWN:
        text = pattern.sub(mark, text)
    text = _URL.sub(lambda found: f"{found[1]}{_mark('user and password')}@", text)
    for pattern in (_HEADER, _COOKIE):
        text = pattern.sub(_unless_none, text)
    text = _PAIR.sub(
        lambda found: found[0] if _NONE.fullmatch(found["value"]) else f"{found['head']}{_mark('secret')}", text
    )
    text = _NAMED.sub(_named, text)
    text = _typed(text)
    return _RUN.sub(lambda found: _mark("secret") if _random(found[0]) else found[0], text)


def _unless_none(found: re.Match[str]) -> str:
    return found[0] if _NONE.fullmatch(found["value"]) else f"{found[1]}{_mark('secret')}"


def _named(found: re.Match[str]) -> str:
    value, sign = found["value"], found["sign"]
    if _NONE.fullmatch(value) or value.startswith("[removed"):
        return found[0]
    # Words after a name are a value only behind a flag: `the api key of the gateway` is a sentence.
    flag = found.string[max(0, found.start() - 2) : found.start()] == "--"
    if sign.isspace() and not flag:
        return found[0]
    if sign.strip().startswith(":") and not found["quote"] and value.isalpha() and value.islower():
        return found[0]
    return f"{found['name']}{sign}{found['quote']}{_mark('secret')}"


def _typed(text: str) -> str:
    take: Callable[[re.Match[str]], str] = lambda found: f"{found['head']}{PROMPT}"  # noqa: E731
    text = _TYPED.sub(take, text)
    text = _IDS.sub(take, text)
    text = _BARE.sub(take, text)
    if _REQUEST.search(text):
        text = _SAID.sub(take, text)
    return text


def _random(run: str) -> bool:
    """Does a long run of characters look drawn by lot? Names are words; digests and UUIDs are of one case, and of 16 characters."""
    longest = max(re.split(r"[+/_=-]+", run), key=len)
    kinds = [str.isupper, str.islower, str.isdigit]
    if len(longest) < 16 or not all(any(kind(char) for char in longest) for kind in kinds):
        return False
    changes = sum(1 for one, other in itertools.pairwise(longest) if _kind(one) != _kind(other))
    return changes >= len(longest) // 4 and _entropy(run) >= 4.0


def _kind(char: str) -> int:
    return 0 if char.isdigit() else 1 if char.isupper() else 2


def _entropy(run: str) -> float:
    """Bits per character."""
    return -sum(n / len(run) * math.log2(n / len(run)) for n in Counter(run).values())


def seen(text: str) -> str:
    """The text without what acts or hides: escape sequences, control, format, surrogate and private characters; lines and tabs stay."""
    if "\n\n\n\n" in text:
        text = _EMPTY_LINES.sub("\n\n\n", text)
    if text.replace("\n", "").replace("\t", "").isprintable():
        return text
    shown = _SEQUENCE.sub("", text)
    return "".join(char for char in shown if char in "\n\t" or unicodedata.category(char)[0] != "C")


def redacted(item: Item) -> Item:
    """The same plain data (dataclasses, tuples, lists, mappings) with every text redacted and `seen`; what holds none is not copied."""
    return cast("Item", _walk(item))


def _walk(item: Any) -> Any:
    if isinstance(item, str):
        shown = _shown(item) if len(item) <= _SHORT_TEXT else _shown_large(item)
        return item if shown == item else shown  # the cache gives an equal text that was seen before, not this one
    if isinstance(item, tuple | list):
        if not item or isinstance(item[0], int | float):
            return item
        walked = [_walk(one) for one in item]
        same = all(new is old for new, old in zip(walked, item, strict=True))
        return item if same else type(item)(walked)
    if isinstance(item, dict):
        made = {_walk(key): _walk(value) for key, value in item.items()}
        same = len(made) == len(item) and all(key in item and item[key] is value for key, value in made.items())
        return item if same else made
    if is_dataclass(item) and not isinstance(item, type):
        changed = {}
        for field in fields(item):
            old = getattr(item, field.name)
            new = _walk(old)
            if new is not old:
                changed[field.name] = new
        if not changed:
            return item
        made_new = object.__new__(type(item))
        for field in fields(item):
            object.__setattr__(made_new, field.name, changed.get(field.name, getattr(item, field.name)))
        return made_new
    return item


def marks(text: str) -> int:
    """How many things were taken out of a text."""
    return len(_MARK.findall(text))
