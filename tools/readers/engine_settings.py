"""Which settings nobody has decided: neither argument, variable nor file states them. What cannot be read is not told."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from tools.engine_advisories import ENGINES as ENGINES_WITH_ADVISORIES
from tools.engine_advisories import Advisory, known, version
from tools.engines import ENGINES, Configuration, Key, flag, resolve
from tools.engines.manifest import container_of
from tools.engines.setting import Origin
from tools.facts import Object, name_of, serving_container
from tools.readers import Listed, Told, Value
from tools.signals import Signal
from tools.vocabulary import readiness as told

KINDS = ("pods",)
FACTS = (told.REVISION_OPEN, told.CONTEXT_IMPLICIT, told.BATCH_IMPLICIT, told.PRECISION_IMPLICIT, told.KNOWN_HOLES)
_HUB_ID = re.compile(r"^[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*$")
_COMMIT = re.compile(r"^[0-9a-f]{40}$")
# The setting is open, only what the engine makes of it is not known.
_DEFAULTED = re.compile(r"version is not known$|was not verified$")


def read(listed: Listed) -> Iterator[Told]:
    """Facts of pods whose engine and model are known."""
    for item in listed.of("pods"):
        facts = _settings(item)
        if facts and all(name_of(item)):
            yield Told("/".join(name_of(item)), facts, "pods")


def _settings(pod: Object) -> dict[Signal, Value]:
    configuration = resolve(container_of(serving_container(pod)))
    model = configuration.text(Key.MODEL)
    facts: dict[Signal, Value] = {}
    at = version(configuration.version)
    if configuration.engine in ENGINES_WITH_ADVISORIES and at:
        facts[told.KNOWN_HOLES] = _holes(configuration, known(configuration.engine, at))
    if not configuration.engine or not model:
        return facts
    revision = _revision(configuration, model)
    if revision is not None:
        facts[told.REVISION_OPEN] = revision
    context = _open(configuration, Key.MAX_MODEL_LEN)
    if context is not None:
        facts[told.CONTEXT_IMPLICIT] = context
    limits = [_open(configuration, key) for key in (Key.MAX_NUM_SEQS, Key.MAX_BATCHED_TOKENS)]
    if "" in limits:
        facts[told.BATCH_IMPLICIT] = ""
    elif all(limits):
        facts[told.BATCH_IMPLICIT] = ", ".join(str(one) for one in limits)
    kinds = [_open(configuration, key) for key in (Key.DTYPE, Key.QUANTIZATION)]
    chosen = configuration[Key.DTYPE].stated and configuration.text(Key.DTYPE) != "auto"
    if chosen or configuration[Key.QUANTIZATION].stated:
        facts[told.PRECISION_IMPLICIT] = ""
    elif kinds[1] and (kinds[0] or configuration.text(Key.DTYPE) == "auto"):
        facts[told.PRECISION_IMPLICIT] = str(kinds[0] or "auto")
    return facts


def _holes(configuration: Configuration, found: Sequence[Advisory]) -> str:
    if not found:
        return ""
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    clear = ".".join(str(part) for part in found[0].fixed)
    return f"{configuration.title} {configuration.version}: {found[0].id} ({found[0].what}){more}; versions from {clear} on are not named"


def _open(configuration: Configuration, key: Key) -> str | None:
    """The flag of a setting that nobody states, empty where somebody does; None where that cannot be known."""
    setting = configuration[key]
    if setting.stated:
        return ""
    engine = next((one for one in ENGINES if one.name == configuration.engine), None)
    option = next((one for one in (engine.options if engine else ()) if one.key is key), None)
    if option is None:
        return None
    left = setting.origin is Origin.DEFAULT or setting.detail == option.depends or _DEFAULTED.search(setting.detail)
    return (flag(configuration.engine, key) or option.key.value) if left else None


def _revision(configuration: Configuration, model: str) -> str | None:
    if not _HUB_ID.match(model):
        return ""
    said = configuration.text(Key.REVISION)
    if said:
        return "" if _COMMIT.match(said) else f"{model[:120]} at {said[:40]}"
    return f"{model[:120]} at the newest commit" if _open(configuration, Key.REVISION) else None
