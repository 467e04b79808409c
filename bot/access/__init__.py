"""Who may ask what, and where: rules, the gate that every ask passes, and what is kept of it.

The gate wraps every desk (`guard.guarded`), and what a desk asks the advisor is narrowed to what the place may see (`guard.narrowing`):
neither is up to the desk. Pure but for `guard`, which reads people from Slack (bot/slack_people.py) and writes the log.
"""
