"""Writes a filled-in example of our own workbook, which imports as it is.

Belongs here: the example's content and its looks. Does not belong here: the columns (own_workbook.py
is the one place that knows them), reading. All people are invented.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.formatting.rule import CellIsRule
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from resilience_assets.domain.days import date_of
from resilience_assets.domain.program import DEFAULT_SHIFTS, DEFAULT_SLOT_TYPES, clock_text
from resilience_assets.exchange.own_workbook import ROSTER, SHEETS
from resilience_assets.exchange.settled import save_settled

DAYS = 28
"""Dates in the example, from a Monday on."""
SLOTS = tuple(slot.code for slot in DEFAULT_SLOT_TYPES)

PEOPLE = (
    ("FAC-01", "Ada Whitlock", "faculty", 1.0, "Team A", "North"),
    ("FAC-02", "Bruno Castell", "faculty", 1.0, "Team B", "South"),
    ("FAC-03", "Celia Draycott", "faculty", 0.8, "Team A", "South"),
    ("FAC-04", "Dmitri Oakes", "faculty", 1.0, "Team B", "North"),
    ("PGY1-01", "Elsa Farrow", "PGY1", 1.0, "Team A", ""),
    ("PGY1-02", "Finn Gallow", "PGY1", 1.0, "Team B", ""),
    ("PGY1-03", "Greta Holm", "PGY1", 1.0, "Team A", ""),
    ("PGY2-01", "Hugo Ibbets", "PGY2", 1.0, "Team B", ""),
    ("PGY2-02", "Ines Jarrow", "PGY2", 1.0, "Team A", ""),
    ("PGY2-03", "Jonas Kettle", "PGY2", 1.0, "Team B", ""),
    ("PGY3-01", "Katya Lorne", "PGY3", 1.0, "Team A", ""),
    ("PGY3-02", "Leon Marsh", "PGY3", 1.0, "Team B", ""),
)
SERVICES = (
    ("ICU", "Intensive care", 1),
    ("WARD", "Medical ward", 1),
    ("CLINIC", "Continuity clinic", 3),
    ("DIDACTICS", "Teaching afternoon", 4),
)
POSTS = (
    ("ICU-FAC", "ICU", "faculty"), ("ICU-RES", "ICU", "resident"), ("WARD-RES", "WARD", "resident"),
    ("CLINIC-FAC", "CLINIC", "faculty"), ("CLINIC-RES", "CLINIC", "resident"),
    ("DIDACTICS-RES", "DIDACTICS", "resident"),
)  # fmt: skip
# needed and minimum by weekday from Monday
DEMAND: tuple[tuple[str, str, Sequence[int], Sequence[int]], ...] = (
    ("ICU-FAC", "AM", [1] * 7, [1] * 7), ("ICU-FAC", "PM", [1] * 7, [1] * 7),
    ("ICU-RES", "AM", [1] * 7, [1] * 7), ("ICU-RES", "PM", [1] * 7, [1] * 7), ("ICU-RES", "NIGHT", [1] * 7, [1] * 7),
    ("WARD-RES", "AM", [2] * 5 + [1] * 2, [1] * 7), ("WARD-RES", "PM", [2] * 5 + [1] * 2, [1] * 7),
    ("WARD-RES", "NIGHT", [0] * 5 + [1] * 2, [0] * 5 + [1] * 2),
    ("CLINIC-FAC", "AM", [1] * 5 + [0] * 2, [0] * 7), ("CLINIC-RES", "AM", [0, 1, 0, 1, 0, 0, 0], [0] * 7),
    ("DIDACTICS-RES", "PM", [0, 0, 2, 0, 0, 0, 0], [0] * 7),
)  # fmt: skip
LEGEND = (
    ("IA", "ICU-FAC", "", "", "intensive care, attending", "F4B183"),
    ("IC", "ICU-RES", "", "", "intensive care, resident", "F8CBAD"),
    ("WD", "WARD-RES", "", "", "ward", "9DC3E6"),
    ("CALL", "WARD-RES", "CALL24", "", "ward, 24 h call: written under AM, PM and NIGHT", "2E75B6"),
    ("CA", "CLINIC-FAC", "", "", "clinic, attending", "A9D18E"),
    ("CR", "CLINIC-RES", "", "", "clinic, resident", "C5E0B4"),
    ("TE", "DIDACTICS-RES", "", "", "teaching afternoon", "FFE699"),
    ("AV", "FREE", "", "", "at work and not needed: may step in at once", "E2F0D9"),
    ("PC", "REST", "", "", "after a night or a call: may not be called in", "D9D9D9"),
    ("EX", "ELSEWHERE", "", "", "at work outside the program", "D0CECE"),
    ("OFF", "OFF", "", "", "off, as a blank cell", "FFFFFF"),
    ("V", "", "", "vacation", "away for the whole date; absences may also stand on their own sheet", "FFB3B3"),
)
_ROLE_POSTS = {"faculty": ("ICU-FAC", "CLINIC-FAC"), "resident": ("ICU-RES", "WARD-RES", "CLINIC-RES", "DIDACTICS-RES")}

_HEADER = PatternFill("solid", fgColor="1F3864")
_WEEKEND = PatternFill("solid", fgColor="44546A")
_HEADER_FONT = Font(bold=True, color="FFFFFF")
_CENTRE = Alignment(horizontal="center", vertical="center")
_LINE = Side(style="thin", color="D9D9D9")
_DATE_LINE = Side(style="medium", color="8497B0")


def write_template(path: Path, today_day: int) -> None:
    """Write the example workbook, with four weeks of dates from the Monday of the week of `today_day` (epoch day).

    The same day gives the same bytes. OSError when the path cannot be written.
    """
    monday = today_day - (today_day + 3) % 7  # epoch day 0 was a Thursday
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    roster = book.create_sheet(ROSTER)
    for name, rows in _tables(monday).items():
        _write_table(book.create_sheet(name), name, rows)
    _colour_legend(book["Legend"])
    _write_roster(roster, monday)
    book.active = 0
    save_settled(book, path, date_of(today_day))


def _tables(monday: int) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of every table of the workbook, by sheet."""
    shifts = [(shift.code, shift.name, clock_text(shift.start), clock_text(shift.end)) for shift in DEFAULT_SHIFTS]
    return {
        "Program": [("example-medicine", "Example internal medicine", "America/New_York")],
        "Slots": [(slot.code, clock_text(slot.start), clock_text(slot.end)) for slot in DEFAULT_SLOT_TYPES],
        "Shifts": shifts,
        "Successions": [(before, after) for before in ("NIGHT", "CALL24") for after in ("AM", "DAY")],
        "People": [(*person, None, None) for person in PEOPLE],
        "Services": list(SERVICES),
        "Posts": list(POSTS),
        "Qualifications": [
            (person[0], post, None, None)
            for person in PEOPLE
            for post in _ROLE_POSTS["faculty" if person[2] == "faculty" else "resident"]
        ],
        "Demand": [(post, slot, *needed, *minimum, None, None) for post, slot, needed, minimum in DEMAND],
        "Legend": [entry[:5] for entry in LEGEND],
        "Absences": [
            ("PGY1-02", date_of(monday + 10), date_of(monday + 11), "vacation", "yes"),
            ("FAC-04", date_of(monday + 26), date_of(monday + 27), "conference", "no"),
        ],
    }


