"""MiniZinc data files (.dzn) as rosters: an interrupted one with sickness, a week of physicians without assignments.

Formats: MiniZinc Challenge 2022, roster-sickness; MiniZinc Challenge 2021, physician-scheduling (T. Geibinger,
L. Kletzander, M. Krainz, F. Mischek, N. Musliu, F. Winter, "Physician Scheduling During a Pandemic", CPAIOR 2021).
Belongs here: reading the two formats, and what of them a roster can hold. Does not belong here: any expectation.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from resilience_assets.domain.days import OPEN_END, OPEN_START
from resilience_assets.domain.program import Program, Shift, SlotType
from resilience_assets.domain.tables import RosterTables, frame

FIRST_DAY = 20_458
"""A Monday: the files hold no dates."""
Row = dict[str, Any]


def values_of(path: Path) -> dict[str, str]:
    """The text behind each name of a file, comments left out."""
    text = re.sub(r"%.*", "", path.read_text(encoding="utf-8"))
    return {name: value.strip() for name, value in re.findall(r"(\w+)\s*=\s*([^;]*);", text)}


def whole_numbers(value: str) -> list[int]:
    """The numbers of a list or of an arrayNd(..., [list])."""
    return [int(one) for one in re.findall(r"-?\d+", value[value.index("[") : value.rindex("]")])]


def sets(value: str) -> list[set[int]]:
    """The members of each set of a list of sets."""
    return [{int(one) for one in re.findall(r"\d+", inside)} for inside in re.findall(r"\{([^}]*)\}", value)]


def read_sickness(path: Path) -> RosterTables:
    """The assignments that stay, and the holes.

    Times are quarters of an hour of one date: the file has times of day and no dates, so that people hold several
    shifts that overlap. Of a person's rows that overlap the longest, then the first, is kept; the others, and the
    demand that they meet, are left out, for they belong to dates that nobody knows. The three slots are such that two
    shifts of the file overlap exactly when they share a slot (a test holds this), so that the challenge's rule, nobody
    works two shifts that overlap, is the one-place rule of a slot. A post is an expertise.
    """
    told = values_of(path)
    start, stop, need = (whole_numbers(told[name]) for name in ("start_time", "stop_time", "req_expertise"))
    able, step = sets(told["employee_expertises"]), 60 // int(told["time_units_per_hour"])
    rows = [re.findall("true|false", line) for line in told["is_assigned"].strip("[]|").split("|")]
    kinds = sorted(set(zip(start, stop, strict=True)))
    slots = (SlotType("AM", 7 * 60, 13 * 60), SlotType("PM", 13 * 60 + 30, 18 * 60), SlotType("EVE", 18 * 60, 23 * 60))
    program = Program(
        "sickness", path.stem, "UTC", slots, tuple(Shift(f"{a}-{b}", a * step, b * step) for a, b in kinds)
    )
    assignments: list[Row] = []
    kept: list[int] = [s for s in range(len(start)) if not any(row[s] == "true" for row in rows)]
    for e, row in enumerate(rows):
        own: list[int] = []
        held_rows = [s for s, said in enumerate(row) if said == "true"]
        for s in sorted(held_rows, key=lambda s: start[s] - stop[s]):
            if all(stop[s] <= start[other] or stop[other] <= start[s] for other in own):
                own.append(s)
        kept += own
        assignments += [
            {"person": f"E{e + 1:02}", "day": FIRST_DAY, "shift": f"{start[s]}-{stop[s]}", "post": f"X{need[s]}"}
            for s in own
        ]
    heads: dict[tuple[str, str], int] = {}
    for s in kept:
        for offset in program.slots_of(Shift("one", start[s] * step, stop[s] * step)):
            cell = (f"X{need[s]}", slots[offset].code)
            heads[cell] = heads.get(cell, 0) + 1
    people = [f"E{e + 1:02}" for e in range(len(rows))]
    held = [(people[e], f"X{x}") for e, own_x in enumerate(able) for x in sorted(own_x)]
    demand = [(post, FIRST_DAY, slot, count) for (post, slot), count in heads.items()]
    return tables(program, people, sorted({f"X{x}" for x in need}), held, demand, assignments)


def read_physicians(path: Path) -> RosterTables:
    """Demand and people of a week; nobody is assigned. A post is a station, a shift and a skill.

    One slot a date: a physician has one shift a day. A preference of 4 means that the physician may not work the
    skill at the station. Left out: demand by department over several skills, hours a week, the history.
    """
    told = values_of(path)
    stations, shifts, days, skills = (int(told[n]) for n in ("numStations", "numShifts", "numDays", "numSkills"))
    demand = np.array(whole_numbers(told["demand"])).reshape(stations + 1, shifts + 1, days, skills + 1)
    people = re.findall(r'"([^"]+)"', told["personName"])
    liking = np.array(whole_numbers(told["stationPrefs"])).reshape(len(people), stations + 1, skills + 1)
    lengths = whole_numbers(told["shiftLength"].partition(",")[2])
    program = Program(
        "physicians", path.stem, "Europe/Vienna", (SlotType("DAY", 7 * 60, 31 * 60),),
        tuple(Shift(f"Sh{k + 1}", 7 * 60, (7 + lengths[k]) * 60) for k in range(1, shifts + 1)),
    )  # fmt: skip
    # index 0 of stations, shifts and skills means a day off
    posts = {
        (s, k, x): f"St{s + 1}/Sh{k + 1}/Sk{x + 1}"
        for s in range(1, stations + 1)
        for k in range(1, shifts + 1)
        for x in range(1, skills + 1)
        if demand[s, k, :, x].any()
    }
    held = [
        (person, post) for p, person in enumerate(people) for (s, _, x), post in posts.items() if liking[p, s, x] < 4
    ]
    heads = [
        (post, FIRST_DAY + day, "DAY", int(demand[s, k, day, x]))
        for (s, k, x), post in posts.items()
        for day in range(days)
    ]
    away = [
        {"person": people[p], "first": FIRST_DAY + d - 1, "last": FIRST_DAY + d - 1, "kind": "leave", "approved": True}
        for p, forbidden in enumerate(sets(told["forbiddenDays"]))
        for d in sorted(forbidden)
    ]
    return tables(program, people, sorted(posts.values()), held, heads, [], away)


def tables(
    program: Program, people: list[str], posts: list[str], held: list[tuple[str, str]],
    demand: list[tuple[str, int, str, int]], assignments: list[Row], absences: list[Row] | None = None,
) -> RosterTables:  # fmt: skip
    """The frames of a roster in which every seat required is a minimum too; one service of tier 1 for all posts."""
    always = {"first": OPEN_START, "last": OPEN_END}
    return RosterTables(
        program=program,
        people=frame("people", [person_row(one) for one in people]),
        services=frame("services", [{"service": "care", "name": "Care", "tier": 1}]),
        posts=frame("posts", [{"post": post, "service": "care", "role": "worker"} for post in posts]),
        qualifications=frame("qualifications", [{"person": one, "post": post} | always for one, post in held]),
        demand=frame(
            "demand",
            [
                {"post": post, "day": day, "slot": slot, "required": count, "minimum": count}
                for post, day, slot, count in demand
            ],
        ),
        assignments=frame("assignments", assignments),
        absences=frame("absences", absences or []),
    )


def person_row(id: str) -> Row:
    """A full-time worker who is there on all dates."""
    groups = {"team": "", "home_region": "", "starts": OPEN_START, "ends": OPEN_END}
    return {"person": id, "name": id, "role": "worker", "fte": 1.0} | groups
