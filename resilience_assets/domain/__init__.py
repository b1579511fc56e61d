"""The nouns of the house as frozen types and arrays.

Belongs here: programs, people, services, posts, slots, shifts, the roster arrays, findings, the
scales with their steps. Does not belong here: thresholds and rules (policy), formulas (analysis),
SQL, files, clocks, Dagster.
"""