def codes_on(offset: int) -> Iterator[tuple[str, str, str]]:
    """(person, slot, code) of the example on the date `offset` days after its Monday.

    A fortnight that repeats; in the second week PGY1-02 is away on Thursday and Friday, PGY3-01
    steps in on Thursday, and on Friday the ward has one resident of the two needed.
    """
    week, weekday = offset // 7 % 2, offset % 7
    workday = weekday < 5
    icu_faculty, other = (("FAC-01", "FAC-02"), ("FAC-02", "FAC-01"))[week]
    yield from ((icu_faculty, slot, "IA") for slot in ("AM", "PM"))
    if weekday == 1:
        yield from ((other, slot, "EX") for slot in ("AM", "PM"))
    if workday:
        yield ("FAC-03" if weekday % 2 == 0 else "FAC-04", "AM", "CA")
        yield ("FAC-03" if weekday % 2 == 0 else "FAC-04", "PM", "AV")
    day_resident = (("PGY2-03", "PGY2-02"), ("PGY2-01", "PGY2-03"))[week][weekday >= 5]
    yield from ((day_resident, slot, "IC") for slot in ("AM", "PM"))
    yield ((("PGY2-01", "PGY3-01"), ("PGY2-02", "PGY3-02"))[week][weekday >= 4], "NIGHT", "IC")
    yield from _ward_codes(offset, week, weekday)
    if weekday == 2:
        yield from ((person, "PM", "TE") for person in ("PGY1-03", ("PGY3-01", "PGY3-02")[week]))


def _ward_codes(offset: int, week: int, weekday: int) -> Iterator[tuple[str, str, str]]:
    """Ward, clinic and rest after a call or the last night."""
    if weekday < 5:
        away = offset in (10, 11)
        second = [] if offset == 11 else ["PGY3-01"] if away else ["PGY1-02"]
        yield from ((person, slot, "WD") for person in ["PGY1-01", *second] for slot in ("AM", "PM"))
    if weekday in (1, 3):
        yield ("PGY1-03", "AM", "CR")
    if weekday >= 5:
        on_call = (("PGY3-02", "PGY1-03"), ("PGY1-01", "PGY1-03"))[week][weekday - 5]
        yield from ((on_call, slot, "CALL") for slot in SLOTS)
    after = {(0, 0): ("PGY3-02", "PGY1-03"), (1, 0): ("PGY3-01", "PGY1-03"), (0, 4): ("PGY2-01",), (1, 4): ("PGY2-02",),
             (0, 6): ("PGY3-02",), (1, 6): ("PGY1-01",)}  # fmt: skip
    yield from ((person, slot, "PC") for person in after.get((week, weekday), ()) for slot in ("AM", "PM"))


