"""The version of the code behind each stored result.

Belongs here: one constant a result. Raise it with every change that may change a figure: results of
the older code stay on record under their own version and are computed anew.
"""

UTILIZATION = "1"
REDUNDANCY = "1"
CONTINGENCY = "1"
DEEP_DIVE = "1"
HEALTH = "2"
