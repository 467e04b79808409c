"""The rules a sentence has to pass. Each looks at one sentence and the record and says what is wrong with it, or nothing.

They read English. What they cannot read, they do not let through.
"""

from __future__ import annotations

import re
import unicodedata

from bot.advisor.grounding_claims import actions, anchored, content_words, trouble, verdict
from bot.advisor.grounding_numbers import NUMBER, Figure, carries, same_counts
from bot.advisor.grounding_record import Record, Source, occurs
from bot.advisor.grounding_sentence import Rule, Sentence
from bot.advisor.grounding_tokens import COMMON
from bot.advisor.grounding_words import FOREIGN, GLUE, PLAIN_WORDS
from bot.advisor.plain_text import folded, stem, stems

KINDS = "namespace|cluster|deployment|statefulset|leaderworkerset|daemonset|workload|service|pod|node|job|hpa|container|replica"
_FLAG = re.compile(r"(?<![\w-])--?[a-z][\w-]+", re.IGNORECASE)
_LONG_FLAG = re.compile(r"(?<![\w-])--[a-z][\w-]*(?:\.[\w-]+)*", re.IGNORECASE)
COMMAND = re.compile(
    r"^\s*(?:[$#>]\s*)?(?:sudo\s+)?(?:kubectl|k|oc|helm|kustomize|vllm|sglang|nvidia-smi|dcgmi|docker|podman|crictl|ctr|nerdctl|"
    r"systemctl|service|ssh|scp|curl|wget|python3?|pip|apt|yum|rm|dd|mkfs|kill|pkill|killall|reboot|shutdown|modprobe|rmmod|"
    r"echo|export|env|bash|sh|eval|aws|gcloud|az|terraform|ansible|argocd|flux|ray|iptables|chmod|chown|cat|tail|grep|watch)\s+\S",
    re.IGNORECASE,
)
_IN_PROSE = re.compile(
    r"\b(?:kubectl|helm|nvidia-smi|dcgmi|docker|crictl|systemctl|curl|wget|sudo|rm -)\s+[a-z-]\S*(?:\s+\S+)?",
    re.IGNORECASE,
)
_SET = re.compile(
    r"\b(?:set|use|add|pass|try|raise|increase|lower|reduce|decrease|enable|disable|change|run|apply|append|remove|drop|bump|start)\b",
    re.IGNORECASE,
)
_TO = re.compile(r"(?:[\s=:]*|[^.;]{0,20}?\b(?:to|from|at|of|=|→|->)\s*)(\d[\d.,]*[kKMG]?)")
_META = re.compile(
    r"\b(?:(?:ignore|disregard|forget|override|bypass)\b[^.]{0,30}\b(?:previous|prior|above|earlier|all|any|these|those|your|system|instruction\w*|rules?|prompt)|"
    r"system prompt|(?:new|following) instructions?|you are now|as an ai|language model|jailbreak|developer mode|i(?:'m| am) (?:sorry|unable|an? )|i can(?:'t|not) (?:help|assist)|"
    r"(?:send|paste|share|post|enter|give|provide|e-?mail|upload|forward|reveal|print|type|submit|dm|tell)\b[^.]{0,40}\b(?:passwords?|credentials?|secrets?|api.?keys?|(?:access|bearer|auth|bot|service account) token|token here|kubeconfig|private keys?))\b"
    r"|^\s*(?:system|assistant|user|human|developer)\s*:",
    re.IGNORECASE,
)
_BROADCAST = re.compile(r"@(?:here|channel|everyone|all|group|team)\b|<[!@#]|(?<![\w.])@[a-z][\w.-]+", re.IGNORECASE)
_TAG = re.compile(r"<\s*[/!?]?\s*[a-z|][^<>]*>?", re.IGNORECASE)
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
_URL = re.compile(
    r"(?:\b[a-z][a-z0-9+.-]*://|\bwww\.|\b(?:mailto|tel|javascript|data|file):)[^\s<>|)\]\"'`]*", re.IGNORECASE
)
_MARKDOWN_LINK = re.compile(
    r"(!?)\[([^\]\n]*)\]\(\s*<?([^)\s>]*)>?[^)\n]*\)|(!?)\[[^\]\n]*\]\[[^\]\n]*\]|^\s*\[[^\]\n]+\]:\s*(\S+)",
    re.MULTILINE,
)
_MARKER = re.compile(r"\[\^?([^\[\]\n]{1,200})\](?!\()")
_PAGE_ID = re.compile(r"[\w.-]+(?:/[\w.#:-]+)+|\d{1,3}|[a-z]+\d{1,4}", re.IGNORECASE)
_KIND_THEN = re.compile(
    rf"\b(?P<kind>{KINDS})s?\s+(?P<name>[^\W\d_][\w.-]*)(?P<after>\s+(?:is|was|are|were|has|had|have|needs|runs|shows|reports|uses)\b|\s*[,.;:)]|\s*$)?",
    re.IGNORECASE,
)
_THEN_KIND = re.compile(
    rf"\b(?:the|a|an|your|this|that)\s+(?P<name>[^\W\d_][\w.-]*)\s+(?P<kind>{KINDS}|autoscaler)s?\b", re.IGNORECASE
)


