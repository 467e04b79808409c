"""Rules about what a sentence claims: that something is well or seen, that there is trouble, what ought to be done."""

from __future__ import annotations

import re

from bot.advisor.grounding_record import Record, occurs
from bot.advisor.grounding_sentence import Sentence
from bot.advisor.grounding_words import GLUE
from bot.advisor.plain_text import folded, stem, stems

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
_DESTROY = {
    "delete": "delet", "drain": "drain", "cordon": "cordon", "reboot": "reboot", "restart": "restart", "kill": "kill", "evict": "evict",
    "wipe": "wip", "erase": "eras", "uninstall": "uninstall", "terminate": "terminat", "destroy": "destro", "purge": "purg", "nuke": "nuk",
    "reinstall": "reinstall", "recreate": "recreat", "redeploy": "redeplo", "rollback": "rollback", "reset": "reset", "truncate": "truncat",
    "bounce": "bounc", "reimage": "reimag", "decommission": "decommission", "power-cycle": "power-cycl", "unplug": "unplug", "shutdown": "shutdown",
    "rollout": "rollout", "downgrade": "downgrad", "uncordon": "uncordon",
}  # fmt: skip
_SOFT = {"stop": "stop", "remove": "remov", "drop": "drop", "clear": "clear", "flush": "flush", "disable": "disabl", "revert": "revert",
         "scale": "scal", "format": "format", "detach": "detach", "force": "forc", "upgrade": "upgrad", "undo": "undo", "patch": "patch"}  # fmt: skip
_PHRASES = re.compile(r"\b(?:shut(?:ting)? (?:\w+ ){0,3}(?:down|off)|tak(?:e|ing) (?:\w+ ){0,3}(?:down|offline)|tear(?:ing)? (?:\w+ ){0,3}down|turn(?:ing)? (?:\w+ ){0,3}off|switch(?:ing)? (?:\w+ ){0,3}off|"
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
    "doubl(?:ed|ing)|tripled|quadrupled|halved", "nvlink", "\\bxid", "evict", "preempt", "unschedulable", "hack|compromis|attack|breach|malware|crypto-?min|ransom", "corrupt", "network partition|packet loss|network (?:failure|problem|issue|outage)",
    "disk (?:is )?full|out of disk", "\\bdns\\b", "certificate|\\btls\\b", "firmware", "driver (?:bug|crash|mismatch|error)", "hardware (?:fault|failure|error|defect)|faulty|defective|fell off the bus",
    "misconfigur", "segfault|segmentation fault|core dump", "timed out|time-?outs?\\b", "hung\\b|hang(?:s|ing)?\\b|frozen", "data loss|lost data", "power (?:loss|outage|failure)", "spot (?:instance|reclaim)",
    "bad (?:build|deploy|release|image)", "regression", "rate[- ]limit", "image ?pull", "shared memory|/dev/shm", "nccl", "(?:prefix )?cache (?:miss|thrash)", "dead\\b|died\\b",
)  # fmt: skip
_TROUBLES = tuple(
    re.compile(rf"\b(?:{words})" if not words.startswith("\\b") else words, re.IGNORECASE) for words in _TROUBLE
)


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
    # A spot that is quoted whole is blanked out of the prose, and is spoken of all the same.
    words = stems(sentence.shown)
    for spot in record.unseen:
        if not (spot.about and spot.about <= words) or _UNSEEN.search(sentence.whole):
            continue
        if not spot.names or any(occurs(name, folded(sentence.shown)) for name in spot.names):
            return f"speaks of {spot.what}, which could not be seen"
    found = {finding.id for finding in answer.findings}
    for out in answer.ruled_out:
        said = out.id.replace("_", " ")
        if (
            out.id not in found
            and (occurs(said, folded(prose)) or occurs(out.id, folded(sentence.shown)))
            and not occurs(out.why, folded(sentence.whole))
            and not _NEGATED.search(prose)
            and not occurs(out.why, folded(sentence.whole))
        ):
            return f"asserts {out.id}, which was ruled out"
    return ""


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
        if (soft and not _ASKS.search(before)) or (not soft and _NOUN_BEFORE.search(before)):
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
    content = content_words(sentence)
    known = content & record.words
    if len(content) >= 4 and len(known) * 4 <= len(content):
        return "nothing that was read speaks of this"
    return ""


def content_words(sentence: Sentence) -> frozenset[str]:
    return frozenset(stem(word) for word in re.findall(r"[^\W\d_]{4,}", sentence.prose)) - GLUE
