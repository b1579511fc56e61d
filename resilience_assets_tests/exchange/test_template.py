"""The example workbook: it imports as it is, and says what a count by hand says."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import openpyxl
import pytest

from resilience_assets.domain.assembly import roster_from_tables
from resilience_assets.domain.days import date_of
from resilience_assets.exchange.own_workbook import NEEDED, SHEETS
from resilience_assets.exchange.source import SourceRead
from resilience_assets.exchange.template import DAYS, LEGEND, PEOPLE, POSTS, write_template
from resilience_assets.exchange.workbook import read_workbook

A_WEDNESDAY = 20_530
MONDAY = 20_528


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "roster.xlsx"
    write_template(path, A_WEDNESDAY)
    return path


@pytest.fixture(scope="module")
def read(path: Path) -> SourceRead:
    return read_workbook(path)


def test_it_imports_without_a_finding(read: SourceRead) -> None:
    assert read.findings == []
    assert not read.refused()
    assert (read.kind, read.files) == ("xlsx", ("roster.xlsx",))


def test_it_begins_on_the_monday_of_the_week(read: SourceRead) -> None:
    assert date_of(MONDAY).weekday() == 0
    assert read.tables.dates == (MONDAY, MONDAY + DAYS - 1)


@pytest.mark.parametrize("today", range(MONDAY, MONDAY + 7))
def test_any_day_of_a_week_gives_the_same_monday(today: int, tmp_path: Path) -> None:
    write_template(tmp_path / "b.xlsx", today)
    tables = read_workbook(tmp_path / "b.xlsx").tables
    assert tables.dates is not None
    assert tables.dates[0] == MONDAY


def test_the_same_day_gives_the_same_bytes(path: Path, tmp_path: Path) -> None:
    write_template(tmp_path / "again.xlsx", A_WEDNESDAY)
    assert (tmp_path / "again.xlsx").read_bytes() == path.read_bytes()


def test_counts_are_those_of_a_plain_reading_of_the_cells(path: Path, read: SourceRead) -> None:
    """An independent count with openpyxl: codes at a post or in a state, a call of three cells once."""
    grid = openpyxl.load_workbook(path)["Roster"]
    codes = Counter(cell.value for row in grid.iter_rows(min_row=3, min_col=3) for cell in row if cell.value)
    assert codes["CALL"] % 3 == 0
    expected = sum(codes.values()) - codes["CALL"] * 2 // 3
    assert read.counts["assignments"] == expected
    assert read.counts["people"] == len(PEOPLE) == grid.max_row - 2 == 12
    assert read.counts["posts"] == len(POSTS) == 6
    assert read.counts["qualifications"] == 4 * 2 + 8 * 4
    assert set(codes) <= {entry[0] for entry in LEGEND}


def test_coverage_is_as_computed_by_hand(read: SourceRead) -> None:
    """In a fortnight: ICU attending 14 x 2 = 28, resident 14 x 3 = 42; ward 10 x 2 x 2 + 4 x 3 = 52; clinic
    10 and 4; teaching 2 x 2 = 4: 140 seats, 280 in four weeks. Two stay open: the second resident on the
    ward on the second Friday, morning and afternoon."""
    roster, findings = roster_from_tables(read.tables)
    assert findings == []
    assert int(roster.required.sum()) == 280
    filled = np.minimum(roster.filled(), roster.required)
    assert int(filled.sum()) == 278
    post, slot = np.nonzero(roster.filled() < roster.required)
    assert [roster.posts[i].id for i in post] == ["WARD-RES"] * 2
    assert slot.tolist() == [11 * 3, 11 * 3 + 1]
    assert (roster.filled() >= roster.minimum).all()
    assert (roster.filled() <= roster.required).all(), "nobody is seated where nobody is needed"


def test_nobody_is_at_work_on_the_date_after_a_night(read: SourceRead) -> None:
    roster, _ = roster_from_tables(read.tables)
    at_post = roster.state.reshape(len(roster.people), DAYS, 3) >= 0
    assert not (at_post[:, :-1, 2] & at_post[:, 1:, :2].any(axis=2)).any()


def test_every_sheet_is_frozen_named_and_has_its_columns(path: Path) -> None:
    book = openpyxl.load_workbook(path)
    assert book.sheetnames[0] == "Roster"
    assert set(NEEDED) <= set(book.sheetnames)
    for name in book.sheetnames:
        assert book[name].freeze_panes
        if name != "Roster":
            assert [cell.value for cell in book[name][1]] == [field.header for field in SHEETS[name]]
    roster = book["Roster"]
    assert [str(part.sqref) for part in roster.data_validations.dataValidation] == ["C3:CH14"]
    assert sum(len(rules.rules) for rules in roster.conditional_formatting) == len(LEGEND)


def test_texts_are_plain_and_hold_no_formula(path: Path) -> None:
    for sheet in openpyxl.load_workbook(path):
        for row in sheet.iter_rows():
            assert all(cell.data_type != "f" for cell in row)
