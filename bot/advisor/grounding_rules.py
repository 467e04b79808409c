"""The rules a sentence has to pass. Each looks at one sentence and the record and says what is wrong with it, or nothing.

They read English. What they cannot read, they do not let through.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from bot.advisor.grounding_numbers import NUMBER, Figure, carries, same_counts
from bot.advisor.grounding_record import Record, Source, occurs
from bot.advisor.grounding_tokens import COMMON, Tokens, tokens
from bot.advisor.plain_text import folded, stem, stems

KINDS = "namespace|cluster|deployment|statefulset|daemonset|workload|service|pod|node|job|hpa|container|replica"
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
_HEALTHY = re.compile(
    r"\b(?:healthy|all (?:is |looks? |seems? )?(?:good|well|fine|ok|okay|clear|green)|(?:everything|it all|things?|system|service|cluster|fleet) "
    r"(?:is|are|looks?|seems?|appears?|works?|runs?|operat\w+)\b[^.;]{0,25}\b(?:fine|good|well|ok|okay|normal(?:ly)?|green|stable|smooth\w*|expected|order)|"
    r"(?:no|not any|without(?: any)?|zero) (?:\w+ ){0,2}?(?:problems?|issues?|incidents?|faults?|errors? found|anomal\w+|concerns?|action (?:is )?(?:needed|required))|"
    r"nothing (?:is |was |looks? |seems? )?(?:\w+ )?(?:wrong|broken|unusual|abnormal|amiss|to (?:do|fix|worry about|see))|"
    r"(?:no|any) need to (?:worry|act)|(?:false alarm)|(?:within|in) (?:the )?(?:normal|expected|healthy) (?:range|limits?|parameters|bounds)|"
    r"(?:operating|performing|behaving|running) (?:normally|as expected|fine|well)|fully operational|perfectly fine|"
    r"(?:isn't|is not|aren't|are not) (?:a |any )?(?:problems?|issues?|anything wrong))\b",
    re.IGNORECASE,
)
_NOT_HEALTHY = re.compile(
    r"\b(?:not|isn't|aren't|never|no longer|nor|hardly|than|un)\W+(?:\w+\W+){0,2}?healthy|\b(?:until|when|once|if|so that)\b[^.]*healthy",
    re.IGNORECASE,
)
_AS_SEEN = re.compile(
    r"\b(?:what|that|which|as far as)\b[^.]{0,40}\b(?:seen|read|looked|visible|answered)\b|\bcould be seen\b",
    re.IGNORECASE,
)
_SEES_ALL = re.compile(
    r"\b(?:(?:everything|all (?:\w+ )?(?:sources?|data|metrics|signals|readings)) (?:\w+ )?(?:\w+ )?(?:seen|visible|read|readable|available|answered|present|reachable)|"
    r"no (?:blind ?spots?|gaps?|missing (?:data|metrics|signals?))|nothing (?:is|was) (?:missing|blind|hidden)|full visibility|(?:not|isn't|aren't|never) blind)\b",
    re.IGNORECASE,
)
_UNSEEN = re.compile(
    r"\b(?:blind|unknown|unseen|missing|forbidden|stale|partial|absent|unreadable|unavailable|unreachable|inaccessible|unclear|unable|not|n't|cannot|"
    r"could no|without|no (?:data|series|metrics?|logs?|permission|access|view)|neither|nor|down|fail\w*|refused|denied|ambiguous|lack\w*)\b|n't\b",
    re.IGNORECASE,
)
_NEGATED = re.compile(
    r"\b(?:not|no|never|none|neither|nor|without|rather than|instead of|ruled out|rules out|exclud\w+|unlike|absent|cannot|unlikely|not the|nothing)\b|n't\b",
    re.IGNORECASE,
)
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
_PLAIN_WORDS = frozenset(
    "the a an its it is was are were has had have be been and or but not no only also still now then than of in on at to for from by with that which "
    "this these those itself themselves each every same other another whole entire own single new old hot cold busy idle slow fast affected failing "
    "crashing pending running serving inference gpu cpu gpus model language healthy unhealthy overloaded saturated queued waiting stuck first second "
    "third last next current named one two three all any some more most fewer many several spare free full empty given target upstream downstream "
    "remaining neighbouring noisy bad good right wrong kubernetes horizontal underlying main primary secondary worst best largest smallest counts count "
    "scale scales scaling autoscaler autoscaling controller level name names object objects labels label status state logs log spec requests limits limit "
    "memory restarts restart metrics metric itself alone behind per while because so as if when until before after where there here stays remains sees "
    "shows reports holds gets takes keeps needs runs uses can cannot could will would should must may might do does did reads says".split()
)
_DESTROY = {
    "delete": "delet", "drain": "drain", "cordon": "cordon", "reboot": "reboot", "restart": "restart", "kill": "kill", "evict": "evict",
    "wipe": "wip", "erase": "eras", "uninstall": "uninstall", "terminate": "terminat", "destroy": "destro", "purge": "purg", "nuke": "nuk",
    "reinstall": "reinstall", "recreate": "recreat", "redeploy": "redeplo", "rollback": "rollback", "reset": "reset", "truncate": "truncat",
    "bounce": "bounc", "reimage": "reimag", "decommission": "decommission", "power-cycle": "power-cycl", "unplug": "unplug", "shutdown": "shutdown",
    "rollout": "rollout", "downgrade": "downgrad", "uncordon": "uncordon",
}  # fmt: skip
_SOFT = {"stop": "stop", "remove": "remov", "drop": "drop", "clear": "clear", "flush": "flush", "disable": "disabl", "revert": "revert",
         "scale": "scal", "format": "format", "detach": "detach", "force": "forc", "upgrade": "upgrad", "undo": "undo", "patch": "patch"}  # fmt: skip
_PHRASES = re.compile(r"\b(?:shut(?:ting)? (?:\w+ )?(?:down|off)|tak(?:e|ing) (?:\w+ ){0,3}(?:down|offline)|tear(?:ing)? (?:\w+ ){0,3}down|turn(?:ing)? (?:\w+ ){0,3}off|switch(?:ing)? (?:\w+ ){0,3}off|"
                      r"roll(?:ing)? (?:\w+ ){0,3}back|get(?:ting)? rid of|power(?:ing)?[ -](?:off|cycl\w+|down)|scal\w+ (?:\w+ ){0,4}to (?:0|zero)|blow(?:ing)? away|rm -rf?)\b", re.IGNORECASE)  # fmt: skip
_ACTION = re.compile(r"\b(?:un)?([a-z]+(?:-cycle)?)\b", re.IGNORECASE)
_NOUN_BEFORE = re.compile(
    r"\b(?:a|an|the|no|each|every|last|any|per|this|that|its|of|container|pod|previous|first|recent|oom|memory|more|several|many|\d+|exit|crash|host)\s+$",
    re.IGNORECASE,
)
_NOUN_AFTER = re.compile(
    r"^\s*(?:counts?|counter|loop|policy|rate|reason|time|event|signal|s\b|was|were|is|has|happened|in the last)",
    re.IGNORECASE,
)
_REFRAIN = re.compile(
    r"\b(?:do not|don't|never|avoid|without|instead of|rather than|not to|no need to|did not|didn't|does not|not)\s+(?:\w+ly\s+)?$",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"(?:^|[,;:.!—–-]\s*|\b(?:to|please|should|must|can|could|then|and|or|just|you|now|let's|simply|also|by|try|need to|want to|might|may)\s+)(?:\w+ly\s+)?$",
    re.IGNORECASE,
)
# Kinds of trouble: whoever names one says that something of the sort was read.
_TROUBLE = (
    "out[- ]of[- ]memory|oom", "oom[- ]?killed", "throttl", "crash", "deadlock", "memory leak|leak(?:ed|ing|s)?\\b", "thermal|overheat", "ecc\\b|uncorrectable",
    "nvlink", "\\bxid", "evict", "preempt", "unschedulable", "hack|compromis|attack|breach|malware|crypto-?min|ransom", "corrupt", "network partition|packet loss|network (?:failure|problem|issue|outage)",
    "disk (?:is )?full|out of disk", "\\bdns\\b", "certificate|\\btls\\b", "firmware", "driver (?:bug|crash|mismatch|error)", "hardware (?:fault|failure|error|defect)|faulty|defective|fell off the bus",
    "misconfigur", "segfault|segmentation fault|core dump", "timed out|time-?outs?\\b", "hung\\b|hang(?:s|ing)?\\b|frozen", "data loss|lost data", "power (?:loss|outage|failure)", "spot (?:instance|reclaim)",
    "bad (?:build|deploy|release|image)", "regression", "rate[- ]limit", "image ?pull", "shared memory|/dev/shm", "nccl", "(?:prefix )?cache (?:miss|thrash)", "dead\\b|died\\b",
)  # fmt: skip
_TROUBLES = tuple(
    re.compile(rf"\b(?:{words})" if not words.startswith("\\b") else words, re.IGNORECASE) for words in _TROUBLE
)
_FOREIGN = frozenset(
    "der die das und ist nicht kein keine alles sind ein eine le la les est des pas tout une sont aucun el los las es está todo sin una y nada "
    "il di che non tutto è sono gli het een niet geen alles zijn o os não tudo bem är inte inget allt".split()
)
_GLUE = stems(
    "rackside read reads reading changed nothing looked checked check evidence source sources finding findings what whether confidence severity high medium low critical "
    "cause causes symptom symptoms explain explains because verdict remedy remedies change verify ruled out could not see seen question answer page pages cited measured "
    "should therefore means which while where when since also more less than from with into over under this that these those there their them they have been being does "
    "show shows shown because first then next after before most likely points point together same still same only between both such"
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence in the forms that the rules look at.

    `raw` is as written, `quoted` with the texts that may be quoted whole blanked out, `shown` plain, `spans` its code spans, `prose` plain
    without spans and markers, `verbatim` whether a text of the answer contains all of it.
    """

    raw: str
    quoted: str
    shown: str
    spans: tuple[str, ...]
    prose: str
    said: Tokens
    objects: frozenset[str]
    verbatim: bool


