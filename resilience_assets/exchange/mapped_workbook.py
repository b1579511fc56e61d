"""Workbooks in somebody's own layout, read by a grid mapping.

Belongs here: what a mapping (mapping.py) leads to on the sheets. Does not belong here: reading the
mapping, what a cell means (grid.py), our own layout (own_workbook.py).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from resilience_assets.domain.days import OPEN_END, OPEN_START, date_of
from resilience_assets.domain.findings import Severity
from resilience_assets.domain.program import Program
from resilience_assets.domain.tables import RosterTables, frame
from resilience_assets.exchange import csv_cells as cells
from resilience_assets.exchange.cell_colours import cell_colours
from resilience_assets.exchange.finding_log import FindingLog
from resilience_assets.exchange.grid import (
    DayRun,
    GridColumn,
    GridKey,
    GridRows,
    Meaning,
    dated_columns,
    find_run,
    month_in,
    person_id,
    read_person,
)
from resilience_assets.exchange.mapping import WEEKDAYS, DatesPart, GridMapping, PeoplePart
from resilience_assets.exchange.sheet_table import Field, SheetTable, read_sheet_table
from resilience_assets.exchange.sheets import Sheet, WorkbookFile, address, column_number
from resilience_assets.exchange.source import source_error

People = dict[str, dict[str, Any]]
"""Rows of the frame of people by person id, with `said`: the name as it is spelled."""


@dataclass(frozen=True)
class MappedRead:
    """One workbook being read by a mapping: the grid's sheet, the program, where findings go."""

    book: WorkbookFile
    mapping: GridMapping
    sheet: Sheet
    program: Program
    log: FindingLog

    def found(self, severity: Severity, rule: str, reason: str, row: int, column: int) -> None:
        """A finding about one cell of the grid's sheet."""
        said = self.sheet.text(row, column)
        self.log.add(severity, rule, reason, self.sheet.file, row + 1, address(row, column), said)


def read_mapped_workbook(
    book: WorkbookFile,
    mapping: GridMapping,
    log: FindingLog,
    *,
    program: str | None = None,
    start_day: int | None = None,
) -> RosterTables:
    """Frames of a workbook read by a mapping.

    `program` takes the place of the mapping's program id (one mapping serves several programs in
    one layout); `start_day` is the epoch day of the first date column, where day numbers stand
    without a month. Raises SourceError when the sheet, its dates or their month cannot be found.
    """
    wanted = mapping.grid.sheet
    sheet = book.sheet(wanted)
    if sheet is None:
        reason = f"the mapping reads a sheet {wanted!r}; here are {', '.join(book.sheets)}"
        raise source_error("missing_sheet", reason, file=book.name, value=wanted)
    read = MappedRead(book, mapping, sheet, mapping.as_program(program), log)
    header_row, columns = _dates(read, start_day)
    people = _people(read)
    grid = _grid(read, header_row, columns, people)
    rows = {
        "people": list(people.values()),
        "services": [{"service": one.id, "name": one.name or one.id, "tier": one.tier} for one in mapping.services],
        "posts": [{"post": one.id, "service": one.service, "role": one.role} for one in mapping.posts],
        "qualifications": _qualifications(mapping, people),
        "demand_rules": _demand_rules(mapping),
        "assignments": grid.assignments,
        "absences": grid.absences,
    }
    days = [place.day for place in columns]
    frames = {kind: frame(kind, part) for kind, part in rows.items()}
    return RosterTables(program=read.program, dates=(min(days), max(days)), **frames)


def _dates(read: MappedRead, start_day: int | None) -> tuple[int, list[GridColumn]]:
    """Row of the dates (from 0), and the date columns, with slots where the mapping names a row of slots."""
    said = read.mapping.grid.dates
    sheet = _between(read.sheet, said)
    run = find_run(sheet, said.least, row=None if said.row is None else said.row - 1)
    if run is None:
        where = f"in row {said.row}" if said.row else "on the sheet"
        reason = f"no run of {said.least} or more consecutive days {where}; pin it with grid.dates"
        raise source_error("missing_dates", reason, file=sheet.file, row=said.row)
    _find_breaks(read, sheet, run)
    month, first = _month(read, run), run.headers[0]
    if isinstance(first.says, int) and start_day is not None and date_of(start_day).day != first.says:
        reason = f"the grid begins on a day {first.says}, the start date given is {date_of(start_day).isoformat()}"
        where = address(run.row, first.column)
        raise source_error("bad_start", reason, file=sheet.file, row=run.row + 1, column=where, value=str(first.says))
    if isinstance(first.says, int) and start_day is None and month is None:
        reason = (
            "the day numbers have no month: give --start with the date of the first column, or name it in the mapping"
        )
        raise source_error("missing_month", reason, file=sheet.file, row=run.row + 1)
    columns = _each_once(
        read, run, _with_slots(read, dated_columns(sheet, run, read.log, month=month, start_day=start_day))
    )
    if not columns:
        raise source_error("missing_dates", "no column of the grid has a date that can be read", file=sheet.file)
    return run.row, columns


