"""What an engine's options are called, and how a stated one, a file's or a version's default becomes a setting."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import yaml

from tools.engines.arguments import ON, number, readable, truth
from tools.engines.setting import Configuration, Container, Key, Origin, Setting, Value, Version
from tools.engines.shell import Unresolved


class Form(StrEnum):
    """How the text of an option is read."""

    TEXT = "text"
    NUMBER = "number"
    WHOLE = "whole"
    SWITCH = "switch"


@dataclass(frozen=True, slots=True)
class Default:
    """What an option is when nobody sets it, in versions from `since` (included) to `before` (excluded)."""

    value: Value
    since: Version = ()
    before: Version = ()


@dataclass(frozen=True, slots=True)
class Option:
    """One setting of an engine. `flags` and `env` name it, `off` are flags that turn a switch off.

    `depends` says what decides it where nobody sets it and no default holds.
    """

    key: Key
    flags: tuple[str, ...]
    form: Form = Form.TEXT
    env: tuple[str, ...] = ()
    off: tuple[str, ...] = ()
    defaults: tuple[Default, ...] = ()
    depends: str = ""


def number_of(
    key: Key, *flags: str, default: float | None = None, env: tuple[str, ...] = (), depends: str = ""
) -> Option:
    """A whole number."""
    defaults = () if default is None else (Default(default),)
    return Option(key, flags, Form.WHOLE, env, defaults=defaults, depends=depends)


Derive = Callable[["Engine", Version, Container, Mapping[Key, Setting], Mapping[str, str]], Mapping[Key, Setting]]
Count = Callable[[Configuration, Container], "int | None"]
Launched = Callable[[Sequence[str]], "int | None"]


def nothing_derived(
    _engine: Engine,
    _version: Version,
    _container: Container,
    _settings: Mapping[Key, Setting],
    _flags: Mapping[str, str],
) -> Mapping[Key, Setting]:
    """For engines whose settings follow from nothing else."""
    return {}


def product(configuration: Configuration, _container: Container) -> int | None:
    """GPUs of one engine: tensor times pipeline parallel size, None where one is not known."""
    sizes = [configuration.number(key) for key in (Key.TENSOR_PARALLEL, Key.PIPELINE_PARALLEL)]
    found = 1
    for size in sizes:
        if size is None or not 1 <= size <= 4096:
            return None
        found *= int(size)
    return found


@dataclass(frozen=True)
class Engine:
    """An engine: how it is launched, what its options are called, and since which versions its defaults were verified.

    `launched` finds the last word of what starts it (`vllm serve`), None where a command does not. `images` match an image whose
    entrypoint starts it, `releases` one whose tags count the versions of the engine. `config` are flags that name a file of options. `verified` bounds the versions whose defaults are known.
    """

    name: str
    title: str
    images: re.Pattern[str]
    releases: re.Pattern[str]
    launched: Launched
    options: tuple[Option, ...]
    switches: frozenset[str] = frozenset()
    config: tuple[str, ...] = ()
    verified: tuple[Version, Version] = ((), ())
    underscores: bool = True
    positional: bool = False
    derive: Derive = nothing_derived
    count: Count = product

    @property
    def all_switches(self) -> frozenset[str]:
        """Flags that take no value."""
        own = {flag for one in self.options if one.form is Form.SWITCH for flag in (*one.flags, *one.off)}
        return self.switches | own


def read_value(option: Option, text: str, *, off: bool = False) -> Value | None:
    """The value that a text gives an option, None where it is no such value."""
    if option.form is Form.SWITCH:
        said = truth(text)
        return said if said is None or not off else not said
    if option.form is Form.TEXT:
        return text[:300] or None
    found = readable(text) if option.form is Form.WHOLE else number(text)
    return None if found is None or found < 0 else found


def stated(option: Option, flags: Mapping[str, str]) -> Setting | None:
    """What the command line says of an option; unknown where it says it with words that only a run would tell."""
    # Of several names for one option the last one wins.
    for name in reversed([flag for flag in flags if flag in option.flags or flag in option.off]):
        text = flags[name]
        value = None if isinstance(text, Unresolved) else read_value(option, text, off=name in option.off)
        if value is not None:
            return Setting(value, Origin.ARGUMENT, name)
        why = "is a variable that only the container knows" if isinstance(text, Unresolved) else f"is {text[:60]!r}"
        return Setting(None, Origin.UNKNOWN, f"{name} {why}")
    return None


def from_environment(option: Option, env: Mapping[str, str | None]) -> Setting | None:
    """What a variable says of an option."""
    for name in option.env:
        if name in env:
            text = env[name]
            value = None if text is None else read_value(option, text)
            if value is not None:
                return Setting(value, Origin.ENVIRONMENT, name)
            return Setting(
                None, Origin.UNKNOWN, f"{name} is not readable here" if text is None else f"{name} is {text[:60]!r}"
            )
    return None


def from_file(option: Option, given: Mapping[str, Any], path: str) -> Setting | None:
    """What a file of options says of one; names may be written with underscores or dashes."""
    for flag in (*option.flags, *option.off):
        for name in (flag.lstrip("-"), flag.lstrip("-").replace("-", "_")):
            if name in given:
                value = read_value(option, _text(given[name]), off=flag in option.off)
                return (
                    Setting(value, Origin.FILE, path)
                    if value is not None
                    else Setting(None, Origin.UNKNOWN, f"{path}: {name}")
                )
    return None


def parse_file(text: str) -> Mapping[str, Any] | None:
    """A file of options (YAML or JSON), None where it is no mapping."""
    if len(text) > 2**20:
        return None
    try:
        found = yaml.load(text, Loader=_Plain)  # noqa: S506 - a loader of plain values, aliases refused
    except (yaml.YAMLError, ValueError, RecursionError):
        return None
    return {str(key): value for key, value in found.items()} if isinstance(found, dict) else None


class _Plain(yaml.SafeLoader):
    """Plain values only: an alias could make a small file a huge one."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            raise yaml.YAMLError("aliases are not read")
        return super().compose_node(parent, index)


def default(option: Option, version: Version, title: str, verified: tuple[Version, Version]) -> Setting:
    """What a version does where nobody says anything."""
    if not version and option.defaults:
        return Setting(None, Origin.UNKNOWN, f"{title}'s version is not known")
    first, last = verified
    if option.defaults and (version < first or version[: len(last)] > last):
        return Setting(None, Origin.UNKNOWN, f"the default of {title} {shown(version)} was not verified")
    for one in option.defaults:
        if version >= one.since and (not one.before or version < one.before):
            return Setting(one.value, Origin.DEFAULT, f"of {title} {shown(version)}")
    return Setting(None, Origin.UNKNOWN, option.depends or "nothing tells it")


def shown(version: Version) -> str:
    """A version as it is written."""
    return ".".join(map(str, version))


def _text(value: object) -> str:
    if isinstance(value, bool):
        return ON if value else "false"
    return "" if value is None or isinstance(value, list | dict) else str(value)
