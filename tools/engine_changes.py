"""Changes of an engine's settings, under the name that this engine has for them and from the value that it resolves."""

from __future__ import annotations

from tools.check import Now
from tools.engines import Key, flag
from tools.finding import Change
from tools.signals import Ask
from tools.vocabulary.configuration import CONFIGURED_BY, ENGINE_NAME

# What a check that speaks of settings may look at.
HELPS = (ENGINE_NAME.now, CONFIGURED_BY.now)


def option(now: Now, key: Key) -> str:
    """The flag of a setting; vLLM's where the engine is not known, plain words where the engine has no flag for it."""
    name = now.get(ENGINE_NAME.now)
    return flag(name.text if name is not None and name.text else "vllm", key) or key.replace("_", " ")


def value_of(now: Now, key: Key, ask: Ask, otherwise: str) -> str:
    """A setting's value as a reader needs it: `0.9 (default of vLLM 0.11.0)`; `otherwise` where it is not known."""
    found = now.get(ask)
    if found is None or found.value in ("", None):
        return otherwise
    shown = found.text if isinstance(found.value, str) else f"{found.number:.6g}"
    origins = now.get(CONFIGURED_BY.now)
    for part in origins.text.split("; ") if origins is not None else ():
        if part.startswith(f"{key} {shown} (default"):
            return part.removeprefix(f"{key} ")
    return shown


def change(now: Now, key: Key, ask: Ask, to: str, otherwise: str = "not set") -> Change:
    """A change of a setting from what it is now."""
    return Change(option(now, key), value_of(now, key, ask, otherwise), to)
