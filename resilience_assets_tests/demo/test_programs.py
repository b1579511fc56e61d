"""What the demo promises, counted from its frames without the code that made them."""

from __future__ import annotations

import datetime as dt
import itertools
from collections import defaultdict
from functools import lru_cache

import numpy as np
import pandas as pd
import pytest

from resilience_assets.analysis.duty_hours import breaches
from resilience_assets.analysis.utilization import utilization
from resilience_assets.demo.family_medicine import DUTY_HOUR_PROBLEM, known_gap
from resilience_assets.demo.programs import demo_programs, thin_service_example
from resilience_assets.domain import states
from resilience_assets.domain.assembly import roster_from_tables
from resilience_assets.domain.days import OPEN_END, date_of, day_of
from resilience_assets.domain.roster import Roster
from resilience_assets.domain.tables import COLUMNS, PROVENANCE, RosterTables
from resilience_assets.policy import load_policies

SPRING = day_of(dt.date(2026, 3, 12))
BEFORE_JULY = day_of(dt.date(2026, 5, 20))
AFTER_JULY = day_of(dt.date(2026, 7, 19))
A_SUNDAY = day_of(dt.date(2027, 1, 3))
DAYS = [SPRING, BEFORE_JULY, AFTER_JULY, A_SUNDAY]
NAMES = ("family-medicine", "ward-7", "department")

Duty = tuple[int, int, str, int, str]


@lru_cache(maxsize=8)
def made(today: int, seed: int = 7) -> dict[str, RosterTables]:
    tables = demo_programs(today, seed)
    assert all(one.program is not None for one in tables)
    return {one.program.id: one for one in tables if one.program}


@lru_cache(maxsize=16)
def assembled(today: int, program: str) -> Roster:
    roster, findings = roster_from_tables(made(today)[program])
    assert not [str(finding) for finding in findings]
    return roster


@lru_cache(maxsize=16)
def duties(today: int, program: str) -> dict[str, list[Duty]]:
    """Per person (start minute, end minute, shift, day, post) in wall-clock time, from the frame alone; rest left out."""
    tables = made(today)[program]
    assert tables.program is not None
    assert tables.assignments is not None
    shifts = {shift.code: shift for shift in tables.program.shifts}
    out: dict[str, list[Duty]] = defaultdict(list)
    columns = (tables.assignments[name].tolist() for name in ("person", "day", "shift", "post"))
    for person, day, shift, post in zip(*columns, strict=True):
        if post != "REST":
            kind = shifts[shift]
            out[person].append((day * 1440 + kind.start, day * 1440 + kind.end, shift, day, post))
    return {person: sorted(rows) for person, rows in out.items()}


def coverage(roster: Roster, first: int, last: int) -> float:
    part = roster.window(first, last)
    return float(np.minimum(part.filled(), part.required).sum() / part.required.sum())


def utilization_on(today: int, program: str) -> float:
    """Utilization of the eight days of a health check, by the shipped policy."""
    rate = utilization(assembled(today, program), load_policies().for_program(program), today, today + 7).of_program()
    assert rate is not None
    return rate


def test_the_same_day_and_seed_give_the_same_frames() -> None:
    again = demo_programs(SPRING)
    for one in again:
        assert one.program is not None
        other = made(SPRING)[one.program.id]
        for kind, part in one.kinds().items():
            pd.testing.assert_frame_equal(part, other.kinds()[kind], obj=f"{one.program.id} {kind}")


def test_another_seed_gives_other_names_and_leave() -> None:
    one, other = made(SPRING)["ward-7"], made(SPRING, 8)["ward-7"]
    assert one.people is not None
    assert other.people is not None
    assert one.people["person"].tolist() == other.people["person"].tolist()
    assert one.people["name"].tolist() != other.people["name"].tolist()
    assert one.absences is not None
    assert not one.absences.equals(other.absences)


@pytest.mark.parametrize("today", DAYS)
@pytest.mark.parametrize("program", NAMES)
def test_every_kind_is_there_and_the_dates_reach_ninety_days_ahead(today: int, program: str) -> None:
    tables = made(today)[program]
    assert set(tables.kinds()) == set(COLUMNS)
    for kind, part in tables.kinds().items():
        assert list(part.columns) == [*COLUMNS[kind], *PROVENANCE]
    assert tables.dates is not None
    first, last = tables.dates
    assert last == today + 90
    assert today - 34 <= first <= today - 28
    assert date_of(first).weekday() == 0
    roster = assembled(today, program)
    assert (roster.first_day, roster.last_day) == (first, last)