def _write_table(sheet: Worksheet, name: str, rows: list[tuple[Any, ...]]) -> None:
    """Headers, rows, and looks of one table."""
    headers = [one.header for one in SHEETS[name]]
    sheet.append(headers)
    for row in rows:
        sheet.append(list(row))
    for column, header in enumerate(headers, start=1):
        cell = sheet.cell(1, column)
        cell.fill, cell.font = _HEADER, _HEADER_FONT
        cell.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
        longest = max([len(header) if name != "Demand" else 9, *(len(str(row[column - 1] or "")) for row in rows)])
        sheet.column_dimensions[get_column_letter(column)].width = longest + 4
    for cells in sheet.iter_rows(min_row=2):
        for cell in cells:
            if isinstance(cell.value, dt.date):
                cell.number_format = "yyyy-mm-dd"
    sheet.row_dimensions[1].height = 32
    sheet.freeze_panes = "A2"
    sheet.sheet_properties.tabColor = "8497B0"


def _colour_legend(sheet: Worksheet) -> None:
    for row, entry in enumerate(LEGEND, start=2):
        cell = sheet.cell(row, 1)
        cell.fill, cell.font, cell.alignment = PatternFill("solid", fgColor=entry[5]), _code_font(entry[5]), _CENTRE


def _code_font(fill: str) -> Font:
    """Black on a light fill, white on a dark one."""
    light = sum(int(fill[i : i + 2], 16) for i in (0, 2, 4)) > 380
    return Font(bold=True, color="000000" if light else "FFFFFF")


def _write_roster(sheet: Worksheet, monday: int) -> None:
    """The grid: a row a person, a column a date and slot, codes from the legend."""
    rows = {person[0]: row for row, person in enumerate(PEOPLE, start=3)}
    for column, header in enumerate(("Person", "Name"), start=1):
        sheet.cell(1, column, header)
        sheet.merge_cells(start_row=1, end_row=2, start_column=column, end_column=column)
    for person in PEOPLE:
        sheet.cell(rows[person[0]], 1, person[0]).font = Font(bold=True)
        sheet.cell(rows[person[0]], 2, person[1])
    for offset in range(DAYS):
        first = 3 + offset * len(SLOTS)
        sheet.cell(1, first, date_of(monday + offset)).number_format = "ddd d mmm yyyy"
        sheet.merge_cells(start_row=1, end_row=1, start_column=first, end_column=first + len(SLOTS) - 1)
        for index, slot in enumerate(SLOTS):
            sheet.cell(2, first + index, slot)
        for person_id, slot, code in codes_on(offset):
            sheet.cell(rows[person_id], first + SLOTS.index(slot), code)
    _style_roster(sheet, len(PEOPLE))


def _style_roster(sheet: Worksheet, people: int) -> None:
    """Frozen names and dates, weekends darker, a colour a code that follows what is typed, codes from a list."""
    last = 2 + DAYS * len(SLOTS)
    for column in range(1, last + 1):
        offset, slot = divmod(column - 3, len(SLOTS))
        left = _DATE_LINE if slot == 0 or column < 3 else _LINE
        for row in range(1, people + 3):
            cell = sheet.cell(row, column)
            cell.border = Border(left=left, bottom=_LINE)
            if row <= 2:
                cell.fill, cell.font = (_WEEKEND if column >= 3 and offset % 7 >= 5 else _HEADER), _HEADER_FONT
            if row <= 2 or column >= 3:
                cell.alignment = _CENTRE
        sheet.column_dimensions[get_column_letter(column)].width = {1: 11, 2: 18}.get(column, 7.5)
    grid = f"C3:{get_column_letter(last)}{people + 2}"
    for entry in LEGEND:
        fill = PatternFill("solid", bgColor=entry[5])
        sheet.conditional_formatting.add(
            grid, CellIsRule(operator="equal", formula=[f'"{entry[0]}"'], fill=fill, font=_code_font(entry[5]))
        )
    codes = DataValidation(
        type="list", formula1=f"=Legend!$A$2:$A${len(LEGEND) + 1}", allow_blank=True, showErrorMessage=True
    )
    codes.error, codes.errorTitle = "Take a code of the sheet Legend, or add yours there first.", "Not in the legend"
    codes.errorStyle = "warning"
    sheet.add_data_validation(codes)
    codes.add(grid)
    sheet.freeze_panes = "C3"
    sheet.sheet_properties.tabColor = "C00000"
