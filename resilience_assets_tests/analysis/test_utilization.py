"""Utilization: who is available, rate, level, buffer; against counting person by person."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from resilience_assets.analysis.capacity import hour_caps, hours_left
from resilience_assets.analysis.coverage import coverage
from resilience_assets.analysis.queueing import erlang_wait_factor
from resilience_assets.analysis.utilization import Utilization, utilization
from resilience_assets.analysis.work import absent_days, hours_by_day, worked_shifts
from resilience_assets.domain import states
from resilience_assets.domain.program import Program, Shift, SlotType
from resilience_assets.domain.roster import Roster
from resilience_assets.domain.scales import UtilizationLevel
from resilience_assets.policy import load_policies
from resilience_assets_tests.analysis.building import FIRST, build
from resilience_assets_tests.analysis.test_coverage import rosters

POLICY = load_policies().default
UNCAPPED = load_policies(
    "duty: {rules: [" + ", ".join(f"{{id: {rule.id}, active: false}}" for rule in POLICY.duty.rules) + "]}"
).default

HALF_DAYS = ("AM", "PM")


def faculty(count: int, days: int, a_half_day: int, word: str = "H") -> Roster:
    """`count` faculty over `days` dates with demand for `a_half_day` in each morning and afternoon; nights not on file."""
    required = {("ward", d, slot): a_half_day for d in range(days) for slot in HALF_DAYS}
    picture = {f"F{i:02d}": " ".join([word] * days) for i in range(count)}
    roster = build(picture, required=required, roles=dict.fromkeys(picture, "faculty"))
    roster.state[:, 2::3] = states.REST  # a program of half-days: at night everybody rests
    return roster


def whole(found: Utilization) -> tuple[float, float]:
    return float(found.covered.required[0, 0]), float(found.available[0, 0])


def test_ten_faculty_over_five_days_of_two_half_days() -> None:
    found = utilization(faculty(10, 5, 4), POLICY, FIRST, FIRST + 4)
    assert whole(found) == (40, 100)
    assert found.safe_load[0, 0] == 80
    assert found.of_program() == pytest.approx(0.40)


def test_fifteen_of_twenty_is_yellow() -> None:
    roster = faculty(10, 1, 7)
    roster.required[0, 0] = 8
    found = utilization(roster, POLICY, FIRST, FIRST)
    assert whole(found) == (15, 20)
    assert found.of_program() == 0.75
    assert found.level_of_program() == UtilizationLevel.YELLOW
    assert found.buffer[0, 0] == pytest.approx(0.05)
    assert found.wait_mm1[0, 0] == pytest.approx(3)


@pytest.mark.parametrize(
    ("required", "level"), [(13, "GREEN"), (14, "YELLOW"), (16, "ORANGE"), (18, "RED"), (19, "BLACK")]
)
def test_levels_begin_on_their_limit(required: int, level: str) -> None:
    roster = faculty(10, 1, 0)
    roster.required[0, 0], roster.required[0, 1] = 10, required - 10
    assert utilization(roster, POLICY, FIRST, FIRST).level_of_program().text == level


def test_off_people_count_and_absent_resting_elsewhere_unknown_ones_do_not() -> None:
    roster = build(
        {"A": ".", "B": "-", "C": "D", "D": "a", "E": "r", "F": "e:D", "G": "?"}, required={("ward", 0, "AM"): 1}
    )
    found = utilization(roster, UNCAPPED, FIRST, FIRST)
    assert found.available[0, 1] == 9 + 1  # three slots each of A, B, C, and the night of F after a day elsewhere


def test_somebody_qualified_for_nothing_is_not_available() -> None:
    roster = build({"A": ".", "B": "."}, qualified=[("A", "ward")], required={("ward", 0, "AM"): 1})
    assert utilization(roster, UNCAPPED, FIRST, FIRST).available[0, 0] == 3


def test_services_share_people() -> None:
    roster = build({"A": ".", "B": "."}, posts={"x": "X", "y": "Y"}, required={("x", 0, "AM"): 1, ("y", 0, "AM"): 1})
    found = utilization(roster, UNCAPPED, FIRST, FIRST)
    assert dict(zip(found.covered.scopes.key, found.available[:, 0].tolist(), strict=True)) == {
        "P1": 6,
        "X": 6,
        "Y": 6,
        "1": 6,
    }


def test_hours_left_bound_what_is_available() -> None:
    # a resident with demand for mornings only: 80 h in seven days are 13.3 mornings of 6 h, more than there are slots
    need = {("ward", d, slot): 1 for d in range(8) for slot in HALF_DAYS}
    roster = build({"P": ". " * 8}, required=need)
    found = utilization(roster, POLICY, FIRST, FIRST + 7)
    # 8 dates: 80 h in the first seven and 24 h on the eighth day's window less what leaves it (24 h of the first)
    assert found.available[0, 0] == pytest.approx((80 + 24) / 6)
    half = build({"P": ". " * 8}, required=need, fte={"P": 0.5})
    # a half-time share halves the cap: 40 h in seven days, and 24 more once the first day has left the window
    assert utilization(half, POLICY, FIRST, FIRST + 7).available[0, 0] == pytest.approx((40 + 24) / 6)


def test_in_a_pure_shift_roster_a_slot_costs_the_hours_of_a_shift() -> None:
    # one slot of 24 h a date, shifts of 8 h: six of them fit 48 h in seven dates, and one more on the eighth
    program = Program(
        "P1",
        "shifts",
        "UTC",
        (SlotType("DAY", 7 * 60, 31 * 60),),
        (Shift("E", 7 * 60, 15 * 60), Shift("N", 23 * 60, 31 * 60)),
    )
    base = build({"P": ". " * 8}, roles={"P": "nurse"}, required={("ward", d, "AM"): 1 for d in range(8)})
    cells = {
        name: getattr(base, name)[:, ::3]
        for name in ("planned", "state", "shift", "starts", "source", "required", "minimum", "demand_source")
    }
    found = utilization(replace(base, program=program, **cells), POLICY, FIRST, FIRST + 7)
    assert found.available[0, 0] == pytest.approx(7)
    assert found.available[0, 1:].tolist() == [1] * 8
    assert found.of_program() == pytest.approx(8 / 7)


def test_history_uses_up_hours() -> None:
    need = {("ward", d, "AM"): 1 for d in range(14)}
    rested = build({"P": ". " * 7 + ". " * 7}, required=need)
    tired = build({"P": "D " * 7 + ". " * 7}, required=need)
    left = [utilization(r, POLICY, FIRST + 7, FIRST + 7).available[0, 0] for r in (rested, tired)]
    assert left == pytest.approx([3, (80 - 72) / 6])  # seven days of 12 h; the first of them has left the window


def test_a_horizon_without_demand_is_unknown_and_not_green() -> None:
    found = utilization(build({"P": "D D"}), POLICY, FIRST, FIRST + 1)
    assert found.of_program() is None
    assert found.level_of_program() == UtilizationLevel.UNKNOWN
    assert set(found.columns()["level"]) == {"UNKNOWN"}
    assert set(found.columns()["utilization"]) == {None}


def test_a_day_without_demand_asks_for_nothing() -> None:
    found = utilization(build({"P": "D D"}, required={("ward", 0, "AM"): 1}), POLICY, FIRST, FIRST + 1)
    assert found.rate[0, 2] == 0
    assert found.level[0, 2] == UtilizationLevel.GREEN


def test_a_day_without_demand_or_people_asks_for_nothing_too() -> None:
    found = utilization(build({"P": "D a"}, required={("ward", 0, "AM"): 1}), POLICY, FIRST, FIRST + 1)
    assert (found.available[0, 2], found.rate[0, 2]) == (0, 0)


def test_demand_that_meets_nobody_is_black() -> None:
    found = utilization(build({"P": "a"}, required={("ward", 0, "AM"): 1}), POLICY, FIRST, FIRST)
    assert math.isinf(found.rate[0, 0])
    assert found.level_of_program() == UtilizationLevel.BLACK
    assert found.buffer[0, 0] == 0
    assert found.safe_load[0, 0] == 0
    assert math.isinf(found.wait_mm1[0, 0])


def test_neither_demand_nor_people_is_unknown() -> None:
    found = utilization(build({"P": "a"}), POLICY, FIRST, FIRST)
    assert found.level_of_program() == UtilizationLevel.UNKNOWN


def test_dates_off_file_say_nothing() -> None:
    found = utilization(build({"P": "D"}, required={("ward", 0, "AM"): 1}), POLICY, FIRST + 5, FIRST + 6)
    assert found.of_program() is None
    assert found.available.shape == (3, 1)


def test_servers_are_people_available_in_an_average_slot() -> None:
    found = utilization(faculty(10, 1, 8), UNCAPPED, FIRST, FIRST)
    assert found.servers[0, 0] == 7  # 20 half-days over three slots
    assert found.wait_erlang[0, 0] == pytest.approx(float(erlang_wait_factor(7, 0.8 * 7)))
    assert found.wait_erlang[0, 0] < found.wait_mm1[0, 0]


@settings(max_examples=30, deadline=None)
@given(rosters())
def test_a_queue_is_endless_exactly_when_demand_reaches_what_is_available(roster: Roster) -> None:
    found = utilization(roster, POLICY, roster.first_day, roster.last_day)
    assert np.array_equal(np.isinf(found.wait_erlang), found.rate >= 1)
    assert np.array_equal(np.isinf(found.wait_mm1), found.rate >= 1)


@settings(max_examples=50, deadline=None)
@given(rosters())
def test_available_is_counted_person_by_person(roster: Roster) -> None:
    found = utilization(roster, POLICY, roster.first_day, roster.last_day)
    hours, absent = hours_by_day(roster, worked_shifts(roster)), absent_days(roster)
    length, present = roster.slot_hours(), roster.available()
    most = (present * length).reshape(len(roster.people), roster.days, 3).sum(axis=2)
    caps = hour_caps(roster, POLICY.duty, roster.last_day)
    left, _ = hours_left(hours, absent, caps, 0, roster.days - 1, most)
    scopes = found.covered.scopes
    for n in range(len(scopes)):
        total = 0.0
        for person in range(len(roster.people)):
            slots = work = 0
            work_hours = slot_hours = 0.0
            for t in range(roster.slots):
                able = roster.qualified_on(roster.first_day + t // 3)[person] & scopes.posts[n]
                if not present[person, t] or not able.any():
                    continue
                slots, slot_hours = slots + 1, slot_hours + length[t]
                if (able & (roster.required[:, t] > 0)).any():
                    work, work_hours = work + 1, work_hours + length[t]
            if slots:
                mean = work_hours / work if work else slot_hours / slots
                total += min(slots, left[person] / mean)
        assert found.available[n, 0] == pytest.approx(total)
    rate = found.rate[0, 0]
    if found.covered.required[0, 0]:
        assert rate == pytest.approx(
            found.covered.required[0, 0] / found.available[0, 0] if found.available[0, 0] else math.inf
        )
    else:
        assert np.isnan(rate)


@settings(max_examples=20, deadline=None)
@given(rosters())
def test_the_flat_table_has_a_row_for_each_scope_and_day(roster: Roster) -> None:
    covered = coverage(roster, roster.first_day, roster.last_day)
    table = utilization(roster, POLICY, roster.first_day, roster.last_day, covered).columns()
    rows = len(covered.scopes) * (1 + roster.days)
    assert {len(column) for column in table.values()} == {rows}
    assert table["day"][:2] == [None, roster.first_day]
    assert table["scope"][0] == "program"
    assert table["key"][0] == "P1"
    assert [value for value in table["utilization"] if value is not None and value != value] == []


def test_history_before_the_window_does_not_change_the_shape() -> None:
    need = {("ward", d, "AM"): 1 for d in range(40)}
    roster = build({"P": "D . N " * 13 + "."}, required=need)
    long = utilization(roster, POLICY, FIRST + 32, FIRST + 39)
    cut = utilization(roster.window(FIRST + 1, FIRST + 39), POLICY, FIRST + 32, FIRST + 39)
    assert np.allclose(long.available, cut.available)
