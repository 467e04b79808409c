"""The message that shows the work, and who stopped it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.add_column("inbox", sa.Column("working_ts", sa.Text))
    op.add_column("inbox", sa.Column("stopped_by", sa.Text))


def downgrade() -> None:
    """Drop them: messages that show work in progress are left as they are."""
    op.drop_column("inbox", "stopped_by")
    op.drop_column("inbox", "working_ts")
