"""What a desk needs beside the text."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("inbox", sa.Column("payload", sa.Text, nullable=False, server_default="{}"))


def downgrade() -> None:
    """Drop it: alerts and digests that wait are answered as if they were empty."""
    op.drop_column("inbox", "payload")
