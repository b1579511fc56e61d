"""When something is an incident, and what is said of it. Pure.

Belongs here: counting readings against rules, opening, raising and closing, the text of a notice.
Does not belong here: limits and wording of a rule (policy), storing (storage), sending (actions).
"""
