"""The report in the words of the product, against counting by hand and by matchings."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resilience_assets.analysis.contingency.bits import members_of
from resilience_assets.analysis.contingency.masks import Moves, masks_of
from resilience_assets.analysis.contingency.report import Contingency, contingency, phase_of
from resilience_assets.analysis.coverage import coverage
from resilience_assets.domain.roster import Roster
from resilience_assets.policy import load_policies
from resilience_assets_tests.analysis.building import FIRST, build
from resilience_assets_tests.analysis.contingency.blocks import allowed, seats_filled
from resilience_assets_tests.analysis.contingency.departments import hospital
from resilience_assets_tests.analysis.test_coverage import rosters

POLICY = load_policies().default
POSTS = {"icu": "ICU", "clinic": "CLINIC"}
TIERS = {"ICU": 1, "CLINIC": 3}


def report(roster: Roster, days: int | None = None) -> Contingency:
    """The report over all dates of a roster that begins on the first date."""
    return contingency(roster, POLICY, FIRST, FIRST + (days or roster.days) - 1)


def of_person(found: Contingency, person: str, moves: Moves) -> dict[str, object]:
    """The row of a person."""
    columns = found.people_columns(moves)
    row = columns["person"].index(person)
    return {name: values[row] for name, values in columns.items()}


def test_who_steps_in_and_who_is_called_in() -> None:
    need = {("icu", 0, "AM"): 1}
    both = [("A", "icu"), ("B", "icu")]
    lone = build({"A": "D", "B": "r"}, posts=POSTS, qualified=both, required=need, minimum=need)
    free = build({"A": "D", "B": "-"}, posts=POSTS, qualified=both, required=need, minimum=need)
    off = build({"A": "D", "B": "."}, posts=POSTS, qualified=both, required=need, minimum=need)
    lost = {
        name: [of_person(report(one), "A", moves)["slots_lost"] for moves in Moves]
        for name, one in {"lone": lone, "free": free, "off": off}.items()
    }
    assert lost == {"lone": [1, 1, 1, 1], "free": [1, 0, 0, 0], "off": [1, 1, 0, 0]}
    assert [report(one).n1_pass for one in (lone, free, off)] == [False, True, True]
    assert [report(one).n2_pass for one in (lone, free, off)] == [False, False, False]
    assert of_person(report(lone), "A", Moves.FULL)["sole_slots"] == 1
    assert of_person(report(off), "A", Moves.FULL)["sole_slots"] == 0


def test_a_chain_of_two_saves_the_icu_and_only_when_anyone_may_be_moved() -> None:
    need = {("icu", 0, "AM"): 1, ("clinic", 0, "AM"): 1}
    roster = build(
        {"A": "D", "B": "D", "C": "-"}, posts=POSTS, tiers=TIERS, holds={"A": "icu", "B": "clinic"},
        qualified=[("A", "icu"), ("B", "clinic"), ("B", "icu"), ("C", "clinic")], required=need, minimum=need,
    )  # fmt: skip
    found = report(roster)
    assert [of_person(found, "A", moves)["slots_lost"] for moves in Moves] == [1, 1, 1, 0]
    assert of_person(found, "A", Moves.CALL_IN)["posts_lost"] == ["icu"]
    assert of_person(found, "A", Moves.CALL_IN)["tier_1"] == 1
    # for the tiers up to 1 the clinic is paused, and B stands by
    assert of_person(found, "A", Moves.FULL)["tier_1"] == 0
    assert found.tiers == (1, 3)
    assert (found.n1_pass, found.n2_pass) == (True, False)
    pairs = found.pairs_columns()
    assert list(zip(pairs["first"], pairs["second"], strict=True)) == [("A", "B"), ("A", "C"), ("B", "C")]
    assert (pairs["seats"], pairs["slots"], pairs["more"]) == ([1, 1, 1], [1, 1, 1], [1, 1, 1])
    assert found.loss([0, 1, 2]).tolist() == [2, 0, 0]
    slot = {name: values[0] for name, values in found.slots_columns().items()}
    assert (slot["losses"], slot["thin_posts"], slot["thin_people"], slot["spare"]) == (2, ["clinic", "icu"], 3, 1)
    assert found.slots_columns()["losses"][1] is None
    assert found.thinnest() == [0]


def test_a_seat_that_is_open_today_is_no_pass() -> None:
    need = {("icu", 0, "AM"): 2}
    roster = build({"A": "D"}, posts=POSTS, qualified=[("A", "icu")], required=need, minimum=need)
    found = report(roster)
    assert (found.open_seats(), found.n1_pass, found.n2_pass) == (1, False, False)
    row = of_person(found, "A", Moves.FULL)
    assert (row["slots_lost"], row["worst_day"], row["worst_slot"], row["worst_deficit"]) == (1, FIRST, "AM", 2)
    assert found.slots_columns()["losses"][0] == 0


def test_nothing_asked_for_and_dates_not_on_file_are_unknown() -> None:
    need = {("icu", 0, "AM"): 1}
    people = {"A": "D", "B": "-", "C": "-"}
    assert report(build(people)).n1_pass is None
    full = build(people, posts=POSTS, holds={"A": "icu"}, required=need, minimum=need)
    assert (report(full).n1_pass, report(full).n2_pass) == (True, True)
    assert report(full, days=2).n1_pass is None
    assert report(full, days=2).missing_days == 1
    late = contingency(full, POLICY, FIRST + 50, FIRST + 60)
    assert (late.n1_pass, late.missing_days, late.window.slots, late.thinnest()) == (None, 11, 0, [])
    assert late.people_columns()["worst_day"] == [None] * 3


def test_people_at_posts_for_which_they_are_not_qualified_fill_no_seat_and_are_counted() -> None:
    need = {("icu", 0, "AM"): 1}
    roster = build(
        {"A": "H"}, posts=POSTS, holds={"A": "icu"}, qualified=[("A", "clinic")], required=need, minimum=need
    )
    found = report(roster)
    assert (found.unqualified, found.open_seats(Moves.STATIC), found.open_seats()) == (1, 1, 1)


@pytest.mark.parametrize("seats", ["required", "minimum"])
def test_more_seats_than_the_minimum_are_the_second_figure(seats: str) -> None:
    roster = build(
        {"A": "D", "B": "D"},
        holds={"A": "ward", "B": "ward"},
        required={("ward", 0, "AM"): 2},
        minimum={("ward", 0, "AM"): 1},
    )
    found = report(roster)
    labels = found.minimum if seats == "minimum" else found.required
    assert labels[Moves.FULL].slots_lost.tolist() == ([0, 0] if seats == "minimum" else [1, 1])


@given(rosters())
@settings(max_examples=60, deadline=None)
def test_laws_of_every_roster(roster: Roster) -> None:
    first, last = roster.first_day, roster.last_day
    found = contingency(roster, POLICY, first, last)
    covered = coverage(roster, first, last)
    # as rostered, the open seats are those that coverage finds
    assert found.open_seats(Moves.STATIC) == int(covered.open_below_minimum[0, 0])
    assert int(found.required[Moves.STATIC].deficit.sum()) == int(covered.open_seats[0, 0])
    masks = masks_of(roster, POLICY.duty, first, last)
    posts = len(roster.posts)
    for t in range(roster.slots):
        one = masks.between(t, t + 1)
        for demand, labels in ((roster.minimum, found.minimum), (roster.required, found.required)):
            asked = np.ascontiguousarray(demand[:, t])[None]
            open_now = []
            for moves in Moves:
                may = allowed(one, moves, posts)
                deficit = int(asked.sum()) - seats_filled(may, asked)
                assert labels[moves].deficit[t] == deficit
                open_now.append(deficit)
                for p, q in combinations(range(len(roster.people)), 2):
                    drop = int(asked.sum()) - seats_filled(np.delete(may, [p, q], axis=0), asked) - deficit
                    assert labels[moves].between(t, t + 1).pair(p, q)[0] == drop
            assert open_now == sorted(open_now, reverse=True)


@given(rosters())
@settings(max_examples=60, deadline=None)
def test_masks_hold_qualified_present_people_only(roster: Roster) -> None:
    masks = masks_of(roster, POLICY.duty, roster.first_day, roster.last_day)
    may = members_of(masks.may, len(roster.posts))
    present = roster.available()
    for t in range(roster.slots):
        able = roster.qualified_on(roster.first_day + t // roster.per_day)
        assert not (may[t] & ~able).any()
        assert not may[t][~present[:, t]].any()
        for p in np.flatnonzero(roster.state[:, t] >= 0):
            q = roster.state[p, t]
            assert may[t, p, q] == able[p, q]


@given(rosters(), st.integers(-2, 1), st.integers(1, 6), st.integers(1, 6))
@settings(max_examples=60, deadline=None)
def test_the_first_days_of_a_report_are_a_report_of_these_days(roster: Roster, start: int, horizon: int, days: int) -> None:
    """Also where the roster on file begins later than the horizon, or ends before it does."""
    first = FIRST + start
    days = min(days, horizon)
    found, short = (contingency(roster, POLICY, first, first + count - 1) for count in (horizon, days))
    for moves in Moves:
        for losses in (1, 2):
            assert found.passes(losses, moves, days) == short.passes(losses, moves)
            assert found.passes(losses, moves, horizon) == found.passes(losses, moves)
    assert phase_of(found, 0.5, POLICY, days) == phase_of(short, 0.5, POLICY)
    assert phase_of(found, 0.5, POLICY, horizon) == phase_of(found, 0.5, POLICY)
    assert found.slots_within(days) == short.window.slots


def test_a_roster_that_begins_after_today_passes_nothing_for_the_days_before() -> None:
    need = {("icu", day, "AM"): 1 for day in range(4)}
    people = {"A": "D D D D", "B": "- - - -", "C": "- - - -"}
    roster = build(people, posts=POSTS, holds={"A": "icu"}, required=need, minimum=need)
    assert contingency(roster, POLICY, FIRST, FIRST + 3).passes(1, days=4) is True
    late = contingency(roster, POLICY, FIRST - 2, FIRST + 3)
    assert (late.missing_days, late.n1_pass, late.passes(1, days=4), late.passes(1, days=2)) == (2, None, None, None)


def test_a_seat_that_opens_later_does_not_fail_the_first_days() -> None:
    need = {("icu", day, "AM"): 1 for day in range(3)}
    roster = build({"A": "D D a", "B": "- - a", "C": "- . a"}, posts=POSTS, holds={"A": "icu"}, required=need, minimum=need)
    found = report(roster)
    assert (found.passes(1, days=2), found.passes(2, days=2), found.n1_pass) == (True, True, False)
    assert phase_of(found, 0.5, POLICY, 2).level.text == "low"
    assert phase_of(found, 0.5, POLICY).level.text == "high", "one seat in three is open"


def test_people_moved_is_the_length_of_the_chain_that_makes_the_loss_good() -> None:
    """A at the icu, replaced by B from the clinic, replaced by C from the ward, replaced by D who is free."""
    posts = {"icu": "ICU", "clinic": "CLINIC", "ward": "WARD"}
    need = {(post, 0, "AM"): 1 for post in posts}
    roster = build(
        {"A": "D", "B": "D", "C": "D", "D": "-"}, posts=posts, holds={"A": "icu", "B": "clinic", "C": "ward"}, required=need,
        minimum=need, qualified=[("A", "icu"), ("B", "icu"), ("B", "clinic"), ("C", "clinic"), ("C", "ward"), ("D", "ward")],
    )  # fmt: skip
    columns = report(roster).people_columns()
    assert dict(zip(columns["person"], columns["people_moved"], strict=True)) == {"A": 3, "B": 2, "C": 1, "D": 0}


def test_an_empty_schedule_is_no_pass_though_enough_people_could_be_called_in() -> None:
    need = {("icu", 0, "AM"): 1}
    empty = build(dict.fromkeys("ABC", "-"), posts=POSTS, required=need, minimum=need)
    assert (report(empty).open_seats(), report(empty).n1_pass, report(empty).n2_pass) == (0, False, False)


def test_a_report_of_three_hundred_posts() -> None:
    """Every figure of every person and slot; test_many_posts.py compares them with those of the departments."""
    roster = hospital(np.random.default_rng(300), departments=6, size=50, days=4).whole
    assert len(roster.posts) == 300
    found = report(roster)
    people, slots, worst = found.people_columns(), found.slots_columns(), found.pairs_columns()
    assert {len(column) for column in people.values()} == {len(roster.people)}
    assert {len(column) for column in slots.values()} == {roster.slots}
    covered = coverage(roster, FIRST, FIRST + 3)
    assert found.open_seats(Moves.STATIC) == int(covered.open_below_minimum[0, 0])
    assert sum(slots["open_full"]) == found.open_seats() <= found.open_seats(Moves.STATIC)
    ids = [one.id for one in roster.people]
    for first, second, seats in zip(worst["first"], worst["second"], worst["seats"], strict=True):
        assert found.loss([ids.index(first), ids.index(second)]).sum() == seats
    for p in range(0, len(ids), 40):
        assert found.loss([p]).sum() == people["slots_lost"][p]
        assert bool(people["posts_lost"][p]) == (people["slots_lost"][p] > 0)
    assert max(people["people_moved"]) > 1
    assert len(worst["first"]) == 20
    assert found.n1_pass is False
    assert phase_of(found, 0.5, POLICY).level.text in ("high", "critical")
