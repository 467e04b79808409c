"""Watchdogs: they look, tell and propose, and never act. What cannot be seen is not known, never idle and never expired."""
