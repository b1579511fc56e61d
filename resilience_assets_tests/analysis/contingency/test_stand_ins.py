"""Who may take open seats, against matchings, and by hand where a seat is only wished for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from resilience_assets.analysis.contingency.masks import Moves, masks_of
from resilience_assets.analysis.contingency.stand_ins import Seat, stand_ins
from resilience_assets.domain.roster import Roster
from resilience_assets.policy import load_policies
from resilience_assets.policy.duty import DutyPolicy
from resilience_assets_tests.analysis.building import FIRST, build
from resilience_assets_tests.analysis.contingency.blocks import allowed, seats_filled
from resilience_assets_tests.analysis.test_coverage import rosters

POLICY = load_policies().default
NO_RULES = POLICY.model_copy(update={"duty": DutyPolicy(break_hours=0, rules=())})
POSTS = {"icu": "ICU", "clinic": "CLINIC"}
ICU, CLINIC = 1, 0


def open_seats(roster: Roster) -> list[Seat]:
    """Every (slot, post) with fewer people than required."""
    return [(int(t), int(q)) for q, t in np.argwhere(roster.filled() < roster.required)]


def can_be_had(roster: Roster, seat: Seat, moves: Moves) -> bool:
    """Whether one more head at the post fits a seating in which no other post loses a head that it needs."""
    t, q = seat
    masks = masks_of(roster, NO_RULES.duty, roster.first_day, roster.last_day).between(t, t + 1)
    filled, minimum, required = roster.filled()[:, t], roster.minimum[:, t], roster.required[:, t]
    kept = minimum if filled[q] < minimum[q] else np.maximum(np.minimum(filled, required), minimum)
    asked = np.minimum(filled, kept)
    asked[q] = filled[q] + 1
    return seats_filled(allowed(masks, moves, len(roster.posts)), asked[None]) == int(asked.sum())


@given(rosters())
@settings(max_examples=60, deadline=None)
def test_a_seat_has_a_cover_exactly_where_one_more_can_be_seated(roster: Roster) -> None:
    seats = open_seats(roster)
    for moves in Moves:
        found = stand_ins(roster, NO_RULES, roster.first_day, roster.last_day, seats, moves)
        assert set(found) <= set(seats)
        for seat in seats:
            assert (seat in found) == (moves != Moves.STATIC and can_be_had(roster, seat, moves)), seat


@given(rosters())
@settings(max_examples=60, deadline=None)
def test_covers_are_the_rows_of_their_seat_the_best_first(roster: Roster) -> None:
    seats = open_seats(roster)
    ids = {person.id for person in roster.people}
    for (t, q), rows in stand_ins(roster, POLICY, roster.first_day, roster.last_day, seats, most=2).items():
        assert [row["rank"] for row in rows] == list(range(1, len(rows) + 1))
        assert len(rows) <= 2
        assert len({row["person"] for row in rows}) == len(rows)
        for row in rows:
            assert row["person"] in ids
            assert (row["day"] - roster.first_day) * 3 + ["AM", "PM", "NIGHT"].index(row["slot"]) == t
            assert row["post"] == roster.posts[q].id


@given(rosters())
@settings(max_examples=30, deadline=None)
def test_a_seat_is_covered_by_the_same_whatever_else_is_asked(roster: Roster) -> None:
    seats = open_seats(roster)
    together = stand_ins(roster, POLICY, roster.first_day, roster.last_day, seats)
    assert {seat: rows for one in seats for seat, rows in stand_ins(roster, POLICY, roster.first_day, roster.last_day, [one]).items()} == together
    assert stand_ins(roster, POLICY, roster.first_day, roster.last_day, seats[::-1]) == together


def told(rows: list[dict[str, Any]]) -> list[str]:
    return [row["moves"] for row in rows]


@pytest.mark.parametrize(
    ("icu_minimum", "clinic_required", "covers"),
    [
        (1, 1, ["B from clinic to icu"]),  # the clinic is above its minimum: it gives for a minimum
        (0, 1, []),  # and not for a wish
        (0, 0, ["B from clinic to icu"]),  # unless it has more than it wishes for itself
    ],
)
def test_who_is_taken_from_another_post(icu_minimum: int, clinic_required: int, covers: list[str]) -> None:
    roster = build(
        {"A": "a", "B": "D"}, posts=POSTS, holds={"B": "clinic"}, minimum={("icu", 0, "AM"): icu_minimum},
        required={("icu", 0, "AM"): 1, ("clinic", 0, "AM"): clinic_required},
    )  # fmt: skip
    found = stand_ins(roster, POLICY, FIRST, FIRST, [(0, ICU)])
    assert told(found.get((0, ICU), [])) == covers


def test_a_minimum_is_never_taken_from() -> None:
    need = {("icu", 0, "AM"): 1, ("clinic", 0, "AM"): 1}
    roster = build({"A": "a", "B": "D"}, posts=POSTS, holds={"B": "clinic"}, minimum=need, required=need)
    assert stand_ins(roster, POLICY, FIRST, FIRST, [(0, ICU)]) == {}


def test_no_seat_asked_for_and_no_date_on_file() -> None:
    roster = build({"A": "D"})
    assert stand_ins(roster, POLICY, FIRST, FIRST, []) == {}
