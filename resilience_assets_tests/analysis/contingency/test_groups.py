"""The loss of whole groups, against every set of people; which groups a roster has."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from resilience_assets.analysis.contingency.groups import by_value, group_columns, group_losses, groups_of, same_leave
from resilience_assets.analysis.contingency.masks import Moves, masks_of
from resilience_assets.policy import load_policies
from resilience_assets_tests.analysis.building import FIRST, build
from resilience_assets_tests.analysis.contingency.programs import drops_of_all_sets, random_program

DUTY = load_policies().default.duty


@pytest.mark.parametrize("moves", list(Moves))
def test_groups_of_random_programs(moves: Moves) -> None:
    random = np.random.default_rng(71)
    harmful = 0
    for _ in range(100):
        masks, demand = random_program(random)
        people = masks.place.shape[1]
        groups = {f"G{n}": np.flatnonzero(random.random(people) < 0.4).tolist() for n in range(6)}
        drops = drops_of_all_sets(masks, moves, demand)
        losses = group_losses(masks, moves, demand, groups)
        assert sorted(one.name for one in losses) == sorted(groups)
        for one in losses:
            opened = drops[:, sum(1 << p for p in groups[one.name])]
            assert (one.seats, one.slots) == (opened.sum(), (opened > 0).sum())
            assert np.array_equal(one.after - one.now, opened)
            assert one.passes == (not one.after.any())
            if one.worst_slot is None:
                assert one.seats == 0
            else:
                assert opened[one.worst_slot] > 0
                assert one.after[one.worst_slot] == one.after[opened > 0].max()
            harmful += one.seats > 0
        keys = [(-one.seats, -one.slots, one.name) for one in losses]
        assert keys == sorted(keys)
    assert harmful > 100


def test_a_team_that_travels_together() -> None:
    need = {("ward", 0, "AM"): 1, ("ward", 1, "PM"): 2}
    roster = build({"A": "D D", "B": "D D", "C": "- -"}, required=need, minimum=need)
    roster = replace(
        roster,
        people=tuple(replace(one, team="Blue" if one.id != "C" else "", home_region="North") for one in roster.people),
    )
    groups = groups_of(roster)
    assert groups == {"team Blue": (0, 1), "role PGY2": (0, 1, 2), "home region North": (0, 1, 2)}
    masks = masks_of(roster, DUTY, FIRST, FIRST + 1)
    losses = group_losses(masks, Moves.FULL, np.ascontiguousarray(roster.minimum.T), groups)
    columns = group_columns(losses, roster)
    assert columns["group"] == ["home region North", "role PGY2", "team Blue"]
    assert columns["people"][2] == ["A", "B"]
    assert (columns["seats"], columns["slots"], columns["passes"]) == ([3, 3, 1], [2, 2, 1], [False] * 3)
    assert columns["worst_day"] == [FIRST + 1] * 3
    assert columns["worst_slot"] == ["PM"] * 3
    assert columns["worst_deficit"] == [2, 2, 1]


def test_values_that_two_share_make_a_group() -> None:
    assert by_value("team", ["Red", "", "Blue", "Red", ""]) == {"team Red": (0, 3)}
    assert by_value("home region", []) == {}


def test_the_same_leave_is_a_group_and_an_overlap_is_none() -> None:
    roster = build(
        {"A": "D D D", "B": "D D D", "C": "D D D", "D": "D D D", "E": "D D D"},
        absences=[
            ("A", 1, 2, True, False), ("B", 1, 2, False, False), ("C", 1, 1, True, False), ("D", 40, 41, True, False),
            ("E", 40, 41, True, False), ("A", 1, 2, True, True),
        ],
    )  # fmt: skip
    assert same_leave(roster) == {"away together 2025-09-02 to 2025-09-03 (sick)": (0, 1)}
    assert list(same_leave(roster.window(FIRST, FIRST))) == []


def test_an_empty_group_loses_nothing_and_a_stranger_is_refused() -> None:
    masks, demand = random_program(np.random.default_rng(72))
    (none,) = group_losses(masks, Moves.FULL, demand, {"nobody": []})
    assert (none.seats, none.slots, none.worst_slot) == (0, 0, None)
    with pytest.raises(ValueError, match="group visitors: people"):
        group_losses(masks, Moves.FULL, demand, {"visitors": [99]})