@pytest.mark.parametrize("today", DAYS)
def test_head_counts(today: int) -> None:
    for program, heads in zip(NAMES, (29, 60, 300), strict=True):
        people = made(today)[program].people
        assert people is not None
        for day in (today - 28, today, today + 90):
            assert ((people["starts"] <= day) & (people["ends"] >= day)).sum() == heads
        assert people["person"].is_unique
        assert people["name"].is_unique
    roles = made(today)["family-medicine"].people
    assert roles is not None
    assert (roles["role"] == "faculty").sum() == 12
    department = made(today)["department"]
    assert department.services is not None
    assert department.posts is not None
    assert 15 <= len(department.services) <= 25
    assert 38 <= len(department.posts) <= 46
    assert department.posts.groupby("service").size().between(1, 3).all()


def test_ids_name_nobody_and_are_in_one_program_only() -> None:
    seen: set[str] = set()
    for tables in made(SPRING).values():
        assert tables.people is not None
        for person, name in zip(tables.people["person"], tables.people["name"], strict=True):
            assert person not in seen
            seen.add(person)
            assert not any(word.lower() in person.lower() for word in name.split())


@pytest.mark.parametrize("today", DAYS)
@pytest.mark.parametrize("program", NAMES)
def test_nobody_is_seated_without_a_qualification_or_while_away(today: int, program: str) -> None:
    roster = assembled(today, program)
    seated = roster.planned >= 0
    assert not (seated & ~roster.qualified_cells(roster.planned)).any()
    assert not ((roster.planned != states.OFF) & (roster.state == states.ABSENT)).any()


@pytest.mark.parametrize("today", DAYS)
@pytest.mark.parametrize("program", NAMES)
def test_rest_between_duties(today: int, program: str) -> None:
    """Ten hours between duties on different dates (eleven on the ward), and no overlap on one date."""
    least = (11 if program == "ward-7" else 10) * 60
    for person, rows in duties(today, program).items():
        for (_, end, _, day, _), (start, _, _, next_day, _) in itertools.pairwise(rows):
            assert start - end >= (0 if day == next_day else least), (person, date_of(day))


@pytest.mark.parametrize("today", DAYS)
def test_no_day_shift_after_a_night_on_the_ward(today: int) -> None:
    for person, rows in duties(today, "ward-7").items():
        for (_, _, shift, day, _), (_, _, next_shift, next_day, _) in itertools.pairwise(rows):
            assert (shift, next_shift, next_day - day) != ("N", "D", 1), person


@pytest.mark.parametrize("today", DAYS)
def test_one_resident_breaks_eighty_hours_and_nobody_else_does(today: int) -> None:
    """Hours by date of start, over every 28 dates; and one date in seven without a duty for all."""
    tables = made(today)["family-medicine"]
    assert tables.dates is not None
    first, last = tables.dates
    worst: dict[str, float] = {}
    for person, rows in duties(today, "family-medicine").items():
        if not person.startswith("PGY"):
            continue
        hours = np.zeros(last - first + 1)
        for start, end, _, day, _ in rows:
            hours[day - first] += (end - start) / 60
        worst[person] = max(hours[i : i + 28].sum() / 4 for i in range(len(hours) - 27))
        assert all((hours[i : i + 7] == 0).any() for i in range(len(hours) - 6)), person
    assert {person for person, value in worst.items() if value > 80} == {DUTY_HOUR_PROBLEM}
    assert worst[DUTY_HOUR_PROBLEM] == pytest.approx(84)


@pytest.mark.parametrize("today", DAYS)
def test_the_shipped_rules_find_that_resident_and_nobody_else(today: int) -> None:
    found = [
        (breach.person, breach.rule)
        for program in NAMES
        for breach in breaches(
            assembled(today, program), load_policies().for_program(program).duty, today - 28, today + 90
        )
    ]
    assert set(found) == {(DUTY_HOUR_PROBLEM, "acgme.weekly_hours")}


@pytest.mark.parametrize("today", DAYS)
def test_today_looks_credible(today: int) -> None:
    low_high = {"family-medicine": (0.67, 0.80), "ward-7": (0.58, 0.70), "department": (0.75, 0.90)}
    for program, (low, high) in low_high.items():
        roster = assembled(today, program)
        assert low < utilization_on(today, program) < high, program
        assert 0.97 < coverage(roster, today, today + 7) <= 1.0, program
        assert 0.98 < coverage(roster, today, today + 90) < 1.0, program


