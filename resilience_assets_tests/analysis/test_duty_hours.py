"""Duty rules on a roster, against a simulation hour by hour."""

from __future__ import annotations

import datetime as dt
import math
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resilience_assets.analysis.duty_hours import Breach, breaches, windows
from resilience_assets.analysis.work import absent_days, hours_by_day, work_periods, worked_shifts
from resilience_assets.domain import states
from resilience_assets.domain.days import date_of, day_of
from resilience_assets.domain.roster import Roster
from resilience_assets.policy import DutyPolicy, ForbiddenPattern, RollingWindow, SlotRatio, load_policies
from resilience_assets_tests.analysis.building import FIRST, build

SHIPPED = load_policies().default.duty
RULES = {rule.id: rule for rule in SHIPPED.rules}
BASE = {"id": "x", "text": "t", "source": "s", "force": "local rule", "first": dt.date(2020, 1, 1)}


def only(*rules: object, break_hours: float = 2.0) -> DutyPolicy:
    return DutyPolicy.model_validate({"break_hours": break_hours, "rules": rules})


def told(roster: Roster, *ids: str, first: int = 0, last: int = 10_000) -> list[Breach]:
    duty = only(*(RULES[one].model_copy(update={"active": True}) for one in ids))
    return breaches(roster, duty, FIRST + first, FIRST + last)


def window_rule(**changes: object) -> RollingWindow:
    return RollingWindow.model_validate(
        {**BASE, "kind": "rolling_window", "measure": "hours", "limit": 80, "per_days": 7, "window_days": 28, **changes}
    )


def pattern_rule(**changes: object) -> ForbiddenPattern:
    return ForbiddenPattern.model_validate({**BASE, "kind": "forbidden_pattern", **changes})


# --- rolling windows -------------------------------------------------------------------------


