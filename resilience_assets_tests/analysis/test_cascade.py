"""The cascade by hand, against a simulation that shares unit by unit, and its laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resilience_assets.analysis.cascade import Cascade, Loads, cascade, critical_points, loads_of, sustainable
from resilience_assets.policy import load_policies
from resilience_assets_tests.analysis.building import build

POLICY = load_policies().default


def everybody(loads: list[float], posts: int = 1, fte: list[float] | None = None) -> Loads:
    """People with these loads at the first post, all qualified for everything."""
    load = np.zeros((len(loads), posts))
    load[:, 0] = loads
    shares = np.array(fte or [1.0] * len(loads))
    return Loads(load, np.ones(load.shape, dtype=np.bool_), sustainable(load.sum(axis=1), shares, POLICY))


def test_without_a_loss_nobody_fails() -> None:
    found = cascade(everybody([10, 10, 10, 0, 0]), [], POLICY)
    assert found == Cascade(lost=(), steps=(), coverage=1.0, catastrophic=False)
    assert (found.length, found.failed) == (0, 0)


def test_a_harmless_loss_has_length_0() -> None:
    found = cascade(everybody([10, 10, 10]), [0], POLICY)  # 15 each, and 10 / 0.8 x 1.2 = 15 is what they stand
    assert (found.length, found.coverage, found.catastrophic) == (0, 1.0, False)


def test_idle_people_take_over_and_do_not_fail_first() -> None:
    found = cascade(everybody([10, 10, 10, 10, 0, 0, 0, 0]), [0, 1], POLICY)  # 20 slots for six: 3.3 each
    assert (found.steps, found.coverage) == ((), 1.0)
    # all work is lost to the idle: each is asked for a full share, and stands it
    found = cascade(everybody([10, 10, 10, 10, 0, 0, 0, 0]), [0, 1, 2, 3], POLICY)
    assert (found.steps, found.coverage) == ((), 1.0)


def test_too_much_for_those_who_are_left_takes_them_all() -> None:
    found = cascade(everybody([10, 10, 10, 10]), [0, 1], POLICY)  # 20 each where 15 are stood
    assert (found.steps, found.coverage, found.catastrophic) == (((2, 3),), 0.0, True)


def test_people_fail_step_by_step() -> None:
    # two idle part-timers stand 10 x 0.5 / 0.8 x 1.2 = 7.5; the others 15
    loads = everybody([10, 10, 10, 10, 0, 0], fte=[1, 1, 1, 1, 0.4, 0.4])
    found = cascade(loads, [0, 1], POLICY)  # 20 / 4 = 5 each: nobody
    assert found.length == 0
    found = cascade(loads, [0, 1, 2], POLICY)  # 30 / 3 = 10 each: 4 and 5 (6) and 3 (15) all fail
    assert found.steps == ((3, 4, 5),)
    loads = everybody([10, 10, 10, 10, 10, 0], fte=[1, 1, 1, 1, 1, 0.2])
    found = cascade(loads, [0, 1], POLICY)  # 5 each: the part-timer stands 3; then 20 / 3 = 6.7 on top of 10
    assert found.steps == ((5,), (2, 3, 4))


def test_only_who_is_qualified_takes_over() -> None:
    need = {("icu", 0, "AM"): 1, ("ward", 0, "AM"): 1}
    roster = build(
        {"A": "D D D", "B": "D D D", "C": "- - -"}, posts={"icu": "ICU", "ward": "WARD"}, minimum=need, required=need,
        holds={"A": "icu", "B": "ward"}, qualified=[("A", "icu"), ("B", "ward"), ("C", "ward")],
    )  # fmt: skip
    loads = loads_of(roster, POLICY)
    assert loads.load.tolist() == [[6, 0], [0, 6], [0, 0]]
    assert np.allclose(loads.sustainable, 6 / 0.8)
    icu, ward = cascade(loads, [0], POLICY), cascade(loads, [1], POLICY)
    assert (icu.length, icu.coverage, icu.catastrophic) == (0, 0.5, False)  # left undone, and no one fails of it
    assert (ward.length, ward.coverage) == (0, 1.0)
    both = cascade(loads, [1, 2], POLICY)
    assert (both.coverage, cascade(loads, [0, 1], POLICY).coverage) == (0.5, 0.5)
    assert cascade(loads, [0, 1, 2], POLICY).catastrophic is True


def test_catastrophic_is_below_the_limit_of_the_policy() -> None:
    policy = load_policies("cascade: {catastrophic_below: 0.6}").default
    loads = Loads(np.array([[5.0, 0], [0, 5.0]]), np.eye(2, dtype=np.bool_), np.array([9.0, 9.0]))
    assert cascade(loads, [0], POLICY).catastrophic is False  # one half is not below one half
    assert cascade(loads, [0], policy).catastrophic is True


def test_where_nobody_works_coverage_is_unknown() -> None:
    found = cascade(everybody([0, 0]), [0], POLICY)
    assert (found.length, found.coverage, found.catastrophic) == (0, None, None)


def test_critical_points_are_those_of_the_largest_true_damage() -> None:
    loads = everybody([10, 10, 10, 10, 10, 0])
    points = critical_points(loads, np.array([0, 3, 0, 7, 0, 0]), POLICY, most=4)
    assert [(one.person, one.slots_lost, one.risk) for one in points] == [
        (3, 7, "medium"), (1, 3, "medium"), (0, 0, "low"), (2, 0, "low"),
    ]  # fmt: skip
    pair = everybody([10, 10])
    assert [one.risk for one in critical_points(pair, np.array([1, 1]), POLICY)] == ["critical", "critical"]
    silos = Loads(np.diag([6.0, 2.0, 2.0]), np.eye(3, dtype=np.bool_), np.array([9.0, 9.0, 9.0]))
    assert [one.risk for one in critical_points(silos, np.array([6, 2, 2]), POLICY)] == ["critical", "high", "high"]


def test_in_a_safe_roster_no_point_is_a_risk() -> None:
    points = critical_points(everybody([5] * 12), np.zeros(12, dtype=np.int64), POLICY)
    assert len(points) == 10
    assert {(one.risk, one.cascade.length, one.cascade.coverage) for one in points} == {("low", 0, 1.0)}


def one_by_one(loads: Loads, lost: list[int]) -> tuple[list[set[int]], float]:
    """The same with work handed on from person to person, each post's open work shared anew by whoever is left."""
    carried = {p: loads.load[p].copy() for p in range(len(loads.load))}
    undone, failing, steps = np.zeros(loads.load.shape[1]), set(lost), []
    while failing:
        handed = sum((carried.pop(p) for p in sorted(failing)), undone * 0)
        for q, work in enumerate(handed):
            able = [p for p in carried if loads.qualified[p, q]]
            for p in able:
                carried[p][q] += work / len(able)
            undone[q] += 0 if able else work
        failing = {p for p in carried if carried[p].sum() > 1.2 * loads.sustainable[p] * (1 + 1e-9)}
        steps += [failing] if failing else []
    return steps, float(sum(one.sum() for one in carried.values()))


