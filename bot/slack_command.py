"""What is typed behind `/rackside`, read into one command. Pure: words in, a command or a problem (as mrkdwn) out."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from bot.digest.schedule import ScheduleProblem, minute, weekday, zone_name
from bot.mrkdwn import code, escape

Verb = Literal["ask", "audit", "diagnose", "digest", "help", "mute", "size", "status", "subscribe", "unmute"]
View = Literal["overview", "latency", "errors", "capacity"]
VIEWS: tuple[View, ...] = ("overview", "latency", "errors", "capacity")
LONGEST = 3000
USAGE = """*What `/rackside` takes*
• `/rackside ask why is the first token so slow in namespace prod?` (or the question alone)
• `/rackside diagnose [NAMESPACE or NAMESPACE/WORKLOAD]`: every failure mode, without a question
• `/rackside status WORKLOAD [overview | latency | errors | capacity]`: its readings now
• `/rackside size a 70B model on 4 H100`: does it fit, how fast, at what cost
• `/rackside audit [NAMESPACE or NAMESPACE/WORKLOAD]`: what the readiness checklists say
• `/rackside digest`: the week in this channel; `/rackside subscribe [monday 09:00 Europe/Berlin]`: every week
• `/rackside mute [2h]`: in this channel only what mentions me is answered, until `/rackside unmute`
I only read: nothing is changed."""
_PLACE = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?(/[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?)?", re.IGNORECASE)
_FOR = re.compile(r"(\d{1,3})\s*(m|min|h|d)", re.IGNORECASE)
_SECONDS = {"m": 60.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}


class CommandProblem(ValueError):  # noqa: N818 - what people read
    """What was typed is no command; the message says what to type."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command. `rest` is the question of `ask` and `size`; `seconds` how long `mute` lasts (None: until unmuted);
    `when` the weekday (Monday is 0), the minute of the day and the time zone of `subscribe`.
    """

    verb: Verb
    rest: str = ""
    namespace: str = ""
    workload: str = ""
    view: View = "overview"
    seconds: float | None = None
    when: tuple[int, int, str] = field(default=(0, 540, "UTC"))


def parse(text: str) -> Command:
    """Read a command; several words that begin with none are a question. Raises CommandProblem."""
    words = text.replace("\0", "")[:LONGEST].split()
    verb, rest = (words[0].lower(), words[1:]) if words else ("help", [])
    if verb == "help":
        return Command("help")
    if verb in {"ask", "size"}:
        if not rest:
            raise CommandProblem(f"`/rackside {verb}` needs words: `/rackside {verb} {_SAMPLE[verb]}`")
        said = " ".join(rest)
        return Command("ask", said) if verb == "ask" else Command("size", f"size {said}")
    if verb in _PLACED:
        namespace, workload = _place(verb, rest)
        return Command(_PLACED[verb], "", namespace, workload)
    if verb == "status":
        return _status(rest)
    if verb == "mute":
        return Command("mute", seconds=_lasting(rest))
    if verb == "unmute" and not rest:
        return Command("unmute")
    if verb == "subscribe":
        return Command("subscribe", when=_when(rest))
    if len(words) > 1:
        return Command("ask", " ".join(words))
    raise CommandProblem(f"I do not know {code(verb, 60)}: `/rackside help` lists what I take")


_PLACED: dict[str, Verb] = {"diagnose": "diagnose", "audit": "audit", "digest": "digest"}
_SAMPLE = {"ask": "why is the first token so slow in namespace prod?", "size": "a 70B model on 4 H100"}


def _place(verb: str, rest: list[str]) -> tuple[str, str]:
    if not rest:
        return "", ""
    if len(rest) > 1 or _PLACE.fullmatch(rest[0]) is None:
        raise CommandProblem(f"`/rackside {verb}` takes one place: NAMESPACE or NAMESPACE/WORKLOAD")
    namespace, _, workload = rest[0].partition("/")
    return namespace, workload


def _status(rest: list[str]) -> Command:
    if not rest or _PLACE.fullmatch(rest[0]) is None:
        raise CommandProblem("`/rackside status` needs a workload: `/rackside status prod/llama latency`")
    first, _, second = rest[0].partition("/")
    namespace, workload = (first, second) if second else ("", first)
    views = [view for view in VIEWS if rest[1:] and view == rest[1].lower()]
    if len(rest) > 2 or (len(rest) == 2 and not views):
        raise CommandProblem(f"`/rackside status` has four views: {', '.join(VIEWS)}")
    return Command("status", "", namespace, workload, views[0] if views else "overview")


def _lasting(rest: list[str]) -> float | None:
    if not rest:
        return None
    found = _FOR.fullmatch(" ".join(rest))
    if found is None or not int(found[1]):
        raise CommandProblem(
            "`/rackside mute` takes how long: `30m`, `2h` or `7d`; without it, until `/rackside unmute`"
        )
    return int(found[1]) * _SECONDS[found[2].lower()]


def _when(rest: list[str]) -> tuple[int, int, str]:
    if len(rest) > 3:
        raise CommandProblem("`/rackside subscribe` takes a day, a time and a zone: `monday 09:00 Europe/Berlin`")
    given = [*rest, *("monday", "09:00", "UTC")[len(rest) :]]
    try:
        return weekday(given[0]), minute(given[1]), zone_name(given[2])
    except ScheduleProblem as problem:
        raise CommandProblem(escape(str(problem), 300)) from None
