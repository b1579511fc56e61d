"""Invented fleets: the size that was asked for, the same for the same seed, sound, and the same through CSV files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.generate import FIRST_DAY, as_source, fleet, one_program, with_one_change, write_csv
from resilience_assets.domain import states
from resilience_assets.domain.assembly import roster_from_tables
from resilience_assets.domain.roster import same_roster
from resilience_assets.exchange.read_any import read_source


def test_a_fleet_has_the_size_asked_for_and_is_the_same_again() -> None:
    one, again = list(fleet(3, 30, 40, 5)), list(fleet(3, 30, 40, 5))
    assert [made.program.id for made in one if made.program] == ["program-00000", "program-00001", "program-00002"]
    for made, other in zip(one, again, strict=True):
        assert made.people is not None
        assert len(made.people) == 30
        for kind, part in made.kinds().items():
            pd.testing.assert_frame_equal(part, other.kinds()[kind])
    assert one[0].assignments is not None
    assert not one[0].assignments.equals(one[1].assignments)


def test_a_program_is_sound() -> None:
    made = next(fleet(1, 30, 60, 5))
    roster, findings = roster_from_tables(made)
    assert not findings
    assert ((roster.planned < 0) | roster.qualified_cells(roster.planned)).all()
    assert not ((roster.planned != states.OFF) & (roster.state == states.ABSENT)).any()
    assert (roster.state == states.ABSENT).any()
    assert 0.9 < np.minimum(roster.filled(), roster.required).sum() / roster.required.sum() < 1
    assert (roster.minimum <= roster.required).all()


def test_every_cell_is_a_row_where_that_is_asked_for() -> None:
    made = one_program("large", 11, 9, [1], every_cell=True)
    assert made.assignments is not None
    assert len(made.assignments) == 11 * 9 * 3
    roster, findings = roster_from_tables(made)
    assert not findings
    assert (roster.planned != states.OFF).all()


@pytest.mark.parametrize("every_cell", [False, True])
def test_the_same_roster_comes_back_out_of_the_csv_folder(tmp_path: Path, every_cell: bool) -> None:
    made = one_program("p", 20, 30, [3], every_cell=every_cell)
    rows = write_csv(made, tmp_path / "p")
    read = read_source(tmp_path / "p", None)
    assert not read.findings
    assert sum(read.counts.values()) == rows
    assert same_roster(roster_from_tables(read.tables)[0], roster_from_tables(made)[0])


def test_one_change_moves_one_row_and_the_content_hash() -> None:
    made = next(fleet(1, 30, 30, 5))
    changed = with_one_change(made, FIRST_DAY + 10)
    assert made.assignments is not None
    assert changed.assignments is not None
    assert (made.assignments["post"] != changed.assignments["post"]).sum() == 1
    assert as_source(made).content_hash != as_source(changed).content_hash
    assert as_source(made).content_hash == as_source(next(fleet(1, 30, 30, 5))).content_hash
    with pytest.raises(ValueError, match="nobody works"):
        with_one_change(made, FIRST_DAY + 100)
