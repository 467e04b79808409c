"""The one door to a language model: it may word what the rules found, and what it writes is posted only where it is grounded.

It cannot alter the verdict, numbers, remedies or links: those sections stay as the rules composed them. No model, a slow one or an
ungrounded draft means the deterministic answer, with a line that says so. Nothing here raises, and no key reaches a note or a log.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol, Self

from bot.advisor.grounding import ground
from bot.advisor.question import Answer, ModelUse
from bot.settings import SettingsProblem
from tools.redact import redact, seen

log = logging.getLogger("rackside.model")

PROMPT_TOKENS = 6000
BYTES_PER_TOKEN = 3  # on the safe side: about 4 in English, 3 in metric names, a token per character in Chinese
DRAFT_CHARS = 4000
TIMEOUT_S = 20.0
KEPT_SHARE = 0.5
_THOUGHTS = re.compile(r"<(think|thinking|reasoning)>.*?(?:</\1>|\Z)", re.DOTALL | re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_TRY_AGAIN = (429, 500, 502, 503, 504, 529)
_WAIT_S = 0.3
_ENDS = re.compile(r"(?s).*[.!?。！？][)\]\"'*_`]*(?=\s|\Z)")
# What a provider calls an answer that it broke off.
_BROKEN_OFF = {"length", "max_tokens", "max_output_tokens", "content_filter"}


class TooLateError(Exception):
    """The deadline passed before the model answered."""


class Cited(Protocol):
    """A retrieved passage."""

    @property
    def id(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def text(self) -> str: ...


class Chat(Protocol):
    """What is needed of a langchain chat model."""

    def invoke(self, messages: Any) -> Any:
        """Answer a list of (role, text) pairs."""


class ModelProblem(SettingsProblem):
    """The model cannot be used as it is set; the message says what to do."""


@dataclass(frozen=True)
class ModelDoor:
    """A language model behind its door. `name` is as the user gave it, `provider:model`."""

    name: str
    chat: Chat
    timeout_s: float = TIMEOUT_S
    clock: Callable[[], float] = field(default=time.monotonic)

    @classmethod
    def open(cls, name: str, base_url: str | None = None, timeout_s: float = TIMEOUT_S) -> Self:
        """A door for `provider:model`; raises ModelProblem where the provider's package is missing or the name is none."""
        from langchain.chat_models import init_chat_model

        if ":" not in name:
            raise ModelProblem(
                f"RACKSIDE_MODEL is {name!r}; write provider:model, such as openai:gpt-5 or openai:my-own-model"
            )
        settings: dict[str, Any] = {"timeout": timeout_s, "max_retries": 0}
        if base_url:
            settings["base_url"] = base_url
            if name.startswith("openai:") and not os.environ.get("OPENAI_API_KEY"):
                # One's own vLLM asks for no key; the client insists on something.
                settings["api_key"] = "none"
        try:
            return cls(name, init_chat_model(name, **settings), timeout_s)
        except ImportError:
            provider = name.split(":", 1)[0]
            raise ModelProblem(f"the package for {provider} is missing; install rackside[{provider}]") from None
        except Exception as error:  # noqa: BLE001 - many providers, many exceptions
            # A provider's own words may repeat its settings, the key among them: only the kind of trouble is said.
            raise ModelProblem(
                f"RACKSIDE_MODEL={name} cannot be opened ({type(error).__name__}); check its name and key"
            ) from None

    def word(self, answer: Answer, passages: Sequence[Cited]) -> Answer:
        """The answer worded by the model where its draft is grounded, else the answer as the rules composed it."""
        deadline = self.clock() + self.timeout_s
        calls = 0
        while True:
            calls += 1
            try:
                draft, used = self._ask(answer, passages, deadline - self.clock())
                break
            except Exception as error:  # noqa: BLE001 - whatever a provider's client raises, the answer stands without it
                status = getattr(error, "status_code", None)
                log.warning("the model failed: %s (status %s)", type(error).__name__, status)
                again = calls == 1 and status in _TRY_AGAIN and self.clock() + _WAIT_S < deadline
                if not again:
                    return self._deterministic(answer, _why(error, status), calls)
                threading.Event().wait(_WAIT_S)
        use = ModelUse(self.name, used[0], used[1], calls)
        if not draft:
            return replace(self._deterministic(answer, "the model's draft was empty", calls), model=use)
        grounded = ground(draft, answer, [*(one.quote for one in answer.citations), *(one.text for one in passages)])
        if not _worth_posting(grounded.kept, grounded.sentences, len(grounded.dropped), answer):
            return replace(self._deterministic(answer, "the model's draft was not grounded", calls), model=use)
        note = f"Worded by {self.name}, checked against the evidence"
        if grounded.dropped:
            note += f"; {len(grounded.dropped)} of its sentences were removed"
        text = _with(answer, grounded.kept)
        return replace(answer, text=text, explanation=grounded.kept, model=use, note=f"{note}. Nothing was changed.")

    def _ask(self, answer: Answer, passages: Sequence[Cited], left_s: float) -> tuple[str, tuple[int, int]]:
        messages = [("system", standing()), ("user", prompt(answer, passages))]
        reply = _within(lambda: self.chat.invoke(messages), left_s)
        usage = getattr(reply, "usage_metadata", None) or {}
        told = _text(getattr(reply, "content", ""))
        about = getattr(reply, "response_metadata", None) or {}
        if len(told) >= DRAFT_CHARS or {about.get("finish_reason"), about.get("stop_reason")} & _BROKEN_OFF:
            whole = _ENDS.match(told)
            told = whole[0] if whole else ""
        return told, (int(usage.get("input_tokens") or 0), int(usage.get("output_tokens") or 0))

    def _deterministic(self, answer: Answer, why: str, calls: int) -> Answer:
        use = ModelUse(self.name, 0, 0, calls)
        return replace(answer, model=use, note=f"Answered from rules: {why}. Nothing was changed.")


