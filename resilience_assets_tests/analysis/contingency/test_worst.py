"""The worst people to lose together, against every set of people of hundreds of small programs."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resilience_assets.analysis.contingency.labels import deficits, labels
from resilience_assets.analysis.contingency.masks import Masks, Moves, masks_of
from resilience_assets.analysis.contingency.pairs import pairs
from resilience_assets.analysis.contingency.worst import MOST_LOSSES, curve, curve_columns, worst
from resilience_assets.policy import load_policies
from resilience_assets_tests.analysis.building import FIRST, build
from resilience_assets_tests.analysis.contingency.blocks import HEADS, block_of, stacked
from resilience_assets_tests.analysis.contingency.programs import (
    among_more_posts,
    drops_of_all_sets,
    random_program,
    sets_of,
)

PROGRAMS = 150


@pytest.mark.parametrize("moves", list(Moves))
def test_no_set_is_worse_and_all_are_proven(moves: Moves) -> None:
    random = np.random.default_rng(51)
    harmful = 0
    for _ in range(PROGRAMS):
        masks, demand = random_program(random)
        people = masks.place.shape[1]
        drops = drops_of_all_sets(masks, moves, demand)
        for losses in (1, 2, 3, 4, 6):
            expected = int(drops[:, sets_of(people, losses)].sum(axis=0).max())
            found = worst(masks, moves, demand, losses)
            assert (found.seats, found.bound, found.proven) == (expected, expected, True)
            chosen = sum(1 << p for p in found.people)
            assert len(found.people) <= losses
            assert np.array_equal(found.by_slot, drops[:, chosen])
            assert found.slots.tolist() == np.flatnonzero(drops[:, chosen]).tolist()
            harmful += expected > 0
    assert harmful > 400


def test_a_small_budget_gives_a_bound_that_holds() -> None:
    random = np.random.default_rng(52)
    open_ends = 0
    for _ in range(PROGRAMS):
        masks, demand = random_program(random)
        drops = drops_of_all_sets(masks, Moves.FULL, demand)
        expected = int(drops[:, sets_of(masks.place.shape[1], 4)].sum(axis=0).max())
        for nodes in (0, 1, 2, 4, 7, 12):
            found = worst(masks, Moves.FULL, demand, 4, nodes=nodes)
            assert found.seats <= expected <= found.bound
            assert found.nodes <= nodes
            open_ends += not found.proven
    assert open_ends > 100


def test_a_deadline_ends_the_search_with_a_bound_that_holds() -> None:
    random = np.random.default_rng(53)
    for _ in range(40):
        masks, demand = random_program(random)
        best = worst(masks, Moves.FULL, demand, 4)
        calls = iter([False, False, False])
        found = worst(masks, Moves.FULL, demand, 4, deadline=lambda calls=calls: next(calls, True))  # type: ignore[misc]
        assert found.seats <= best.seats <= found.bound
        assert found.nodes <= 3
        none = worst(masks, Moves.FULL, demand, 4, deadline=lambda: True)
        assert none.nodes == 0
        assert none.bound >= best.seats


def test_the_same_input_gives_the_same_answer_and_nobody_idle_is_named() -> None:
    random = np.random.default_rng(54)
    for _ in range(60):
        masks, demand = random_program(random)
        one, other = (worst(masks, Moves.FULL, demand, 3) for _ in range(2))
        assert (one.people, one.nodes) == (other.people, other.nodes)
        for p in one.people:
            rest = [q for q in one.people if q != p]
            without = deficits(masks, Moves.FULL, demand, rest) - deficits(masks, Moves.FULL, demand)
            assert without.sum() < one.seats


def test_the_worst_one_and_two_are_those_of_the_labels() -> None:
    random = np.random.default_rng(55)
    for _ in range(60):
        masks, demand = random_program(random)
        found = labels(masks, Moves.FULL, demand)
        assert worst(masks, Moves.FULL, demand, 1).seats == found.slots_lost.max()
        top = pairs(found, 1).worst_by_seats
        assert worst(masks, Moves.FULL, demand, 2).seats == (top[0, 0] if len(top) else 0)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_the_curve_rises_and_never_by_more_than_every_slot(seed: int) -> None:
    masks, demand = random_program(np.random.default_rng(seed))
    found = curve(masks, Moves.FULL, demand)
    assert [one.losses for one in found] == [1, 2, 3, 4]
    seats = [0] + [one.seats for one in found]
    assert all(0 <= after - before <= len(demand) for before, after in pairwise(seats))
    assert all(one.proven for one in found)
    short = curve(masks, Moves.FULL, demand, nodes=1)
    assert [one.seats for one in short] == sorted(one.seats for one in short)


@pytest.mark.parametrize(("posts", "words"), [(75, 2), (180, 4)])
def test_two_and_four_words_say_the_same(posts: int, words: int) -> None:
    random = np.random.default_rng(posts)
    for _ in range(30):
        masks, demand = random_program(random)
        wide, asked, _ = among_more_posts(random, masks, demand, posts)
        assert wide.words == words
        one, other = worst(masks, Moves.FULL, demand, 4), worst(wide, Moves.FULL, asked, 4)
        assert (one.people, one.seats, one.bound, one.nodes) == (other.people, other.seats, other.bound, other.nodes)


def test_a_trio_that_no_pair_betrays() -> None:
    # three people back each other up at one post in ten slots; another person is the only one at a post in two
    place = np.tile(np.array([0, 251, 251, 1], dtype=np.uint8), (12, 1))
    able = np.array([[True, False], [True, False], [True, False], [False, True]])
    masks, _ = stacked([_one(row, able) for row in place], 2)
    demand = np.array([[1, 0]] * 10 + [[0, 1]] * 2, dtype=np.int16)
    found = curve(masks, Moves.FULL, demand)
    assert [one.people for one in found] == [(3,), (3,), (0, 1, 2), (0, 1, 2, 3)]
    assert [one.seats for one in found] == [2, 2, 10, 12]
    assert found[2].slots.tolist() == list(range(10))


def _one(place: np.ndarray, able: np.ndarray) -> tuple[Masks, np.ndarray]:
    return block_of(place, able), np.zeros((1, able.shape[1]), dtype=np.int16)


def test_the_curve_of_a_roster_in_flat_form() -> None:
    need = {("ward", 0, "AM"): 1, ("ward", 1, "PM"): 2}
    roster = build({"A": "D D", "B": "D D", "C": "r -"}, required=need, minimum=need)
    masks = masks_of(roster, load_policies().default.duty, FIRST, FIRST + 1)
    columns = curve_columns(curve(masks, Moves.FULL, np.ascontiguousarray(roster.minimum.T)), roster)
    assert columns["losses"] == [1, 2, 3, 4]
    assert columns["people"] == [[], ["A", "B"], ["A", "B", "C"], ["A", "B", "C"]]
    assert columns["seats"] == columns["bound"] == [0, 2, 3, 3]
    assert columns["slots"] == [0, 2, 2, 2]
    assert columns["broken"][1] == [(FIRST, "AM", 1), (FIRST + 1, "PM", 1)]
    assert all(columns["proven"])


def test_nothing_asked_for_and_nobody_there() -> None:
    masks, demand = random_program(np.random.default_rng(56))
    none = worst(masks, Moves.FULL, np.zeros_like(demand), 4)
    assert (none.people, none.seats, none.proven) == ((), 0, True)
    empty = worst(masks.between(0, 0), Moves.FULL, demand[:0], 3)
    assert (empty.people, empty.seats, empty.proven) == ((), 0, True)
    nobody = Masks(masks.place[:, :0], masks.may[:, :0])
    assert [one.seats for one in curve(nobody, Moves.FULL, demand)] == [0, 0, 0, 0]


@pytest.mark.parametrize("losses", [0, -1, MOST_LOSSES + 1])
def test_how_many_people_may_be_asked_for(losses: int) -> None:
    masks, demand = random_program(np.random.default_rng(57))
    with pytest.raises(ValueError, match="ask for 1 to 8"):
        worst(masks, Moves.FULL, demand, losses)


def test_more_people_than_there_are() -> None:
    masks, demand = random_program(np.random.default_rng(58), most_people=4)
    every = (1 << masks.place.shape[1]) - 1
    drops = drops_of_all_sets(masks, Moves.FULL, demand).sum(axis=0)
    assert HEADS[every] == 4
    assert worst(masks, Moves.FULL, demand, 6).seats == drops[every]
