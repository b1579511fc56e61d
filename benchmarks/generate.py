"""Invented rosters of any size, cheap to make: for measuring, not for showing.

Belongs here: fleets of programs as record frames, and the same as a folder of CSV files. Does not
belong here: realism (resilience_assets.demo).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from resilience_assets.domain import tables
from resilience_assets.domain.days import OPEN_END, OPEN_START
from resilience_assets.domain.program import DEFAULT_SHIFTS, DEFAULT_SLOT_TYPES, Program
from resilience_assets.domain.tables import RosterTables
from resilience_assets.exchange.csv_cells import WEEKDAYS
from resilience_assets.exchange.csv_kinds import KIND_COLUMNS
from resilience_assets.exchange.source import SourceRead

FIRST_DAY = 20485
"""Monday 2 February 2026."""
SERVICES = (("ward", 1), ("nights", 1), ("clinic", 3))
POSTS = (
    ("clinic-attending", "clinic", "attending"),
    ("clinic-resident", "clinic", "PGY2"),
    ("nights-attending", "nights", "attending"),
    ("nights-resident", "nights", "PGY2"),
    ("ward-attending", "ward", "attending"),
    ("ward-resident", "ward", "PGY2"),
)
SEATED = np.array([post for post, *_ in POSTS] + ["FREE", "REST"], dtype=object)
FREE, REST = len(POSTS), len(POSTS) + 1
CYCLE = 7
"""Four days, a night, rest after it, a day off, by turns."""
NIGHT_TURN, REST_TURN, OFF_TURN = 4, 5, 6

Ints = npt.NDArray[np.int64]
Shifts = list[tuple[Ints, Ints, str, Ints]]
"""People, dates (from 0), shift code, index in SEATED."""


def fleet(programs: int, people: int, days: int, seed: int, first_day: int = FIRST_DAY) -> Iterator[RosterTables]:
    """So many programs of so many people on so many dates, three slots a date; the same for the same seed.

    Coverage is near one, some people are away, nobody is in two places at once.
    """
    for number in range(programs):
        yield one_program(f"program-{number:05d}", people, days, [seed, number], first_day)


def one_program(
    program: str, people: int, days: int, seed: list[int], first_day: int = FIRST_DAY, every_cell: bool = False
) -> RosterTables:
    """One program of a fleet; `every_cell` writes a row for each person, date and slot (people x days x 3)."""
    random = np.random.default_rng(seed)
    turn = (random.integers(0, CYCLE, people)[:, None] + np.arange(days)) % CYCLE
    attending = np.arange(people) % 3 == 0
    on_ward = random.random(people) < 0.4
    shifts = _cells(turn, attending, on_ward) if every_cell else _shifts(turn, attending, on_ward)
    ids = np.array([f"P{n:05d}" for n in range(people)], dtype=object)
    absent, absences = _absences(random, ids, days, first_day, 0.0 if every_cell else 0.5)
    return RosterTables(
        program=Program(program, program, "America/New_York", DEFAULT_SLOT_TYPES, DEFAULT_SHIFTS),
        people=_people(program, ids, attending),
        services=_framed(program, "services", {"service": [s for s, _ in SERVICES], "name": [s for s, _ in SERVICES], "tier": [t for _, t in SERVICES]}),
        posts=_framed(program, "posts", {name: [post[i] for post in POSTS] for i, name in enumerate(("post", "service", "role"))}),
        qualifications=_qualifications(program, ids, attending),
        demand=tables.frame("demand", []),
        demand_rules=_demand_rules(program, turn, attending, on_ward),
        assignments=_assignments(program, ids, shifts, absent, first_day),
        absences=_framed(program, "absences", absences),
        dates=(first_day, first_day + days - 1),
    )  # fmt: skip


def _absences(
    random: np.random.Generator, ids: npt.NDArray[np.object_], days: int, first_day: int, share: float
) -> tuple[npt.NDArray[np.bool_], dict[str, object]]:
    """A week away for a share of the people: dates [people, days], and the columns of the frame."""
    who = np.flatnonzero(random.random(len(ids)) < share)
    start = random.integers(0, max(1, days - 7), len(who))
    absent = np.zeros((len(ids), days), dtype=np.bool_)
    for week in range(min(7, days)):
        absent[who, start + week] = True
    columns: dict[str, object] = {
        "person": ids[who],
        "first": first_day + start,
        "last": first_day + start + min(6, days - 1),
        "kind": np.full(len(who), "vacation"),
        "approved": np.ones(len(who), dtype=np.bool_),
    }
    return absent, columns


def _day_post(attending: npt.NDArray[np.bool_], on_ward: npt.NDArray[np.bool_]) -> Ints:
    """Index in POSTS of the day post of each person."""
    return np.where(on_ward, 4, 0) + np.where(attending, 0, 1)


def _shifts(turn: Ints, attending: npt.NDArray[np.bool_], on_ward: npt.NDArray[np.bool_]) -> Shifts:
    """A row for each shift; the day after a night is rest."""
    day_post, night_post = _day_post(attending, on_ward), np.where(attending, 2, 3)
    who, date = np.nonzero(turn < NIGHT_TURN)
    night_who, night_date = np.nonzero(turn == NIGHT_TURN)
    rest_who, rest_date = np.nonzero(turn == REST_TURN)
    return [
        (who, date, "DAY", day_post[who]),
        (night_who, night_date, "NIGHT", night_post[night_who]),
        (rest_who, rest_date, "DAY", np.full(len(rest_who), REST, dtype=np.int64)),
    ]


def _cells(turn: Ints, attending: npt.NDArray[np.bool_], on_ward: npt.NDArray[np.bool_]) -> Shifts:
    """A row for each slot: a post, free, or rest."""
    day_post, night_post = _day_post(attending, on_ward)[:, None], np.where(attending, 2, 3)[:, None]
    who, date = (grid.ravel() for grid in np.indices(turn.shape))
    by_day = np.where(turn < NIGHT_TURN, day_post, np.where(turn == OFF_TURN, FREE, REST)).ravel()
    by_night = np.where(turn == NIGHT_TURN, night_post, REST).ravel()
    return [(who, date, "AM", by_day), (who, date, "PM", by_day), (who, date, "NIGHT", by_night)]


def _assignments(
    program: str, ids: npt.NDArray[np.object_], shifts: Shifts, absent: npt.NDArray[np.bool_], first_day: int
) -> pd.DataFrame:
    """Rows in order of date and person, none on an absence."""
    who = np.concatenate([part[0] for part in shifts])
    date = np.concatenate([part[1] for part in shifts])
    shift = np.repeat(np.array([part[2] for part in shifts], dtype=object), [len(part[0]) for part in shifts])
    post = SEATED[np.concatenate([part[3] for part in shifts])]
    order = np.lexsort((who, date))
    order = order[~absent[who[order], date[order]]]
    columns = {"person": ids[who[order]], "day": first_day + date[order], "shift": shift[order], "post": post[order]}
    return _framed(program, "assignments", columns)


def _people(program: str, ids: npt.NDArray[np.object_], attending: npt.NDArray[np.bool_]) -> pd.DataFrame:
    count = len(ids)
    columns = {
        "person": ids, "name": np.array([f"Person {n}" for n in range(count)], dtype=object),
        "role": np.where(attending, "attending", "PGY2"), "fte": np.ones(count), "team": np.full(count, ""),
        "home_region": np.full(count, ""), "starts": np.full(count, OPEN_START), "ends": np.full(count, OPEN_END),
    }  # fmt: skip
    return _framed(program, "people", columns)


def _qualifications(program: str, ids: npt.NDArray[np.object_], attending: npt.NDArray[np.bool_]) -> pd.DataFrame:
    """Everybody for the three posts of the role."""
    person = np.repeat(ids, 3)
    first = np.where(attending, 0, 1)
    post = SEATED[(first[:, None] + np.array([0, 2, 4])).ravel()]
    count = len(person)
    columns = {"person": person, "post": post, "first": np.full(count, OPEN_START), "last": np.full(count, OPEN_END)}
    return _framed(program, "qualifications", columns)


def _demand_rules(
    program: str, turn: Ints, attending: npt.NDArray[np.bool_], on_ward: npt.NDArray[np.bool_]
) -> pd.DataFrame:
    """What the least staffed date can nearly give, on every weekday; the minimum is half of it."""
    day_post, night_post = _day_post(attending, on_ward), np.where(attending, 2, 3)
    rows = []
    for q, (post, *_) in enumerate(POSTS):
        night = post.startswith("nights")
        on = (
            (turn == NIGHT_TURN) & (night_post == q)[:, None]
            if night
            else (turn < NIGHT_TURN) & (day_post == q)[:, None]
        )
        required = int(np.quantile(on.sum(axis=0), 0.2) * 0.95)
        rows += [(post, slot, required, required // 2) for slot in (("NIGHT",) if night else ("AM", "PM"))]
    weekday = np.tile(np.arange(7), len(rows))
    post_of, slot_of, required_of, minimum_of = (np.repeat(np.array(column), 7) for column in zip(*rows, strict=True))
    columns = {
        "post": post_of.astype(object), "weekday": weekday, "slot": slot_of.astype(object), "required": required_of,
        "minimum": minimum_of, "first": np.full(len(weekday), OPEN_START), "last": np.full(len(weekday), OPEN_END),
    }  # fmt: skip
    return _framed(program, "demand_rules", columns)


def _framed(program: str, kind: str, columns: Mapping[str, object]) -> pd.DataFrame:
    made = pd.DataFrame(columns)
    made["file"], made["row"], made["column"] = f"{program}/{kind}.csv", np.arange(2, len(made) + 2), ""
    return tables.frame(kind, made)


def as_source(made: RosterTables) -> SourceRead:
    """Record frames as if they had just been read, to be imported without a file."""
    kinds = made.kinds()
    digest = hashlib.sha256(str(made.program).encode())
    for part in kinds.values():
        digest.update(pd.util.hash_pandas_object(part, index=False).to_numpy().tobytes())
    files = tuple(f"{made.program.id if made.program else ''}/{kind}.csv" for kind in kinds)
    return SourceRead(made, [], digest.hexdigest(), files, "csv", {kind: len(part) for kind, part in kinds.items()})


def with_one_change(made: RosterTables, day: int) -> RosterTables:
    """The same program, in which the first person at a post on an epoch day is free instead."""
    held = made.assignments
    if held is None:
        raise ValueError("a program without assignments cannot be changed")
    rows = held.index[(held["day"] == day) & ~held["post"].isin(["FREE", "REST"])]
    if not len(rows):
        raise ValueError(f"nobody works on epoch day {day}")
    changed = held.copy()
    changed.loc[rows[0], "post"] = "FREE"
    return RosterTables(program=made.program, assignments=changed, dates=made.dates)


def write_csv(made: RosterTables, folder: Path) -> int:
    """Write a program as a folder of the CSV set; returns its rows. Slots and shifts are the default ones."""
    folder.mkdir(parents=True, exist_ok=True)
    program = made.program
    if program is None or program.slot_types != DEFAULT_SLOT_TYPES or program.shifts != DEFAULT_SHIFTS:
        raise ValueError("only a program with the default slots and shifts is written")
    said = pd.DataFrame({"program": [program.id], "name": [program.name], "time_zone": [program.time_zone]})
    said.to_csv(folder / "program.csv", index=False)
    total = 0
    for kind, part in made.kinds().items():
        out = pd.DataFrame(index=part.index)
        for column in KIND_COLUMNS[kind]:
            if kind == "assignments" and column.into in ("last", "weekdays"):
                continue  # one row a date: these belong to rotation blocks
            if column.into == "weekdays":
                out[column.header] = np.array(WEEKDAYS, dtype=object)[part["weekday"].to_numpy()]
            elif column.into in ("day", "first", "last", "starts", "ends"):
                out[column.header] = _dates(part[column.into].to_numpy())
            else:
                out[column.header] = part[column.into]
        if len(out):
            out.to_csv(folder / f"{kind}.csv", index=False)
            total += len(out)
    return total


def _dates(days: Ints) -> npt.NDArray[np.object_]:
    """ISO dates; '' for an open end."""
    text = np.datetime_as_string(np.clip(days, 0, 100_000).astype("datetime64[D]")).astype(object)
    text[(days == OPEN_START) | (days == OPEN_END)] = ""
    return text
