"""Our own tables, beside those of DBOS in the same database. Changed only together with a migration."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()

# Everything that Rackside owes Slack: written before Slack is told that a question arrived, or before an alert or a due
# digest is worked on.
inbox = sa.Table(
    "inbox",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),  # team:channel:ts, the same for retries and twin events; or a name
    sa.Column("effect", sa.Text, nullable=False, unique=True),  # opaque, carried by the message that answers
    sa.Column("kind", sa.Text, nullable=False),  # which desk composes it (bot/desks)
    sa.Column("team", sa.Text, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("ts", sa.Text, nullable=False),
    sa.Column(
        "thread_ts", sa.Text, nullable=False
    ),  # root of the thread that is answered in; '' for a message of its own
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("received_at", sa.Float, nullable=False),  # seconds since the epoch
    sa.Column("state", sa.Text, nullable=False, index=True),  # waiting, answered, undeliverable
    sa.Column("attempted_at", sa.Float),  # set before the first try to post: from then on, look before posting
    sa.Column("answer_ts", sa.Text),
    sa.Column("payload", sa.Text, nullable=False, server_default="{}"),  # JSON object, for the desk alone
    sa.Column("working_ts", sa.Text),  # the message that shows the work and becomes the answer; ? while it is not known
    sa.Column("stopped_by", sa.Text),  # who pressed Stop
)

# Threads that Rackside takes part in.
conversation = sa.Table(
    "conversation",
    metadata,
    sa.Column("team", sa.Text, primary_key=True),
    sa.Column("channel", sa.Text, primary_key=True),
    sa.Column("thread_ts", sa.Text, primary_key=True),
    sa.Column("people", sa.Text, nullable=False),  # JSON list of user ids that spoke
    sa.Column("scope", sa.Text, nullable=False),  # JSON object: cluster, namespace, workload
    sa.Column("updated_at", sa.Float, nullable=False),
)
