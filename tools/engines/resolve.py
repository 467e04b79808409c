"""Find the engine that a container runs, and resolve its configuration in the engine's own order: argument, variable, file, default."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from tools.engines.arguments import Arguments, parse
from tools.engines.command_line import Line, lines, program
from tools.engines.options import Engine, Option, default, from_environment, from_file, parse_file, shown, stated
from tools.engines.setting import Configuration, Container, Key, Origin, Setting, Version
from tools.engines.shell import Unresolved

_VERSION = re.compile(r"(?:^|[-_])v?(\d{1,4}(?:\.\d{1,4}){1,3})(?=$|[-_.+]|post|rc)")
# What scripts do before they start a server; anything else may be one itself.
_PREPARING = frozenset(
    [
        "set",
        "cd",
        "echo",
        "printf",
        "sleep",
        "mkdir",
        "true",
        ":",
        "ulimit",
        "source",
        ".",
        "trap",
        "wait",
        "export",
        "unset",
        "test",
        "[",
        "[[",
        "date",
        "cat",
        "ls",
        "env",
        "id",
        "umask",
        "chmod",
        "chown",
        "ln",
        "cp",
        "mv",
        "rm",
        "pip",
        "pip3",
        "uv",
        "apt-get",
        "nvidia-smi",
        "huggingface-cli",
        "hf",
        "aws",
        "gsutil",
        "gcloud",
        "s5cmd",
        "curl",
        "wget",
        "until",
        "fill_template.py",
    ]
)


def version_of(image: str, engine: Engine) -> Version:
    """The engine's version that an image's tag names, empty where it names none."""
    folder, slash, last = image.partition("@")[0].rpartition("/")
    name, _, tag = last.partition(":")
    if not engine.releases.search(f"{folder}{slash}{name}"):
        return ()
    match = _VERSION.search(tag[:128])
    version = tuple(int(part) for part in match[1].split(".")) if match else ()
    # A tag such as 25.09 counts the months of a distributor, not the versions of the engine.
    newest = engine.verified[1]
    return () if newest and version[:1] > newest[:1] else version


def resolve_with(container: Container, engines: Sequence[Engine], shared: Sequence[Option]) -> Configuration:
    """The configuration of a container; without an engine only what it states of the `shared` options is told."""
    found = lines(container)
    launches = [
        (engine, line, place)
        for line in found
        for engine in engines
        if (place := engine.launched(line.words)) is not None
    ]
    by_image = next((engine for engine in engines if engine.images.search(container.image.partition("@")[0])), None)
    if launches:
        engine, line, place = launches[0]
        if len({(id(one.words)) for _, one, _ in launches}) > 1:
            return _unknown(engine, container, "the container starts more than one server")
        alone = all(one is line or _PREPARING & set(map(program, one.words[:2])) for one in found)
        return _resolve(engine, container, line, line.words[place + 1 :], whole=True, alone=alone)
    if by_image is not None and len(found) == 1:
        line = found[0]
        # An image whose entrypoint is the engine's command takes `serve` as its first argument.
        words = line.words[1:] if line.words[:1] == ("serve",) else line.words
        return _resolve(by_image, container, line, words, whole=not line.own)
    if by_image is not None:
        return _unknown(by_image, container, "a script starts it")
    # A server of one's own: what it states under names that servers share is told, and nothing of its defaults.
    arguments = parse([word for line in found for word in line.words])
    told = {one.key: setting for one in shared if (setting := stated(one, arguments.flags)) is not None}
    return Configuration(settings=told, flags=_named(arguments))


def _unknown(engine: Engine, container: Container, why: str) -> Configuration:
    settings = {option.key: Setting(None, Origin.UNKNOWN, why) for option in engine.options}
    return Configuration(engine.name, engine.title, shown(version_of(container.image, engine)), settings)


def _resolve(
    engine: Engine, container: Container, line: Line, words: Sequence[str], *, whole: bool, alone: bool = True
) -> Configuration:
    """`whole` says that the engine's whole command line is seen, so that what is not in it is the engine's default; `alone` that nothing
    else runs in the container that might use GPUs.
    """
    arguments = parse(words, engine.all_switches, engine.underscores)
    version = version_of(container.image, engine)
    path = next((arguments.flags[flag] for flag in engine.config if flag in arguments.flags), "")
    file = parse_file(dict(container.files).get(path, "")) if path else None
    missing = ""
    if not whole:
        missing = "a script of the image starts it"
    elif arguments.open:
        missing = "a part of the command line is a variable that only the container knows"
    elif path and file is None:
        missing = f"{path[:80]} may set it and cannot be read from here"
    settings: dict[Key, Setting] = {}
    for option in engine.options:
        setting = stated(option, arguments.flags) or _positional(engine, option.key, arguments)
        setting = setting or (from_environment(option, line.env) if option.env else None)
        if setting is None and file is not None:
            setting = from_file(option, file, path)
        if setting is None and missing:
            setting = Setting(None, Origin.UNKNOWN, missing)
        if setting is None and option.env and container.env_from:
            setting = Setting(None, Origin.UNKNOWN, "variables come from elsewhere (envFrom)")
        settings[option.key] = (
            setting or _shortened(option.flags, arguments) or default(option, version, engine.title, engine.verified)
        )
    if not missing:
        settings.update(engine.derive(engine, version, container, settings, arguments.flags))
    found = Configuration(engine.name, engine.title, shown(version), settings, _named(arguments))
    gpus = engine.count(found, container) if alone and not missing else None
    return Configuration(found.engine, found.title, found.version, found.settings, found.flags, gpus)


def _positional(engine: Engine, key: Key, arguments: Arguments) -> Setting | None:
    """The model that stands alone (`vllm serve MODEL`)."""
    if key is not Key.MODEL or not engine.positional or not arguments.alone:
        return None
    word = arguments.alone[0]
    if isinstance(word, Unresolved):
        return Setting(None, Origin.UNKNOWN, "the model is a variable that only the container knows")
    return Setting(word[:300], Origin.ARGUMENT, "the model behind the command")


def _shortened(flags: Sequence[str], arguments: Arguments) -> Setting | None:
    """An argument parser takes a flag's beginning for the flag where only one begins so; which ones do is not known here."""
    for name in arguments.flags:
        if len(name) > 6 and any(flag != name and flag.startswith(name) for flag in flags):
            return Setting(None, Origin.UNKNOWN, f"{name} may be short for it")
    return None


def _named(arguments: Arguments) -> Mapping[str, str]:
    return {name.lstrip("-").lower().replace("_", "-"): value for name, value in arguments.flags.items()}
