"""Who asked what, what was read, and what was answered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "access_log",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("at", sa.Float, nullable=False),
        *(
            sa.Column(name, sa.Text, nullable=False)
            for name in (
                "team",
                "channel",
                "person",
                "kind",
                "question",
                "outcome",
                "reason",
                "scope",
                "sources",
                "answer",
                "model",
            )
        ),
        sa.Column("seconds", sa.Float, nullable=False),
    )
    op.create_index("ix_access_log_at", "access_log", ["at"])
    op.create_index("ix_access_log_person", "access_log", ["person"])


def downgrade() -> None:
    """Drop the table: the log is lost."""
    op.drop_table("access_log")
