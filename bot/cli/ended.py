"""What `rackside digest` and `rackside watch` share: something that goes on by itself is ended, muted or unmuted by its id."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import typer

from bot.cli import audit_marks

if TYPE_CHECKING:
    import sqlalchemy as sa


def change(name: str, done: str, what: str, listing: str, of: Callable[[sa.Engine], Callable[[str], bool]]) -> None:
    """Change one by its id and say what was `done`; `of` gives the change over a database, `listing` is the command that lists them."""
    from bot.settings import load_settings

    with audit_marks.opened(load_settings()) as readiness:
        found = of(readiness.engine)(name)
    if not found:
        raise typer.BadParameter(f"there is no {what} {name!r}; `rackside {listing}` lists them")
    print(f"{done}: {name}")
