"""Desks: one module per kind of ask, found by its name (bot/desk.py says what a desk is)."""
