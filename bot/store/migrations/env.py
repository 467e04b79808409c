"""Runs the migrations on the connection that the store hands over (see bot/store/database.py)."""

from __future__ import annotations

from alembic import context

from bot.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table="rackside_version",
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
