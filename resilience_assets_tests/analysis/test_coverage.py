"""Coverage by scope and day, against a count cell by cell."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resilience_assets.analysis.coverage import coverage
from resilience_assets.analysis.scopes import scopes_of
from resilience_assets.domain.roster import Roster
from resilience_assets_tests.analysis.building import FIRST, build

WORDS = st.sampled_from(["D", "N", "H", "C", ".", "-", "a", "r", "?"])


@st.composite
def rosters(draw: st.DrawFn) -> Roster:
    """Rosters of up to 5 people, 3 posts in 2 services, 4 dates, with gaps in qualification."""
    days = draw(st.integers(1, 4))
    people = [f"P{i}" for i in range(draw(st.integers(1, 5)))]
    posts = {"a1": "A", "a2": "A", "b1": "B"}
    picture = {person: " ".join(draw(st.lists(WORDS, min_size=days, max_size=days))) for person in people}
    holds = {person: draw(st.sampled_from(sorted(posts))) for person in people}
    qualified = [
        (person, post, FIRST + draw(st.integers(-1, 2)), FIRST + draw(st.integers(1, 5)))
        for person in people
        for post in posts
        if draw(st.booleans())
    ]
    cells = [(post, day, slot) for post in posts for day in range(days) for slot in ("AM", "PM", "NIGHT")]
    required = {cell: draw(st.integers(0, 3)) for cell in cells}
    minimum = {cell: draw(st.integers(0, count)) for cell, count in required.items()}
    return build(
        picture, posts=posts, tiers={"A": 1, "B": 4}, holds=holds, qualified=qualified,
        required=required, minimum=minimum,
    )  # fmt: skip


def heads(roster: Roster, post: int, slot: int) -> int:
    """Qualified people at a post in a slot, one by one."""
    day = roster.first_day + slot // roster.per_day
    q = roster.qualifications
    count = 0
    for person in range(len(roster.people)):
        able = any(
            q.person[i] == person and q.post[i] == post and q.first[i] <= day <= q.last[i] for i in range(q.person.size)
        )
        count += able and roster.state[person, slot] == post
    return count


@settings(max_examples=60, deadline=None)
@given(rosters())
def test_every_figure_is_a_count_of_cells(roster: Roster) -> None:
    found = coverage(roster, roster.first_day, roster.last_day)
    scopes = scopes_of(roster)
    for n in range(len(scopes)):
        for column in range(1 + roster.days):
            dates = range(roster.days) if column == 0 else [column - 1]
            cells = [
                (q, day * 3 + s)
                for q in range(len(roster.posts))
                if scopes.posts[n, q]
                for day in dates
                for s in range(3)
            ]
            required = sum(int(roster.required[cell]) for cell in cells)
            seated = sum(min(heads(roster, *cell), int(roster.required[cell])) for cell in cells)
            minimum = sum(int(roster.minimum[cell]) for cell in cells)
            safe = sum(min(heads(roster, *cell), int(roster.minimum[cell])) for cell in cells)
            assert found.required[n, column] == required
            assert found.open_seats[n, column] == required - seated
            assert found.open_below_minimum[n, column] == minimum - safe
            assert found.assigned[n, column] == sum(heads(roster, *cell) for cell in cells)
            share = found.coverage[n, column]
            assert np.isnan(share) if required == 0 else share == pytest.approx(seated / required)
            share = found.coverage_minimum[n, column]
            assert np.isnan(share) if minimum == 0 else share == pytest.approx(safe / minimum)


@settings(max_examples=40, deadline=None)
@given(rosters())
def test_open_cells_add_up_and_are_in_order_of_time(roster: Roster) -> None:
    found = coverage(roster, roster.first_day, roster.last_day)
    assert found.cells.open_seats.sum() == found.open_seats[0, 0]
    assert found.cells.open_below_minimum.sum() == found.open_below_minimum[0, 0]
    assert (found.cells.open_seats > 0).all()
    order = list(zip(found.cells.day.tolist(), found.cells.slot.tolist(), found.cells.post.tolist(), strict=True))
    assert order == sorted(order)


def test_scopes_are_the_program_its_services_its_tiers() -> None:
    roster = build({"P": "D"}, posts={"x": "ICU", "y": "ICU", "z": "LEC"}, tiers={"ICU": 1, "LEC": 7})
    scopes = scopes_of(roster)
    assert list(zip(scopes.kind, scopes.key, strict=True)) == [
        ("program", "P1"), ("service", "ICU"), ("service", "LEC"), ("tier", "1"), ("tier", "7"),
    ]  # fmt: skip
    assert scopes.posts.sum(axis=1).tolist() == [3, 2, 1, 2, 1]


def test_heads_beyond_what_is_required_cover_nothing_else() -> None:
    need = {("ward", 0, "AM"): 1, ("ward", 0, "PM"): 1}
    roster = build({"P": "H", "Q": "H", "R": "H"}, required=need)
    found = coverage(roster, FIRST, FIRST)
    assert found.of_program() == 0.5
    assert found.assigned[0, 0] == 3


def test_nothing_required_is_not_full_coverage() -> None:
    found = coverage(build({"P": "D"}), FIRST, FIRST)
    assert found.of_program() is None
    assert np.isnan(found.coverage).all()


def test_an_unqualified_an_absent_and_an_unreadable_person_fill_no_seat() -> None:
    need = {("ward", 0, "AM"): 3}
    roster = build(
        {"P": "D", "Q": "D", "R": "?", "S": "D"}, required=need, qualified=[("Q", "ward"), ("R", "ward"), ("S", "ward")],
        absences=[("Q", 0, 0, True, False)],
    )  # fmt: skip
    found = coverage(roster, FIRST, FIRST)
    assert found.seated[0, 0] == 1
    assert found.cells.open_seats.tolist() == [2]


def test_an_absence_only_asked_for_leaves_the_seat_filled() -> None:
    roster = build({"P": "D"}, required={("ward", 0, "AM"): 1}, absences=[("P", 0, 0, False, False)])
    assert coverage(roster, FIRST, FIRST).of_program() == 1.0


def test_dates_that_are_not_on_file_are_counted_as_missing() -> None:
    roster = build({"P": "D D"}, required={("ward", 1, "AM"): 1})
    found = coverage(roster, FIRST + 1, FIRST + 8)
    assert (found.days, found.missing_days) == (1, 7)
    beyond = coverage(roster, FIRST + 10, FIRST + 12)
    assert (beyond.days, beyond.missing_days) == (0, 3)
    assert beyond.of_program() is None
    assert len(beyond.cells) == 0
