"""What people said of answers, and muted channels."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create both tables."""
    op.create_table(
        "feedback",
        sa.Column("team", sa.Text, primary_key=True),
        sa.Column("channel", sa.Text, primary_key=True),
        sa.Column("message", sa.Text, primary_key=True),
        sa.Column("person", sa.Text, primary_key=True),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("comment", sa.Text, nullable=False),
        sa.Column("said_at", sa.Float, nullable=False),
    )
    op.create_table(
        "mute",
        sa.Column("team", sa.Text, primary_key=True),
        sa.Column("channel", sa.Text, primary_key=True),
        sa.Column("until", sa.Float),
        sa.Column("by_whom", sa.Text, nullable=False),
    )


def downgrade() -> None:
    """Drop both: what was said of answers is lost, muted channels are spoken in again."""
    op.drop_table("mute")
    op.drop_table("feedback")
