"""The records of a roster as frames: what importers return, the demo makes and the store takes.

Belongs here: the kinds of record, their columns and types, an empty frame of each. Does not belong
here: reading files (exchange), writing rows (storage), building arrays (assembly.py).

Every frame has the columns of its kind below plus the provenance columns `file` (str), `row`
(int64, counted as the reader's program does) and `column` (str, header or cell address, '' if
the whole row). Days are epoch days (days.py); an open start or end is OPEN_START or OPEN_END.
A kind that is None was not in the source and stays as it is; an empty frame says 'none of these'.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import pandas as pd

from resilience_assets.domain.program import Program

PROVENANCE: dict[str, str] = {"file": "str", "row": "int64", "column": "str"}

COLUMNS: dict[str, dict[str, str]] = {
    # id, name, role, full-time share, optional groupings, first and last day in the program
    "people": {"person": "str", "name": "str", "role": "str", "fte": "float64", "team": "str", "home_region": "str", "starts": "int64", "ends": "int64"},
    "services": {"service": "str", "name": "str", "tier": "int64"},
    "posts": {"post": "str", "service": "str", "role": "str"},
    "qualifications": {"person": "str", "post": "str", "first": "int64", "last": "int64"},
    # one date and slot; overrides every weekly rule for its cell
    "demand": {"post": "str", "day": "int64", "slot": "str", "required": "int64", "minimum": "int64"},
    # weekday 0 = Monday; one row a weekday
    "demand_rules": {"post": "str", "weekday": "int64", "slot": "str", "required": "int64", "minimum": "int64", "first": "int64", "last": "int64"},
    # `post` is a post id, or one of FREE, REST, ELSEWHERE, UNKNOWN; off is no row
    "assignments": {"person": "str", "day": "int64", "shift": "str", "post": "str"},
    # where rows of one person overlap, the person is away if any of them is approved
    "absences": {"person": "str", "first": "int64", "last": "int64", "kind": "str", "approved": "bool"},
}

DATED_KINDS = ("demand", "assignments", "absences")
"""Kinds of which a file replaces only its own dates."""


@dataclass(frozen=True)
class RosterTables:
    """One source read: what it says of its program (if anything) and a frame a kind (or None).

    `dates` is the stretch of epoch days of which the source speaks (first, last), when it says so
    itself (a month grid does); else the stretch of the dates in each frame.
    """

    program: Program | None = None
    people: pd.DataFrame | None = None
    services: pd.DataFrame | None = None
    posts: pd.DataFrame | None = None
    qualifications: pd.DataFrame | None = None
    demand: pd.DataFrame | None = None
    demand_rules: pd.DataFrame | None = None
    assignments: pd.DataFrame | None = None
    absences: pd.DataFrame | None = None
    dates: tuple[int, int] | None = None

    def kinds(self) -> dict[str, pd.DataFrame]:
        """The frames that are there, by kind, in an order in which references come first."""
        return {name: getattr(self, name) for name in COLUMNS if getattr(self, name) is not None}


def frame(kind: str, rows: list[dict[str, Any]] | pd.DataFrame) -> pd.DataFrame:
    """A frame of a kind with all its columns, typed; missing provenance becomes '' and 0.

    Raises KeyError when a column of the kind is missing.
    """
    given = pd.DataFrame(rows)
    wanted = COLUMNS[kind] | PROVENANCE
    out: dict[str, Any] = {}
    for column, dtype in wanted.items():
        if column in given.columns:
            target: Any = "object" if dtype == "str" else dtype
            out[column] = given[column].astype(target)
        elif given.empty or column in PROVENANCE:
            empty: Any = 0 if dtype == "int64" else ""
            out[column] = pd.Series([empty] * len(given), dtype="object" if dtype == "str" else dtype)
        else:
            raise KeyError(f"a frame of {kind} needs a column {column!r}")
    return pd.DataFrame(out)


assert set(COLUMNS) <= {spec.name for spec in fields(RosterTables)}