@pytest.mark.parametrize("today", DAYS)
@pytest.mark.parametrize("program", NAMES[:2])
def test_what_patient_safety_needs_is_there_in_the_coming_week(today: int, program: str) -> None:
    week = assembled(today, program).window(today, today + 7)
    first_tier = np.array([week.services[post.service].tier == 1 for post in week.posts])
    assert (week.filled()[first_tier] >= week.minimum[first_tier]).all()


@pytest.mark.parametrize("today", [*DAYS, *range(SPRING + 1, SPRING + 7)])
def test_one_absence_opens_the_thin_service(today: int) -> None:
    tables = made(today)["family-medicine"]
    person, service, day = thin_service_example([tables], today)
    assert today <= day <= today + 7
    assert tables.qualifications is not None
    assert tables.posts is not None
    posts = set(tables.posts.loc[tables.posts["service"] == service, "post"])
    qualified = tables.qualifications[tables.qualifications["post"].isin(posts)]
    assert 2 <= qualified["person"].nunique() <= 3
    roster, _ = roster_from_tables(tables)
    week = roster.window(today, today + 7)
    rows = [index for index, post in enumerate(week.posts) if post.id in posts]
    required = week.required[rows].sum()
    assert week.filled()[rows].sum() == required
    state = week.state.copy()
    row = [one.id for one in week.people].index(person)
    cut = slice((day - week.first_day) * week.per_day, (day - week.first_day + 1) * week.per_day)
    state[row, cut] = states.ABSENT
    left = np.isin(state, rows).sum()
    assert left / required < 0.9


def test_the_thin_service_is_refused_for_a_day_that_is_not_on_file() -> None:
    with pytest.raises(ValueError, match="make the demo for that day"):
        thin_service_example(list(made(SPRING).values()), SPRING + 1000)


@pytest.mark.parametrize("today", DAYS)
def test_the_known_gap_is_open_for_its_whole_week(today: int) -> None:
    post, first, last = known_gap(today)
    assert date_of(first).weekday() == 0
    assert today + 28 <= first <= today + 34
    assert last == first + 6
    week = assembled(today, "family-medicine").window(first, last)
    row = [one.id for one in week.posts].index(post)
    night = [slot.code for slot in week.program.slot_types].index("NIGHT")
    assert (week.required[row, night :: week.per_day] == 1).all()
    assert (week.filled()[row] == 0).all()


@pytest.mark.parametrize(("today", "joining"), [(SPRING, 1), (BEFORE_JULY, 6), (AFTER_JULY, 6), (A_SUNDAY, 1)])
def test_residents_leave_join_and_are_promoted_inside_the_horizon(today: int, joining: int) -> None:
    tables = made(today)["family-medicine"]
    assert tables.people is not None
    assert tables.qualifications is not None
    assert tables.dates is not None
    first, last = tables.dates
    starts = tables.people.loc[tables.people["starts"].between(first, last), "starts"]
    ends = tables.people.loc[tables.people["ends"] != OPEN_END, "ends"]
    assert (len(starts), len(ends)) == (joining, joining)
    assert set(starts) == {day + 1 for day in ends}
    if joining > 1:
        assert {date_of(day).strftime("%m-%d") for day in starts} == {"07-01"}
    q = tables.qualifications
    promoted = set(q.loc[q["last"].isin(ends) & (q["post"] == "clinic-intern"), "person"])
    assert promoted
    assert promoted == set(q.loc[q["first"].isin(starts) & (q["post"] == "clinic-senior"), "person"])


@pytest.mark.parametrize("today", DAYS)
def test_people_are_away_for_many_reasons_and_one_only_asked(today: int) -> None:
    kinds = made(today)["family-medicine"].absences
    assert kinds is not None
    assert {"vacation", "deployment", "tdy", "sick", "parental", "conference"} <= set(kinds["kind"])
    for program in NAMES:
        absences = made(today)[program].absences
        assert absences is not None
        assert (~absences["approved"]).sum() == 1
        for _, rows in absences.sort_values("first").groupby("person"):
            assert (rows["first"].to_numpy()[1:] > rows["last"].to_numpy()[:-1]).all()


def test_every_state_of_a_person_occurs() -> None:
    seen = set(np.unique(assembled(SPRING, "family-medicine").state).tolist())
    assert {states.OFF, states.FREE, states.REST, states.ELSEWHERE, states.ABSENT} <= seen
