"""What people said of checklist items, and kept audits."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "readiness_mark",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("item", sa.Text, nullable=False),
        sa.Column("cluster", sa.Text, nullable=False),
        sa.Column("namespace", sa.Text, nullable=False),
        sa.Column("workload", sa.Text, nullable=False),
        sa.Column("by_whom", sa.Text, nullable=False),
        sa.Column("evidence", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("made_at", sa.Float, nullable=False),
        sa.Column("ends_at", sa.Float, nullable=False),
        sa.Column("withdrawn_at", sa.Float),
        sa.Column("withdrawn_by", sa.Text),
    )
    op.create_index("ix_readiness_mark_item", "readiness_mark", ["item"])
    op.create_table(
        "audit_run",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("cluster", sa.Text, nullable=False),
        sa.Column("namespace", sa.Text, nullable=False),
        sa.Column("workload", sa.Text, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("score", sa.Float),
        sa.Column("verified", sa.Float),
        sa.Column("subjects", sa.Text, nullable=False),
        sa.Column("unseen", sa.Text, nullable=False),
        sa.Column("extra", sa.Text, nullable=False),
    )
    op.create_index("ix_audit_run_at", "audit_run", ["at"])
    op.create_table(
        "audit_run_item",
        sa.Column("run", sa.Text, sa.ForeignKey("audit_run.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("item", sa.Text, primary_key=True),
        sa.Column("checklist", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("severity", sa.Text, nullable=False),
        sa.Column("owners", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("remedies", sa.Text, nullable=False),
    )
    op.create_table(
        "audit_run_cell",
        sa.Column("run", sa.Text, sa.ForeignKey("audit_run.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("item", sa.Text, primary_key=True),
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("said", sa.Text, nullable=False),
        sa.Column("found_by", sa.Text, nullable=False),
    )


def downgrade() -> None:
    """Drop the tables: attestations, waivers and history are lost."""
    for name in ("audit_run_cell", "audit_run_item", "audit_run", "readiness_mark"):
        op.drop_table(name)
