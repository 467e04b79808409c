"""The Web API of the stand-in: one module per family of methods, found by its name.

A module has `METHODS`: the method's name (`chat.postMessage`) to a function of the stand-in and the call's arguments. It refuses
what Slack would refuse, in Slack's words.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evals.slack_workspace import Workspace

Json = dict[str, Any]
Method = Callable[["Workspace", Json], Json]
BOT_TOKEN, APP_TOKEN, SIGNING_SECRET = "xoxb-standin", "xapp-standin", "standin-secret"
TEAM, BOT_USER, BOT_ID = "T0STANDIN", "U0RACKSIDE", "B0RACKSIDE"


def methods() -> dict[str, Method]:
    """Every method by its name."""
    found: dict[str, Method] = {}
    for one in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{one.name}")
        found |= getattr(module, "METHODS", {})
    return found


def plain(args: Json, *names: str) -> Json:
    """The arguments that are given, those that came as JSON in a form field read."""
    return {
        name: json.loads(args[name]) if isinstance(args[name], str) and args[name][:1] in "[{" else args[name]
        for name in names
        if args.get(name)
    }


def no(error: str) -> Json:
    """A refusal."""
    return {"ok": False, "error": error}
