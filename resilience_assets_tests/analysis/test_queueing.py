"""Waiting formulas against direct summation and published values."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resilience_assets.analysis.queueing import erlang_c, erlang_wait_factor, mm1_wait_factor


@pytest.mark.parametrize(
    ("rate", "wait"), [(0.5, 1), (0.8, 4), (0.9, 9), (0.95, 19), (1.0, math.inf), (1.7, math.inf), (0.0, 0), (-0.3, 0)]
)
def test_wait_of_one_server(rate: float, wait: float) -> None:
    assert float(mm1_wait_factor(rate)) == pytest.approx(wait)


def test_unknown_stays_unknown() -> None:
    assert np.isnan(mm1_wait_factor(np.nan))
    assert np.isnan(erlang_c(3, np.nan))
    assert np.isnan(erlang_wait_factor(3, np.nan))


def erlang_c_by_sums(servers: int, load: float) -> float:
    """The textbook sum, with factorials."""
    if load >= servers:
        return 1.0 if load > 0 else 0.0
    top = load**servers / math.factorial(servers) * servers / (servers - load)
    return top / (sum(load**k / math.factorial(k) for k in range(servers)) + top)


@given(st.integers(0, 60), st.floats(0, 70))
def test_erlang_c_is_the_sum(servers: int, load: float) -> None:
    assert float(erlang_c(servers, load)) == pytest.approx(erlang_c_by_sums(servers, load), abs=1e-9)


@pytest.mark.parametrize(
    ("servers", "load", "waiting"), [(10, 8.0, 0.40918), (2, 1.0, 1 / 3), (1, 0.5, 0.5), (2000, 1950.0, 0.1787)]
)
def test_published_values(servers: int, load: float, waiting: float) -> None:
    assert float(erlang_c(servers, load)) == pytest.approx(waiting, abs=5e-5)


@given(st.floats(0.001, 0.999))
def test_one_server_is_the_first_formula(rate: float) -> None:
    assert float(erlang_wait_factor(1, rate)) == pytest.approx(float(mm1_wait_factor(rate)), rel=1e-9)


def test_edges_of_the_wait() -> None:
    assert erlang_wait_factor([3, 3, 0, 0], [3.0, 0.0, 0.0, 1.0]).tolist() == [math.inf, 0.0, 0.0, math.inf]
    assert erlang_c(np.array([2, 2]), np.array([2.0, 1.999999]))[0] == 1.0


def test_the_same_utilization_waits_less_with_more_servers() -> None:
    waits = [float(erlang_wait_factor(c, 0.8 * c)) for c in (1, 2, 5, 10, 100)]
    assert waits == sorted(waits, reverse=True)
