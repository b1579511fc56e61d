"""Asset checks: is what the assets show to be believed?

Belongs here: factories of checks over stored findings and results. Does not belong here: the rules
(analysis.roster_checks, policy). None is blocking: one program's bad data never stops another's.
"""