def tricks(sentence: Sentence, _record: Record) -> str:
    """Markup and characters that have no business in an answer."""
    if _BIDI.search(sentence.quoted):
        return "characters that reorder what is read"
    if _TAG.search(sentence.quoted) or _TAG.search(sentence.shown):
        return "HTML or a mention"
    if _BROADCAST.search(sentence.shown):
        return "a mention"
    if _META.search(sentence.shown):
        return "words to a model, or a request for secrets"
    for word in re.findall(r"[^\W\d_]{2,}", sentence.shown):
        scripts = {unicodedata.name(char, "?").split()[0] for char in word if char not in "μµΩ"}
        if "LATIN" in scripts and scripts & {"CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE"}:
            return f"letters of two scripts in {word!r}"
    return ""


def language(sentence: Sentence, record: Record) -> str:
    """Only English can be checked; names in any script are fine where the record has them."""
    foreign = [
        word for word in re.findall(r"[^\W\d_]+", sentence.prose) if not word.isascii() and not record.mentions(word)
    ]
    letters = sum(char.isalpha() for char in sentence.prose)
    odd = sum(not unicodedata.name(char, "LATIN").startswith("LATIN") for word in foreign for char in word)
    if odd and odd * 4 > letters:
        return "not in a language that can be checked"
    if any(char.isnumeric() and not char.isdecimal() and char != "一" for char in sentence.prose):
        return "a number in signs that cannot be checked"
    words = re.findall(r"[^\W\d_]+", sentence.prose.casefold())
    # One such word is English too (`die`, `le`, `y`); two are a language.
    return "not in a language that can be checked" if sum(word in FOREIGN for word in words) >= 2 else ""


def links(sentence: Sentence, record: Record) -> str:
    """Addresses come from the citations; one we worded ourselves (a source that is down) may be named."""
    cited = {page.url for page in record.answer.citations if page.url}
    for match in _MARKDOWN_LINK.finditer(sentence.quoted):
        if match[1] or match[4]:
            return "an image or a reference link"
        if (match[3] or match[5] or "") not in cited:
            return "a link that is not a citation's"
    for match in _URL.finditer(sentence.shown):
        address = match[0].rstrip(".,;:!?")
        if address in cited or match[0] in cited or any(folded(address) == folded(url) for url in cited):
            continue
        if not occurs(address, record.blind) and not occurs(
            address, folded(record.answer.verdict) if not record.answer.findings else ""
        ):
            return "an address that is not a citation's"
    return ""


def markers(sentence: Sentence, record: Record) -> str:
    """`[pack/page]`, `[1]` and evidence ids point to what there is; a page shares words with the sentence that it is cited for."""
    pages = {folded(page.id): page for page in record.answer.citations}
    numbered = {str(at + 1): page for at, page in enumerate(record.answer.citations)}
    evidence = {folded(item.id) for finding in record.answer.findings for item in finding.evidence}
    for match in _MARKER.finditer(sentence.quoted):
        for part in re.split(r"[,;]\s*", folded(match[1])):
            if not _PAGE_ID.fullmatch(part) or part in evidence or part == "x":
                continue
            page = pages.get(part) or numbered.get(part)
            if page is None:
                if NUMBER.fullmatch(part) or "/" in part:
                    return f"cites {part}, which was not retrieved"
                continue
            words = stems(f"{page.title} {page.section} {page.quote}") - GLUE
            if not sentence.verbatim and len(words & stems(sentence.prose)) < 2 and content_words(sentence):
                return f"cites {part} for what it does not speak of"
    return ""


def code(sentence: Sentence, record: Record) -> str:
    """Commands and flags come from a remedy or a page; anything else in code marks from the record."""
    for span in sentence.spans:
        if COMMAND.match(span) or _IN_PROSE.search(span):
            if not _may_run(span, record):
                return f"a command that no remedy gives: {span[:60]}"
        elif not record.mentions(span) and not _only_figures(span) and not _assembled(span, record):
            return f"names {span[:60]}, which nothing that was read mentions"
    for match in _IN_PROSE.finditer(sentence.prose):
        if not _may_run(match[0].rstrip(".,;:"), record):
            return f"a command that no remedy gives: {match[0][:60]}"
    return _flags(sentence, record)


