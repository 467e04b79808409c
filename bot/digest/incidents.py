"""What Rackside was asked about in a channel since the last digest, and how it ended: whether anything is still found there.

Only the digest's own channel is told of: what was asked elsewhere, or in private, stays there.
"""

from __future__ import annotations

import json

import sqlalchemy as sa

from bot.digest.beside import Ended, Triaged
from bot.store.readiness import Place
from bot.store.tables import conversation, inbox
from tools.diagnose import Diagnosis
from tools.snapshot import Snapshot

# Asks of Rackside's own making, and those that are about nothing.
NOT_INCIDENTS = ("help", "digest", "digest_report", "watch")
MOST = 20


def triaged(
    engine: sa.Engine, channel: str, place: Place, since: float, until: float, snapshot: Snapshot, found: Diagnosis
) -> list[Triaged]:
    """The answered asks of a channel that are about a workload of the place, oldest first."""
    thread = sa.case((inbox.c.thread_ts == "", inbox.c.answer_ts), else_=inbox.c.thread_ts)
    query = (
        sa.select(inbox.c.team, inbox.c.text, inbox.c.received_at, thread.label("root"), conversation.c.scope)
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
            inbox.c.state == "answered",
            inbox.c.received_at > since,
            inbox.c.received_at <= until,
            inbox.c.kind.not_in(NOT_INCIDENTS),
        )
        .order_by(inbox.c.received_at)
    )
    threads: dict[str, Triaged] = {}
    with engine.connect() as connection:
        for row in connection.execute(query).mappings():
            scope = json.loads(row["scope"])
            about = Place(scope.get("cluster") or "default", scope.get("namespace") or "", scope.get("workload") or "")
            if not about.workload or not place.covers(about) or row["root"] in threads:
                # About no workload it is a question, not an incident; a thread's first ask stands for the thread.
                continue
            link = f"https://app.slack.com/client/{row['team']}/{channel}/thread/{channel}-{row['root']}"
            title = " ".join(row["text"].split())[:120]
            subject = f"{about.namespace}/{about.workload}" if about.namespace else about.workload
            threads[row["root"]] = Triaged(row["received_at"], title, subject, ended(about, snapshot, found), link)
    return list(threads.values())[-MOST:]


def ended(about: Place, snapshot: Snapshot, found: Diagnosis) -> Ended:
    """Whether anything is still found on a workload; not known where it cannot be seen."""
    subjects = {
        str(one)
        for one in snapshot.topology.workloads
        if one.name == about.workload and about.namespace in {"", one.namespace}
    }
    if snapshot.sees_nothing or not subjects:
        return "not known"
    headlines = [one for one in found.findings if one.root and one.severity in {"critical", "high", "medium"}]
    return "still there" if any(one.subject in subjects for one in headlines) else "recovered"
