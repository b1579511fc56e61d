"""Declared gaps leave the alarm, seat by seat, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resilience_assets.alerting.gaps import Gap, Left, ServiceDay, without_gaps


def test_a_gap_takes_its_seats_out_on_its_dates_and_no_more():
    days = [ServiceDay("icu", day, 4, 2, 1) for day in range(4)] + [ServiceDay("clinic", 0, 2, 1, 0)]
    assert without_gaps(days, []) == {"icu": Left(16, 8, 4), "clinic": Left(2, 1, 0)}
    assert without_gaps(days, [Gap("icu", 1, 2, 1)]) == {"icu": Left(16, 6, 2), "clinic": Left(2, 1, 0)}
    assert without_gaps(days, [Gap("icu", 0, 3, 9)])["icu"].coverage == 1.0
    assert without_gaps(days, [Gap("icu", 0, 9, 1), Gap("icu", 3, 3, 1)])["icu"] == Left(16, 3, 0)


def test_nothing_required_is_unknown_and_not_covered():
    assert without_gaps([ServiceDay("icu", 0, 0, 0, 0)], [])["icu"].coverage is None


services = st.sampled_from(["icu", "clinic"])


@given(
    st.lists(st.tuples(services, st.integers(0, 5), st.integers(0, 4), st.integers(0, 4), st.integers(0, 4)), max_size=12),
    st.lists(st.tuples(services, st.integers(0, 5), st.integers(0, 5), st.integers(1, 3)), max_size=4),
)
def test_seat_by_seat_it_is_the_same(rows, declared):
    """Against striking out open seats one at a time."""
    days = [ServiceDay(name, day, max(need, open_), open_, min(below, open_)) for name, day, need, open_, below in rows]
    gaps = [Gap(name, min(a, b), max(a, b), seats) for name, a, b, seats in declared]
    left = without_gaps(days, gaps)
    for name in {one.service for one in days}:
        seats = below = 0
        for one in days:
            if one.service == name:
                open_, short = one.open_seats, one.open_below_minimum
                for gap in gaps:
                    if gap.service == name and one.day in range(gap.first, gap.last + 1):
                        for _ in range(gap.seats):
                            open_, short = max(open_ - 1, 0), max(short - 1, 0)
                seats, below = seats + open_, below + short
        assert (left[name].open_seats, left[name].open_below_minimum) == (seats, below)
        assert left[name].coverage is None or 0 <= left[name].coverage <= 1


def test_the_oracle_notices_gaps_that_do_not_add_up(monkeypatch):
    """A planted bug: of two gaps only the larger counts."""
    from resilience_assets.alerting import gaps

    monkeypatch.setattr(gaps, "sum", max, raising=False)
    with pytest.raises((AssertionError, ValueError)):
        test_a_gap_takes_its_seats_out_on_its_dates_and_no_more()
