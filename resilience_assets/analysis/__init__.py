"""The mathematics: pure functions over a roster and a policy.

Belongs here: coverage, utilization, redundancy, queueing, duty hours, health, the checks of a
roster. Does not belong here: thresholds (policy), SQL, files, clocks, Dagster, sending anything.
"""
