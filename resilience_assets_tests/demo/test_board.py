"""Seating on a small board: each rule on its own, and hypothesis for all of them together."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from resilience_assets.demo.board import EVERY_DAY, NEVER, Board, Line, protected_days, rest_slots, rotate
from resilience_assets.demo.records import assignments_frame, demand_rules_frame
from resilience_assets.demo.staff import Away, Qualified
from resilience_assets.domain.nouns import Person
from resilience_assets.domain.program import DEFAULT_SHIFTS, DEFAULT_SLOT_TYPES, Program

PROGRAM = Program("p", "p", "UTC", DEFAULT_SLOT_TYPES, DEFAULT_SHIFTS)
MONDAY = 4  # 1970-01-05


def board(heads: int = 3, days: int = 14, absences: tuple[Away, ...] = (), hours: float = 60.0, row: int = 6) -> Board:
    people = [Person(f"P{n}", "role") for n in range(heads)]
    qualified = [Qualified(person.id, post) for person in people for post in ("a", "b")]
    limits = np.full(heads, hours), np.full(heads, row, dtype=np.int64)
    return Board(PROGRAM, MONDAY, days, people, ["a", "b"], qualified, list(absences), *limits, rest=600)


def anybody(one: Board) -> np.ndarray:
    return np.zeros(len(one.people))


def test_the_least_score_is_seated_first_and_never_means_never() -> None:
    one = board()
    assert one.fill("a", "DAY", MONDAY, 2, np.array([NEVER, 1.0, 0.0])) == 2
    assert one.held[0][0].tolist() == [1, 2]
    assert one.fill("a", "DAY", MONDAY, 1, np.array([NEVER, 1.0, 0.0])) == 0


def test_a_morning_goes_on_into_the_afternoon_but_not_into_the_night() -> None:
    one = board(1)
    assert one.fill("a", "AM", MONDAY, 1, anybody(one)) == 1
    assert one.fill("b", "PM", MONDAY, 1, anybody(one)) == 1
    assert one.fill("a", "NIGHT", MONDAY, 1, anybody(one)) == 0


def test_no_day_after_a_night() -> None:
    one = board(1)
    one.fill("a", "NIGHT", MONDAY, 1, anybody(one))
    assert one.fill("a", "PM", MONDAY + 1, 1, anybody(one)) == 0
    assert one.fill("a", "NIGHT", MONDAY + 1, 1, anybody(one)) == 1


def test_hours_a_week_and_days_in_a_row_are_held_exactly() -> None:
    by_hours, by_row = board(1, hours=36.0), board(1, row=2)
    found = [by_hours.fill("a", "DAY", MONDAY + n, 1, anybody(by_hours)) for n in range(8)]
    assert found == [1, 1, 1, 0, 0, 0, 0, 1]
    found = [by_row.fill("a", "DAY", MONDAY + n, 1, anybody(by_row)) for n in range(5)]
    assert found == [1, 1, 0, 1, 1]


def test_absences_keep_people_off_unless_they_came_late_or_were_only_asked_for() -> None:
    planned = Away("P0", MONDAY, MONDAY, "vacation")
    for absence, found in (
        (planned, 0),
        (Away("P0", MONDAY, MONDAY, "sick", late=True), 1),
        (Away("P0", MONDAY, MONDAY, "vacation", False), 1),
    ):
        one = board(1, absences=(absence,))
        assert one.fill("a", "DAY", MONDAY, 1, anybody(one)) == found
        rows = assignments_frame(one, np.zeros((1, 14, 3), dtype=np.bool_)) if found else []
        assert len(rows) == (found if not absence.late else 0)


def test_rest_follows_a_night_and_goes_ahead_of_a_day() -> None:
    one = board(1)
    one.fill("a", "NIGHT", MONDAY + 1, 1, anybody(one))
    one.fill("a", "AM", MONDAY + 4, 1, anybody(one))
    rest = rest_slots(one, np.zeros((1, 14), dtype=np.bool_))[0]
    codes = [[slot.code for slot, on in zip(PROGRAM.slot_types, day, strict=True) if on] for day in rest[:6]]
    assert codes == [[], ["PM", "AM"][::-1], ["AM", "PM"], ["NIGHT"], ["NIGHT"], []]


def test_protected_days_are_idle_and_taken_backwards_from_a_weekday() -> None:
    one = board(2)
    one.fill("a", "DAY", MONDAY + 6, 2, anybody(one))
    protected = protected_days(one, np.array([[2, 1], [3, 0]]), np.array([6, 1]))
    assert [np.flatnonzero(row).tolist() for row in protected] == [[4, 5, 13], [0, 1, 5]]


def test_blocks_go_round_and_skip_those_who_are_away() -> None:
    one = board(3, days=28, absences=(Away("P1", MONDAY + 7, MONDAY + 13, "vacation"),))
    blocks = np.full((3, 28), -1, dtype=np.int64)
    rotate(one, blocks, "b", 1, 7, np.ones(3, dtype=np.bool_))
    assert [np.flatnonzero(blocks[:, start] == 1).tolist() for start in (0, 7, 14, 21)] == [[0], [2], [1], [0]]


def test_lines_on_one_cell_add_up_and_cover_every_slot_of_their_shift() -> None:
    rules = demand_rules_frame(PROGRAM, [Line("a", "DAY", (0,), 2, 1), Line("a", "AM", (0,), 1, 1)])
    cells = {(row.slot, row.required, row.minimum) for row in rules.itertuples()}
    assert cells == {("AM", 3, 2), ("PM", 2, 1)}


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_whatever_is_asked_for_the_rules_hold(data: st.DataObject) -> None:
    """Random lines and scores; the rules are checked minute by minute on what was seated."""
    one = board(4, days=14, hours=48.0, row=4)
    shifts = [shift.code for shift in PROGRAM.shifts]
    for day in range(MONDAY, MONDAY + 14):
        one.start_date()
        for _ in range(3):
            score = np.array(data.draw(st.lists(st.sampled_from([0.0, 1.0, NEVER]), min_size=4, max_size=4)))
            shift, post = data.draw(st.sampled_from(shifts)), data.draw(st.sampled_from(["a", "b"]))
            one.fill(post, shift, day, data.draw(st.integers(0, 3)), score)
    for person in range(4):
        busy = sorted(
            (d * 1440 + one.shifts[s].start, d * 1440 + one.shifts[s].end, d)
            for who, d, s, _ in one.held
            if person in who
        )
        for (_, end, day), (start, _, later) in itertools.pairwise(busy):
            assert start - end >= (0 if day == later else 600)
        for week in (range(MONDAY, MONDAY + 7), range(MONDAY + 7, MONDAY + 14)):
            assert sum(end - start for start, end, day in busy if day in week) <= 48 * 60
        worked = {day for *_, day in busy}
        assert not any(all(day + n in worked for n in range(5)) for day in worked)


def test_every_line_of_the_week_is_a_weekday() -> None:
    assert tuple(range(7)) == EVERY_DAY
