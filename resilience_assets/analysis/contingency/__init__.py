"""Contingency: whose loss, or which two people's loss, leaves a seat open after the best re-deployment.

Belongs here: who may be seated where (masks.py, rest.py, added_shift.py), the best seating (seating.py), what follows
from it for the loss of one person (reachability.py), of two (dominators.py, pairs.py), of the fewest that break a
slot (margin.py) and of the worst few over a horizon (worst.py), who may cover (covers.py), and the report over a roster
(report.py, deep_dive.py). Does not belong here: whole fallback plans (planning), centrality and simulation.

The theory in one paragraph. In a slot, the sets of people who can be seated together are the independent
sets of a transversal matroid M; losing a set K of people opens |K| - r*(K) more seats, r* the rank in the
dual of M. The dual is a strict gammoid (A. W. Ingleton and M. J. Piff, "Gammoids and transversal
matroids", J. Combin. Theory B 15 (1973) 51-68): fix any best seating, draw x -> y where x may take the seat
of y, let F be the people who are available and not seated; r*(K) is the largest number of vertex-disjoint
paths from F to K. One person is one path (reachability), two people are two disjoint paths (Menger:
dominators), and the fewest people who break a slot come from Hall's theorem (margin).
"""