Rule = Callable[[Sentence, Record], str]


def tricks(sentence: Sentence, record: Record) -> str:
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
    return "not in a language that can be checked" if sum(word in _FOREIGN for word in words) >= 2 else ""


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
            words = stems(f"{page.title} {page.section} {page.quote}") - _GLUE
            if not sentence.verbatim and len(words & stems(sentence.prose)) < 2 and _content(sentence):
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
            if name.casefold() in _PLAIN_WORDS or (pattern is _KIND_THEN and plainly and not match["after"]):
                continue
            if (
                plainly
                and name.casefold().endswith(("ed", "ing", "s", "ly"))
                and match["kind"].casefold() not in {"namespace", "cluster"}
                and pattern is _KIND_THEN
            ):
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
        if same_counts(said, source.words) and any(carries(said, figure) for figure in source.said.figures):
            found.append(source)
    if not found:
        return f"the number {said.text} is not in the evidence"
    if not sentence.objects or said.counts and any(source.kind == "own" for source in found):
        return ""
    if all(source.kind == "page" for source in found):
        return f"the number {said.text} is a page's, not a reading of {min(sentence.objects)}"
    if all(source.objects and not source.objects & sentence.objects for source in found if source.kind == "live"):
        return f"the number {said.text} belongs to another object"
    return ""


