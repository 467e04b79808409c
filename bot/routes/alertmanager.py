"""Alertmanager's webhook: POST /alerts/alertmanager."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.triage.intake import intake

if TYPE_CHECKING:
    from bot.desk import Bench
    from bot.listeners import Work
    from bot.slack_http import Route

PATH = "/alerts/alertmanager"


def open_route(bench: Bench, work: Work) -> Route | None:
    """The route; without a token it answers what to set."""
    return intake(bench, work, "alertmanager")
