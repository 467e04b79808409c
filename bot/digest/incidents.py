"""What Rackside was asked about in a channel since the last digest, and how it ended: whether what was found then is still there.

Only the digest's own channel is told of: what was asked elsewhere, or in private, stays there. An end is told of what was seen at
both ends alone: what cannot be seen any more has not recovered.
"""

from __future__ import annotations

import json
from collections.abc import Collection

import sqlalchemy as sa

from bot.digest.beside import Ended, Triaged
from bot.store.alert_tables import alert_event
from bot.store.answers import Answers
from bot.store.readiness import Place
from bot.store.tables import conversation, inbox
from tools.diagnose import Diagnosis
from tools.outcomes import Verdict
from tools.snapshot import Snapshot

# Asks of Rackside's own making, and those that are about nothing that could end.
NOT_INCIDENTS = ("help", "digest", "digest_report", "watch", "audit", "attest", "status")
MOST = 20
_GRAVE = frozenset({"critical", "high", "medium"})


def triaged(
    engine: sa.Engine,
    channel: str,
    place: Place,
    since: float,
    until: float,
    snapshot: Snapshot,
    found: Diagnosis,
    team: str = "",
) -> list[Triaged]:
    """The answered asks of a channel (of the workspace `team`, where it is named) that are about a workload of the place, oldest first."""
    thread = sa.case((inbox.c.thread_ts == "", inbox.c.answer_ts), else_=inbox.c.thread_ts)
    query = (
        sa.select(inbox.c.key, inbox.c.team, inbox.c.text, inbox.c.received_at, thread.label("root"), conversation.c.scope)
        .join(
            conversation,
            sa.and_(
                conversation.c.team == inbox.c.team,
                conversation.c.channel == inbox.c.channel,
                conversation.c.thread_ts == thread,
            ),
        )
        .where(
            inbox.c.channel == channel,
            inbox.c.team == team if team else sa.true(),
            inbox.c.state == "answered",
            inbox.c.received_at > since,
            inbox.c.received_at <= until,
            inbox.c.kind.not_in(NOT_INCIDENTS),
        )
        .order_by(inbox.c.received_at)
    )  # fmt: skip
    threads: dict[str, list[sa.RowMapping]] = {}
    with engine.connect() as connection:
        for row in connection.execute(query).mappings():
            threads.setdefault(row["root"], []).append(row)
    told: list[Triaged] = []
    for root, rows in threads.items():
        # A thread's first ask stands for the thread; whatever was found in it counts.
        first = rows[0]
        scope = json.loads(first["scope"])
        about = Place(scope.get("cluster") or "default", scope.get("namespace") or "", scope.get("workload") or "")
        if not about.workload or not place.covers(about):
            continue  # about no workload it is a question, not an incident
        link = f"https://app.slack.com/client/{first['team']}/{channel}/thread/{channel}-{root}"
        title = " ".join(first["text"].split())[:120]
        subject = f"{about.namespace}/{about.workload}" if about.namespace else about.workload
        then = found_then(engine, [row["key"] for row in rows])
        told.append(Triaged(first["received_at"], title, subject, ended(about, snapshot, found, then), link))
    return told[-MOST:]


def found_then(engine: sa.Engine, keys: Collection[str]) -> frozenset[str] | None:
    """The keys of what some asks were answered with, as far as it was grave; None where no answer to them is kept."""
    answers = Answers(engine)
    known = [one.answer for key in keys if (one := answers.of(key)) is not None]
    found = {one.key for answer in known if answer is not None for one in answer.findings if one.severity in _GRAVE}
    kept = any(answer is not None and not answer.saw_nothing for answer in known)
    here = alert_event.c
    query = sa.select(here.content).where(here.key.in_([f"{key}:diagnosis" for key in keys]))
    with engine.connect() as connection:
        noted = [json.loads(text) for text in connection.execute(query).scalars()]
    for content in noted:
        found |= {one["key"] for one in content.get("headlines", ()) if one.get("severity") in _GRAVE and "key" in one}
        kept = kept or not content.get("nothing_seen")
    return frozenset(found) if kept else None


def ended(about: Place, snapshot: Snapshot, found: Diagnosis, then: frozenset[str] | None = None) -> Ended:
    """How it ended on a workload. `then` are the keys of what was found (None: that is not known, and could be anything).

    It goes on as long as anything of `then` stands, be it as a symptom of something else or on another subject. It recovered where every
    check that had fired was made again and is quiet now; a check that is blind, or finds nothing to look at any more, leaves it open.
    """
    subjects = {
        str(one)
        for one in snapshot.topology.workloads
        if one.name == about.workload and about.namespace in {"", one.namespace}
    }
    if snapshot.sees_nothing or not subjects:
        return "not known"
    standing = {one.key for one in found.findings if one.severity in _GRAVE and one.subject in subjects}
    verdicts = {one.key: one.verdict for one in found.outcomes}
    if then is None:
        if standing:
            return "goes on"
        there = [one for one in found.outcomes if str(one.subject) in subjects and one.case.check.severity in _GRAVE]
        looked = bool(there) and all(one.verdict is not Verdict.BLIND for one in there)
        return "recovered" if looked else "not known"
    if any(verdicts.get(key) is Verdict.FIRES for key in then):
        return "goes on"
    if not all(verdicts.get(key) is Verdict.QUIET for key in then):
        return "not known"
    if standing:
        return "something else is wrong now"
    return "recovered" if then else "nothing grave was found"