def verdict(sentence: Sentence, record: Record) -> str:
    """Nothing is called well that is not, seen that was not, or found that was ruled out."""
    if sentence.verbatim:
        return ""
    prose, answer = sentence.prose, record.answer
    if _HEALTHY.search(prose) and not _NOT_HEALTHY.search(prose):
        if answer.headlines:
            return "says that it is well, against the findings"
        if answer.saw_nothing or (answer.blind and not _AS_SEEN.search(prose)):
            return "says that it is well, where not everything could be seen"
    if answer.blind and _SEES_ALL.search(prose):
        return "says that everything was seen, where it was not"
    words = stems(prose)
    for spot in answer.blind:
        named = [
            name for name in tokens(spot.what).names if folded(name) in record.objects or "/" in name or "-" in name
        ]
        hyphened = [word for word in re.findall(r"\w+(?:-\w+)+", spot.what) if word not in named]
        if named and not any(occurs(name, folded(sentence.shown)) for name in (*named, *hyphened)):
            continue
        about = stems(re.sub("|".join(map(re.escape, named)) or r"(?!)", " ", spot.what)) - _FILLER
        if about and about <= words and not _UNSEEN.search(prose):
            return f"speaks of {spot.what}, which could not be seen"
    found = {finding.id for finding in answer.findings}
    for out in answer.ruled_out:
        said = out.id.replace("_", " ")
        if (
            out.id not in found
            and (occurs(said, folded(prose)) or occurs(out.id, folded(sentence.shown)))
            and not _NEGATED.search(prose)
        ):
            return f"asserts {out.id}, which was ruled out"
    return ""


