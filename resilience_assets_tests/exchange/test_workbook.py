"""Workbooks end to end: our own layout with its mistakes, and other layouts by a mapping."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import openpyxl
import pytest

from resilience_assets.domain import states
from resilience_assets.domain.assembly import roster_from_tables
from resilience_assets.domain.days import date_of, day_of
from resilience_assets.domain.findings import Finding, Severity
from resilience_assets.exchange.source import SourceError, SourceRead
from resilience_assets.exchange.template import write_template
from resilience_assets.exchange.workbook import read_workbook

MAPPINGS = Path(__file__).resolve().parents[1] / "data" / "mappings"
WARD = (MAPPINGS / "ward.yaml").read_text(encoding="utf-8")
WARD_28 = (MAPPINGS / "ward_from_day_28.yaml").read_text(encoding="utf-8")
MONDAY = 20_528


@cache
def example() -> bytes:
    """The example workbook."""
    with TemporaryDirectory() as folder:
        write_template(Path(folder) / "roster.xlsx", MONDAY)
        return (Path(folder) / "roster.xlsx").read_bytes()


def changed(tmp_path: Path, change: Callable[[openpyxl.Workbook], None]) -> SourceRead:
    """The example workbook read again after a change."""
    path = tmp_path / "roster.xlsx"
    path.write_bytes(example())
    book = openpyxl.load_workbook(path)
    change(book)
    book.save(path)
    return read_workbook(path)


def setting(sheet: str, **cells: Any) -> Callable[[openpyxl.Workbook], None]:
    def change(book: openpyxl.Workbook) -> None:
        for where, value in cells.items():
            book[sheet][where] = value

    return change


def said(findings: list[Finding]) -> list[tuple[str, str, str]]:
    return [(one.rule, one.file.partition("#")[2], one.column) for one in findings]


# our own layout


@pytest.mark.parametrize(
    ("sheet", "cells", "rule", "where"),
    [
        ("Program", {"C2": "Somewhere"}, "bad_program", "A2"),
        ("Program", {"A3": "second", "C3": "UTC"}, "one_program", "A3"),
        ("Slots", {"B2": "7 am"}, "bad_time", "B2"),
        ("People", {"A14": "FAC-01", "C14": "faculty"}, "duplicate_person", "A14"),
        ("People", {"D2": 0}, "bad_fte", "D2"),
        ("People", {"B2": "'=HYPERLINK(\"x\")"[1:]}, "unreadable_cell", "B2"),
        ("People", {"B2": "@SUM(A1)"}, "formula_text", "B2"),
        ("People", {"I1": "Patient MRN"}, "patient_data", "I1"),
        ("People", {"G2": dt.date(2026, 5, 1), "H2": dt.date(2026, 4, 1)}, "reversed_period", "H2"),
        ("Services", {"C3": 9}, "bad_tier", "C3"),
        ("Posts", {"B2": "ICCU"}, "unknown_service", "B2"),
        ("Posts", {"A8": "REST", "B8": "ICU", "C8": "x"}, "reserved_word", "A8"),
        ("Successions", {"A2": "LATE"}, "unknown_shift", "A2"),
        ("Demand", {"A2": "NOWHERE"}, "unknown_post", "A2"),
        ("Qualifications", {"A2": "FAC-99"}, "unknown_person", "A2"),
        ("Qualifications", {"B2": "NOWHERE"}, "unknown_post", "B2"),
        ("Demand", {"B2": "EVENING"}, "unknown_slot", "B2"),
        ("Demand", {"C2": -1}, "negative_demand", "C2"),
        ("Demand", {"J2": 2}, "minimum_above_required", "J2"),
        ("Demand", {"A3": "ICU-FAC", "B3": "AM"}, "overlapping_rules", "A3"),
        ("Legend", {"A3": "IA"}, "duplicate_code", "A3"),
        ("Legend", {"B2": "ICU-XXX"}, "unknown_post", "B2"),
        ("Legend", {"C2": "LATE"}, "unknown_shift", "C2"),
        ("Legend", {"D2": "sick"}, "two_meanings", "D2"),
        ("Absences", {"B2": dt.date(9999, 12, 31)}, "bad_date", "B2"),
        ("Absences", {"C2": dt.date(2020, 1, 1)}, "reversed_period", "C2"),
        ("Absences", {"A2": "PGY9-01"}, "unknown_person", "A2"),
        ("Roster", {"A4": "FAC-01"}, "duplicate_person", "A4"),
        ("Roster", {"A4": "FAC-22"}, "unknown_person", "A4"),
        ("Roster", {"A4": ""}, "missing_person", "A4"),
        ("Roster", {"A1": "Who"}, "missing_column", ""),
        ("Roster", {"F1": dt.date(9999, 1, 1)}, "bad_date", "F1"),
        ("Roster", {"F1": "3 March"}, "bad_date", "F1"),
        ("Roster", {"C1": "3 March"}, "bad_date", "C1"),
        ("Roster", {"C1": None}, "bad_date", "C1"),
        ("Roster", {"F1": date_of(MONDAY)}, "bad_date", "F1"),
        ("Roster", {"D2": "EVE"}, "unknown_slot", "D2"),
    ],
)  # fmt: skip
def test_a_mistake_refuses_the_workbook_and_names_its_cell(
    sheet: str, cells: dict[str, Any], rule: str, where: str, tmp_path: Path
) -> None:
    read = changed(tmp_path, setting(sheet, **cells))
    assert read.refused(allow_unknown=True)
    assert (rule, sheet, where) in said(read.findings)
    errors = [one for one in read.findings if one.severity == Severity.ERROR]
    assert {one.rule for one in errors} == {rule}, "one mistake is told once"


@pytest.mark.parametrize("sheet", ["Program", "People", "Services", "Posts", "Legend", "Roster"])
def test_a_missing_sheet_is_named(sheet: str, tmp_path: Path) -> None:
    read = changed(tmp_path, lambda book: book.remove(book[sheet]))
    assert read.refused()
    assert [one.value for one in read.findings if one.rule == "missing_sheet"] == [sheet]


@pytest.mark.parametrize("sheet", ["Slots", "Successions", "Qualifications", "Demand", "Absences"])
def test_other_sheets_may_be_missing(sheet: str, tmp_path: Path) -> None:
    read = changed(tmp_path, lambda book: book.remove(book[sheet]))
    assert read.findings == []
    assert (read.tables.qualifications is None) == (sheet == "Qualifications")
    assert (read.tables.demand_rules is None) == (sheet == "Demand")
    assert (read.tables.absences is None) == (sheet == "Absences")


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    read = changed(tmp_path, setting("Services", C1="Level"))
    rules = {(one.rule, one.value) for one in read.findings}
    assert {("missing_column", "Tier"), ("unknown_column", "Level")} <= rules
    assert read.refused()


def test_columns_may_be_moved_and_unknown_ones_are_a_warning(tmp_path: Path) -> None:
    def change(book: openpyxl.Workbook) -> None:
        book["People"].insert_cols(1)
        book["People"]["A1"] = "Shoe size"
        book["Roster"]["B1"] = "Nickname"

    read = changed(tmp_path, change)
    assert said(read.findings) == [("unknown_column", "People", "A1")]
    assert not read.refused()


def test_an_unknown_code_is_grey_and_refused_unless_allowed(tmp_path: Path) -> None:
    read = changed(tmp_path, setting("Roster", C3="??"))
    assert said(read.findings) == [("unknown_code", "Roster", "C3")]
    assert read.findings[0].row == 3
    assert read.refused()
    assert not read.refused(allow_unknown=True)
    roster, _ = roster_from_tables(read.tables)
    assert roster.state[0, 0] == states.UNKNOWN
    assert int(np.minimum(roster.filled(), roster.required).sum()) == 278 - 1


def test_exceptions_and_absences_in_the_grid_are_read(tmp_path: Path) -> None:
    def change(book: openpyxl.Workbook) -> None:
        sheet = book.create_sheet("Exceptions")
        sheet.append(["Post", "Date", "Slot", "Needed", "Minimum"])
        sheet.append(["ICU-FAC", date_of(MONDAY + 1), "AM", 0, None])
        for where in ("C14", "D14", "E14"):
            book["Roster"][where] = "V"

    read = changed(tmp_path, change)
    assert read.findings == []
    assert read.tables.demand is not None
    assert read.tables.absences is not None
    assert read.tables.demand[["post", "day", "slot", "required", "minimum"]].to_numpy().tolist() == [
        ["ICU-FAC", MONDAY + 1, "AM", 0, 0]
    ]
    away = read.tables.absences.iloc[-1]
    assert (away["person"], away["first"], away["last"], away["kind"], away["column"]) == (
        "PGY3-02",
        MONDAY,
        MONDAY,
        "vacation",
        "C14",
    )


def test_a_blank_row_separates_and_another_sheet_is_only_noted(tmp_path: Path) -> None:
    def change(book: openpyxl.Workbook) -> None:
        book["Roster"].insert_rows(7)
        book.create_sheet("Notes")["A1"] = "anything"

    read = changed(tmp_path, change)
    assert [one.severity for one in read.findings if one.rule == "unknown_sheet"] == [Severity.NOTE]
    assert not read.refused()
    assert read.counts["people"] == 12


def test_the_program_asked_for_must_be_the_one_named(tmp_path: Path) -> None:
    write_template(tmp_path / "b.xlsx", MONDAY)
    assert read_workbook(tmp_path / "b.xlsx", program="example-medicine").findings == []
    read = read_workbook(tmp_path / "b.xlsx", program="other")
    assert said(read.findings) == [("other_program", "Program", "A2")]


def test_a_workbook_of_another_layout_asks_for_a_mapping(tmp_path: Path) -> None:
    openpyxl.Workbook().save(tmp_path / "b.xlsx")
    with pytest.raises(SourceError, match="--mapping"):
        read_workbook(tmp_path / "b.xlsx")


def test_rows_keep_where_they_come_from(tmp_path: Path) -> None:
    write_template(tmp_path / "b.xlsx", MONDAY)
    tables = read_workbook(tmp_path / "b.xlsx").tables
    grid = openpyxl.load_workbook(tmp_path / "b.xlsx")["Roster"]
    assert tables.assignments is not None
    legend = {
        row[0].value: row[1].value for row in openpyxl.load_workbook(tmp_path / "b.xlsx")["Legend"].iter_rows(min_row=2)
    }
    for row in tables.assignments.itertuples():
        assert row.file == "b.xlsx#Roster"
        assert legend[grid[row.column].value] == row.post
        assert grid.cell(row.row, 1).value == row.person


# other layouts


def grid_book(
    path: Path, rows: list[list[Any]], people: list[list[Any]] | None = None, merges: tuple[str, ...] = ()
) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "plan"
    for row in rows:
        sheet.append(row)
    for merge in merges:
        sheet.merge_cells(merge)
    if people is not None:
        staff = book.create_sheet("staff")
        for row in people:
            staff.append(row)
    book.save(path)
    return path


SMALL = """
program: {id: unit, time_zone: UTC}
slots: [{code: DAY, from: "07:00", to: "19:00"}, {code: NIGHT, from: "19:00", to: "07:00"}]
grid: {sheet: plan, skip: ["total.*"]}
names: [{pattern: 'worker\\s*(?P<n>[0-9]+)', id: "W-{n:2}"}]
services: [{id: care}]
posts: [{id: CARE, service: care, role: staff, demand: [{slots: [DAY], needed: 1}]}]
legend:
  D: {post: CARE, shift: DAY}
  N: {post: CARE, shift: NIGHT}
  U: {away: leave}
