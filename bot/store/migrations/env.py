"""Runs the migrations on the connection that the store hands over (see bot/store/database.py)."""

from __future__ import annotations

import importlib
import pkgutil

from alembic import context

import bot.store
from bot.store.tables import metadata

# Every module of the store declares its tables when it is imported.
for one in pkgutil.iter_modules(bot.store.__path__):
    if not one.ispkg:
        importlib.import_module(f"bot.store.{one.name}")
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table="rackside_version",
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
