"""Routes: one module per address that others than Slack call, found by its name (bot/slack_http.py serves them).

A module has `PATH` and `open_route(bench, work) -> Route`, or `open_route` returning None where its settings switch it off.
"""