"""
TITLE = ["Plan", "for March 2026"]
DATES = ["", *range(1, 11), "hours"]
MONTH = (
    'grid: {sheet: plan, skip: ["total.*"], month: {pattern: "(?P<month>March) (?P<year>[0-9]{4})", names: {march: 3}}}'
)
WITH_MONTH = SMALL.replace('grid: {sheet: plan, skip: ["total.*"]}', MONTH)
FIRST = day_of(dt.date(2026, 3, 1))


def test_a_grid_with_its_month_in_the_title(tmp_path: Path) -> None:
    rows = [
        TITLE,
        DATES,
        ["Worker 1", "D", "N", "", "U", "U"],
        [],
        ["worker02", "", "D", *[""] * 8, 120],
        ["Total", 1, 2],
    ]
    read = read_workbook(grid_book(tmp_path / "b.xlsx", rows), mapping=WITH_MONTH)
    assert read.findings == []
    assert read.tables.dates == (FIRST, FIRST + 9)
    assert read.tables.people is not None
    assert read.tables.assignments is not None
    assert read.tables.people["person"].tolist() == ["W-01", "W-02"]
    wanted = [["W-01", FIRST, "DAY", "CARE"], ["W-01", FIRST + 1, "NIGHT", "CARE"], ["W-02", FIRST + 1, "DAY", "CARE"]]
    assert read.tables.assignments[["person", "day", "shift", "post"]].to_numpy().tolist() == wanted


def test_the_start_date_takes_the_place_of_a_month(tmp_path: Path) -> None:
    path = grid_book(tmp_path / "b.xlsx", [DATES, ["Worker 1", "D"]])
    assert read_workbook(path, mapping=SMALL, start_day=FIRST).tables.dates == (FIRST, FIRST + 9)
    with pytest.raises(SourceError, match="give --start"):
        read_workbook(path, mapping=SMALL)
    with pytest.raises(SourceError, match="begins on a day 1, the start date given is 2026-03-02") as caught:
        read_workbook(path, mapping=SMALL, start_day=FIRST + 1)
    assert caught.value.findings[0].column == "B1"


def test_one_mapping_serves_several_programs(tmp_path: Path) -> None:
    path = grid_book(tmp_path / "b.xlsx", [DATES, ["Worker 1", "D"]])
    one = read_workbook(path, mapping=SMALL, start_day=FIRST)
    other = read_workbook(path, mapping=SMALL, start_day=FIRST, program="unit-2")
    assert other.tables.program is not None
    assert other.tables.program.id == "unit-2"
    assert one.content_hash != other.content_hash
    assert one.content_hash == read_workbook(path, mapping=SMALL, start_day=FIRST).content_hash


@pytest.mark.parametrize(
    ("rows", "rule", "where", "severity"),
    [
        ([DATES, ["Worker 1", "D", "N/D"]], "unknown_code", "C2", "unreadable"),
        ([DATES, ["Worker 1", "D"], ["worker1", "N"]], "duplicate_person", "A3", "error"),
        ([DATES, ["Somebody", "D"]], "unknown_name", "A2", "unreadable"),
        ([DATES, ["Worker 1", "D"], ["", "N"]], "missing_person", "A3", "unreadable"),
        ([DATES, ["Worker 1", "=1+1"]], "unreadable_cell", "B2", "unreadable"),
        ([["", *range(1, 9), "x", *range(10, 15)], ["Worker 1", "D"]], "bad_date", "J1", "error"),
        ([["", *range(1, 9), 8, *range(9, 12)], ["Worker 1", "D"]], "bad_date", "J1", "unreadable"),
    ],
)
def test_what_is_not_understood_is_found_with_its_cell(
    rows: list[list[Any]], rule: str, where: str, severity: str, tmp_path: Path
) -> None:
    read = read_workbook(grid_book(tmp_path / "b.xlsx", rows), mapping=SMALL, start_day=FIRST)
    assert [(one.rule, one.column, str(one.severity), one.file) for one in read.findings] == [
        (rule, where, severity, "b.xlsx#plan")
    ]


@pytest.mark.parametrize(("rows", "rule"), [([["a", "b"]], "missing_dates"), ([], "missing_dates")])
def test_a_grid_without_dates_is_refused(rows: list[list[Any]], rule: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        read_workbook(grid_book(tmp_path / "b.xlsx", rows), mapping=SMALL)
    assert [one.rule for one in caught.value.findings] == [rule]


def test_a_missing_sheet_of_the_mapping_is_named(tmp_path: Path) -> None:
    path = grid_book(tmp_path / "b.xlsx", [DATES])
    with pytest.raises(SourceError, match="reads a sheet 'roster'; here are plan"):
        read_workbook(path, mapping=SMALL.replace("sheet: plan", "sheet: roster"))


PEOPLE = SMALL + "people: {sheet: staff, name: Who, role: Job, fte: Share, roles: {N: nurse}}\n"


@pytest.mark.parametrize(
    ("people", "rule", "where"),
    [
        ([["Who", "Job", "Share"], ["Worker 1", "X", 1]], "unknown_role", "staff!B2"),
        ([["Who", "Job", "Share"], ["Worker 1", "N", 7]], "bad_fte", "staff!C2"),
        ([["Who", "Job"], ["Worker 1", "N"]], "missing_column", "staff!"),
        ([["Who", "Job", "Share"], ["Worker 1", "N", 1], ["worker 01", "N", 1]], "duplicate_person", "staff!A3"),
        ([["Who", "Job", "Share"], ["Worker 2", "N", 1]], "unknown_person", "plan!A2"),
        ([["Who", "Job", "Share", "Diagnosis"], ["Worker 1", "N", 1]], "patient_data", "staff!D1"),
    ],
)
def test_a_mistake_on_the_sheet_of_people_is_found(
    people: list[list[Any]], rule: str, where: str, tmp_path: Path
) -> None:
    read = read_workbook(
        grid_book(tmp_path / "b.xlsx", [DATES, ["Worker 1", "D"]], people), mapping=PEOPLE, start_day=FIRST
    )
    assert (rule, where) in [(one.rule, f"{one.file.partition('#')[2]}!{one.column}") for one in read.findings]
    assert read.refused(allow_unknown=True)


def test_somebody_without_a_row_is_a_warning(tmp_path: Path) -> None:
    people = [["Who", "Job", "Share", "Shoe size"], ["Worker 1", "N", 0.5], ["Worker 2", "N", 1]]
    read = read_workbook(
        grid_book(tmp_path / "b.xlsx", [DATES, ["Worker 1", "D"]], people), mapping=PEOPLE, start_day=FIRST
    )
    assert [(one.rule, one.severity, one.row) for one in read.findings] == [("missing_row", Severity.WARNING, 3)]
    assert read.tables.people is not None
    assert read.tables.people["fte"].tolist() == [0.5, 1.0]


def test_half_days_under_merged_dates(tmp_path: Path) -> None:
    """Dates merged over two columns each, the slots named below, a leave merged over three dates."""
    dates = [value for day in range(2, 9) for value in (dt.date(2026, 3, day), "")]
    rows = [["Block 9"], ["", *dates], ["", *["am", "pm"] * 7], ["Worker 1", "D", "", "U", "", "", "", "", "", "", "D"]]
    merges = ("A1:O1", *(f"{chr(66 + 2 * i)}2:{chr(67 + 2 * i)}2" for i in range(7)), "D4:I4")
    mapping = SMALL.replace('skip: ["total.*"]', "dates: {slot_row: 3, slots: {am: DAY, pm: NIGHT}}")
    mapping = mapping.replace("D: {post: CARE, shift: DAY}", "D: {post: CARE}")
    read = read_workbook(grid_book(tmp_path / "b.xlsx", rows, merges=merges), mapping=mapping)
    assert read.findings == []
    assert read.tables.assignments is not None
    assert read.tables.absences is not None
    assert read.tables.assignments[["day", "shift"]].to_numpy().tolist() == [[FIRST + 1, "DAY"], [FIRST + 5, "NIGHT"]]
    assert read.tables.absences[["first", "last"]].to_numpy().tolist() == [[FIRST + 2, FIRST + 4]]


def test_a_colour_may_carry_the_meaning(tmp_path: Path) -> None:
    path = grid_book(tmp_path / "b.xlsx", [DATES, ["Worker 1", "", "D", ""]])
    book = openpyxl.load_workbook(path)
    for where in ("B2", "C2"):
        book["plan"][where].fill = openpyxl.styles.PatternFill("solid", fgColor="FFC60000")
    book.save(path)
    read = read_workbook(path, mapping=SMALL + "colours: {c60000: {away: sick}}\n", start_day=FIRST)
    assert read.findings == []
    assert read.tables.absences is not None
    assert read.tables.absences[["first", "last", "kind"]].to_numpy().tolist() == [[FIRST, FIRST, "sick"]]
    assert read.counts["assignments"] == 1


# real wards, where they are at hand


def independent_count(path: Path, first_row: int, columns: int) -> Counter[str]:
    """Codes of a real grid, cell by cell with the other library."""
    sheet = openpyxl.load_workbook(path)["grafik"]
    cells = (sheet.cell(row, column).value for row in range(first_row, 31) for column in range(2, columns + 2))
    return Counter(str(value).strip() for value in cells if value is not None and str(value).strip())


def test_the_ward_plan_of_march_2021(shared_data: Path) -> None:
    path = shared_data / "ward-march-2021" / "marzec_2021_wersja_bazowa.xlsx"
    read = read_workbook(path, mapping=WARD)
    assert read.findings == []
    codes = independent_count(path, 6, 31)
    away = codes.pop("U")
    assert sum(codes.values()) - codes["P1"] == 319
    assert codes["P1"] == 3
    tables = read.tables
    assert tables.people is not None
    assert tables.assignments is not None
    assert tables.absences is not None
    assert Counter(tables.assignments["shift"]) == codes
    assert read.counts == {
        "people": 24,
        "services": 1,
        "posts": 1,
        "qualifications": 24,
        "demand_rules": 14,
        "assignments": 322,
        "absences": 4,
    }
    assert Counter(tables.people["role"]) == {"carer": 14, "nurse": 10}
    assert int((tables.absences["last"] - tables.absences["first"] + 1).sum()) == away == 49
    assert tables.dates == (day_of(dt.date(2021, 3, 1)), day_of(dt.date(2021, 3, 31)))


def test_coverage_of_the_ward_plan(shared_data: Path) -> None:
    """Day cover 5 to 8 and night cover 4 to 5, as the ward's own description says, counted cell by cell here."""
    path = shared_data / "ward-march-2021" / "marzec_2021_wersja_bazowa.xlsx"
    roster, findings = roster_from_tables(read_workbook(path, mapping=WARD).tables)
    assert findings == []
    sheet = openpyxl.load_workbook(path)["grafik"]
    filled = roster.filled()[0].reshape(31, 2)
    for day in range(31):
        codes = [str(sheet.cell(row, 2 + day).value or "").strip() for row in range(6, 30)]
        by_day = sum(code in ("D", "DN", "R", "RP", "P1") for code in codes)
        by_night = sum(code in ("N", "DN", "PN") for code in codes)
        assert filled[day].tolist() == [by_day, by_night]
    assert (filled.min(axis=0).tolist(), filled.max(axis=0).tolist()) == ([5, 4], [8, 5])
    assert int(roster.required.sum()) == 31 * (5 + 4)
    assert (roster.filled() >= roster.minimum).all()


