"""Redundancy of services, against losing people one by one."""

from __future__ import annotations

from itertools import combinations, product

import pytest
from hypothesis import given, settings

from resilience_assets.analysis.redundancy import redundancy
from resilience_assets.domain import states
from resilience_assets.domain.roster import Roster
from resilience_assets.domain.scales import Redundancy
from resilience_assets.policy import load_policies
from resilience_assets_tests.analysis.building import FIRST, build
from resilience_assets_tests.analysis.test_coverage import rosters

POLICY = load_policies().default


@pytest.mark.parametrize(("people", "text"), [(5, "N+2"), (4, "N+1"), (3, "N+0"), (2, "BELOW")])
def test_a_minimum_of_three(people: int, text: str) -> None:
    need = {("ward", 0, "AM"): 3}
    (found,) = redundancy(
        build({f"P{i}": "D" for i in range(people)}, required=need, minimum=need), POLICY, FIRST, FIRST
    )
    assert found.level.text == text
    assert (found.present, found.minimum, found.spare) == (people, 3, people - 3)
    assert (found.day, found.slot, found.posts, found.slots_judged) == (FIRST, "AM", ("ward",), 1)
    assert found.where == "2025-09-01 AM"


def test_free_people_count_off_people_only_for_call_in_and_others_not_at_all() -> None:
    need = {("ward", 0, "AM"): 1}
    roster = build({"A": "D", "B": "-", "C": ".", "D": "r", "E": "a", "F": "?"}, required=need, minimum=need)
    (found,) = redundancy(roster, POLICY, FIRST, FIRST)
    assert (found.spare, found.call_in_spare) == (1, 2)
    assert (found.level.text, found.call_in_level.text) == ("N+1", "N+2")


def test_people_at_work_in_another_service_are_not_there() -> None:
    need = {("x", 0, "AM"): 1, ("y", 0, "AM"): 1}
    roster = build(
        {"A": "D", "B": "D"}, posts={"x": "X", "y": "Y"}, holds={"A": "x", "B": "y"}, required=need, minimum=need
    )
    assert [one.spare for one in redundancy(roster, POLICY, FIRST, FIRST)] == [0, 0]


def test_a_resident_does_not_stand_in_for_the_attending() -> None:
    need = {("att", 0, "AM"): 1, ("res", 0, "AM"): 1}
    roster = build(
        {"A": "D", "R": "D", "S": "D", "T": "D"}, posts={"att": "ICU", "res": "ICU"},
        qualified=[("A", "att"), ("R", "res"), ("S", "res"), ("T", "res")], required=need, minimum=need,
    )  # fmt: skip
    (found,) = redundancy(roster, POLICY, FIRST, FIRST)
    assert (found.spare, found.posts, found.present) == (0, ("att",), 1)


def test_one_person_qualified_for_two_posts_is_counted_once() -> None:
    need = {("att", 0, "AM"): 1, ("res", 0, "AM"): 1}
    roster = build({"A": "D"}, posts={"att": "ICU", "res": "ICU"}, required=need, minimum=need)
    (found,) = redundancy(roster, POLICY, FIRST, FIRST)
    assert (found.spare, found.level) == (-1, Redundancy.BELOW)


def test_the_worst_slot_is_named_the_earliest_of_equals() -> None:
    need = {("ward", d, "AM"): 1 for d in range(3)} | {("ward", 1, "NIGHT"): 1}
    roster = build({"A": "D D D", "B": "D N D"}, required=need, minimum=need)
    (found,) = redundancy(roster, POLICY, FIRST, FIRST + 2)
    assert (found.day, found.slot, found.spare, found.slots_judged) == (FIRST + 1, "AM", 0, 4)


def test_a_service_without_a_minimum_is_not_judged() -> None:
    roster = build({"A": "D"}, required={("ward", 0, "AM"): 1})
    (found,) = redundancy(roster, POLICY, FIRST, FIRST)
    assert (found.level, found.spare, found.day, found.where) == (Redundancy.UNKNOWN, None, None, "")
    (beyond,) = redundancy(roster, POLICY, FIRST + 5, FIRST + 6)
    assert beyond.level == Redundancy.UNKNOWN


def test_only_posts_with_a_minimum_in_the_worst_slot_are_named() -> None:
    need = {("att", 0, "AM"): 1, ("res", 0, "PM"): 1}
    roster = build(
        {"A": "H", "R": "D", "S": "D", "T": "D"}, posts={"att": "ICU", "res": "ICU"},
        qualified=[("A", "att"), ("A", "res"), ("R", "res"), ("S", "res"), ("T", "res")], required=need, minimum=need,
    )  # fmt: skip
    (found,) = redundancy(roster, POLICY, FIRST, FIRST)
    assert (found.slot, found.posts, found.spare) == ("AM", ("att",), 0)


def holds_minimum(people: list[set[int]], minimum: dict[int, int]) -> bool:
    """Whether people (each a set of posts they may hold) can fill the minimum: all ways of seating them."""
    for seats in product(*[[None, *sorted(able)] for able in people]):
        if all(seats.count(post) >= count for post, count in minimum.items()):
            return True
    return not any(minimum.values())


def spare_by_losing(people: list[set[int]], minimum: dict[int, int]) -> int:
    """How many people, whoever they are, can be lost; -1 when the minimum is not held to begin with."""
    if not holds_minimum(people, minimum):
        return -1
    for lost in range(1, len(people) + 1):
        for gone in combinations(range(len(people)), lost):
            if not holds_minimum([able for i, able in enumerate(people) if i not in gone], minimum):
                return lost - 1
    return len(people)


@settings(max_examples=40, deadline=None)
@given(rosters())
def test_spare_is_how_many_may_be_lost(roster: Roster) -> None:
    for found in redundancy(roster, POLICY, roster.first_day, roster.last_day):
        posts = [q for q, post in enumerate(roster.posts) if roster.services[post.service].id == found.service]
        worst = None
        for t in range(roster.slots):
            minimum = {q: int(roster.minimum[q, t]) for q in posts}
            if not any(minimum.values()):
                continue
            mask = roster.qualified_on(roster.first_day + t // 3)
            people = [
                {q for q in posts if mask[p, q]}
                for p in range(len(roster.people))
                if roster.state[p, t] in (*posts, states.FREE)
            ]
            spare = spare_by_losing([able for able in people if able], minimum)
            worst = spare if worst is None else min(worst, spare)
        if worst is None:
            assert found.spare is None
        else:
            assert found.spare is not None
            assert max(found.spare, -1) == worst
