"""What one cell means, and how it is refused."""

from __future__ import annotations

import contextlib
import datetime as dt
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resilience_assets.domain.days import OPEN_END, OPEN_START, date_of
from resilience_assets.exchange import csv_cells as cells
from resilience_assets.exchange.csv_cells import BadCell
from resilience_assets.exchange.finding_log import FindingLog


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (cells.read_id, "PGY2-05", "PGY2-05"),
        (cells.read_id, "n" * 64, "n" * 64),
        (cells.read_id, "-5", "-5"),
        (cells.read_id, "A=B", "A=B"),
        (cells.read_id, "Zoe\u0308", "Zo\u00eb"),
        (cells.read_optional_id, "", ""),
        (cells.read_name, "", ""),
        (cells.read_name, "O'Neil, Ann-Marie", "O'Neil, Ann-Marie"),
        (cells.read_date, "1990-01-02", 7306),
        (cells.read_first_day, "", OPEN_START),
        (cells.read_last_day, "", OPEN_END),
        (cells.read_heads, "3", 3),
        (cells.read_heads, "3.0", 3),
        (cells.read_optional_heads, "", -1),
        (cells.read_tier, "7", 7),
        (cells.read_fte, "", 1.0),
        (cells.read_fte, "0,5", 0.5),
        (cells.read_fte, ".25", 0.25),
        (cells.read_approved, "", True),
        (cells.read_approved, "No", False),
        (cells.read_weekdays, "Daily", (0, 1, 2, 3, 4, 5, 6)),
        (cells.read_weekdays, "weekdays", (0, 1, 2, 3, 4)),
        (cells.read_weekdays, "weekend", (5, 6)),
        (cells.read_weekdays, "sun", (6,)),
        (cells.read_weekdays, "Monday", (0,)),
        (cells.read_clock, "7:30", 450),
        (cells.read_clock, "31:00", 1860),
    ],
)
def test_taken(read: cells.Read, text: str, value: Any) -> None:
    assert read(text) == value


@pytest.mark.parametrize(
    ("read", "text", "rule"),
    [
        (cells.read_id, "", "missing_value"),
        (cells.read_id, "n" * 65, "too_long"),
        (cells.read_name, "n" * 201, "too_long"),
        (cells.read_name, "=cmd|' /C calc'!A0", "formula_text"),
        (cells.read_name, "=1+1", "formula_text"),
        (cells.read_name, "+SUM(A1)", "formula_text"),
        (cells.read_name, "-(1)", "formula_text"),
        (cells.read_name, "@SUM(A1)", "formula_text"),
        (cells.read_name, "\uff1dA1", "formula_text"),
        (cells.read_name, "a\nb", "hidden_character"),
        (cells.read_id, "A\u200b", "hidden_character"),
        (cells.read_name, "\u202eevil", "hidden_character"),
        (cells.read_date, "", "bad_date"),
        (cells.read_date, "9999-12-31", "bad_date"),
        (cells.read_date, "2200-01-01", "bad_date"),
        (cells.read_date, "1989-12-31", "bad_date"),
        (cells.read_date, "2026-02-30", "bad_date"),
        (cells.read_date, "3/4/2026", "bad_date"),
        (cells.read_date, "20260304", "bad_date"),
        (cells.read_date, "\u0662\u0660\u0662\u0666-01-01", "bad_date"),
        (cells.read_last_day, "never", "bad_date"),
        (cells.read_heads, "-1", "negative_demand"),
        (cells.read_heads, "1.5", "bad_number"),
        (cells.read_heads, "", "bad_number"),
        (cells.read_heads, "10000", "bad_number"),
        (cells.read_heads, "NaN", "bad_number"),
        (cells.read_tier, "0", "bad_tier"),
        (cells.read_tier, "8", "bad_tier"),
        (cells.read_tier, "one", "bad_tier"),
        (cells.read_fte, "0", "bad_fte"),
        (cells.read_fte, "1.1", "bad_fte"),
        (cells.read_fte, "nan", "bad_fte"),
        (cells.read_fte, "1e-3", "bad_fte"),
        (cells.read_approved, "maybe", "bad_yes_no"),
        (cells.read_weekdays, "someday", "bad_weekday"),
        (cells.read_clock, "7", "bad_time"),
        (cells.read_clock, "07:60", "bad_time"),
        (cells.read_clock, "97:00", "bad_time"),
    ],
)
def test_refused(read: cells.Read, text: str, rule: str) -> None:
    with pytest.raises(BadCell) as caught:
        read(text)
    assert caught.value.rule == rule
    assert caught.value.reason


@given(st.dates(dt.date(1990, 1, 1), dt.date(2199, 12, 31)))
def test_every_date_in_range_is_read_back(date: dt.date) -> None:
    assert date_of(cells.read_date(date.isoformat())) == date


@given(st.text(max_size=12))
def test_every_reader_takes_any_text_or_refuses_it(text: str) -> None:
    for read in (
        cells.read_id, cells.read_name, cells.read_date, cells.read_heads, cells.read_tier, cells.read_fte,
        cells.read_approved, cells.read_weekdays, cells.read_clock,
    ):  # fmt: skip
        with contextlib.suppress(BadCell):
            read(text)


def test_a_column_is_converted_and_its_bad_cells_logged_by_row() -> None:
    column = pd.Series(pd.Categorical(["2", " 3 ", "x", "-1", "2", "x"]), index=[2, 3, 5, 6, 7, 9])
    log = FindingLog()
    values, good = cells.read_column(column, cells.read_heads, "int64", "demand.csv", "required", log)
    assert values.tolist() == [2, 3, 0, 0, 2, 0]
    assert good.tolist() == [True, True, False, False, True, False]
    assert [(one.rule, one.row, one.value) for one in log.findings()] == [
        ("bad_number", 5, "x"),
        ("bad_number", 9, "x"),
        ("negative_demand", 6, "-1"),
    ]
