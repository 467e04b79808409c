"""The tables of alerts (migration 0030). Times are seconds since the epoch, 0 for none."""

from __future__ import annotations

import sqlalchemy as sa

from bot.store.tables import metadata

# A group of alerts, as the sender groups them. An episode begins when it fires after it was over.
alert_group = sa.Table(
    "alert_group",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("episode", sa.Integer, nullable=False),
    sa.Column("team", sa.Text, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("receiver", sa.Text, nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("thread_ts", sa.Text, nullable=False),  # another bot's message; '' makes a message of our own
    sa.Column("state", sa.Text, nullable=False, index=True),  # firing, resolved
    sa.Column("held", sa.Text, nullable=False),  # why nothing is posted (a sentence); '' when it is
    sa.Column("held_until", sa.Float, nullable=False),
    sa.Column("left_out", sa.Integer, nullable=False),  # alerts that were counted, not told
    sa.Column("started_at", sa.Float, nullable=False),
    sa.Column("ended_at", sa.Float, nullable=False),
    sa.Column("heard_at", sa.Float, nullable=False),
    sa.Column("signature", sa.Text, nullable=False),  # of every (rule, object, state)
    sa.Column("wanted", sa.Integer, nullable=False),  # version that should be shown
    sa.Column("asked", sa.Integer, nullable=False),  # version that an ask was made for
    sa.Column("root", sa.Text, nullable=False),  # the ask whose message is ours
    sa.Column("pending", sa.Text, nullable=False),  # the last ask: the next one waits for it
    sa.Column("posted_at", sa.Float, nullable=False),
    sa.Column("told", sa.Text, nullable=False),  # the state that the thread was told last
    sa.Column("told_at", sa.Float, nullable=False),
    sa.Column("storm", sa.Text, nullable=False, index=True),  # the storm that it is told in; '' for a thread of its own
    sa.Column("diagnosed_at", sa.Float, nullable=False),
    sa.Column("diagnosed", sa.Text, nullable=False),  # JSON list of what was diagnosed: rule and object
    sa.Column("owed", sa.Integer, nullable=False),  # 1 while a diagnosis waits for its turn
    sa.Column("opened", sa.Integer, nullable=False),  # how often it came back within the episode
    sa.Index("ix_alert_group_channel", "channel", "posted_at"),
)

alert_item = sa.Table(
    "alert_item",
    metadata,
    sa.Column("group_id", sa.Text, primary_key=True),
    sa.Column("episode", sa.Integer, primary_key=True),
    sa.Column("fingerprint", sa.Text, primary_key=True),
    sa.Column("labels", sa.Text, nullable=False),
    sa.Column("annotations", sa.Text, nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("starts_at", sa.Float, nullable=False),
    sa.Column("ends_at", sa.Float, nullable=False),
)

# What happened to a group beside its alerts: diagnosed, back again, over, held back.
alert_event = sa.Table(
    "alert_event",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("group_id", sa.Text, nullable=False),
    sa.Column("episode", sa.Integer, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("content", sa.Text, nullable=False),  # JSON object
    sa.Index("ix_alert_event_group", "group_id", "episode"),
)

alert_storm = sa.Table(
    "alert_storm",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("team", sa.Text, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("started_at", sa.Float, nullable=False),
    sa.Column("last_at", sa.Float, nullable=False),  # when the last group joined
    sa.Column("ended_at", sa.Float, nullable=False),
    sa.Column("wanted", sa.Integer, nullable=False),
    sa.Column("asked", sa.Integer, nullable=False),
    sa.Column("asked_at", sa.Float, nullable=False),
    sa.Column("root", sa.Text, nullable=False),
    sa.Column("pending", sa.Text, nullable=False),
    sa.Column("diagnosed_at", sa.Float, nullable=False),
    sa.Index("ix_alert_storm_channel", "channel", "last_at"),
)
