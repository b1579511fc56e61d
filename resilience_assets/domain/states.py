"""The state of a person in a slot, as the number that the roster arrays hold.

A state of 0 or more is the index of the post held. Belongs here: the codes and their words. Does
not belong here: who may be called in (policy and analysis).
"""

from __future__ import annotations

OFF = -1
"""Not at work; may be called in where duty rules allow."""
FREE = -2
"""At work, not needed: may step in at once."""
REST = -3
"""Post-call or forced rest: may not be called in."""
ELSEWHERE = -4
"""Working outside the program, or at a post that is not known; hours count."""
ABSENT = -5
"""Away: ill, on leave, deployed, or not (yet, any more) in the program."""
UNKNOWN = -6
"""The source could not be read: grey, fills no seat, is not available."""

WORDS = {OFF: "off", FREE: "free", REST: "resting", ELSEWHERE: "elsewhere", ABSENT: "away", UNKNOWN: "unknown"}
"""As shown to people."""

RESERVED = {"FREE": FREE, "REST": REST, "ELSEWHERE": ELSEWHERE, "UNKNOWN": UNKNOWN}
"""Words that an assignment may carry in place of a post. OFF is simply no assignment."""
