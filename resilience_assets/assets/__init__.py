"""Software-defined assets, one module a group; each body calls one action and reports metadata.

Belongs here: keys, edges, descriptions, metadata. Does not belong here: formulas, SQL, decisions.
Every asset materializes by one click: all programs, as of the minute in which the run was made. No module
here postpones its annotations: Dagster reads the types of contexts, config and resources off them.
"""
