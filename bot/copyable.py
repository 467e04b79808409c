"""A remedy's change as something to copy: the engine's argument, or the kubectl command that makes it. Pure; Rackside runs none of it."""

from __future__ import annotations

import re
import shlex

from tools.finding import Change

_WORKLOAD = re.compile(r"(deployment|statefulset|daemonset)/([a-z0-9][a-z0-9.-]*)/([a-z0-9][a-z0-9.-]*)")
# A value, not a sentence about one.
_VALUE = re.compile(r"[^\s()`]{1,200}")
_ENV = re.compile(r"(?:env )?([A-Z][A-Z0-9_]{2,80})")
_GRACE = "terminationGracePeriodSeconds"


def copyable(change: Change, subject: str) -> str:
    """What can be copied for a change of a subject, '' where it takes more than one command or a choice."""
    if change.what.startswith("--"):
        if change.to in {"set", "true"} and change.from_ in {"", "not set", "unset"}:
            return change.what if _VALUE.fullmatch(change.what) else ""
        return f"{change.what} {change.to}" if _VALUE.fullmatch(change.what) and _VALUE.fullmatch(change.to) else ""
    found = _WORKLOAD.fullmatch(subject)
    if found is None:
        return ""
    kind, namespace, name = found.groups()
    where = f"kubectl -n {namespace}"
    env = _ENV.fullmatch(change.what)
    if env is not None and change.to.startswith("not set"):
        return f"{where} set env {kind}/{name} {env[1]}-"
    if env is not None and _VALUE.fullmatch(change.to):
        return f"{where} set env {kind}/{name} {shlex.quote(f'{env[1]}={change.to}')}"
    if change.what == _GRACE and change.to.isascii() and change.to.isdecimal():
        patch = f'{{"spec":{{"template":{{"spec":{{"{_GRACE}":{int(change.to)}}}}}}}}}'
        return f"{where} patch {kind}/{name} -p {shlex.quote(patch)}"
    return ""