def _between(sheet: Sheet, said: DatesPart) -> Sheet:
    """The sheet with all columns blank that the mapping keeps out of the dates."""
    low = column_number(said.first_column) if said.first_column else 0
    high = column_number(said.last_column) if said.last_column else sheet.width
    values = [[value if low <= column <= high else "" for column, value in enumerate(row)] for row in sheet.values]
    return Sheet(sheet.file, values, sheet.merged, sheet.unread)


def _find_breaks(read: MappedRead, sheet: Sheet, run: DayRun) -> None:
    """A day beside the run, cut off from it by a header that is no day, must not be lost without a word."""
    inside = {header.column for header in run.headers}
    rest = [["" if column in inside else value for column, value in enumerate(row)] for row in sheet.values]
    other = find_run(Sheet(sheet.file, rest), 2, row=run.row)
    if other is not None:
        onward = other.headers[0].column
        at = max(inside) + 1 if onward > max(inside) else min(inside) - 1
        reason = f"the run of days breaks off here and goes on at {address(run.row, onward)}"
        read.found(
            Severity.ERROR, "bad_date", f"{reason}; correct this header, or pin grid.dates from and to", run.row, at
        )


def _month(read: MappedRead, run: DayRun) -> tuple[int, int] | None:
    """The month that the mapping fixes or that the rows above the dates say."""
    said, sheet = read.mapping.grid.month, read.sheet
    if said.pattern is None:
        return said.year_month()
    cells_above = (sheet.text(row, column) for row in range(run.row + 1) for column in range(sheet.width))
    return month_in(" ".join(text for text in cells_above if text), said.pattern, said.names) or said.year_month()


def _with_slots(read: MappedRead, columns: list[GridColumn]) -> list[GridColumn]:
    """Columns with the slots that the mapping's row of slots names; a column without one is found and left out."""
    said = read.mapping.grid.dates
    if said.slot_row is None:
        return columns
    index = {slot.code: i for i, slot in enumerate(read.program.slot_types)}
    names = {code.casefold(): i for code, i in index.items()}
    names |= {name.casefold(): index[code] for name, code in said.slots.items()}
    out = []
    for place in columns:
        slot = names.get(read.sheet.text(said.slot_row - 1, place.column).casefold())
        if slot is None:
            reason = "no such slot in the mapping; its column is not read"
            read.found(Severity.UNREADABLE, "unknown_slot", reason, said.slot_row - 1, place.column)
        else:
            out.append(GridColumn(place.column, place.day, slot))
    return out


def _each_once(read: MappedRead, run: DayRun, columns: list[GridColumn]) -> list[GridColumn]:
    """The first column of each date and slot; a further one is found."""
    first: dict[tuple[int, int | None], GridColumn] = {}
    for place in columns:
        if first.setdefault((place.day, place.slot), place) is not place:
            reason = f"{date_of(place.day).isoformat()} has a column already; this one is not read"
            read.found(Severity.UNREADABLE, "bad_date", reason, run.row, place.column)
    return list(first.values())


def _people(read: MappedRead) -> People:
    """People of the mapping's sheet of people, by id; empty when it has none."""
    said, log = read.mapping.people, read.log
    if said is None:
        return {}
    sheet = read.book.sheet(said.sheet)
    if sheet is None:
        reason = f"the mapping reads people from a sheet {said.sheet!r}"
        log.add(Severity.ERROR, "missing_sheet", reason, read.book.name, None, "", said.sheet)
        return {}
    table = read_sheet_table(sheet, _people_fields(said), log, header_row=said.header_row - 1, extra=True)
    people: People = {}
    for row in table.rows:
        found = _identified(row["name"], read.mapping)
        if found is None:
            table.refuse(log, row, "name", "unknown_name", "no naming scheme of the mapping fits this name")
        elif found[0] in people:
            reason = f"row {people[found[0]]['row']} is the same person ({found[0]}); keep one row"
            table.refuse(log, row, "name", "duplicate_person", reason)
        else:
            people[found[0]] = _person(row, found, read.mapping, _role(table, row, said, log))
    return people


def _people_fields(said: PeoplePart) -> list[Field]:
    optional = [("role", said.role, cells.read_optional_id), ("fte", said.fte, cells.read_fte)]
    optional += [("team", said.team, cells.read_optional_id), ("home_region", said.home_region, cells.read_optional_id)]
    return [
        Field(said.name, "name", cells.read_name),
        *(Field(header, key, read) for key, header, read in optional if header),
    ]


def _identified(name: str, mapping: GridMapping) -> tuple[str, str] | None:
    """Id and role of a name by the naming schemes; without any the name is the id."""
    rules = mapping.name_rules()
    return person_id(name, rules) if rules else (name, "")


