"""Leave of invented people."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from resilience_assets.demo.staff import Away, without_overlaps, yearly_leave
from resilience_assets.domain.nouns import Person


@given(st.integers(1, 30), st.integers(1, 20), st.integers(1, 3))
def test_leave_is_whole_weeks_at_most_so_many_at_once_and_one_each(heads: int, weeks: int, at_once: int) -> None:
    people = [Person(f"P{n}", "role") for n in range(heads)]
    leave = yearly_leave(people, 4, weeks, at_once, np.random.default_rng(3))
    assert len(leave) == min(heads, weeks * at_once)
    assert len({away.person for away in leave}) == len(leave)
    assert max(Counter(away.first for away in leave).values()) <= at_once
    assert all(
        (away.first - 4) % 7 == 0 and away.last == away.first + 6 and away.first < 4 + 7 * weeks for away in leave
    )


def test_of_overlapping_absences_the_first_in_the_list_stays() -> None:
    a, b, c = Away("P", 10, 12, "sick"), Away("P", 12, 14, "vacation"), Away("Q", 12, 14, "vacation")
    assert without_overlaps([a, b, c]) == [a, c]
    assert without_overlaps([a, Away("P", 13, 14, "vacation")]) == [a, Away("P", 13, 14, "vacation")]
