"""What a run talks to: database, policy, clock; and what every run shares: its as-of, its kinds of failure.

Belongs here: making these from the settings, as plain objects. Does not belong here: use cases
(actions), Dagster definitions (assets, automation).
"""