def _role(table: SheetTable, row: dict[str, Any], said: PeoplePart, log: FindingLog) -> str:
    """The role that a row says, translated; one without a translation is found."""
    role = str(row.get("role", ""))
    if not said.roles or not role:
        return role
    if role not in said.roles:
        table.refuse(log, row, "role", "unknown_role", f"the mapping translates only {', '.join(said.roles)}")
    return said.roles.get(role, role)


def _person(row: dict[str, Any], found: tuple[str, str], mapping: GridMapping, role: str) -> dict[str, Any]:
    return {
        "person": found[0],
        "name": row["name"],
        "role": role or found[1] or mapping.default_role,
        "fte": row.get("fte", 1.0),
        "team": row.get("team", ""),
        "home_region": row.get("home_region", ""),
        "starts": OPEN_START,
        "ends": OPEN_END,
        "file": row["file"],
        "row": row["row"],
        "column": row["column"],
    }


def _grid(read: MappedRead, header_row: int, columns: Sequence[GridColumn], people: People) -> GridRows:
    """All rows of people below the dates. Without a sheet of people those of the grid are added to `people`."""
    said, sheet = read.mapping.grid, read.sheet
    legend = {code: part.meaning() for code, part in read.mapping.legend.items()}
    key = GridKey(sheet, read.program, legend, read.log, said.marks, _colours(read.book, read.mapping))
    names = column_number(said.names)
    out, seen = GridRows(), dict[str, int]()
    for row in range(max(header_row + 1, said.dates.slot_row or 0), min(said.last_row or sheet.height, sheet.height)):
        name = sheet.text(row, names)
        filled = any(sheet.text(row, place.column) for place in columns)
        if (not name and not filled) or any(re.fullmatch(pattern, name, re.IGNORECASE) for pattern in said.skip):
            continue
        person = _row_person(read, row, names, people, seen)
        if person is not None:
            seen[person] = row + 1
            out.add(read_person(key, row, person, columns))
    for person in sorted(people.keys() - seen.keys()):
        where = people[person]
        reason = f"{person} has no row in the grid of sheet {said.sheet}"
        read.log.add(Severity.WARNING, "missing_row", reason, where["file"], where["row"])
    return out


def _row_person(read: MappedRead, row: int, names: int, people: People, seen: dict[str, int]) -> str | None:
    """The person of a row; None, and a finding, where there is none."""
    name = read.sheet.text(row, names)
    found = _identified(name, read.mapping) if name else None
    if found is None:
        reason = "no naming scheme of the mapping fits this name; add one, or a pattern to grid.skip"
        rule, reason = ("unknown_name", reason) if name else ("missing_person", "the row has codes but no name")
        read.found(Severity.UNREADABLE, rule, f"{reason}; the row is not read", row, names)
    elif found[0] in seen:
        reason = f"row {seen[found[0]]} is the same person ({found[0]}); keep one row"
        read.found(Severity.ERROR, "duplicate_person", reason, row, names)
    elif found[0] in people:
        return found[0]
    elif read.mapping.people is not None:
        read.found(Severity.ERROR, "unknown_person", f"{found[0]} is not on the sheet of people", row, names)
    else:
        try:
            record = {
                "name": cells.read_name(name),
                "file": read.sheet.file,
                "row": row + 1,
                "column": address(row, names),
            }
            people[cells.read_id(found[0])] = _person(record, found, read.mapping, "")
            return found[0]
        except cells.BadCell as error:
            read.found(Severity.ERROR, error.rule, error.reason, row, names)
    return None


def _colours(book: WorkbookFile, mapping: GridMapping) -> dict[tuple[int, int], Meaning]:
    """Meaning of cells by their fill, where the mapping gives colours a meaning."""
    if not mapping.colours:
        return {}
    by_colour = {colour.upper(): part.meaning() for colour, part in mapping.colours.items()}
    return {
        cell: by_colour[colour]
        for cell, colour in cell_colours(book, mapping.grid.sheet).items()
        if colour in by_colour
    }


def _qualifications(mapping: GridMapping, people: People) -> list[dict[str, Any]]:
    """Everybody whose role may hold a post, without dates."""
    return [
        {
            "person": row["person"],
            "post": post.id,
            "first": OPEN_START,
            "last": OPEN_END,
            "file": row["file"],
            "row": row["row"],
        }
        for post in mapping.posts
        for row in people.values()
        if row["role"] in (post.qualified or [post.role])
    ]


def _demand_rules(mapping: GridMapping) -> list[dict[str, Any]]:
    return [
        {
            "post": post.id,
            "weekday": WEEKDAYS.index(day),
            "slot": slot,
            "required": part.needed,
            "minimum": part.needed if part.minimum is None else part.minimum,
            "first": OPEN_START,
            "last": OPEN_END,
            "file": "mapping",
        }
        for post in mapping.posts
        for part in post.demand
        for slot in part.slots
        for day in part.days
    ]
