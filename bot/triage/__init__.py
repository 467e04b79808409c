"""Alerts: read, grouped, held back where they should be, diagnosed once, told in one thread each."""
