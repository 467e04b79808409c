"""A row of the doctor's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "blind", "not set"]


@dataclass(frozen=True, slots=True)
class Seen:
    """One thing that was looked at: what it shows, or why it does not and what to do."""

    what: str
    state: State
    detail: str
    todo: str = ""
