"""The field's words: abbreviations spelled out, typos on domain terms mended, text cut into index terms."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

# Short forms that people type at 3 a.m. and pages spell out. Pages add their own in `aliases`.
SHORT_FORMS: dict[str, str] = {
    "a/b": "canary release split",
    "apc": "automatic prefix caching",
    "ar": "allreduce",
    "awq": "activation-aware weight quantization",
    "cb": "continuous batching",
    "ccl": "collective communication nccl",
    "cpu": "cpu processor",
    "crashloop": "CrashLoopBackOff container restarting",
    "dcgm": "NVIDIA dcgm exporter GPU metrics",
    "dp": "data parallelism",
    "ds": "daemonset",
    "e2e": "end to end latency",
    "ecc": "ECC memory error",
    "ep": "expert parallelism",
    "fa": "flash attention",
    "fa3": "flash attention",
    "goodput": "requests within the objective",
    "gqa": "grouped query attention",
    "hbm": "high bandwidth memory GPU memory",
    "hpa": "horizontal pod autoscaler autoscaling",
    "ib": "infiniband",
    "imagepullbackoff": "image pull failure",
    "isl": "input sequence length prompt tokens",
    "itl": "inter-token latency time per output token",
    "keda": "KEDA autoscaling",
    "kv": "kv cache",
    "kvcache": "kv cache",
    "lora": "LoRA adapter",
    "mfu": "model flops utilization",
    "mig": "multi-instance GPU partition",
    "moe": "mixture of experts",
    "mps": "multi-process service GPU sharing",
    "mtp": "multi-token prediction speculative decoding",
    "nccl": "NCCL collective communication",
    "numa": "NUMA memory locality",
    "nvlink": "NVLink interconnect",
    "oom": "out of memory",
    "oomed": "out of memory",
    "oomkill": "OOMKilled out of memory",
    "oomkilled": "OOMKilled out of memory container memory limit",
    "osl": "output sequence length answer tokens",
    "p50": "median latency",
    "p95": "tail latency percentile",
    "p99": "tail latency percentile",
    "pdb": "pod disruption budget",
    "pp": "pipeline parallelism",
    "pvc": "persistent volume claim storage",
    "qps": "requests per second request rate",
    "rdma": "RDMA interconnect",
    "rps": "requests per second request rate",
    "shm": "shared memory /dev/shm",
    "slo": "service level objective",
    "sm": "streaming multiprocessor",
    "specdec": "speculative decoding",
    "tbt": "time between tokens inter-token latency",
    "tgi": "text generation inference",
    "thp": "throughput",
    "tp": "tensor parallelism",
    "tpot": "time per output token",
    "tps": "tokens per second throughput",
    "trtllm": "TensorRT-LLM",
    "ttft": "time to first token",
    "util": "utilization",
    "vram": "GPU memory",
    "xid": "Xid NVIDIA driver error",
}

# Words of the field that are also ordinary English: alone they do not show that a question belongs here.
ORDINARY = frozenset(
    "alert ar batch best cache canary cb cluster code container cost cpu data day deploy deployment dp driver ds ep error "
    "fa failure host ib image load log memory metric model network node objective page pod policy pp price queue rack ray "
    "request route router sample scale schedule server service signal slow sm storage test throttle token traffic util "
    "latency performance usage limit capacity training attention benchmark check process release monitor practice".split()
)

_WORD = re.compile(r"[^\W_]+(?:[_\-:./+'’][^\W_]+)*")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+")
_STOP = frozenset(
    "a about all also am an and any are as at be been but by can could did do does doing for from get gets getting got had "
    "has have having he her him his how i if in into is it its just like me my of on or our out please she should so some "
    "tell than that the their them then there these they this those to too us was we were what whats when where which who "
    "why will with would you your much many very really need want s t re ve ll d m".split()
)
_ISE = re.compile(r"is(e|ed|es|ing|ation|ations)$")
_TYPO_SCORE = 80.0
_TYPO_LEAST = 5


def stem(word: str) -> str:
    """A word without its commonest English endings, so that plurals, verb forms and both spellings of -ise meet."""
    if len(word) <= 3 or not word.isalpha():
        return word
    word = _ISE.sub(r"iz\1", word) if len(word) > 6 else word
    if word.endswith(("ies", "ied")) and len(word) > 4:
        return word[:-3] + "y"
    root = word
    for ending, least in (("ions", 8), ("ion", 7), ("ing", 6), ("ed", 5), ("es", 5), ("s", 4)):
        if word.endswith(ending) and len(word) >= least and not word.endswith("ss"):
            root = word[: -len(ending)]
            if ending in {"ing", "ed"} and root[-1] == root[-2] and root[-1] not in "ls":
                root = root[:-1]
            break
    if root.endswith("at") and len(root) > 6:
        root = root[:-2]
    return root.removesuffix("e")


def words(text: str) -> list[str]:
    """The words of a text as written, with what joins identifiers kept inside (`max-num-seqs`, `/dev/shm`)."""
    return _WORD.findall(text)


def terms(text: str) -> list[str]:
    """Index terms, lower case: each word stemmed, and for identifiers the whole and each of its parts."""
    found: list[str] = []
    for word in words(text):
        lower = word.lower().replace("’", "'").removesuffix("'s")
        if lower in _STOP:
            continue
        parts = [part.lower() for part in _PART.findall(word)]
        found.append(stem(lower))
        if len(parts) > 1:
            found.extend(stem(part) for part in parts if len(part) > 1 and part not in _STOP)
    return found


@dataclass(frozen=True, slots=True)
class Reworded:
    """A question with typos on domain terms mended (`text`), and the names its short forms stand for (`added`)."""

    text: str
    added: tuple[str, ...]
    mended: dict[str, str]


class Vocabulary:
    """The domain's terms, from the pages' titles and aliases and the table of short forms."""

    def __init__(self, names: Iterable[str], known: Iterable[str], common: Iterable[str]) -> None:
        """`names`: titles and aliases; `known`: the index's terms; `common`: whole words that are nobody's typo."""
        self.names = tuple(dict.fromkeys(name.lower() for name in names))
        self._known = frozenset(known)
        self._common = common if isinstance(common, frozenset) else frozenset(common)

    @cached_property
    def domain(self) -> frozenset[str]:
        """Single words that belong to the field, as typed (not stemmed)."""
        found = {short for short in SHORT_FORMS if short not in ORDINARY}
        for name in self.names:
            found.update(word.lower() for word in words(name) if len(word) > 2)
        return frozenset(found - _STOP)

    @cached_property
    def distinct(self) -> frozenset[str]:
        """Stems that on their own show a question to be about this field: not ordinary English."""
        special = (word for word in self.domain if word not in self._common and word not in ORDINARY)
        return frozenset(stem(word) for word in special)

    @cached_property
    def _targets(self) -> tuple[str, ...]:
        return tuple(sorted(word for word in self.domain if len(word) >= _TYPO_LEAST and word.isalpha()))

    def reword(self, query: str) -> Reworded:
        """Mend and expand a question; an ordinary word is never mended."""
        mended: dict[str, str] = {}
        added: list[str] = []
        for word in dict.fromkeys(words(query)):
            lower = word.lower()
            right = self._mend(lower)
            if right:
                mended[word] = right
            meaning = SHORT_FORMS.get(right or lower)
            if meaning:
                added.append(meaning)
        text = query
        for wrong, right in mended.items():
            text = re.sub(rf"(?<!\w){re.escape(wrong)}(?!\w)", right, text)
        return Reworded(text, tuple(dict.fromkeys(added)), mended)

    def _mend(self, word: str) -> str:
        """The domain term that a misspelt word was meant to be, empty when it is none."""
        if len(word) < _TYPO_LEAST or not word.isalpha() or word in self.domain:
            return ""
        if word in self._common or stem(word) in self._known or word in _STOP:
            return ""
        from rapidfuzz import fuzz, process

        best = process.extractOne(word, self._targets, scorer=fuzz.ratio, score_cutoff=_TYPO_SCORE)
        return best[0] if best else ""
