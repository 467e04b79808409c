"""A place (cluster, namespace, workload) within what may be seen from where it is asked for."""

from __future__ import annotations

from dataclasses import replace

from bot.advisor.question import Allowed, Question
from bot.advisor.scope import permitted
from bot.store.readiness import Place


def placed(place: Place, allowed: Allowed | None) -> tuple[Place, str]:
    """The place, narrowed where only one namespace may be seen, and a sentence instead where it is more than may be seen."""
    if allowed is None or allowed.everything:
        return place, ""
    cluster = None if place.cluster == "default" else place.cluster
    question, refusal = permitted(Question(None, cluster, place.namespace or None, allowed=allowed), "")
    if refusal:
        return place, refusal
    namespace = question.namespace or ""
    if allowed.namespaces is not None and not namespace:
        if len(allowed.namespaces) > 1:
            return place, f"{allowed.said} may see {allowed.told} only: name one of them."
        namespace = allowed.namespaces[0]
    return replace(place, cluster=question.cluster or place.cluster, namespace=namespace), ""
