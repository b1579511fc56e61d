"""Invented names: different, and as many as there are combinations."""

from __future__ import annotations

import numpy as np
import pytest

from resilience_assets.demo.names import FIRST, LAST, invented_names


def test_names_differ_and_come_from_the_lists() -> None:
    names = invented_names(2000, np.random.default_rng(1))
    assert len(set(names)) == 2000
    assert all(name.split()[0] in FIRST and name.split()[1] in LAST for name in names)


def test_lists_have_no_name_twice() -> None:
    assert len(set(FIRST)) == len(FIRST)
    assert len(set(LAST)) == len(LAST)


def test_more_names_than_combinations_are_refused() -> None:
    with pytest.raises(ValueError, match="names asked for"):
        invented_names(len(FIRST) * len(LAST) + 1, np.random.default_rng(1))
