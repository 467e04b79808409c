"""Digests and watchdogs belong to a workspace: channel ids alone do not tell workspaces apart. '' is the only one there is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0051"
down_revision = "0012"
branch_labels = None
depends_on = None

_PLACE = ["channel", "cluster", "namespace", "workload"]


def upgrade() -> None:
    """Add the column, and make it part of what is unique."""
    for table, first in (("subscription", []), ("watch", ["kind"])):
        name = f"uq_{table}_channel_place"
        with op.batch_alter_table(table) as batch:
            batch.add_column(sa.Column("team", sa.Text, nullable=False, server_default=""))
            batch.drop_constraint(name, type_="unique")
            batch.create_unique_constraint(name, [*first, "team", *_PLACE])


def downgrade() -> None:
    """Drop the column; those of one workspace alone are kept."""
    for table, first in (("subscription", []), ("watch", ["kind"])):
        op.execute(sa.delete(sa.table(table, sa.column("team"))).where(sa.column("team") != ""))
        name = f"uq_{table}_channel_place"
        with op.batch_alter_table(table) as batch:
            batch.drop_constraint(name, type_="unique")
            batch.create_unique_constraint(name, [*first, *_PLACE])
            batch.drop_column("team")