def hours_in_28_days(total: int) -> str:
    """A picture of 28 dates with `total` hours, of whole days (12 h), mornings (6 h): total divisible by 6."""
    full, half = divmod(total, 12)
    return " ".join(["."] * (28 - full - half // 6) + ["D"] * full + ["H"] * (half // 6))


def test_eighty_hours_a_week_on_average_is_allowed_and_more_is_not() -> None:
    # 320 h is the limit
    assert not told(build({"P": hours_in_28_days(318)}), "acgme.weekly_hours")
    (breach,) = told(build({"P": hours_in_28_days(324)}), "acgme.weekly_hours")
    assert (breach.person, breach.section, breach.force) == ("P", "6.20", "Core")
    assert breach.measured == pytest.approx(81.0)
    assert breach.limit == 80
    assert (breach.first_day, breach.last_day) == (FIRST, FIRST + 27)


def test_the_limit_itself_is_no_breach() -> None:
    for limit, expected in ((12.0, 0), (11.99, 1)):
        rule = window_rule(limit=limit, per_days=2, window_days=2)
        assert len(breaches(build({"P": "D . ."}), only(rule), FIRST, FIRST + 2)) == expected


def test_a_single_week_of_ninety_hours_breaks_no_average() -> None:
    roster = build({"P": "D D D D D D D H . . . . . . " + ". " * 14})
    assert not told(roster, "acgme.weekly_hours")
    assert len(breaches(roster, only(window_rule(window_days=7)), FIRST, FIRST + 27)) == 1


def test_leave_shortens_the_window_but_not_below_a_week() -> None:
    # a week of 84 h and three weeks away: 84 over one week counted, 21 a week if leave is not left out
    picture = "D " * 7 + "a " * 21
    assert len(told(build({"P": picture}), "acgme.weekly_hours")) == 1
    unshortened = RULES["acgme.weekly_hours"].model_copy(update={"leave_excluded": False})
    assert not breaches(build({"P": picture}), only(unshortened), FIRST, FIRST + 27)
    # one call of 24 h between 27 dates of leave is no average of 168 h a week
    assert not told(build({"P": "C " + "a " * 27}), "acgme.weekly_hours")


def test_the_worst_of_overlapping_windows_is_told_once() -> None:
    roster = build({"P": "D D D . D D . ."})
    rule = window_rule(limit=24, per_days=3, window_days=3)
    (breach,) = breaches(roster, only(rule), FIRST, FIRST + 7)
    assert (breach.measured, breach.first_day) == (36, FIRST)


def test_history_counts_and_only_windows_that_end_in_the_dates_are_judged() -> None:
    roster = build({"P": "D D D . . . ."})
    rule = window_rule(limit=30, per_days=3, window_days=3)
    assert len(breaches(roster, only(rule), FIRST + 2, FIRST + 6)) == 1
    assert not breaches(roster, only(rule), FIRST + 3, FIRST + 6)


def test_one_day_in_seven_counts_continuous_24_hours_off_only_on_windows_on_file() -> None:
    # every gap is 12 h, so there is no free day; a floor is not judged before the 28th date
    assert not told(build({"P": "D " * 27}), "acgme.one_day_in_seven")
    (breach,) = told(build({"P": "D " * 28}), "acgme.one_day_in_seven")
    assert (breach.measured, breach.limit, breach.section) == (0, 1, "6.21.b")
    four_off = "D D D D D D . " * 4
    assert not told(build({"P": four_off}), "acgme.one_day_in_seven")
    three_off = "D D D D D D . " * 3 + "D D D D D D D"
    (breach,) = told(build({"P": three_off}), "acgme.one_day_in_seven")
    assert breach.measured == pytest.approx(0.75)


def test_call_every_third_night_on_average() -> None:
    nine, ten = "C . . " * 9 + ".", "C . . " * 9 + "C"
    assert not told(build({"P": nine}), "acgme.call_frequency")
    (breach,) = told(build({"P": ten}), "acgme.call_frequency")
    assert breach.measured == pytest.approx(10 * 3 / 28)


# --- patterns --------------------------------------------------------------------------------


def test_rest_between_periods() -> None:
    rule = only(pattern_rule(pattern="rest_between", hours=13))
    (one, two) = breaches(build({"P": "D D D . N ."}), rule, FIRST, FIRST + 9)
    assert (one.measured, one.limit, one.first_day, one.last_day) == (12, 13, FIRST, FIRST + 1)
    assert two.first_day == FIRST + 1
    # N ends at 07:00 and D begins at 07:00: that is one period and no rest at all
    assert not breaches(build({"P": "N D"}), rule, FIRST, FIRST + 9)
    assert not breaches(build({"P": "D", "Q": ". D"}), rule, FIRST, FIRST + 9)


def test_a_rest_of_exactly_the_limit_is_enough() -> None:
    # D to D leaves 12 h
    for hours, expected in ((12.0, 0), (12.01, 1)):
        rule = pattern_rule(pattern="rest_between", hours=hours)
        assert len(breaches(build({"P": "D D"}), only(rule), FIRST, FIRST + 1)) == expected


def test_fourteen_hours_free_after_call() -> None:
    # a call ends at 07:00; 19:00 is 12 h later, the next morning 24 h
    (breach,) = told(build({"P": "C N ."}), "acgme.rest_after_call")
    assert (breach.measured, breach.limit, breach.section) == (12, 14, "6.21.a")
    assert (breach.first_day, breach.last_day) == (FIRST, FIRST + 1)
    assert not told(build({"P": "C . D"}), "acgme.rest_after_call")
    assert not told(build({"P": "D N ."}), "acgme.rest_after_call")  # 12 h is no call
    for hours, expected in ((12.0, 0), (12.01, 1)):
        rule = pattern_rule(pattern="rest_after", after_hours=24, hours=hours)
        assert len(breaches(build({"P": "C N"}), only(rule), FIRST, FIRST + 2)) == expected


def test_at_most_24_hours_and_4_for_transitions() -> None:
    assert not told(build({"P": "C ."}), "acgme.continuous_hours")
    (breach,) = told(build({"P": "T ."}), "acgme.continuous_hours")
    assert (breach.measured, breach.limit, breach.section) == (30, 24, "6.22")
    assert [b.measured for b in told(build({"P": "C D"}), "acgme.continuous_hours")] == [36]  # no break at 07:00
    for transition, expected in ((6.0, 0), (5.99, 1)):
        rule = pattern_rule(pattern="max_continuous", hours=24, transition_hours=transition)
        assert len(breaches(build({"P": "T ."}), only(rule), FIRST, FIRST + 1)) == expected


def test_days_and_nights_in_a_row() -> None:
    rule = pattern_rule(pattern="consecutive_days", days=3)
    assert not breaches(build({"P": "D D D . D"}), only(rule), FIRST, FIRST + 9)
    (breach,) = breaches(build({"P": "D D D D ."}), only(rule), FIRST, FIRST + 9)
    assert (breach.measured, breach.limit, breach.last_day) == (4, 3, FIRST + 3)
    assert not told(build({"P": "N N N N N N ."}), "local.night_float_length")
    assert [b.measured for b in told(build({"P": "N " * 7}), "local.night_float_length")] == [7]


def test_a_row_of_days_is_told_while_it_touches_the_dates_judged() -> None:
    roster = build({"P": ". D D D D . ."})
    rule = only(pattern_rule(pattern="consecutive_days", days=3))
    told_on = [bool(breaches(roster, rule, FIRST + day, FIRST + day)) for day in range(7)]
    assert told_on == [False, True, True, True, True, False, False]


def test_forbidden_successions_of_the_program() -> None:
    roster = build({"P": "N D . N . D", "Q": "D N D ."}, forbidden=(("N", "D"),))
    found = told(roster, "local.forbidden_succession")
    assert [(b.person, b.first_day - FIRST, b.last_day - FIRST) for b in found] == [("P", 0, 1), ("Q", 1, 2)]
    assert not told(build({"P": "N D"}), "local.forbidden_succession")
    assert len(told(roster, "local.forbidden_succession", first=2)) == 1
    assert len(told(roster, "local.forbidden_succession", last=1)) == 1
    assert not told(roster, "local.forbidden_succession", last=0)


# --- ratios ----------------------------------------------------------------------------------


def supervised(residents: int, faculty: int, role: str) -> Roster:
    roles = {f"R{i}": role for i in range(residents)} | {f"F{i}": "faculty" for i in range(faculty)}
    return build(dict.fromkeys(roles, "H"), roles=roles)


@pytest.mark.parametrize(
    ("role", "residents", "faculty", "enough"),
    [("PGY1", 2, 1, True), ("PGY1", 3, 1, False), ("PGY1", 4, 2, True), ("PGY2", 4, 1, True), ("PGY3", 5, 1, False),
     ("PGY2", 1, 0, False), ("medical student", 3, 0, True)],
)  # fmt: skip
def test_local_supervision(role: str, residents: int, faculty: int, enough: bool) -> None:
    found = told(supervised(residents, faculty, role), "local.supervision")
    assert (not found) is enough
    for breach in found:
        assert (breach.person, breach.service, breach.slot, breach.first_day) == ("", "WARD", "AM", FIRST)
        assert breach.measured == faculty
        assert breach.limit == math.ceil(residents * (0.5 if role == "PGY1" else 0.25))


def test_a_supervisor_of_another_service_does_not_count() -> None:
    roster = build(
        {"R": "H", "F": "H"},
        roles={"R": "PGY1", "F": "faculty"},
        posts={"a": "A", "b": "B"},
        holds={"R": "a", "F": "b"},
    )
    assert [breach.service for breach in told(roster, "local.supervision")] == ["A"]
    assert isinstance(RULES["local.supervision"], SlotRatio)


# --- whom and when ---------------------------------------------------------------------------


def test_rules_bind_by_role_and_date_and_only_while_active() -> None:
    long = {"P": "T ."}
    assert not told(build(long, roles={"P": "faculty"}), "acgme.continuous_hours")
    old = build(long, first_day=day_of(dt.date(2017, 6, 1)))
    rule = RULES["acgme.continuous_hours"]
    assert not breaches(old, only(rule), old.first_day, old.last_day)
    assert len(told(build(long), "acgme.continuous_hours")) == 1
    assert not breaches(build(long), only(rule.model_copy(update={"active": False})), FIRST, FIRST + 1)
    under_2023 = build(long, first_day=day_of(dt.date(2025, 6, 1)))
    (breach,) = breaches(under_2023, only(rule), under_2023.first_day, under_2023.last_day)
    assert breach.section == "VI.F.3.a"


def test_limits_of_capacity_are_no_breach() -> None:
    assert not told(build({"P": "D " * 7}, roles={"P": "RN"}), "capacity.nurses")


def test_nobody_and_no_dates_give_no_breach() -> None:
    assert not breaches(build({"P": "T ."}), SHIPPED, FIRST + 5, FIRST + 9)
    assert not breaches(build({"P": ". ."}), SHIPPED, FIRST, FIRST + 9)


# --- the simulation --------------------------------------------------------------------------

DAYS = 12
PICTURES = st.lists(
    st.sampled_from(["D", "N", "H", "C", "T", ".", ".", "r", "a", "e:D"]), min_size=DAYS, max_size=DAYS
).map(" ".join)


def hours_worked(roster: Roster, person: int) -> set[int]:
    """Hours (since the epoch, UTC) that a person works, one by one out of the cells."""
    zone = ZoneInfo(roster.program.time_zone)
    out: set[int] = set()
    for t in range(roster.slots):
        state = roster.state[person, t]
        if not roster.starts[person, t] or not (state >= 0 or state in (states.ELSEWHERE, states.FREE)):
            continue
        shift = roster.program.shifts[roster.shift[person, t]]
        midnight = dt.datetime.combine(date_of(roster.first_day + t // 3), dt.time(), tzinfo=None)
        begin, end = (
            int((midnight + dt.timedelta(minutes=m)).replace(tzinfo=zone).timestamp()) // 3600
            for m in (shift.start, shift.end)
        )
        cells = [t + i for i in range(1, len(roster.program.slots_of(shift))) if t + i < roster.slots]
        away = [c for c in cells if roster.state[person, c] == states.ABSENT]
        if away:
            day, slot = divmod(away[0], 3)
            cut = dt.datetime.combine(date_of(roster.first_day + day), dt.time()) + dt.timedelta(
                minutes=roster.program.slot_types[slot].start
            )
            end = min(end, int(cut.replace(tzinfo=zone).timestamp()) // 3600)
        out |= set(range(begin, end))
    return out


def midnight_hours(roster: Roster) -> list[int]:
    zone = ZoneInfo(roster.program.time_zone)
    return [
        int(dt.datetime.combine(date_of(roster.first_day + d), dt.time(), tzinfo=zone).timestamp()) // 3600
        for d in range(roster.days + 1)
    ]


def free_periods(worked: set[int], begin: int, end: int) -> int:
    count = run = 0
    for hour in range(begin, end):
        run = 0 if hour in worked else run + 1
        if run == 24:
            count, run = count + 1, 0
    return count


@settings(max_examples=60, deadline=None)
@given(st.lists(PICTURES, min_size=1, max_size=3), st.integers(1, 9), st.sampled_from([0, 55, 60, 182]))
def test_windows_are_what_a_simulation_counts(pictures: list[str], width: int, shift_by: int) -> None:
    # some starts put a change of the clock (2 November, 8 March) into the window
    roster = build({f"P{i}": picture for i, picture in enumerate(pictures)}, first_day=FIRST + shift_by)
    shifts, marks = worked_shifts(roster), midnight_hours(roster)
    periods = work_periods(shifts, 0)
    hours = hours_by_day(roster, shifts)
    for measure in ("hours", "worked_days", "free_days", "calls"):
        rule = window_rule(
            measure=measure,
            per_days=1,
            window_days=width,
            limit=1,
            bound="at_least" if measure == "free_days" else "at_most",
        )
        measured, _ = windows(roster, shifts, periods, hours, absent_days(roster), rule, 0, roster.days - 1)
        for person in range(len(pictures)):
            worked = hours_worked(roster, person)
            for end in range(roster.days):
                begin = max(0, end - width + 1)
                inside = range(marks[begin], marks[end + 1])
                by_day = [any(h in worked for h in range(marks[d], marks[d + 1])) for d in range(begin, end + 1)]
                expected = {
                    "hours": sum(hour in worked for hour in inside),
                    "worked_days": sum(by_day),
                    "free_days": free_periods(worked, marks[begin], marks[end + 1]),
                    "calls": calls(roster, shifts, person, begin, end),
                }[measure]
                assert measured[person, end] == pytest.approx(expected), (measure, person, end)


def calls(roster: Roster, shifts, person: int, begin: int, end: int) -> int:  # type: ignore[no-untyped-def]
    return sum(
        int(shifts.end[i] - shifts.start[i]) >= 24 * 60
        for i in range(shifts.person.size)
        if shifts.person[i] == person and begin <= shifts.day[i] <= end
    )


@settings(max_examples=60, deadline=None)
@given(PICTURES, st.integers(1, 30), st.integers(1, 40))
def test_periods_and_rests_are_what_a_simulation_finds(picture: str, rest: int, most: int) -> None:
    roster = build({"P": picture}, time_zone="UTC")
    worked = sorted(hours_worked(roster, 0))
    runs: list[list[int]] = []
    for hour in worked:
        if runs and hour - runs[-1][1] <= 3:  # a break of at most two hours
            runs[-1][1] = hour
        else:
            runs.append([hour, hour])
    lengths = [last - first + 1 for first, last in runs]
    gaps = [after[0] - before[1] - 1 for before, after in pairwise(runs)]
    duty = only(
        pattern_rule(id="rest", pattern="rest_between", hours=rest),
        pattern_rule(id="long", pattern="max_continuous", hours=most),
        pattern_rule(id="after", pattern="rest_after", after_hours=24, hours=rest),
    )
    found = breaches(roster, duty, roster.first_day, roster.last_day)
    told_by_rule = {name: sorted(b.measured for b in found if b.rule == name) for name in ("rest", "long", "after")}
    assert told_by_rule["rest"] == sorted(gap for gap in gaps if gap < rest)
    assert told_by_rule["long"] == sorted(length for length in lengths if length > most)
    assert told_by_rule["after"] == sorted(
        gap for gap, length in zip(gaps, lengths, strict=False) if length >= 24 and gap < rest
    )


def test_the_order_of_people_does_not_matter() -> None:
    pictures = {"A": "C N . D D D D", "B": "D D D D D D D", "C": "T D . . N N N"}
    everybody = breaches(build(pictures), SHIPPED, FIRST, FIRST + 6)
    alone = [
        breach for name in pictures for breach in breaches(build({name: pictures[name]}), SHIPPED, FIRST, FIRST + 6)
    ]
    assert sorted(everybody, key=repr) == sorted(alone, key=repr)
    assert np.isfinite([breach.measured for breach in everybody]).all()
