"""Duty hours over weeks, by hand and against an integer program with rolling caps."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from scipy.optimize import LinearConstraint, milp

from resilience_assets.analysis.contingency.bits import members_of
from resilience_assets.analysis.contingency.hour_blocks import block_lengths, blocks_of
from resilience_assets.analysis.contingency.hour_flow import NO_CAP, NOWHERE
from resilience_assets.analysis.contingency.hours import HoursCheck, answer, hours_check
from resilience_assets.analysis.contingency.labels import Demand, deficits, labels
from resilience_assets.analysis.contingency.masks import Masks, Moves, masks_of
from resilience_assets.analysis.duty_hours import breaches
from resilience_assets.domain.roster import Roster
from resilience_assets.policy import Policy, load_policies
from resilience_assets_tests.analysis.building import FIRST, build
from resilience_assets_tests.analysis.test_coverage import rosters

POLICY = load_policies().default
DAY = (("AM", 0), ("PM", 1))


def check(
    roster: Roster, first: int = FIRST, pairs: list[tuple[int, int]] | None = None, policy: Policy = POLICY
) -> tuple[HoursCheck, Masks, Demand]:
    """The answer from a date on, with the masks and demand that it was asked of."""
    masks = masks_of(roster, policy.duty, first, roster.last_day)
    demand = np.ascontiguousarray(roster.window(first, roster.last_day).minimum.T)
    asked = np.array(pairs, dtype=np.int64) if pairs else None
    found = labels(masks, Moves.FULL, demand)
    return hours_check(roster, policy, first, roster.last_day, masks, demand, found, asked), masks, demand


def every_day(days: int, post: str = "ward", heads: int = 1) -> dict[tuple[str, int, str], int]:
    """So many heads in the morning and in the afternoon of all dates."""
    return {(post, day, slot): heads for day in range(days) for slot, _ in DAY}


def test_two_share_a_week_and_one_alone_runs_out_of_hours() -> None:
    need = every_day(7)
    roster = build({"A": "D D D D . . .", "B": ". . . . D D D"}, required=need, minimum=need)
    found, *_ = check(roster, pairs=[(0, 1)])
    # slot by slot each may stand in for the other; 80 hours a week are 13 of 14 half days of 6 hours
    assert (found.binds, found.worse_by, found.deficit, found.deficit_within) == (True, 0, 0, 0)
    assert (found.lost.tolist(), found.lost_within.tolist()) == ([0, 0], [1, 1])
    assert found.people_worse_by.tolist() == [1, 1]
    assert (found.pair_lost.tolist(), found.pair_lost_within.tolist()) == ([14], [14])
    assert found.people_columns(["A", "B"]) == {
        "person": ["A", "B"], "seats": [0, 0], "seats_within_hours": [1, 1],
        "duty_hours": ["duty hours: worse by 1", "duty hours: worse by 1"],
    }  # fmt: skip
    assert found.pairs_columns(["A", "B"]) == {
        "first": ["A"], "second": ["B"], "seats": [14], "seats_within_hours": [14], "duty_hours": ["duty hours: holds"],
    }  # fmt: skip


def test_half_a_person_works_half_the_hours() -> None:
    need = every_day(7)
    roster = build({"A": "D D D D . . .", "B": ". . . . D D D"}, fte={"A": 0.5, "B": 0.5}, required=need, minimum=need)
    found, *_ = check(roster)
    # 40 hours are 6 half days; A works 8 as published, 48 hours, which is in breach, so 6 are left
    assert (found.deficit, found.deficit_within) == (0, 14 - 6 - 6)
    assert found.lost_within.tolist() == [6, 6]
    assert answer(found.worse_by) == "duty hours: worse by 2"


def test_hours_worked_before_the_window_and_elsewhere_count() -> None:
    roster = build({"A": "D D D . . . .", "B": ". . . D . . ."}, minimum=every_day(7), required=every_day(7))
    masks = masks_of(roster, POLICY.duty, FIRST + 3, FIRST + 6)
    demand = np.ascontiguousarray(roster.window(FIRST + 3, FIRST + 6).minimum.T)
    blocks = blocks_of(roster, masks, demand, POLICY.duty, FIRST + 3, FIRST + 6)
    assert blocks.most[0].min() == (80 - 36) // 6  # 7 slots of 8 are left in the week
    away = build({"A": "e:D e:D e:D e:D e:D . .", "B": ". . . D . . ."}, minimum=every_day(7), required=every_day(7))
    masks = masks_of(away, POLICY.duty, FIRST, FIRST + 6)
    demand = np.ascontiguousarray(away.minimum.T)
    blocks = blocks_of(away, masks, demand, POLICY.duty, FIRST, FIRST + 6)
    assert blocks.most[0].min() == (80 - 60) // 6


def test_who_cannot_reach_a_cap_needs_no_flow() -> None:
    need = every_day(2)
    found, *_ = check(build({"A": "D D", "B": "- -"}, required=need, minimum=need), pairs=[(0, 1)])
    assert (found.binds, found.worse_by) == (False, 0)
    assert found.lost_within.tolist() == found.lost.tolist() == [0, 0]
    assert found.pairs_worse_by.tolist() == [0]


def test_a_policy_without_caps_never_binds() -> None:
    caps = [rule.id for rule in POLICY.duty.rules if rule.kind == "rolling_window"]
    overlay = f"duty: {{rules: [{', '.join(f'{{id: {one}, active: false}}' for one in caps)}]}}"
    need = every_day(14)
    roster = build({"A": "D " * 14, "B": ". " * 14}, required=need, minimum=need)
    found, *_ = check(roster, policy=load_policies(overlay).default)
    assert (found.binds, found.lost_within.tolist()) == (False, [0, 0])


def test_hours_up_to_the_cap_are_no_reason() -> None:
    need = {("ward", day, "AM"): 1 for day in range(1, 7)} | {("ward", 0, "NIGHT"): 1}
    roster = build({"A": "N H H H H H ."}, roles={"A": "nurse"}, required=need, minimum=need)
    found, *_ = check(roster)
    assert (found.deficit, found.deficit_within) == (0, 0)  # 12 + 6 * 6 = 48 hours
    more = need | {("ward", 0, "AM"): 1}
    found, *_ = check(build({"A": "N H H H H H ."}, roles={"A": "nurse"}, required=more, minimum=more))
    assert (found.deficit, found.deficit_within) == (0, 1)


def test_a_roster_within_all_caps_is_never_worse_than_left_as_it_is() -> None:
    policy = load_policies("duty: {rules: [{id: capacity.residents, judged: true, limit: 50}]}").default
    hours = [rule.id for rule in policy.duty.rules if rule.kind == "rolling_window" and rule.measure == "hours"]
    random = np.random.default_rng(82)
    legal = binding = 0
    for _ in range(150):
        days = int(random.integers(7, 16))
        words = np.array(["D", "N", "H", "C", "T", ".", "e:D", "a", "-"])
        picture = {
            f"P{n}": " ".join(random.choice(words, days, p=[0.1, 0.1, 0.07, 0.02, 0.02, 0.59, 0.02, 0.04, 0.04]))
            for n in range(2)
        }
        need = {
            ("ward", day, slot): int(random.integers(0, 3)) for day in range(days) for slot in ("AM", "PM", "NIGHT")
        }
        roster = build(picture, minimum=need, required=need)
        broken = breaches(roster, policy.duty, roster.first_day, roster.last_day)
        if any(one.rule in hours for one in broken):
            continue
        legal += 1
        found, masks, demand = check(roster, policy=policy)
        binding += found.worse_by > 0
        assert found.deficit_within <= deficits(masks, Moves.STATIC, demand).sum()
    assert legal > 40
    assert binding > 20


def test_blocks_are_iso_weeks_in_blocks_of_four() -> None:
    assert block_lengths(POLICY.duty, FIRST, FIRST + 90) == {7: {7}, 28: {28}}
    roster = build({"A": ". " * 33}, minimum=every_day(33), required=every_day(33))
    first = FIRST + 2  # a Wednesday
    masks = masks_of(roster, POLICY.duty, first, roster.last_day)
    demand = np.ascontiguousarray(roster.window(first, roster.last_day).minimum.T)
    blocks = blocks_of(roster, masks, demand, POLICY.duty, first, roster.last_day)
    assert (blocks.first // 3).tolist() == [0, 5, 12, 19, 26, 0, 26]
    assert (blocks.end // 3).tolist() == [5, 12, 19, 26, 31, 26, 31]
    assert blocks.parent.tolist() == [5, 5, 5, 5, 6, NOWHERE, NOWHERE]
    assert (blocks.leaf[::3] == np.repeat(np.arange(5), [5, 7, 7, 7, 5])).all()
    assert blocks.most[0].tolist() == [NO_CAP, 13, 13, 13, NO_CAP, NO_CAP, NO_CAP]


def test_a_longer_cap_is_whole_shorter_blocks_within_its_window() -> None:
    policy = load_policies("""