def test_the_ward_that_begins_on_day_28(shared_data: Path) -> None:
    path = shared_data / "ward-march-2021" / "example_november_2020.xlsx"
    read = read_workbook(path, mapping=WARD_28)
    assert read.findings == []
    codes = independent_count(path, 6, 34)
    tables = read.tables
    assert tables.assignments is not None
    assert tables.absences is not None
    days = (tables.absences["last"] - tables.absences["first"] + 1).groupby(tables.absences["kind"]).sum().to_dict()
    assert days == {"holiday": codes.pop("U"), "sick": codes.pop("L4")}
    assert Counter(tables.assignments["shift"]) == codes
    assert tables.dates == (day_of(dt.date(2020, 10, 28)), day_of(dt.date(2020, 11, 30)))


def test_the_31st_of_november_is_found_where_the_dates_are_not_pinned(shared_data: Path) -> None:
    path = shared_data / "ward-march-2021" / "example_november_2020.xlsx"
    read = read_workbook(path, mapping=WARD_28.replace("dates: {row: 2, from: B, to: AI}", "dates: {}"))
    assert [(one.rule, one.row, one.column, one.value) for one in read.findings] == [("bad_date", 2, "AJ2", "31")]
    assert read.tables.dates == (day_of(dt.date(2020, 10, 28)), day_of(dt.date(2020, 11, 30)))
