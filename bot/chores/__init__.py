"""Chores: one module per thing that is looked after in the background, found by its name (bot/desk.py)."""
