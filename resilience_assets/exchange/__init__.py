"""Importers and exporters: the files that people have, turned into the frames of a roster and findings.

Belongs here: reading and writing files. Does not belong here: the database, what an import changes
there (actions), judging a roster (analysis).
"""
