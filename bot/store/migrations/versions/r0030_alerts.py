"""Alerts: groups, what is in them, what was found out, storms."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "alert_group",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("episode", sa.Integer, nullable=False),
        sa.Column("team", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("receiver", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("thread_ts", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("held", sa.Text, nullable=False),
        sa.Column("held_until", sa.Float, nullable=False),
        sa.Column("left_out", sa.Integer, nullable=False),
        sa.Column("started_at", sa.Float, nullable=False),
        sa.Column("ended_at", sa.Float, nullable=False),
        sa.Column("heard_at", sa.Float, nullable=False),
        sa.Column("signature", sa.Text, nullable=False),
        sa.Column("wanted", sa.Integer, nullable=False),
        sa.Column("asked", sa.Integer, nullable=False),
        sa.Column("root", sa.Text, nullable=False),
        sa.Column("pending", sa.Text, nullable=False),
        sa.Column("posted_at", sa.Float, nullable=False),
        sa.Column("told", sa.Text, nullable=False),
        sa.Column("told_at", sa.Float, nullable=False),
        sa.Column("storm", sa.Text, nullable=False),
        sa.Column("diagnosed_at", sa.Float, nullable=False),
        sa.Column("diagnosed", sa.Text, nullable=False),
        sa.Column("owed", sa.Integer, nullable=False),
        sa.Column("opened", sa.Integer, nullable=False),
    )
    op.create_index("ix_alert_group_channel", "alert_group", ["channel", "posted_at"])
    op.create_index("ix_alert_group_storm", "alert_group", ["storm"])
    op.create_index("ix_alert_group_state", "alert_group", ["state"])
    op.create_table(
        "alert_item",
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
    op.create_table(
        "alert_event",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("group_id", sa.Text, nullable=False),
        sa.Column("episode", sa.Integer, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
    )
    op.create_index("ix_alert_event_group", "alert_event", ["group_id", "episode"])
    op.create_table(
        "alert_storm",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("team", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("started_at", sa.Float, nullable=False),
        sa.Column("last_at", sa.Float, nullable=False),
        sa.Column("ended_at", sa.Float, nullable=False),
        sa.Column("wanted", sa.Integer, nullable=False),
        sa.Column("asked", sa.Integer, nullable=False),
        sa.Column("asked_at", sa.Float, nullable=False),
        sa.Column("root", sa.Text, nullable=False),
        sa.Column("pending", sa.Text, nullable=False),
        sa.Column("diagnosed_at", sa.Float, nullable=False),
    )
    op.create_index("ix_alert_storm_channel", "alert_storm", ["channel", "last_at"])


def downgrade() -> None:
    """Drop them: alerts that fire are posted anew when they are told again."""
    for name in ("alert_storm", "alert_event", "alert_item", "alert_group"):
        op.drop_table(name)
