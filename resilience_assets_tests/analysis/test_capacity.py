"""Hours left in duty caps, against a linear program."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from resilience_assets.analysis.capacity import hour_caps, hours_left
from resilience_assets.policy import load_policies
from resilience_assets_tests.analysis.building import FIRST, build

DUTY = load_policies().default.duty


def most_hours(hours: np.ndarray, low: int, high: int, caps: dict[int, float], most: np.ndarray) -> float:
    """The linear program: hours a day within `most`, every window within its cap."""
    count = high - low + 1
    rows, limits = [], []
    for width, cap in caps.items():
        for first in range(low - width + 1, high + 1):
            dates = range(first, first + width)
            fixed = sum(hours[d] for d in dates if 0 <= d < hours.size and not low <= d <= high)
            rows.append([1.0 if low + i in dates else 0.0 for i in range(count)])
            limits.append(max(0.0, cap - fixed))
    found = linprog(-np.ones(count), A_ub=rows, b_ub=limits, bounds=[(0, m) for m in most])
    assert found.success
    return float(-found.fun)


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_filling_days_in_order_is_the_maximum(data: st.DataObject) -> None:
    days = data.draw(st.integers(1, 14))
    hours = np.array(data.draw(st.lists(st.integers(0, 24), min_size=days, max_size=days)), dtype=np.float64)
    low = data.draw(st.integers(0, days - 1))
    high = data.draw(st.integers(low, days - 1))
    most = np.array(
        data.draw(st.lists(st.integers(0, 24), min_size=high - low + 1, max_size=high - low + 1)), dtype=np.float64
    )
    caps = {
        width: float(data.draw(st.integers(0, 20 * width)))
        for width in data.draw(st.sets(st.integers(1, 9), min_size=1, max_size=2))
    }
    total, single = hours_left(
        hours[None],
        np.zeros((1, days), dtype=bool),
        {(w, 0): np.array([c]) for w, c in caps.items()},
        low,
        high,
        most[None],
    )
    assert total[0] == pytest.approx(most_hours(hours, low, high, caps, most), abs=1e-6)
    for i in range(high - low + 1):
        alone = most_hours(hours, low + i, low + i, caps, most[i : i + 1])
        assert single[0, i] == pytest.approx(alone, abs=1e-6)


def test_what_is_on_file_outside_the_stretch_is_in_the_way_and_inside_is_not() -> None:
    hours, most = np.array([[10.0, 10, 10, 10]]), np.array([[24.0, 24]])
    total, single = hours_left(hours, np.zeros((1, 4), dtype=bool), {(3, 0): np.array([40.0])}, 1, 2, most)
    assert total.tolist() == [30.0]  # 10 before and 10 after leave 30 in each of both windows
    assert single.tolist() == [[20.0, 20.0]]


def test_no_cap_leaves_all() -> None:
    total, single = hours_left(np.zeros((1, 2)), np.zeros((1, 2), dtype=bool), {}, 0, 1, np.array([[5.0, 6.0]]))
    assert (total.tolist(), single.tolist()) == ([11.0], [[5.0, 6.0]])


def test_leave_lowers_an_average_cap_to_a_week_at_the_least() -> None:
    absent = np.zeros((1, 28), dtype=bool)
    absent[0, :14] = True
    caps = {(28, 7): np.array([320.0])}
    most = np.full((1, 14), 24.0)
    total, _ = hours_left(np.zeros((1, 28)), absent, caps, 14, 27, most)
    assert total.tolist() == [160.0]  # two weeks counted
    absent[0, :21] = True
    total, _ = hours_left(np.zeros((1, 28)), absent, caps, 21, 27, most[:, :7])
    assert total.tolist() == [80.0]
    absent[0, :26] = True
    total, _ = hours_left(np.zeros((1, 28)), absent, caps, 26, 27, np.full((1, 2), 100.0))
    assert total.tolist() == [80.0]


def test_caps_by_role_and_share() -> None:
    roles, fte = {"A": "PGY1", "B": "faculty", "C": "RN", "D": "PGY2"}, {"D": 0.5}
    roster = build(dict.fromkeys(roles, "D"), roles=roles, fte=fte)
    caps = hour_caps(roster, DUTY, FIRST)
    assert caps[(28, 7)].tolist() == [320, np.inf, np.inf, 160]
    assert caps[(7, 0)].tolist() == [80, 60, 48, 40]
    assert set(caps) == {(28, 7), (7, 0)}


def test_only_rules_in_force_cap() -> None:
    roster = build({"A": "D"})
    assert set(hour_caps(roster, DUTY, FIRST - 365 * 10)) == {(7, 0)}