def _within(call: Callable[[], Any], left_s: float) -> Any:
    """The call's result, or TooLateError. A client's own timeout restarts with each byte: this one does not.

    The thread is a daemon, so that a server which drips for ever keeps no command from ending.
    """
    result: list[Any] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            result.append(call())
        except BaseException as error:  # noqa: BLE001 - carried to the caller's thread
            failure.append(error)

    thread = threading.Thread(target=run, name="model", daemon=True)
    thread.start()
    thread.join(max(0.01, left_s))
    if failure:
        raise failure[0]
    if not result:
        raise TooLateError
    return result[0]


def _why(error: Exception, status: object) -> str:
    """The kind of trouble in our words: a provider's own may hold a key or an address."""
    kinds = " ".join(kind.__name__ for kind in type(error).__mro__)
    if isinstance(error, TooLateError) or "Timeout" in kinds:
        return "the model did not answer in time"
    if status in {401, 403}:
        return f"the model's server refused the key (HTTP {status}); check it"
    if status == 404:
        return "the model's server does not know this model (HTTP 404); check RACKSIDE_MODEL"
    if status == 429:
        return "the model's server is busy (HTTP 429)"
    if isinstance(status, int):
        return f"the model's server failed (HTTP {status})"
    if "Connect" in kinds:
        return "the model is not reachable; check its address"
    return "what the model sent could not be read"


def standing() -> str:
    """The standing instructions."""
    return (Path(__file__).parent / "prompt.md").read_text(encoding="utf-8")


def prompt(answer: Answer, passages: Sequence[Cited]) -> str:
    """What the model is given, at most PROMPT_TOKENS with the standing instructions; passages are shortened first."""
    parts = [f"QUESTION\n{answer.question or 'What is wrong in this scope?'}", f"VERDICT\n{answer.verdict}"]
    findings = [
        f"- {one.id} on {one.subject} ({one.severity}, {one.confidence} confidence): {one.title} {one.because}"
        + (f" It is explained by {', '.join(one.explained_by)}." if one.explained_by else "")
        for one in answer.findings
    ]
    evidence = [f"- [{e.id}] {e.text}" for one in answer.findings for e in one.evidence]
    parts.append("FINDINGS\n" + "\n".join(findings or ["- none"]))
    parts.append("EVIDENCE\n" + "\n".join(evidence or ["- none"]))
    parts.append("BLIND\n" + "\n".join([f"- {s.what}: {s.why}" for s in answer.blind] or ["- nothing"]))
    parts.append(
        "RULED OUT\n" + "\n".join([f"- {r.id} on {r.subject}: {r.why}" for r in answer.ruled_out] or ["- nothing"])
    )
    room = PROMPT_TOKENS * BYTES_PER_TOKEN - len(standing().encode()) - 200
    body = _cut("\n\n".join(parts), room)
    pages = [f"[{one.id}] {one.title}: {one.quote}" for one in answer.citations]
    pages += [f"[{one.id}] {one.title}: {one.text}" for one in passages]
    # The answer is redacted by its construction; passages may come from anybody's documents.
    told = _cut(redact("\n\n".join(dict.fromkeys(pages))), room - len(body.encode()))
    # Data cannot close what it does not know: the mark depends on all of it.
    mark = hashlib.sha256(f"{body}{told}".encode()).hexdigest()[:12]
    return f"DATA {mark} BEGINS\n{body}\n\nPASSAGES\n{told}\nDATA {mark} ENDS"


def _cut(text: str, size: int) -> str:
    """At most `size` bytes of the text, without what cannot be encoded or seen."""
    return seen(_CONTROL.sub(" ", text)).encode(errors="ignore")[: max(0, size)].decode(errors="ignore")


def _text(content: Any) -> str:
    if isinstance(content, list):
        content = "".join(
            part if isinstance(part, str) else str(part.get("text") or "")
            for part in content
            if isinstance(part, str) or (isinstance(part, dict) and part.get("type") == "text")
        )
    if not isinstance(content, str):
        return ""
    return _CONTROL.sub("", _THOUGHTS.sub("", content)).strip()[:DRAFT_CHARS]


def _worth_posting(kept: str, sentences: int, dropped: int, answer: Answer) -> bool:
    if not kept.strip() or sentences == 0 or (sentences - dropped) / sentences < KEPT_SHARE:
        return False
    names = [finding.subject.rsplit("/", 1)[-1] for finding in answer.headlines]
    return not names or any(name.lower() in kept.lower() for name in names)


def _with(answer: Answer, draft: str) -> str:
    """The draft between the verdict and everything that the rules composed."""
    verdict = f"**{answer.verdict}**"
    if answer.text.startswith(verdict):
        return f"{verdict}\n\n{draft}{answer.text[len(verdict) :]}"
    if answer.text.startswith(answer.verdict):
        return f"{answer.verdict}\n\n{draft}{answer.text[len(answer.verdict) :]}"
    return f"{draft}\n\n{answer.text}"