_FILLER = stems("of the on in for and from its a an at to")


def trouble(sentence: Sentence, record: Record) -> str:
    """A kind of trouble is named only where something that was read speaks of it."""
    if sentence.verbatim:
        return ""
    for pattern in _TROUBLES:
        match = pattern.search(sentence.prose)
        if not match or pattern.search(record.live) or pattern.search(record.remedies):
            continue
        if pattern.search(record.ruled_out) and _NEGATED.search(sentence.prose):
            continue
        if pattern.search(record.blind) and _UNSEEN.search(sentence.prose):
            continue
        if pattern.search(record.pages) and (not record.answer.findings or not sentence.objects):
            continue
        return f"speaks of {match[0]!r}, which nothing that was read shows"
    return ""


def actions(sentence: Sentence, record: Record) -> str:
    """What breaks or interrupts things is advised only where a remedy advises it, of the same object."""
    text = sentence.shown
    for match in _PHRASES.finditer(text):
        if not _REFRAIN.search(text[: match.start()]) and not occurs(match[0], record.remedies):
            return f"advises to {match[0]}, which no remedy does"
    for match in _ACTION.finditer(text):
        verb = match[0].casefold()
        soft = verb not in _DESTROY
        root = _DESTROY.get(verb) or _SOFT.get(verb) or _gerund(verb)
        if not root:
            continue
        before, after = text[: match.start()], text[match.end() :]
        if _REFRAIN.search(before) or _NOUN_AFTER.match(after):
            continue
        if soft and not _ASKS.search(before) or not soft and _NOUN_BEFORE.search(before):
            continue
        if not _advised(root, sentence, record):
            return f"advises to {verb}, which no remedy does"
    return ""


def _gerund(verb: str) -> str:
    return next((root for root in _DESTROY.values() if verb in {root + "ing", root + root[-1] + "ing"}), "")


def _advised(root: str, sentence: Sentence, record: Record) -> bool:
    for finding in record.answer.findings:
        for remedy in finding.remedies:
            text = f"{remedy.text} {remedy.verify} " + (
                f"{remedy.change.what} {remedy.change.to}" if remedy.change else ""
            )
            if not re.search(rf"\b{root}", folded(text)):
                continue
            about = folded(
                f"{text} {finding.subject} {finding.because} " + " ".join(item.text for item in finding.evidence)
            )
            if all(occurs(name, about) for name in sentence.objects):
                return True
    return False


def anchored(sentence: Sentence, record: Record) -> str:
    """A sentence of some length shares words with what was read: the rest is somebody's story."""
    content = _content(sentence)
    known = content & record.words
    if len(content) >= 4 and len(known) * 4 <= len(content):
        return "nothing that was read speaks of this"
    return ""


def _content(sentence: Sentence) -> frozenset[str]:
    return frozenset(stem(word) for word in re.findall(r"[^\W\d_]{4,}", sentence.prose)) - _GLUE


RULES: tuple[Rule, ...] = (tricks, links, markers, language, code, figures, names, verdict, trouble, actions, anchored)