duty:
  rules:
    - {id: capacity.residents, window_days: 30, per_days: 30, limit: 200}
    - {id: capacity.nurses, window_days: 14, per_days: 14}
""").default
    assert block_lengths(policy.duty, FIRST, FIRST) == {7: {7}, 14: {14}, 28: {28, 30}}


def rolling(roster: Roster, masks: Masks, demand: Demand, first: int, lost: tuple[int, ...]) -> int:
    """Seats open with every rolling window kept, by an integer program; all slots with demand last six hours."""
    able = members_of(masks.may, demand.shape[1])
    able[:, list(lost)] = False
    slot, person, post = np.nonzero(able & (demand[:, None] > 0))
    day = slot // 3 + first - roster.first_day
    if not slot.size:
        return int(demand.sum())
    rows: list[npt.NDArray[np.float64]] = []
    limits: list[float] = []
    for t, q in zip(*np.nonzero(demand > 0), strict=True):
        rows.append(((slot == t) & (post == q)).astype(float))
        limits.append(float(demand[t, q]))
    known = (roster.shift >= 0) & (np.arange(roster.slots) < (first - roster.first_day) * 3)
    for p, one in enumerate(roster.people):
        for t in range(demand.shape[0]):
            rows.append(((slot == t) & (person == p)).astype(float))
            limits.append(1.0)
        worked = known[p].reshape(-1, 3).sum(axis=1) * 6.0
        away = (roster.state[p].reshape(-1, 3) == -5).all(axis=1)
        for width in (7, 28):
            for end in range(first - roster.first_day, roster.days):
                inside = (day <= end) & (day > end - width) & (person == p)
                low = max(0, end - width + 1)
                leave = int(away[low : end + 1].sum()) if width == 28 else 0
                cap = 80 / 7 * max(7, width - leave) * one.fte
                rows.append(inside * 6.0)
                limits.append(max(0.0, cap - worked[low : end + 1].sum()))
    found = milp(
        -np.ones(slot.size), constraints=LinearConstraint(np.array(rows), -np.inf, np.array(limits) + 1e-9),
        integrality=np.ones(slot.size), bounds=(0, 1),
    )  # fmt: skip
    assert found.status == 0
    return int(demand.sum()) + round(found.fun)


@pytest.mark.parametrize("seed", range(3))
def test_it_lies_between_the_slots_alone_and_the_rolling_caps(seed: int) -> None:
    random = np.random.default_rng([81, seed])
    tighter = worse = 0
    for _ in range(25):
        people, days = int(random.integers(2, 5)), int(random.integers(8, 20))
        words = np.array(["D", "H", ".", "-", "a", "r"])
        picture = {
            f"P{n}": " ".join(random.choice(words, days, p=[0.4, 0.1, 0.3, 0.1, 0.05, 0.05])) for n in range(people)
        }
        need = {
            (post, day, slot): int(random.integers(0, 3))
            for post in ("icu", "ward")[: int(random.integers(1, 3))] for day in range(days) for slot, _ in DAY
        }  # fmt: skip
        posts = {post: post.upper() for post, _, _ in need}
        fte = {name: float(random.choice([0.2, 0.4, 0.6, 1.0])) for name in picture}
        roster = build(picture, posts=posts, fte=fte, minimum=need, required=need)
        first = FIRST + int(random.integers(0, 6))
        found, masks, demand = check(roster, first, pairs=[(0, 1)])
        sets = [(), *((p,) for p in range(people)), (0, 1)]
        free = found.deficit + np.array([0, *found.lost, *found.pair_lost])
        limited = found.deficit_within + np.array([0, *found.lost_within, *found.pair_lost_within])
        for lost, slots_alone, within in zip(sets, free, limited, strict=True):
            exact = rolling(roster, masks, demand, first, lost)
            assert slots_alone <= within
            # a roster that breaks a cap before the window leaves less than nothing; both then leave nothing
            assert within <= exact
            tighter += within > slots_alone
            worse += within < exact
    assert tighter > 20  # the limits do bind
    assert worse < tighter  # and fixed weeks see most of what rolling ones do


@settings(max_examples=60, deadline=None)
@given(rosters())
def test_any_roster_has_an_answer_between_its_bounds(roster: Roster) -> None:
    found, _, demand = check(roster, roster.first_day)
    assert found.deficit <= found.deficit_within <= demand.sum()
    within = found.deficit_within + found.lost_within
    assert (found.deficit + found.lost <= within).all()
    assert (within <= demand.sum()).all()


def test_dates_that_are_not_on_file_have_nothing_to_hold() -> None:
    roster = build({"A": "D"}, minimum=every_day(1), required=every_day(1))
    found, *_ = check(roster, FIRST + 5, pairs=[])
    assert (found.binds, found.deficit, found.deficit_within, found.lost_within.tolist()) == (False, 0, 0, [0])
