"""The use cases, each load - compute - store in one place.

Belongs here: what a person or a schedule asks for, in one function, with its transaction. Does not
belong here: formulas (analysis, alerting), SQL (storage), Dagster, printing.
"""
