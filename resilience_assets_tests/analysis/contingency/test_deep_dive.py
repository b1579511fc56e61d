"""The deep dive, against asking the report for every set of people, and its advice in sentences."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from resilience_assets.analysis.contingency.bits import members_of
from resilience_assets.analysis.contingency.deep_dive import (
    MOST_LOSSES,
    DeepDive,
    advice,
    deep_dive,
    held_by_role,
    most_critical,
    trainable,
)
from resilience_assets.analysis.contingency.masks import Moves
from resilience_assets.analysis.contingency.report import Contingency, contingency, phase_of
from resilience_assets.analysis.utilization import utilization
from resilience_assets.domain import states
from resilience_assets.domain.roster import Qualifications, Roster
from resilience_assets.policy import load_policies
from resilience_assets_tests.analysis.building import FIRST, build
from resilience_assets_tests.analysis.test_coverage import rosters

POLICY = load_policies().default
POSTS = {"icu": "ICU", "clinic": "CLINIC"}


def dive(roster: Roster) -> tuple[Contingency, DeepDive]:
    """Report and deep dive of all dates of a roster."""
    found = contingency(roster, POLICY, roster.first_day, roster.last_day)
    return found, deep_dive(roster, POLICY, found, roster.first_day, roster.last_day)


@given(rosters())
@settings(max_examples=30, deadline=None)
def test_it_says_what_asking_for_every_set_says(roster: Roster) -> None:
    found, deep = dive(roster)
    everybody = range(len(roster.people))
    for losses, one in enumerate(deep.worst, start=1):
        worst = max((int(found.loss(list(some)).sum()) for n in range(losses + 1) for some in combinations(everybody, n)), default=0)
        assert one.seats == worst
        assert one.bound >= worst
        assert int(found.loss(list(one.people)).sum()) == one.seats
    for group in deep.groups:
        assert int(found.loss(list(group.people)).sum()) == group.seats
    assert len(deep.worst) == MOST_LOSSES
    assert deep.phase == phase_of(found, utilization(roster, POLICY, roster.first_day, roster.last_day).of_program(), POLICY)
    assert deep.hours.deficit == found.open_seats()
    assert (np.diff(deep.risky_seats) <= 1e-12).all()


@given(rosters())
@settings(max_examples=20, deadline=None)
def test_a_training_gains_what_a_roster_with_it_has(roster: Roster) -> None:
    """With the person qualified on all dates, rest and hours as before."""
    found, deep = dive(roster)
    for one in deep.training.best:
        q = roster.qualifications
        more = Qualifications(
            np.append(q.person, one.person), np.append(q.post, one.post), np.append(q.first, roster.first_day), np.append(q.last, roster.last_day)
        )
        after = contingency(replace(roster, qualifications=more), POLICY, roster.first_day, roster.last_day)
        for seats, report in ((one.before, found), (one.after, after)):
            full = report.minimum[Moves.FULL]
            assert (seats.open, seats.seats) == (int(full.deficit.sum()), int(full.slots_lost.sum()))


@given(rosters())
@settings(max_examples=30, deadline=None)
def test_the_most_critical_are_they_whose_loss_does_most_harm(roster: Roster) -> None:
    found, deep = dive(roster)
    lost = {moves: [int(found.loss([p], moves).sum()) for p in range(len(roster.people))] for moves in Moves}

    def harm(p: int) -> tuple[int, ...]:
        return tuple(lost[moves][p] for moves in (Moves.FULL, Moves.CALL_IN, Moves.DIRECT, Moves.STATIC))

    needed = [p for p in range(len(roster.people)) if lost[Moves.FULL][p]]
    assert deep.critical == tuple(sorted(needed, key=lambda p: ([-one for one in harm(p)], p))[:5])
    assert most_critical(found, 1) == deep.critical[:1]


def test_the_same_roster_gives_the_same_answers() -> None:
    one, other = (advice_of(short()) for _ in range(2))
    assert one == other


def test_nobody_is_trained_for_what_nobody_of_the_role_may_hold() -> None:
    roster = build(
        {"A": "D .", "B": "- -", "R": "D ."}, posts=POSTS, roles={"A": "ATT", "B": "ATT"}, holds={"A": "icu", "R": "clinic"},
        qualified=[("A", "icu"), ("R", "clinic"), ("B", "clinic", FIRST + 9, FIRST + 9)],
    )  # fmt: skip
    window = roster.window(FIRST, FIRST + 1)
    clinic, icu = 0, 1
    assert held_by_role(window).tolist() == [[False, True], [False, True], [True, False]], "not the date outside the window"
    may = members_of(trainable(roster, POLICY, FIRST, FIRST + 1), 2)
    assert not may[:, :2, clinic].any()
    assert not may[:, 2, icu].any()
    assert may[:, 1, icu].any()


def short() -> Roster:
    """A alone may hold the icu on two dates; B stands by, of the same role."""
    need = {("icu", day, "AM"): 1 for day in range(2)}
    return build(
        {"A": "D D", "B": "- -"}, posts=POSTS, holds={"A": "icu"}, qualified=[("A", "icu"), ("B", "clinic")], required=need, minimum=need
    )


def advice_of(roster: Roster) -> list[str]:
    return advice(*dive(roster))


def test_advice_on_a_single_loss_names_who_and_what_to_train() -> None:
    said = advice_of(short())
    assert said[0] == "A single loss breaks the roster: arrange a stand-in for A"
    assert said[1] == "Train B for icu: harm of single losses 2 -> 0 seat-slots"
    assert said[2].startswith("Take on no more work: phase risk is critical (")


def test_advice_on_an_open_seat_comes_first() -> None:
    roster = short()
    state = roster.state.copy()
    state[0] = states.ABSENT
    away = replace(roster, state=state)
    said = advice_of(away)
    assert said[0] == "Fill what is open now: 2 seat-slots below the minimum stay open however people are moved"
    assert "Train B for icu: seats open now 2 -> 0" in said
    assert not any("single loss" in line for line in said), "nobody is left to lose"


def test_advice_where_only_two_losses_break_it_is_to_keep_them_apart() -> None:
    need = {("icu", day, "AM"): 1 for day in range(2)}
    two = build({"A": "D D", "B": "- -"}, posts=POSTS, holds={"A": "icu"}, required=need, minimum=need)
    calm = POLICY.model_copy(update={"phase_risk": POLICY.phase_risk.model_copy(update={"high": 8, "critical": 9})})
    found = contingency(two, calm, FIRST, FIRST + 1)
    said = advice(found, deep_dive(two, calm, found, FIRST, FIRST + 1))
    assert said == ["Any one person may be lost, some two may not: keep the listed pairs apart in leave and call"]


def test_advice_where_nothing_breaks_is_none() -> None:
    need = {("icu", day, "AM"): 1 for day in range(2)}
    many = build({"A": "D D"} | dict.fromkeys("BCDEFGH", "- -"), posts=POSTS, holds={"A": "icu"}, required=need, minimum=need)
    assert advice_of(many) == []


def test_advice_on_an_empty_schedule_is_to_publish_one() -> None:
    """However many could be seated: nobody has been told to come."""
    need = {("icu", day, "AM"): 1 for day in range(2)}
    empty = build(dict.fromkeys("ABCDEFGH", "- -"), posts=POSTS, required=need, minimum=need)
    assert advice_of(empty) == ["Publish the roster: nobody is planned for any seat of these dates"]


@pytest.mark.parametrize(
    "rows", [{"A": ". ."}, {"A": "a a", "B": "a a"}, {"A": "D D", "B": "? ?"}], ids=["off", "away", "unreadable"]
)
@pytest.mark.parametrize("asked", [0, 2])
def test_programs_of_which_hardly_anything_is_known_have_a_deep_dive(rows: dict[str, Any], asked: int) -> None:
    need = {("icu", 0, "AM"): asked} if asked else {}
    roster = build(rows, posts=POSTS, required=need, minimum=need)
    for first in (FIRST, FIRST + 50):
        found = contingency(roster, POLICY, first, first + 1)
        deep = deep_dive(roster, POLICY, found, first, first + 1)
        assert deep.worst[0].proven
        assert isinstance(advice(found, deep), list)
