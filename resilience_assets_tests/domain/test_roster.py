"""Cutting windows, who is qualified when, hours, heads."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resilience_assets.domain import states
from resilience_assets.domain.assembly import roster_from_tables
from resilience_assets.domain.days import day_of
from resilience_assets.domain.program import DEFAULT_SHIFTS, DEFAULT_SLOT_TYPES, Program
from resilience_assets.domain.roster import Roster, same_roster
from resilience_assets.domain.tables import RosterTables, frame
from resilience_assets_tests.domain.strategies import FIRST, roster_tables

rosters = roster_tables().map(lambda tables: roster_from_tables(tables)[0])


def on_dates(zone: str, first: dt.date, days: int) -> Roster:
    """A roster without people on some dates: two half-days and a night."""
    program = Program("p", "P", zone, DEFAULT_SLOT_TYPES, DEFAULT_SHIFTS)
    demand = [{"post": "q", "day": day_of(first) + i, "slot": "AM", "required": 1, "minimum": 1} for i in range(days)]
    return roster_from_tables(RosterTables(
        program=program, services=frame("services", [{"service": "s", "name": "s", "tier": 1}]),
        posts=frame("posts", [{"post": "q", "service": "s", "role": "MD"}]), demand=frame("demand", demand),
    ))[0]  # fmt: skip


@given(rosters, st.integers(-3, 12), st.integers(-3, 12))
@settings(max_examples=25, deadline=None)
def test_a_window_is_those_dates_and_nothing_else(roster, low, high):
    first, last = FIRST + low, FIRST + high
    part = roster.window(first, last)
    wanted = [day for day in range(roster.first_day, roster.last_day + 1) if first <= day <= last]
    assert part.days == len(wanted)
    assert sorted(set(part.day_of_slot().tolist())) == wanted
    keep = np.isin(roster.day_of_slot(), wanted)
    for name in ("planned", "state", "shift", "starts", "required", "minimum", "source", "demand_source"):
        assert np.array_equal(getattr(part, name), getattr(roster, name)[:, keep])
    assert part.people == roster.people
    assert np.array_equal(part.filled(), roster.filled()[:, keep])
    assert np.array_equal(part.slot_hours(), roster.slot_hours()[keep])


@given(rosters)
@settings(max_examples=20, deadline=None)
def test_a_window_over_all_dates_is_the_roster(roster):
    assert same_roster(roster.window(roster.first_day, roster.last_day), roster) or roster.days == 0


@given(rosters, st.integers(FIRST - 2, FIRST + 10))
@settings(max_examples=25, deadline=None)
def test_who_may_hold_a_post_is_what_the_rows_say_of_that_day(roster, day):
    q = roster.qualifications
    may = np.zeros((len(roster.people), len(roster.posts)), dtype=bool)
    for person, post, first, last in zip(q.person, q.post, q.first, q.last, strict=True):
        may[person, post] |= first <= day <= last
    assert np.array_equal(roster.qualified_on(day), may)
    assert np.array_equal(roster.qualified_on(day), may)  # the second answer comes from the cache


@given(rosters)
@settings(max_examples=25, deadline=None)
def test_periods_of_qualification_follow_each_other_and_hold_on_each_of_their_dates(roster):
    periods = roster.qualification_periods()
    borders = [0] + [end for _, end, _ in periods]
    assert [low for low, _, _ in periods] == borders[:-1]
    assert borders[-1] == roster.slots
    for low, high, mask in periods:
        for t in range(low, high, roster.per_day):
            assert np.array_equal(mask, roster.qualified_on(roster.first_day + t // roster.per_day))


@given(rosters)
@settings(max_examples=20, deadline=None)
def test_qualified_cells_and_availability_person_by_person(roster):
    cells = roster.qualified_cells(roster.state)
    for p in range(len(roster.people)):
        for t in range(roster.slots):
            state = int(roster.state[p, t])
            may = state >= 0 and bool(roster.qualified_on(roster.first_day + t // roster.per_day)[p, state])
            assert cells[p, t] == may
            assert roster.available()[p, t] == (state not in (states.REST, states.ELSEWHERE, states.ABSENT, states.UNKNOWN))


@pytest.mark.parametrize(
    ("zone", "first", "hours"),
    [
        ("America/New_York", dt.date(2026, 3, 7), [6, 6, 11, 6, 6, 12]),  # the night to the 8th loses an hour
        ("America/New_York", dt.date(2026, 10, 31), [6, 6, 13, 6, 6, 12]),
        ("Europe/London", dt.date(2026, 3, 28), [6, 6, 11, 6, 6, 12]),
        ("Europe/London", dt.date(2026, 10, 24), [6, 6, 13, 6, 6, 12]),
        ("UTC", dt.date(2026, 3, 28), [6, 6, 12, 6, 6, 12]),
    ],
)
def test_a_night_around_a_clock_change_has_11_or_13_hours(zone, first, hours):
    assert on_dates(zone, first, 2).slot_hours().tolist() == hours


@pytest.mark.parametrize(("first", "call"), [(dt.date(2026, 3, 7), 23.0), (dt.date(2026, 10, 31), 25.0), (dt.date(2026, 7, 1), 24.0)])
def test_a_call_over_a_clock_change_is_as_long_as_it_is_worked(first, call):
    roster = on_dates("America/New_York", first, 2)
    start, end = roster.shift_bounds()
    codes = [shift.code for shift in roster.program.shifts]
    assert start.shape == end.shape == (len(codes), 2)
    assert float(end[codes.index("CALL24"), 0] - start[codes.index("CALL24"), 0]) / 60 == call
    assert float(end[codes.index("AM"), 0] - start[codes.index("AM"), 0]) / 60 == 6.0


def test_slots_follow_each_other_without_a_gap_over_a_clock_change():
    start, end = on_dates("Europe/London", dt.date(2026, 10, 24), 3).slot_bounds()
    assert np.array_equal(end[:-1], start[1:])


def test_arrays_of_the_wrong_shape_are_refused_by_name():
    roster = on_dates("UTC", dt.date(2026, 1, 1), 2)
    with pytest.raises(ValueError, match=r"minimum has shape \(1, 5\), not \(1, 6\)"):
        replace(roster, minimum=roster.minimum[:, :5])


@given(rosters)
@settings(max_examples=20, deadline=None)
def test_same_roster_sees_every_cell(roster):
    assert same_roster(roster, replace(roster))
    if roster.slots:
        source = roster.source.copy()
        source[0, 0] += 1
        assert not same_roster(roster, replace(roster, source=source))
