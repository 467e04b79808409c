"""Workspaces that installed Rackside through its own page, and the states of installations on their way."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0050"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create both tables."""
    op.create_table(
        "slack_installation",
        sa.Column("team", sa.Text, primary_key=True),
        *(
            sa.Column(name, sa.Text, nullable=False)
            for name in ("name", "enterprise", "app", "bot_token", "bot_id", "bot_user", "scopes", "installed_by")
        ),
        sa.Column("installed_at", sa.Float, nullable=False),
    )
    op.create_table(
        "slack_oauth_state",
        sa.Column("hash", sa.Text, primary_key=True),
        sa.Column("expires_at", sa.Float, nullable=False),
    )
    op.create_index("ix_slack_oauth_state_expires_at", "slack_oauth_state", ["expires_at"])


def downgrade() -> None:
    """Drop both tables: every workspace has to install Rackside again."""
    op.drop_table("slack_oauth_state")
    op.drop_table("slack_installation")
