"""A generated, realistic set of programs; deterministic by seed.

Belongs here: what is invented - people, services, leave, rosters - as the same record frames that
an importer returns. Does not belong here: storing them (actions), judging them (analysis), thresholds
(policy). Nothing here reads a clock: the date it is made for and the seed come in as arguments.
"""
