"""Who worked when: shifts, periods, hours by local date."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from resilience_assets.analysis.work import (
    absent_days,
    hours_by_day,
    is_night,
    work_periods,
    work_share_of_slots,
    worked_shifts,
)
from resilience_assets.domain.days import day_of
from resilience_assets.domain.program import Program, Shift, SlotType
from resilience_assets.domain.roster import Roster
from resilience_assets_tests.analysis.building import build


def daily(roster: Roster) -> list[float]:
    return [float(hours) for hours in hours_by_day(roster, worked_shifts(roster))[0]]


def test_hours_after_midnight_belong_to_the_next_date() -> None:
    assert daily(build({"P": "D N . C . T ."})) == [12, 5, 7, 17, 7, 17, 13]


def test_hours_of_the_last_night_end_with_the_file() -> None:
    assert daily(build({"P": ". N"})) == [0, 5]


def test_work_elsewhere_counts_when_its_shift_is_known_and_rest_and_absence_do_not() -> None:
    assert daily(build({"P": "e:D r a . - ?"})) == [12, 0, 0, 0, 0, 0]
    assert daily(build({"P": "D D D"}, absences=[("P", 1, 1, True, False)])) == [12, 0, 12]
    assert daily(build({"P": "D D D"}, absences=[("P", 1, 1, False, False)])) == [12, 12, 12]


def test_a_shift_over_midnight_ends_where_its_person_is_away() -> None:
    # 07:00 to 13:00 on the next date; away on the next date from 07:00, its first slot
    assert daily(build({"P": "T ."}, absences=[("P", 1, 1, True, False)])) == [17, 7]
    assert daily(build({"P": "T ."})) == [17, 13]
    # a night ends in the morning after, and is worked whole
    assert daily(build({"P": "N ."}, absences=[("P", 1, 1, True, False)])) == [5, 7]


def test_a_night_in_which_the_clock_changes_has_eleven_or_thirteen_hours() -> None:
    fall = build({"P": "N ."}, first_day=day_of(dt.date(2025, 11, 1)))
    spring = build({"P": "N ."}, first_day=day_of(dt.date(2026, 3, 7)))
    assert daily(fall) == [5, 8]
    assert daily(spring) == [5, 6]


def test_a_short_break_does_not_end_a_period() -> None:
    roster = build({"P": "D N . D", "Q": ". . D ."})
    found = work_periods(worked_shifts(roster), 120)
    assert found.person.tolist() == [0, 0, 0, 1]
    assert (found.minutes / 60).tolist() == [12, 12, 12, 12]
    assert found.followed.tolist() == [True, True, False, False]
    joined = work_periods(worked_shifts(roster), 24 * 60)
    assert (joined.minutes / 60).tolist() == [84, 12]  # every gap of P is exactly 24 h


def test_hours_of_a_handover_count_once() -> None:
    # T ends at 13:00, the D of that date begins at 07:00
    assert daily(build({"P": "T D ."})) == [17, 19, 0]


def test_a_break_of_exactly_the_limit_is_still_a_break_within() -> None:
    roster = build({"P": "D N"})  # D ends 19:00, the next N starts 24 h later
    assert work_periods(worked_shifts(roster), 24 * 60).person.size == 1
    assert work_periods(worked_shifts(roster), 24 * 60 - 1).person.size == 2


def test_nights_are_the_shifts_under_way_at_three() -> None:
    roster = build({"P": "D N H C T"})
    shifts = worked_shifts(roster)
    codes = [roster.program.shifts[k].code for k in shifts.shift]
    assert dict(zip(codes, is_night(roster, shifts).tolist(), strict=True)) == {
        "D": False, "N": True, "H": False, "C": True, "T": True,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("start", "end", "night"),
    [
        (20, 27, False),
        (20, 28, True),
        (3, 11, False),
        (2, 11, True),
        (12, 24, False),
    ],
)
def test_a_shift_that_only_touches_three_is_no_night(start: int, end: int, night: bool) -> None:
    roster = build({"P": "D"})
    shift = Shift("D", start * 60, end * 60)
    roster = replace(roster, program=replace(roster.program, shifts=(shift, *roster.program.shifts[1:])))
    assert is_night(roster, worked_shifts(roster)).tolist() == [night]


def test_what_holding_a_slot_costs() -> None:
    half_days = build({"P": "D"}).program
    assert work_share_of_slots(half_days).tolist() == [1, 1, 1]
    shifts = (Shift("E", 7 * 60, 15 * 60), Shift("L", 15 * 60, 23 * 60), Shift("N", 23 * 60, 31 * 60))
    pure = Program("P2", "shifts", "UTC", (SlotType("DAY", 7 * 60, 31 * 60),), shifts)
    assert work_share_of_slots(pure).tolist() == pytest.approx([1 / 3])
    mixed = replace(pure, shifts=(*shifts, Shift("C", 7 * 60, 31 * 60)))
    assert work_share_of_slots(mixed).tolist() == pytest.approx([(8 + 8 + 8 + 24) / 4 / 24])
    # a handover makes a shift longer than its slots; a slot costs no more than its length
    longer = Program(
        "P3",
        "x",
        "UTC",
        (SlotType("A", 7 * 60, 19 * 60), SlotType("B", 19 * 60, 31 * 60)),
        (Shift("D", 7 * 60, 20 * 60),),
    )
    assert work_share_of_slots(longer).tolist() == [1, 1]


def test_absent_dates_are_away_in_every_slot() -> None:
    assert absent_days(build({"P": "a . D"})).tolist() == [[True, False, False]]


def test_an_empty_roster_has_no_work() -> None:
    roster = build({"P": ". ."})
    shifts = worked_shifts(roster)
    assert shifts.person.size == 0
    assert work_periods(shifts, 60).person.size == 0
    assert np.array_equal(hours_by_day(roster, shifts), np.zeros((1, 2)))
    assert is_night(roster, shifts).size == 0


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "Pacific/Auckland"])
def test_hours_do_not_depend_on_the_zone_when_no_clock_changes(zone: str) -> None:
    assert daily(build({"P": "D N . C ."}, time_zone=zone)) == [12, 5, 7, 17, 7]
