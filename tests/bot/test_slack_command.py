"""What is typed behind /rackside."""

from __future__ import annotations

import pytest

from bot.slack_command import USAGE, VIEWS, Command, CommandProblem, parse


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Command("help")),
        ("  HELP me", Command("help")),
        ("ask why slow?", Command("ask", "why slow?")),
        ("why is it slow?", Command("ask", "why is it slow?")),
        ("size a 70B on 4 H100", Command("size", "size a 70B on 4 H100")),
        ("diagnose", Command("diagnose")),
        ("diagnose prod", Command("diagnose", namespace="prod")),
        ("audit prod/llama", Command("audit", namespace="prod", workload="llama")),
        ("digest", Command("digest")),
        ("status llama", Command("status", workload="llama")),
        ("status prod/llama latency", Command("status", namespace="prod", workload="llama", view="latency")),
        ("status llama Capacity", Command("status", workload="llama", view="capacity")),
        ("mute", Command("mute")),
        ("mute 2h", Command("mute", seconds=7200.0)),
        ("mute 30 min", Command("mute", seconds=1800.0)),
        ("unmute", Command("unmute")),
        ("subscribe", Command("subscribe", when=(0, 540, "UTC"))),
        ("subscribe tue 17:30 Europe/Berlin", Command("subscribe", when=(1, 1050, "Europe/Berlin"))),
    ],
)
def test_read(text: str, expected: Command) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("ask", "needs words"),
        ("size", "needs words"),
        ("status", "needs a workload"),
        ("status llama pretty", "overview, latency, errors, capacity"),
        ("status llama errors now", "overview, latency, errors, capacity"),
        ("status ../etc", "needs a workload"),
        ("diagnose a b", "takes one place"),
        ("audit <!channel>", "takes one place"),
        ("mute forever", "until `/rackside unmute`"),
        ("mute 0h", "how long"),
        ("subscribe someday", "write monday"),
        ("subscribe monday 25:00", "write 09:00"),
        ("subscribe monday 09:00 Mars/Olympus", "no time zone"),
        ("subscribe a b c d", "a day, a time and a zone"),
        ("frobnicate", "`/rackside help`"),
        ("`*<@U1>*`", "I do not know"),
    ],
)
def test_refused_with_what_to_type(text: str, says: str) -> None:
    with pytest.raises(CommandProblem, match=says.replace("(", r"\(")):
        parse(text)


def test_monstrous() -> None:
    assert len(parse("why " + "x" * 100_000).rest) <= 3000
    with pytest.raises(CommandProblem) as told:
        parse("x" * 100_000)
    assert len(str(told.value)) < 200


def test_the_help_names_every_view_and_command() -> None:
    assert all(view in USAGE for view in VIEWS)
    for verb in ("ask", "diagnose", "status", "size", "audit", "digest", "subscribe", "mute", "unmute"):
        assert f"/rackside {verb}" in USAGE
