"""Prompts or answers are written to the log.

## What it means
The engine is started with a flag that logs each request, and with it what users wrote.

## Why it hurts
Personal data and secrets of users end up in the log store, under its retention and its readers. At many requests the log itself
slows the server.

## What would rule it out
Engines started without these flags.
"""

from tools.check import Applies, Check, On
from tools.rules import advise, names
from tools.vocabulary.security import PROMPTS_LOGGED

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="medium",
    needs=(PROMPTS_LOGGED.now,),
    fires=names(PROMPTS_LOGGED.now, "{found_of} is started with {found}."),
    remedies=advise(
        "Remove the flag. To follow a request log its id and lengths, at the gateway.",
        "The log shows no text of a prompt.",
        "platform/log-hygiene",
    ),
    pages=("platform/log-hygiene",),
    phase=2,
    owner="security",
    rule=True,
    asked=(
        "prompts? .{0,40}(?:logged|in (?:the |our )?logs?)",
        r"logs? .{0,30}(?:contain|have|show)\w* .{0,20}prompts?",
    ),
)
