"""Readiness rules that rest on one fact of what is declared: it names what is wrong (`names`), or says `none` (`lacks`).

The readers that tell such facts leave the first kind empty where all is well, and say `none` in the second where nothing stands.
"""

from __future__ import annotations

from tools.check import Because, Fires, Limits, Now, Remedies, because
from tools.finding import Change, Remedy
from tools.signals import Ask

NONE = "none"


def names(ask: Ask, template: str, *helps: Ask) -> Fires:
    """Fire where the fact names something. `{found}` of the template is what it names, `{found_of}` whose it is."""

    def fires(now: Now, _limits: Limits) -> Because | None:
        found = now.worst(ask)
        return because(template, *map(now.get, helps), found=found) if found.text else None

    return fires


def lacks(ask: Ask, template: str, *helps: Ask) -> Fires:
    """Fire where the fact says that nothing stands there. `{found_of}` of the template is whose fact it is."""

    def fires(now: Now, _limits: Limits) -> Because | None:
        empty = [one for one in now.each(ask) if one.value == NONE]
        return because(template, *map(now.get, helps), found=empty[0]) if empty else None

    return fires


def advise(text: str, verify: str, *cites: str, change: tuple[str, str, str] | None = None) -> Remedies:
    """One remedy that is the same for everybody; `change` is what, from, to."""
    remedy = Remedy(text, Change(*change) if change else None, verify, cites)
    return lambda _now, _limits: (remedy,)


def paste(text: str, fragment: str, verify: str, *cites: str, change: tuple[str, str, str] | None = None) -> Remedies:
    """The same with a fragment to copy: YAML of the manifest on one line, to be put under the keys that it names."""
    return advise(f"{text} Copy: `{fragment}`", verify, *cites, change=change)
