"""Watchdogs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create both tables."""
    op.create_table(
        "watch",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("cluster", sa.Text, nullable=False),
        sa.Column("namespace", sa.Text, nullable=False),
        sa.Column("workload", sa.Text, nullable=False),
        sa.Column("grace", sa.Text, nullable=False),
        sa.Column("least", sa.Float, nullable=False),
        sa.Column("allowed", sa.Text, nullable=False),
        sa.Column("made_at", sa.Float, nullable=False),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.Column("muted_at", sa.Float),
        sa.UniqueConstraint("kind", "channel", "cluster", "namespace", "workload", name="uq_watch_channel_place"),
    )
    op.create_table(
        "watch_said",
        sa.Column("watch", sa.Text, primary_key=True),
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("said_at", sa.Float, nullable=False),
        sa.Column("snoozed_until", sa.Float),
    )


def downgrade() -> None:
    """Drop both tables: nobody is watching any more."""
    op.drop_table("watch_said")
    op.drop_table("watch")
