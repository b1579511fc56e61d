"""Small random rosters as frames, for laws that must hold of every roster.

Belongs here: hypothesis strategies of programs and RosterTables, and plain rows to build them from.
Does not belong here: any expectation.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from resilience_assets.domain.days import OPEN_END, OPEN_START
from resilience_assets.domain.program import DEFAULT_SHIFTS, DEFAULT_SLOT_TYPES, Program, Shift, SlotType
from resilience_assets.domain.tables import RosterTables, frame

FIRST = 20_700
"""An epoch day around which the random rosters lie (2026-09-04)."""

PURE_SHIFTS = Program("ward", "Ward", "Europe/London", (SlotType("DAY", 0, 1440),), (Shift("E", 360, 840), Shift("N", 1320, 1800)))
HALF_DAYS = Program("clinic", "Clinic", "America/New_York", DEFAULT_SLOT_TYPES, DEFAULT_SHIFTS)
GAPS = Program(
    "gaps", "With gaps", "Asia/Kolkata", (SlotType("A", 480, 720), SlotType("B", 780, 1020)),
    (Shift("S", 450, 700), Shift("L", 480, 1020), Shift("X", 700, 1440 + 600), Shift("W", 480, 480 + 3 * 1440)),
)  # fmt: skip

programs = st.sampled_from([PURE_SHIFTS, HALF_DAYS, GAPS])


@st.composite
def divided_days(draw: st.DrawFn) -> tuple[SlotType, ...]:
    """Slot types that do not overlap, in order, within 24 hours from the first."""
    count = draw(st.integers(1, 4))
    first = draw(st.integers(0, 1439))
    cuts = sorted(draw(st.sets(st.integers(0, 1440), min_size=2 * count, max_size=2 * count)))
    slots = []
    for i in range(count):
        start, end = first + cuts[2 * i], first + cuts[2 * i + 1]
        if start < 1440 and end <= 2880:
            slots.append(SlotType(f"s{i}", start, end))
    return tuple(slots) or (SlotType("s", 0, 1440),)


@st.composite
def rows(draw: st.DrawFn, most: int = 12, **columns: st.SearchStrategy[Any]) -> list[dict[str, Any]]:
    """Some rows of these columns."""
    return draw(st.lists(st.fixed_dictionaries(columns), max_size=most))


@st.composite
def roster_tables(draw: st.DrawFn) -> RosterTables:
    """A program with up to 4 people, 3 posts and 8 dates; anything may overlap anything."""
    program = draw(programs)
    people = [f"P{i}" for i in range(draw(st.integers(1, 4)))]
    posts = [f"q{i}" for i in range(draw(st.integers(1, 3)))]
    services = ["icu", "clinic"]
    day = st.integers(FIRST, FIRST + 7)
    border = st.one_of(day, st.sampled_from([OPEN_START, OPEN_END]))
    person, post = st.sampled_from(people), st.sampled_from(posts)
    slot = st.sampled_from([one.code for one in program.slot_types])
    shift = st.sampled_from([one.code for one in program.shifts])
    heads = st.integers(0, 3)
    employed = st.tuples(st.one_of(st.just(OPEN_START), day), st.one_of(st.just(OPEN_END), day)).map(sorted)
    spans = {one: draw(employed) for one in people}
    return RosterTables(
        program=program,
        people=frame("people", [
            {"person": one, "name": f"Name {one}", "role": "PGY1", "fte": 1.0, "team": "", "home_region": "", "starts": low, "ends": high}
            for one, (low, high) in spans.items()
        ]),
        services=frame("services", [{"service": one, "name": one, "tier": i + 1} for i, one in enumerate(services)]),
        posts=frame("posts", [{"post": one, "service": draw(st.sampled_from(services)), "role": "PGY1"} for one in posts]),
        qualifications=frame("qualifications", draw(rows(person=person, post=post, first=border, last=border))),
        demand=frame("demand", draw(rows(6, post=post, day=day, slot=slot, required=heads, minimum=heads))),
        demand_rules=frame("demand_rules", draw(rows(
            6, post=post, weekday=st.integers(0, 6), slot=slot, required=heads, minimum=heads, first=border, last=border
        ))),
        assignments=frame("assignments", draw(rows(
            person=person, day=day, shift=shift, post=st.sampled_from([*posts, "FREE", "REST", "ELSEWHERE", "UNKNOWN"])
        ))),
        absences=frame("absences", draw(rows(5, person=person, first=border, last=border, kind=st.sampled_from(["sick", "leave"]), approved=st.booleans()))),
    )  # fmt: skip
