"""The command line. Standard output carries only the result; progress and logs go to standard error.

Exit status: 0 answered, 2 bad usage or settings, 3 a live question that could see nothing.
"""

from __future__ import annotations

import typer

from bot.cli import (
    ask,
    audit,
    cost,
    diff,
    digest,
    doctor,
    evaluate,
    intent,
    knowledge,
    log,
    scan,
    schema,
    serve,
    size,
    watch,
    workspaces,
)

app = typer.Typer(
    name="rackside",
    help="Explains what is wrong with GPU and LLM-inference infrastructure, from live evidence. It reads; it never changes a cluster.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("ask")(ask.ask)
app.command("diagnose")(ask.diagnose)
app.add_typer(audit.app, name="audit")
app.command("cost")(cost.cost)
app.command("diff")(diff.diff)
app.add_typer(digest.app, name="digest")
app.command("doctor")(doctor.doctor)
app.command("eval", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(evaluate.evaluate)
app.add_typer(intent.app, name="intent")
app.command("log")(log.log)
app.command("serve")(serve.serve)
app.command("scan")(scan.scan)
app.command("schema")(schema.schema)
app.command("size")(size.size)
app.add_typer(knowledge.app, name="knowledge")
app.add_typer(watch.app, name="watch")
app.add_typer(workspaces.app, name="workspaces")
