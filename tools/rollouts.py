"""What differs between two revisions of a pod template, in a few words: images, arguments, names of variables, resources.

Values of variables are never said, nor those of arguments that hold a secret.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from tools.engines import written_arguments
from tools.engines.arguments import ON
from tools.engines.manifest import container_of
from tools.facts import Object, at, many, within

_SECRET = re.compile(r"key|token|secret|password|credential|auth", re.IGNORECASE)
_MOST = 4
_LONGEST = 80


def differences(before: Object, after: Object) -> str:
    """The differences between two ReplicaSets, or other objects with a template, at most four of them; empty for none."""
    old = {str(one.get("name")): one for one in many(before, "spec", "template", "spec", "containers")}
    new = {str(one.get("name")): one for one in many(after, "spec", "template", "spec", "containers")}
    found: list[str] = []
    for name, container in new.items():
        if name not in old:
            found.append(f"container {_cut(name)} added")
            continue
        found += _container(old[name], container)
    found += [f"container {_cut(name)} removed" for name in old if name not in new]
    more = f" and {len(found) - _MOST} more" if len(found) > _MOST else ""
    return "; ".join(found[:_MOST]) + more


def _container(old: Object, new: Object) -> list[str]:
    found: list[str] = []
    if old.get("image") != new.get("image"):
        found.append(f"image {_cut(old.get('image'))} to {_cut(new.get('image'))}")
    found += _arguments(_words(old), _words(new))
    before, after = _variables(old), _variables(new)
    changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    if changed:
        found.append(f"environment {', '.join(map(_cut, changed[:3]))}{' and more' if len(changed) > 3 else ''}")
    for kind in ("requests", "limits"):
        was, now = within(old, "resources", kind), within(new, "resources", kind)
        for name in sorted({*map(str, was), *map(str, now)}):
            if str(was.get(name)) != str(now.get(name)):
                unset = "unset"
                found.append(f"{kind[:-1]} {_cut(name)} {_cut(was.get(name, unset))} to {_cut(now.get(name, unset))}")
    return found


def _arguments(was: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    found: list[str] = []
    for name in dict.fromkeys((*was, *now)):
        if was.get(name) == now.get(name):
            continue
        told = f"{name} {was.get(name, '')} {now.get(name, '')}"
        # A shell's one line may hold anything: that it changed is said, not what it says.
        if _SECRET.search(told) or (name.startswith("argument ") and len(told) > _LONGEST):
            found.append(f"{_cut(name)} changed")
        elif name not in was:
            found.append(f"{_cut(f'{name} {now[name]}'.strip())} added")
        elif name not in now:
            found.append(f"{_cut(name)} removed")
        else:
            found.append(f"{_cut(name)} {_cut(was[name]) or 'unset'} to {_cut(now[name]) or 'unset'}")
    return found


def _words(container: Object) -> dict[str, str]:
    """Flags with their values, other words by their place."""
    written = written_arguments(container_of(container))
    flags = {name: "" if value == ON else value for name, value in written.flags.items()}
    return {**flags, **{f"argument {i + 1}": word for i, word in enumerate(written.alone)}}


def _variables(container: Object) -> Mapping[str, str]:
    return {
        str(one.get("name")): str(one.get("value") if "value" in one else at(one, "valueFrom"))
        for one in many(container, "env")
    }


def _cut(text: object) -> str:
    told = " ".join(str(text).split())
    return told if len(told) <= _LONGEST else told[: _LONGEST - 1] + "…"
