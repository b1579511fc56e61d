"""Rows that name a person, service, post, shift or slot that is defined nowhere.

Belongs here: checking references between frames, and against ids known elsewhere. Does not belong
here: where those ids come from (the source itself, or the database: actions).
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from functools import partial

import numpy as np

from resilience_assets.domain import states
from resilience_assets.domain.findings import Finding, Severity
from resilience_assets.domain.tables import RosterTables
from resilience_assets.exchange.finding_log import FindingLog

REFERENCES: dict[str, tuple[str, ...]] = {
    "posts": ("service",),
    "qualifications": ("person", "post"),
    "demand": ("post", "slot"),
    "demand_rules": ("post", "slot"),
    "assignments": ("person", "shift", "post"),
    "absences": ("person",),
}
"""Columns of each kind that name something defined in another."""

_MOST_GUESSES = 20
_MOST_KNOWN_TO_GUESS = 5000


def defined_ids(tables: RosterTables) -> dict[str, set[str]]:
    """The ids that a source itself defines, by noun; a noun whose kind is not in the source is left out."""
    out: dict[str, set[str]] = {}
    for kind, noun in (("people", "person"), ("services", "service"), ("posts", "post")):
        part = tables.kinds().get(kind)
        if part is not None:
            out[noun] = set(part[noun])
    if tables.program is not None:
        out["shift"] = {shift.code for shift in tables.program.shifts}
        out["slot"] = {slot.code for slot in tables.program.slot_types}
    return out


def check_references(tables: RosterTables, known: Mapping[str, set[str]]) -> list[Finding]:
    """One error a row (up to the limit of FindingLog) that names something not known.

    `known` holds the ids by noun (person, service, post, shift, slot); a noun that it lacks is not
    checked. An assignment may also carry one of the reserved words in place of a post.
    """
    log = FindingLog()
    for kind, part in tables.kinds().items():
        for noun in REFERENCES.get(kind, ()):
            if noun not in known or part.empty:
                continue
            words = set(states.RESERVED) if (kind, noun) == ("assignments", "post") else set()
            allowed = known[noun] | words
            unknown = [text for text in part[noun].unique() if text not in allowed]
            if not unknown:
                continue
            guesses = _guesses(unknown, known[noun])
            wrong = part[part[noun].isin(unknown)].drop_duplicates(["file", "row", "column"])
            for (file, column), rows in wrong.groupby(["file", "column"], sort=False):
                numbers, names = np.asarray(rows["row"]).tolist(), [str(text) for text in rows[noun]]
                reason = partial(_reason, noun, guesses)
                log.add_rows(Severity.ERROR, f"unknown_{noun}", reason, str(file), numbers, str(column) or noun, names)
    return log.findings()


def _reason(noun: str, guesses: Mapping[str, str], text: str) -> str:
    return f"no such {noun} is defined{guesses.get(text, '')}"


def _guesses(unknown: list[str], known: set[str]) -> dict[str, str]:
    """'; did you mean ...?' for the first few names that are nearly right."""
    if len(known) > _MOST_KNOWN_TO_GUESS:
        return {}
    ordered = sorted(known)
    near = {text: difflib.get_close_matches(text, ordered, n=1, cutoff=0.75) for text in unknown[:_MOST_GUESSES]}
    return {text: f"; did you mean {found[0]!r}?" for text, found in near.items() if found}
