"""`rackside schema NAME`: the JSON Schema of an output."""

from __future__ import annotations

import importlib
import json
from typing import Annotated

import typer

VERSION = 1
# Outputs whose type says it all.
PLAIN = {
    "scan": ("bot.scan_output", "Scan"),
    "size": ("bot.advisor.sizing_output", "SizeOutput"),
    "cost": ("tools.costs_output", "Costs"),
    "diff": ("tools.parity", "Parity"),
    "drift": ("bot.intent_file", "DriftReport"),
    "intent": ("tools.intent", "IntentFile"),
    "audit": ("bot.audit_output", "AuditOut"),
    "digest": ("bot.digest.output", "DigestOut"),
    "log": ("bot.workspaces_output", "LogLine"),
    "workspaces": ("bot.workspaces_output", "Listing"),
}
NAMES = ("answer", *PLAIN)


def schema(name: Annotated[str, typer.Argument(help=f"One of: {', '.join(NAMES)}.")]) -> None:
    """Print the JSON Schema of an output, versioned."""
    from pydantic import TypeAdapter

    if name not in NAMES:
        raise typer.BadParameter(f"there is no schema {name!r}; known: {', '.join(NAMES)}")
    if name in PLAIN:
        module, kind = PLAIN[name]
        content = TypeAdapter(getattr(importlib.import_module(module), kind)).json_schema(mode="serialization")
    else:
        from bot.advisor.question import Answer

        content = TypeAdapter(Answer).json_schema(by_alias=True, mode="serialization")
        for inner in ("saw_nothing", "explanation", "traces"):
            content["properties"].pop(inner, None)
        content["required"] = [one for one in content.get("required", ()) if one in content["properties"]]
    content["$id"] = f"rackside/{name}/v{VERSION}"
    print(json.dumps(content, indent=2, ensure_ascii=False))