@st.composite
def cases(draw: st.DrawFn) -> tuple[Loads, list[int], list[int]]:
    """Loads, a loss, and a larger loss."""
    people, posts = draw(st.integers(1, 7)), draw(st.integers(1, 4))
    load = np.array(
        draw(st.lists(st.lists(st.integers(0, 12), min_size=posts, max_size=posts), min_size=people, max_size=people)),
        dtype=np.float64,
    )
    able = np.array(
        draw(st.lists(st.lists(st.booleans(), min_size=posts, max_size=posts), min_size=people, max_size=people))
    )
    fte = np.array(draw(st.lists(st.sampled_from([0.2, 0.5, 1.0]), min_size=people, max_size=people)))
    load[~able] = 0
    order = draw(st.permutations(range(people)))
    less, more = sorted((draw(st.integers(0, people)), draw(st.integers(0, people))))
    return Loads(load, able, sustainable(load.sum(axis=1), fte, POLICY)), order[:less], order[:more]


@given(cases())
def test_it_agrees_with_work_handed_on_one_by_one(case: tuple[Loads, list[int], list[int]]) -> None:
    loads, lost, _ = case
    found = cascade(loads, lost, POLICY)
    steps, done = one_by_one(loads, lost)
    assert [set(step) for step in found.steps] == steps
    if found.coverage is not None:
        assert found.coverage == pytest.approx(done / loads.load.sum(), abs=1e-8)


@given(cases())
def test_a_larger_loss_never_leaves_more_work_done(case: tuple[Loads, list[int], list[int]]) -> None:
    loads, fewer, more = case
    less, larger = cascade(loads, fewer, POLICY), cascade(loads, more, POLICY)
    gone = [set(one.lost) | {p for step in one.steps for p in step} for one in (less, larger)]
    assert gone[0] <= gone[1]
    if less.coverage is not None and larger.coverage is not None:
        assert larger.coverage <= less.coverage
