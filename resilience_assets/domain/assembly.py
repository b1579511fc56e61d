"""From facts to arrays: one roster out of people, posts, qualifications, demand and assignments.

Belongs here: expanding shifts over slots and weekly rules over dates, laying absences over work,
finding cells that are claimed twice. Does not belong here: reading tables or files (storage,
exchange), deciding whether a roster is acceptable (analysis.roster_checks).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from resilience_assets.domain import states
from resilience_assets.domain.days import IntArray
from resilience_assets.domain.findings import Finding, Severity
from resilience_assets.domain.nouns import Person, Post, Service, Tier
from resilience_assets.domain.program import DEFAULT_SHIFTS, DEFAULT_SLOT_TYPES, Program
from resilience_assets.domain.roster import Absences, Qualifications, Roster
from resilience_assets.domain.tables import COLUMNS, RosterTables, frame

Columns = dict[str, npt.NDArray[np.int64]]

MOST_DAYS = 4000
"""Longest roster that is laid out, about eleven years: a typing error in a year must not fill memory."""


@dataclass(frozen=True, eq=False)
class RosterFacts:
    """What a roster is made of, coded by index: people and posts in ascending order of id.

    Integer columns, each a dict of equally long int64 arrays:
    - `assignments`: person, day, shift, cell (post index or a code of states.py), source (row id)
    - `demand`: post, day, slot, required, minimum, source
    - `demand_rules`: post, weekday (0 = Monday), slot, required, minimum, first, last, source
    """

    program: Program
    people: tuple[Person, ...]
    services: tuple[Service, ...]
    posts: tuple[Post, ...]
    qualifications: Qualifications
    absences: Absences
    assignments: Columns
    demand: Columns
    demand_rules: Columns


@dataclass(frozen=True, eq=False)
class DoubleBookings:
    """Assignments that claim a cell already claimed: person, slot, the row kept, the row left out."""

    person: IntArray
    slot: IntArray
    kept: IntArray
    left_out: IntArray


def assemble(facts: RosterFacts) -> tuple[Roster, DoubleBookings]:
    """Lay facts out as arrays over all dates that have an assignment or a demand of their own.

    Weekly rules are laid out over those dates only: a demand for dates nobody has rostered yet is
    not a gap. Of two rows that claim a cell the one with the smaller source id is kept and the
    other reported. Raises ValueError when the dates span more than MOST_DAYS.
    """
    first_day, days = _stretch(facts)
    shape = (len(facts.people), days * len(facts.program.slot_types))
    cells, doubles = _lay_assignments(facts, first_day, shape)
    required, minimum, demand_source = _lay_demand(facts, first_day, days)
    state = cells["planned"].copy()
    _lay_absences(facts, first_day, days, state)
    roster = Roster(
        program=facts.program, first_day=first_day, days=days,
        people=facts.people, services=facts.services, posts=facts.posts,
        planned=cells["planned"], state=state, shift=cells["shift"], starts=cells["starts"],
        required=required, minimum=minimum,
        qualifications=facts.qualifications, absences=facts.absences,
        source=cells["source"], demand_source=demand_source,
    )  # fmt: skip
    return roster, doubles


def _stretch(facts: RosterFacts) -> tuple[int, int]:
    dated = [facts.assignments["day"], facts.demand["day"]]
    lows = [int(column.min()) for column in dated if column.size]
    highs = [int(column.max()) for column in dated if column.size]
    if not lows:
        return 0, 0
    days = max(highs) - min(lows) + 1
    if days > MOST_DAYS:
        raise ValueError(f"program {facts.program.id}: dates span {days} days, more than {MOST_DAYS}; look for a wrong year")
    return min(lows), days


def _lay_assignments(facts: RosterFacts, first_day: int, shape: tuple[int, int]) -> tuple[dict[str, Any], DoubleBookings]:
    """Cells [P, T] of the planned state, shift, first slots and source rows; and the double bookings."""
    per_day = len(facts.program.slot_types)
    rows = facts.assignments
    offsets = [facts.program.slots_of(shift) for shift in facts.program.shifts]
    counts = np.array([len(one) for one in offsets] or [0], dtype=np.int64)
    begins = np.concatenate([[0], np.cumsum(counts)[:-1]])
    flat = np.array([offset for one in offsets for offset in one], dtype=np.int64)

    repeats = counts[rows["shift"]] if rows["shift"].size else np.zeros(0, dtype=np.int64)
    row = np.repeat(np.arange(rows["shift"].size), repeats)
    within = np.arange(row.size) - np.repeat(np.cumsum(repeats) - repeats, repeats)
    slot = (rows["day"][row] - first_day) * per_day + flat[begins[rows["shift"][row]] + within] if row.size else row
    inside = slot < shape[1]  # the last date's night may run past the roster
    row, within, slot = row[inside], within[inside], slot[inside]

    cell = rows["person"][row] * shape[1] + slot
    order = np.lexsort((rows["source"][row], cell))
    cell, row, within = cell[order], row[order], within[order]
    again = np.zeros(cell.size, dtype=np.bool_)
    again[1:] = cell[1:] == cell[:-1]
    winner = np.maximum.accumulate(np.where(again, 0, np.arange(cell.size))) if cell.size else cell
    doubles = DoubleBookings(
        person=cell[again] // max(1, shape[1]), slot=cell[again] % max(1, shape[1]),
        kept=rows["source"][row[winner[again]]], left_out=rows["source"][row[again]],
    )  # fmt: skip
    cell, row, within = cell[~again], row[~again], within[~again]
    out: dict[str, Any] = {
        "planned": np.full(shape, states.OFF, dtype=np.int16),
        "shift": np.full(shape, -1, dtype=np.int16),
        "starts": np.zeros(shape, dtype=np.bool_),
        "source": np.zeros(shape, dtype=np.int32),
    }
    out["planned"].ravel()[cell] = rows["cell"][row]
    out["shift"].ravel()[cell] = rows["shift"][row]
    out["starts"].ravel()[cell] = within == 0
    out["source"].ravel()[cell] = rows["source"][row]
    return out, doubles


def _lay_demand(facts: RosterFacts, first_day: int, days: int) -> tuple[Any, Any, Any]:
    """Heads required and minimum, and their source, [Q, T]. A dated row overrides every weekly rule."""
    per_day = len(facts.program.slot_types)
    shape = (len(facts.posts), days * per_day)
    required, minimum = np.zeros(shape, dtype=np.int16), np.zeros(shape, dtype=np.int16)
    source = np.zeros(shape, dtype=np.int32)
    rules = facts.demand_rules
    for i in range(rules["post"].size):
        low, high = max(int(rules["first"][i]), first_day), min(int(rules["last"][i]), first_day + days - 1)
        # epoch day 0 was a Thursday, weekday 3
        low += (int(rules["weekday"][i]) - (low + 3)) % 7
        if low <= high:
            cut = slice((low - first_day) * per_day + int(rules["slot"][i]), (high - first_day + 1) * per_day, 7 * per_day)
            post = rules["post"][i]
            required[post, cut], minimum[post, cut], source[post, cut] = rules["required"][i], rules["minimum"][i], -rules["source"][i]
    dated = facts.demand
    slot = (dated["day"] - first_day) * per_day + dated["slot"]
    required[dated["post"], slot] = dated["required"]
    minimum[dated["post"], slot] = dated["minimum"]
    source[dated["post"], slot] = dated["source"]
    return required, minimum, source


def _lay_absences(facts: RosterFacts, first_day: int, days: int, state: npt.NDArray[np.int16]) -> None:
    """Write ABSENT over approved absences and over dates on which a person is not in the program."""
    per_day = len(facts.program.slot_types)

    def blank(person: int, first: int, last: int) -> None:
        low, high = max(first, first_day) - first_day, min(last, first_day + days - 1) - first_day
        if low <= high:
            state[person, low * per_day : (high + 1) * per_day] = states.ABSENT

    absences = facts.absences
    for person, first, last, approved in zip(absences.person, absences.first, absences.last, absences.approved, strict=True):
        if approved:
            blank(int(person), int(first), int(last))
    for index, person_record in enumerate(facts.people):
        if person_record.starts > first_day:
            blank(index, first_day, person_record.starts - 1)
        if person_record.ends < first_day + days - 1:
            blank(index, person_record.ends + 1, first_day + days - 1)


def roster_from_tables(tables: RosterTables) -> tuple[Roster, list[Finding]]:
    """One roster straight from frames, without a database: for tests, benchmarks and previews.

    Source ids are 1 + the position of the row in its frame. Rows that name an unknown person, post,
    shift or slot are left out and reported; so are double bookings.
    """
    program = tables.program or Program("unnamed", "unnamed", "UTC", DEFAULT_SLOT_TYPES, DEFAULT_SHIFTS)
    parts = {kind: part if (part := getattr(tables, kind)) is not None else frame(kind, []) for kind in COLUMNS}
    findings: list[Finding] = []
    people = tuple(Person(*row) for row in _sorted_rows(parts["people"], "person", tuple(COLUMNS["people"]), without="name"))
    services = tuple(Service(id, name, Tier(tier)) for id, name, tier in _sorted_rows(parts["services"], "service", ("service", "name", "tier")))
    index_of_service = {service.id: i for i, service in enumerate(services)}
    posts = tuple(Post(id, index_of_service[service], role) for id, service, role in _sorted_rows(parts["posts"], "post", ("post", "service", "role")))
    codes: dict[str, dict[str, int]] = {
        "person": {person.id: i for i, person in enumerate(people)},
        "post": {post.id: i for i, post in enumerate(posts)},
        "shift": {shift.code: i for i, shift in enumerate(program.shifts)},
        "slot": {slot.code: i for i, slot in enumerate(program.slot_types)},
    }

    def coded(kind: str, names: dict[str, str], plain: tuple[str, ...]) -> tuple[Columns, pd.DataFrame]:
        part = parts[kind]
        out: Columns = {}
        known = np.ones(len(part), dtype=np.bool_)
        for target, column in names.items():
            table = codes[column] | states.RESERVED if target == "cell" else codes[column]
            values: pd.Series[float] = part[column].map(table)
            for name in part.loc[values.isna(), column].unique():
                findings.append(Finding(Severity.ERROR, f"unknown_{column}", f"{kind} name {column} {name!r}, which is not defined"))
            known &= np.asarray(values.notna(), dtype=np.bool_)
            out[target] = np.asarray(values.fillna(0), dtype=np.int64)
        for column in plain:
            out[column] = np.asarray(part[column], dtype=np.int64)
        out["source"] = np.arange(1, len(part) + 1, dtype=np.int64)
        return {name: column[known] for name, column in out.items()}, part[known]

    held, _ = coded("qualifications", {"person": "person", "post": "post"}, ("first", "last"))
    away, away_frame = coded("absences", {"person": "person"}, ("first", "last"))
    facts = RosterFacts(
        program, people, services, posts,
        Qualifications(held["person"].astype(np.int32), held["post"].astype(np.int16), held["first"].astype(np.int32), held["last"].astype(np.int32)),
        Absences(
            away["person"].astype(np.int32), away["first"].astype(np.int32), away["last"].astype(np.int32),
            tuple(away_frame["kind"]), away_frame["approved"].to_numpy(dtype=np.bool_),
            np.zeros(len(away_frame), dtype=np.bool_), away["source"],
        ),
        coded("assignments", {"person": "person", "shift": "shift", "cell": "post"}, ("day",))[0],
        coded("demand", {"post": "post", "slot": "slot"}, ("day", "required", "minimum"))[0],
        coded("demand_rules", {"post": "post", "slot": "slot"}, ("weekday", "required", "minimum", "first", "last"))[0],
    )  # fmt: skip
    roster, doubles = assemble(facts)
    for person, slot in zip(doubles.person, doubles.slot, strict=True):
        findings.append(Finding(Severity.ERROR, "double_booking", f"{people[person].id} is in two places at once in slot {slot}"))
    return roster, findings



def _sorted_rows(part: pd.DataFrame, key: str, columns: tuple[str, ...], without: str = "") -> list[tuple[Any, ...]]:
    """Rows of a frame as plain tuples in ascending order of their id."""
    wanted = [column for column in columns if column != without]
    return sorted(zip(*(part[column].tolist() for column in wanted), strict=True), key=lambda row: str(row[wanted.index(key)]))