def _flags(sentence: Sentence, record: Record) -> str:
    allowed = f"{record.remedies}\n{record.pages}"
    for match in _LONG_FLAG.finditer(sentence.shown):
        flag = match[0].rstrip("-.")
        asked = bool(_SET.search(sentence.prose))
        if not occurs(flag, allowed) and (asked or not occurs(flag, record.live)):
            return f"a flag that no remedy gives: {flag}"
        within = [line for line in record.haystack.splitlines() if occurs(flag, line)]
        for value in _values(sentence.shown[match.end() :]):
            if not any(occurs(value, line) for line in within):
                return f"{flag} with a value that no remedy gives: {value}"
    return ""


def _values(after: str) -> list[str]:
    first = _TO.match(after.replace("`", " "))
    if not first:
        return []
    rest = after.replace("`", " ")[first.end() :]
    second = re.match(r"\s*(?:to|→|->)\s*(\d[\d.,]*[kKMG]?)", rest)
    return [value.rstrip(".,") for value in (first[1], second[1] if second else "") if value]


def _may_run(command: str, record: Record) -> bool:
    clean = re.sub(r"^\s*[$#>]\s*", "", command)
    return occurs(clean, record.remedies) or occurs(clean, record.pages)


def _only_figures(span: str) -> bool:
    return all(NUMBER.fullmatch(part) for part in re.split(r"[\s→>%/-]+", span) if part)


def _assembled(span: str, record: Record) -> bool:
    """Is a span put together from a known name and a figure (`max_num_seqs=256`, `waiting 37`)?"""
    parts = [part for part in re.split(r"[\s=:→]+|->", span) if part]
    known = [part for part in parts if not NUMBER.fullmatch(part.rstrip("%")) and part != "%"]
    return 1 <= len(known) < len(parts) and len(known) == 1 and record.mentions(known[0])


def names(sentence: Sentence, record: Record) -> str:
    """Every named object exists in the answer, or a page speaks of it."""
    for name in sentence.said.names:
        shown = name.removesuffix("'s")
        if not record.mentions(shown) and not _apart(shown, record) and not _flagged(shown, record):
            return f"names {shown}, which nothing that was read mentions"
    for pattern in (_KIND_THEN, _THEN_KIND):
        for match in pattern.finditer(sentence.prose):
            name = match["name"].rstrip(".-")
            plainly = "-" not in name and "." not in name
            place = match["kind"].casefold() in {"namespace", "cluster"}
            if name.casefold() in PLAIN_WORDS:
                continue
            if pattern is _KIND_THEN and plainly and not place and not match["after"]:
                continue
            if plainly and name.casefold().endswith(("ed", "ing", "s", "ly")) and not place and pattern is _KIND_THEN:
                continue
            if not record.mentions(name) and stem(name) not in record.words:
                return f"names {name}, which nothing that was read mentions"
    return ""


def _apart(name: str, record: Record) -> bool:
    """Words joined by a slash, or a model size such as 70B, are known by their parts."""
    parts = name.split("/")
    if len(parts) == 2 and all(part.isalpha() for part in parts):
        return all(stem(part) in record.words or part.casefold() in COMMON for part in parts) and not occurs(
            parts[0], record.names
        )
    if re.fullmatch(r"\d+(?:\.\d+)?[bB]", name):
        return bool(re.search(rf"(?<!\w){re.escape(name.casefold())}(?!\w)", record.haystack))
    return bool(re.fullmatch(r"[A-Z]{2,}s?/[A-Z]{2,}s?", name))


def _flagged(name: str, record: Record) -> bool:
    return any(occurs(f"{dashes}{name}", record.haystack) for dashes in ("--", "-"))


def figures(sentence: Sentence, record: Record) -> str:
    """Every number is carried, by a source that speaks of the same thing."""
    for moment in sentence.said.moments:
        if moment not in record.moments:
            return f"the time {moment} is not in the evidence"
    for said in sentence.said.figures:
        why = _carried(said, sentence, record)
        if why:
            return why
    return ""


def _carried(said: Figure, sentence: Sentence, record: Record) -> str:
    found: list[Source] = []
    for source in record.sources:
        if source.kind == "own" and not said.counts and said.dim != "time":
            continue
        if any(carries(said, one) and same_counts(said, one, source.words) for one in source.said.figures):
            found.append(source)
    if not found:
        return f"the number {said.text} is not in the evidence"
    if not sentence.objects or (said.counts and any(source.kind == "own" for source in found)):
        return ""
    if all(source.kind == "page" for source in found):
        return f"the number {said.text} is a page's, not a reading of {min(sentence.objects)}"
    if all(source.objects and not source.objects & sentence.objects for source in found if source.kind == "live"):
        return f"the number {said.text} belongs to another object"
    return ""


RULES: tuple[Rule, ...] = (tricks, links, markers, language, code, figures, names, verdict, trouble, actions, anchored)
