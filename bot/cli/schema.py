"""`rackside schema NAME`: the JSON Schema of an output."""

from __future__ import annotations

import json
from typing import Annotated

import typer

VERSION = 1
NAMES = ("answer", "size")


def schema(name: Annotated[str, typer.Argument(help=f"One of: {', '.join(NAMES)}.")]) -> None:
    """Print the JSON Schema of an output, versioned."""
    from pydantic import TypeAdapter

    if name not in NAMES:
        raise typer.BadParameter(f"there is no schema {name!r}; known: {', '.join(NAMES)}")
    if name == "size":
        from bot.advisor.sizing_output import SizeOutput

        content = TypeAdapter(SizeOutput).json_schema(mode="serialization")
    else:
        from bot.advisor.question import Answer

        content = TypeAdapter(Answer).json_schema(by_alias=True, mode="serialization")
        for inner in ("saw_nothing", "explanation", "traces"):
            content["properties"].pop(inner, None)
        content["required"] = [one for one in content.get("required", ()) if one in content["properties"]]
    content["$id"] = f"rackside/{name}/v{VERSION}"
    print(json.dumps(content, indent=2, ensure_ascii=False))
