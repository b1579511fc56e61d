"""Small rosters for the tests of this room, written as a picture.

A row of the picture is a person, a word a date: the shift worked ('.' off, '-' free, 'r' resting,
'a' away, 'e:CODE' elsewhere with a shift, '?' unreadable). Shifts: D 07-19, N 19-07, H 07-13 (half
a day), P 13-19, C 07-07 (24 h call), T 07-13 on the next date (30 h). The post is the person's first.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np

from resilience_assets.domain import states
from resilience_assets.domain.days import OPEN_END, OPEN_START, day_of
from resilience_assets.domain.nouns import Person, Post, Service, Tier
from resilience_assets.domain.program import Program, Shift, SlotType
from resilience_assets.domain.roster import Absences, CellArray, Qualifications, Roster

FIRST = day_of(dt.date(2025, 9, 1))  # a Monday, in force under the newest numbering

SLOTS = (SlotType("AM", 7 * 60, 13 * 60), SlotType("PM", 13 * 60, 19 * 60), SlotType("NIGHT", 19 * 60, 31 * 60))
SHIFTS = (
    Shift("D", 7 * 60, 19 * 60),
    Shift("N", 19 * 60, 31 * 60),
    Shift("H", 7 * 60, 13 * 60),
    Shift("P", 13 * 60, 19 * 60),
    Shift("C", 7 * 60, 31 * 60),
    Shift("T", 7 * 60, 37 * 60),
)
SHIFT_INDEX = {shift.code: k for k, shift in enumerate(SHIFTS)}
MARKS = {".": states.OFF, "-": states.FREE, "r": states.REST, "a": states.ABSENT, "?": states.UNKNOWN}

QualificationRow = tuple[str, str] | tuple[str, str, int, int]
AbsenceRow = tuple[str, int, int, bool, bool]


def build(
    picture: dict[str, str],
    *,
    posts: dict[str, str] | None = None,
    tiers: dict[str, int] | None = None,
    roles: dict[str, str] | None = None,
    fte: dict[str, float] | None = None,
    qualified: Sequence[QualificationRow] | None = None,
    required: dict[tuple[str, int, str], int] | None = None,
    minimum: dict[tuple[str, int, str], int] | None = None,
    absences: list[AbsenceRow] | None = None,
    time_zone: str = "America/New_York",
    first_day: int = FIRST,
    forbidden: tuple[tuple[str, str], ...] = (),
    holds: dict[str, str] | None = None,
) -> Roster:
    """A roster from a picture: {person: 'D D . N'}; `posts` {post: service}; demand {(post, date, slot): n}.

    Everybody is qualified for every post unless `qualified` lists (person, post[, first, last]).
    `absences` are (person, first date, last date, approved, reported), dates counted from 0.
    """
    posts = posts or {"ward": "WARD"}
    service_ids = sorted(set(posts.values()))
    services = tuple(Service(one, one, Tier((tiers or {}).get(one, 1))) for one in service_ids)
    post_ids = sorted(posts)
    post_records = tuple(Post(one, service_ids.index(posts[one]), "role") for one in post_ids)
    names = sorted(picture)
    people = tuple(Person(one, (roles or {}).get(one, "PGY2"), (fte or {}).get(one, 1.0)) for one in names)
    days = max(len(row.split()) for row in picture.values())
    rows = qualified if qualified is not None else [(person, post) for person in names for post in post_ids]
    full = [(*row, OPEN_START, OPEN_END) if len(row) == 2 else row for row in rows]
    cells = _cells(picture, names, days, qualified, post_ids, holds or {})
    away = absences or []
    for person, low, high, approved, _ in away:
        if approved:
            cells["state"][names.index(person), low * 3 : (high + 1) * 3] = states.ABSENT
    return Roster(
        program=Program("P1", "a program", time_zone, SLOTS, SHIFTS, forbidden),
        first_day=first_day,
        days=days,
        people=people,
        services=services,
        posts=post_records,
        planned=cells["planned"],
        state=cells["state"],
        shift=cells["shift"],
        starts=cells["starts"],
        required=_demand(required, post_ids, days),
        minimum=_demand(minimum, post_ids, days),
        qualifications=Qualifications(
            np.array([names.index(row[0]) for row in full], dtype=np.int32),
            np.array([post_ids.index(row[1]) for row in full], dtype=np.int16),
            np.array([row[2] for row in full], dtype=np.int32),
            np.array([row[3] for row in full], dtype=np.int32),
        ),
        absences=Absences(
            np.array([names.index(row[0]) for row in away], dtype=np.int32),
            np.array([first_day + row[1] for row in away], dtype=np.int32),
            np.array([first_day + row[2] for row in away], dtype=np.int32),
            tuple("sick" for _ in away),
            np.array([row[3] for row in away], dtype=np.bool_),
            np.array([row[4] for row in away], dtype=np.bool_),
            np.arange(501, 501 + len(away), dtype=np.int64),
        ),
        source=cells["source"],
        demand_source=np.zeros((len(post_ids), days * 3), dtype=np.int32),
    )


def _cells(
    picture: dict[str, str],
    names: list[str],
    days: int,
    qualified: Sequence[QualificationRow] | None,
    post_ids: list[str],
    holds: dict[str, str],
) -> dict[str, Any]:
    shape = (len(names), days * 3)
    out: dict[str, Any] = {
        "planned": np.full(shape, states.OFF, dtype=np.int16),
        "shift": np.full(shape, -1, dtype=np.int16),
        "starts": np.zeros(shape, dtype=np.bool_),
        "source": np.zeros(shape, dtype=np.int32),
    }
    program = Program("P1", "a program", "UTC", SLOTS, SHIFTS)
    row_id = 0
    for p, name in enumerate(names):
        own = [post_ids.index(row[1]) for row in qualified or [] if row[0] == name] or [0]
        post = post_ids.index(holds[name]) if name in holds else own[0]
        for d, word in enumerate(picture[name].split()):
            if word in MARKS:
                cut = slice(d * 3, d * 3 + 3)
                keep = out["shift"][p, cut] >= 0  # the tail of yesterday's long shift
                out["planned"][p, cut] = np.where(keep, out["planned"][p, cut], MARKS[word])
                continue
            row_id += 1
            elsewhere, code = word.startswith("e:"), word.split(":")[-1]
            for i, offset in enumerate(program.slots_of(SHIFTS[SHIFT_INDEX[code]])):
                t = d * 3 + offset
                if t < shape[1]:
                    out["planned"][p, t] = states.ELSEWHERE if elsewhere else post
                    out["shift"][p, t] = SHIFT_INDEX[code]
                    out["starts"][p, t] = i == 0
                    out["source"][p, t] = row_id
    out["state"] = out["planned"].copy()
    return out


def _demand(cells: dict[tuple[str, int, str], int] | None, post_ids: list[str], days: int) -> CellArray:
    out = np.zeros((len(post_ids), days * 3), dtype=np.int16)
    codes = [slot.code for slot in SLOTS]
    for (post, day, slot), count in (cells or {}).items():
        out[post_ids.index(post), day * 3 + codes.index(slot)] = count
    return out
