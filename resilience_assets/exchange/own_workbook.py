"""Our own workbook: the sheets that `resilience template` writes, read back.

Belongs here: the sheets and columns of our layout and what they mean. Does not belong here: other
people's layouts (mapped_workbook.py), writing the example (template.py). docs/excel.md is for its reader.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from resilience_assets.domain import states
from resilience_assets.domain.days import MINUTES_A_DAY
from resilience_assets.domain.findings import Severity
from resilience_assets.domain.program import DEFAULT_SHIFTS, DEFAULT_SLOT_TYPES, Program, Shift, SlotType
from resilience_assets.domain.tables import RosterTables, frame
from resilience_assets.exchange import csv_cells as cells
from resilience_assets.exchange.finding_log import FindingLog
from resilience_assets.exchange.grid import OFF, GridColumn, GridKey, GridRows, Meaning, read_person
from resilience_assets.exchange.references import check_references, defined_ids
from resilience_assets.exchange.sheet_table import (
    Field,
    SheetTable,
    read_sheet_table,
    refuse_repeats,
    refuse_reversed,
    with_addresses,
)
from resilience_assets.exchange.sheets import Sheet, WorkbookFile, address
from resilience_assets.exchange.source import source_error

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_FROM = Field("From", "first", cells.read_first_day, needed=False)
_UNTIL = Field("Until", "last", cells.read_last_day, needed=False)
_CLOCKS = (Field("From", "start", cells.read_clock), Field("To", "end", cells.read_clock))

SHEETS: dict[str, tuple[Field, ...]] = {
    "Program": (
        Field("Program", "program", cells.read_id),
        Field("Name", "name", cells.read_name, needed=False),
        Field("Time zone", "time_zone", cells.read_id),
    ),
    "Slots": (Field("Slot", "code", cells.read_id), *_CLOCKS),
    "Shifts": (Field("Shift", "code", cells.read_id), Field("Name", "name", cells.read_name, needed=False), *_CLOCKS),
    "Successions": (Field("Shift", "before", cells.read_id), Field("Not on the next date", "after", cells.read_id)),
    "People": (
        Field("Person", "person", cells.read_id),
        Field("Name", "name", cells.read_name, needed=False),
        Field("Role", "role", cells.read_id),
        Field("Full-time share", "fte", cells.read_fte, needed=False),
        Field("Team", "team", cells.read_optional_id, needed=False),
        Field("Home region", "home_region", cells.read_optional_id, needed=False),
        _FROM,
        _UNTIL,
    ),
    "Services": (
        Field("Service", "service", cells.read_id),
        Field("Name", "name", cells.read_name, needed=False),
        Field("Tier", "tier", cells.read_tier),
    ),
    "Posts": (
        Field("Post", "post", cells.read_id),
        Field("Service", "service", cells.read_id),
        Field("Role", "role", cells.read_id),
    ),
    "Qualifications": (Field("Person", "person", cells.read_id), Field("Post", "post", cells.read_id), _FROM, _UNTIL),
    "Demand": (
        Field("Post", "post", cells.read_id),
        Field("Slot", "slot", cells.read_id),
        *(
            Field(f"Needed {day}", f"needed{i}", cells.read_optional_heads, needed=False)
            for i, day in enumerate(WEEKDAYS)
        ),
        *(
            Field(f"Minimum {day}", f"minimum{i}", cells.read_optional_heads, needed=False)
            for i, day in enumerate(WEEKDAYS)
        ),
        _FROM,
        _UNTIL,
    ),
    "Exceptions": (
        Field("Post", "post", cells.read_id),
        Field("Date", "day", cells.read_date),
        Field("Slot", "slot", cells.read_id),
        Field("Needed", "required", cells.read_heads),
        Field("Minimum", "minimum", cells.read_optional_heads, needed=False),
    ),
    "Legend": (
        Field("Code", "code", cells.read_id),
        Field("Post", "post", cells.read_optional_id),
        Field("Shift", "shift", cells.read_optional_id, needed=False),
        Field("Away", "away", cells.read_optional_id, needed=False),
        Field("Meaning", "note", cells.read_name, needed=False),
    ),
    "Absences": (
        Field("Person", "person", cells.read_id),
        Field("From", "first", cells.read_date),
        Field("Until", "last", cells.read_date),
        Field("Kind", "kind", cells.read_optional_id, needed=False),
        Field("Approved", "approved", cells.read_approved, needed=False),
    ),
}
"""The tables of the workbook by sheet. The sheet Roster is a grid and not one of them."""
ROSTER = "Roster"
NEEDED = ("Program", "People", "Services", "Posts", "Legend", ROSTER)
"""Sheets without which a workbook is refused."""


@dataclass
class OwnRead:
    """What has been read so far: the tables by sheet, and where findings go."""

    log: FindingLog
    tables: dict[str, SheetTable] = field(default_factory=dict)

    def said(self, sheet: str, key: str) -> set[str]:
        """Everything that a column says, rows with a bad cell included."""
        return self.tables[sheet].said.get(key, set()) if sheet in self.tables else set()


def read_own_workbook(book: WorkbookFile, log: FindingLog, *, program: str | None = None) -> RosterTables:
    """Frames of a workbook in our own layout. `program` must be the one that the workbook names, if given.

    Raises SourceError `unknown_layout` when none of our sheets is there.
    """
    names = {name.strip().casefold() for name in book.sheets}
    if not names & {name.casefold() for name in NEEDED}:
        reason = (
            f"no sheet of our layout ({', '.join(NEEDED)}) is here; "
            "start from `resilience template`, or describe this grid with --mapping"
        )
        raise source_error("unknown_layout", reason, file=book.name, value=", ".join(list(book.sheets)[:6]))
    for name in NEEDED:
        if name.casefold() not in names:
            log.add(Severity.ERROR, "missing_sheet", f"the workbook needs a sheet {name!r}", book.name, None, "", name)
    for name in book.sheets:
        if name.strip().casefold() not in {known.casefold() for known in (*SHEETS, ROSTER)}:
            log.add(Severity.NOTE, "unknown_sheet", "not a sheet of our layout, not read", f"{book.name}#{name}")
    read = OwnRead(log)
    for name, fields in SHEETS.items():
        sheet = book.sheet(name)
        if sheet is not None:
            read.tables[name] = read_sheet_table(sheet, fields, log)
    return _tables(read, book, program)


def _tables(read: OwnRead, book: WorkbookFile, asked: str | None) -> RosterTables:
    said = _program(read, asked)
    grid, dates = GridRows(), None
    roster = book.sheet(ROSTER)
    if roster is not None and said is not None and "Legend" in read.tables:
        grid, dates = _grid(read, roster, said)
    absences = _absences(read)
    frames: dict[str, Any] = {
        "people": _kept(read, "People", "person", "duplicate_person"),
        "services": _kept(read, "Services", "service", "duplicate_service"),
        "posts": _kept(read, "Posts", "post", "duplicate_post"),
        "qualifications": refuse_reversed(read.tables["Qualifications"], read.log)
        if "Qualifications" in read.tables
        else None,
        "demand_rules": _demand_rules(read, said) if "Demand" in read.tables else None,
        "demand": _exceptions(read) if "Exceptions" in read.tables else None,
        "assignments": grid.assignments if dates is not None else None,
        "absences": None if absences is None and not grid.absences else [*(absences or []), *grid.absences],
    }
    for row in [*(frames["services"] or [])]:
        row["name"] = row["name"] or row["service"]
    tables = RosterTables(
        program=said, dates=dates, **{kind: frame(kind, rows) for kind, rows in frames.items() if rows is not None}
    )
    known = defined_ids(tables)
    for noun, sheet in (("person", "People"), ("service", "Services"), ("post", "Posts")):
        known[noun] = known.get(noun, set()) | read.said(sheet, noun)
    found = check_references(tables, {noun: ids for noun, ids in known.items() if ids})
    read.log.extend(with_addresses(found, read.tables.values()))
    return tables


def _kept(read: OwnRead, sheet: str, key: str, rule: str) -> list[dict[str, Any]] | None:
    """Rows of a table of definitions without repeats; people also without a reversed stay."""
    if sheet not in read.tables:
        return None
    rows = refuse_repeats(read.tables[sheet], key, rule, read.log)
    if sheet == "People":
        refuse_reversed(read.tables[sheet], read.log)
        return [row | {"starts": row["first"], "ends": row["last"]} for row in rows if row["first"] <= row["last"]]
    if sheet == "Posts":
        for row in rows:
            if row["post"].upper() in {*states.RESERVED, "OFF"}:
                read.tables[sheet].refuse(
                    read.log, row, "post", "reserved_word", "has a meaning of its own in the roster; choose another id"
                )
    return rows


def _program(read: OwnRead, asked: str | None) -> Program | None:
    table = read.tables.get("Program")
    if table is None or not table.rows:
        if table is not None:
            read.log.add(
                Severity.ERROR, "missing_program", "the sheet needs one row that names the program", table.sheet.file
            )
        return None
    said = table.rows[0]
    if len(table.rows) > 1:
        table.refuse(read.log, table.rows[1], "program", "one_program", "a workbook speaks of exactly one program")
    if asked is not None and asked != said["program"]:
        table.refuse(
            read.log,
            said,
            "program",
            "other_program",
            f"the import is for program {asked!r}; import this file under its own name",
        )
    slots = _stretches(read, "Slots", SlotType)
    shifts = _stretches(read, "Shifts", Shift)
    if slots is None or shifts is None:
        return None
    slots = tuple(sorted(slots, key=lambda slot: slot.start))
    shifts = shifts or tuple(Shift(slot.code, slot.start, slot.end) for slot in slots) or DEFAULT_SHIFTS
    successions = _successions(read, {shift.code for shift in shifts})
    try:
        name = said["name"] or said["program"]
        return Program(said["program"], name, said["time_zone"], slots or DEFAULT_SLOT_TYPES, shifts, successions)
    except ValueError as error:
        table.refuse(read.log, said, "program", "bad_program", str(error))
        return None


def _successions(read: OwnRead, shifts: set[str]) -> tuple[tuple[str, str], ...]:
    """Forbidden successions between shifts that there are; others are found."""
    table = read.tables.get("Successions")
    if table is None:
        return ()
    pairs: list[tuple[str, str]] = []
    for row in table.rows:
        unknown = [key for key in ("before", "after") if row[key] not in shifts]
        for key in unknown:
            table.refuse(read.log, row, key, "unknown_shift", "no such shift on the sheet Shifts")
        if not unknown:
            pairs.append((row["before"], row["after"]))
    return tuple(dict.fromkeys(pairs))


def _stretches(read: OwnRead, sheet: str, noun: type[Any]) -> tuple[Any, ...] | None:
    """Slots or shifts; () without such a sheet, None when one of them is bad.

    An end that is not after the start lies on the next date.
    """
    table = read.tables.get(sheet)
    if table is None:
        return ()
    made = []
    for row in table.rows:
        end = row["end"] if row["end"] > row["start"] else row["end"] + MINUTES_A_DAY
        named = {"name": row["name"]} if "name" in row else {}
        try:
            made.append(noun(code=row["code"], start=row["start"], end=end, **named))
        except ValueError as error:
            table.refuse(read.log, row, "end", "bad_time", str(error))
    return tuple(made) if {one.code for one in made} == read.said(sheet, "code") else None


def _demand_rules(read: OwnRead, program: Program | None) -> list[dict[str, Any]]:
    """One row a weekday with somebody needed. A blank minimum is as many as needed."""
    table, out = read.tables["Demand"], []
    for row in _sound_demand(read, program):
        rule = {key: row[key] for key in ("post", "slot", "first", "last", "file", "row")}
        for weekday in range(7):
            needed, minimum = max(row[f"needed{weekday}"], 0), row[f"minimum{weekday}"]
            if minimum > needed:
                reason = f"the safe minimum is above the {needed} needed"
                table.refuse(read.log, row, f"minimum{weekday}", "minimum_above_required", reason)
            elif needed:
                heads = {"required": needed, "minimum": needed if minimum < 0 else minimum}
                out.append(rule | heads | {"weekday": weekday, "column": table.where(row, f"needed{weekday}")})
    return out


def _sound_demand(read: OwnRead, program: Program | None) -> list[dict[str, Any]]:
    """Rows of the sheet Demand with a known post and slot, none of them for the same dates as another."""
    table = read.tables["Demand"]
    posts, slots = read.said("Posts", "post"), {slot.code for slot in program.slot_types} if program else set()
    good = []
    for row in refuse_reversed(table, read.log):
        if posts and row["post"] not in posts:
            table.refuse(read.log, row, "post", "unknown_post", "no such post on the sheet Posts")
        elif slots and row["slot"] not in slots:
            table.refuse(read.log, row, "slot", "unknown_slot", f"no such slot; there are {', '.join(sorted(slots))}")
        else:
            good.append(row)
    for one, other in combinations(good, 2):
        same = (one["post"], one["slot"]) == (other["post"], other["slot"])
        if same and one["first"] <= other["last"] and other["first"] <= one["last"]:
            reason = f"row {one['row']} gives this post and slot for the same dates; end one before the other begins"
            table.refuse(read.log, other, "post", "overlapping_rules", reason)
    return good


def _exceptions(read: OwnRead) -> list[dict[str, Any]]:
    table, out = read.tables["Exceptions"], []
    seen: set[tuple[Any, ...]] = set()
    for row in table.rows:
        cell = (row["post"], row["day"], row["slot"])
        if cell in seen:
            table.refuse(
                read.log, row, "post", "duplicate_cell", "this post, date and slot has a row already; keep one"
            )
        elif row["minimum"] > row["required"]:
            table.refuse(read.log, row, "minimum", "minimum_above_required", "the safe minimum is above what is needed")
        else:
            out.append(row | {"minimum": row["required"] if row["minimum"] < 0 else row["minimum"]})
        seen.add(cell)
    return out


def _absences(read: OwnRead) -> list[dict[str, Any]] | None:
    if "Absences" not in read.tables:
        return None
    return [row | {"kind": row["kind"] or "away"} for row in refuse_reversed(read.tables["Absences"], read.log)]


def _legend(read: OwnRead, program: Program) -> dict[str, Meaning]:
    """Meaning by code. A row that is refused still makes its code known, so that a mistake is told once."""
    table = read.tables["Legend"]
    posts, shifts = read.said("Posts", "post"), {shift.code for shift in program.shifts}
    legend: dict[str, Meaning] = {}
    for row in refuse_repeats(table, "code", "duplicate_code", read.log):
        post = row["post"].upper() if row["post"].upper() in {"FREE", "REST", "ELSEWHERE", "OFF"} else row["post"]
        legend[row["code"]] = OFF
        if post and row["away"]:
            table.refuse(
                read.log, row, "away", "two_meanings", "a code is either at a post or away; leave one of the two blank"
            )
        elif not post and not row["away"]:
            reason = (
                "say what the code means: a post, FREE, REST, ELSEWHERE or OFF here, or a kind of absence under Away"
            )
            table.refuse(read.log, row, "post", "missing_value", reason)
        elif post and post not in posts | {"FREE", "REST", "ELSEWHERE", "OFF"}:
            table.refuse(
                read.log,
                row,
                "post",
                "unknown_post",
                "no such post on the sheet Posts, and not FREE, REST, ELSEWHERE or OFF",
            )
        elif row["shift"] and row["shift"] not in shifts:
            table.refuse(
                read.log,
                row,
                "shift",
                "unknown_shift",
                f"no such shift; those of the program are {', '.join(sorted(shifts))}",
            )
        elif post != "OFF":
            legend[row["code"]] = Meaning(post, row["away"], row["shift"] if post else "")
    for code in read.said("Legend", "code"):
        legend.setdefault(code, OFF)
    return legend


def _grid(read: OwnRead, sheet: Sheet, program: Program) -> tuple[GridRows, tuple[int, int] | None]:
    """All that the sheet Roster says, and the stretch of its dates."""
    first_date, columns = _grid_columns(sheet, program, read.log)
    if not columns:
        read.log.add(
            Severity.ERROR,
            "missing_dates",
            "row 1 of the sheet needs dates, and row 2 a slot under each",
            sheet.file,
            1,
        )
        return GridRows(), None
    headers = {sheet.text(row, column).casefold(): column for row in (1, 0) for column in range(first_date)}
    if "person" not in headers:
        read.log.add(
            Severity.ERROR,
            "missing_column",
            "the sheet needs a column 'Person' left of the dates",
            sheet.file,
            1,
            "",
            "Person",
        )
        return GridRows(), None
    out, key = GridRows(), GridKey(sheet, program, _legend(read, program), read.log)
    people, seen = read.said("People", "person"), dict[str, int]()
    for row in range(2, sheet.height):
        person = sheet.text(row, headers["person"])
        if not person and not any(sheet.text(row, place.column) for place in columns):
            continue
        if _refused_person(sheet, row, headers["person"], person, people, seen, read.log):
            continue
        seen[person] = row + 1
        out.add(read_person(key, row, person, columns))
    return out, (min(place.day for place in columns), max(place.day for place in columns))


def _refused_person(
    sheet: Sheet, row: int, column: int, person: str, people: set[str], seen: dict[str, int], log: FindingLog
) -> bool:
    rule = reason = ""
    if not person:
        rule, reason = "missing_person", "the row has codes but no person; write the person's id here"
    elif person in seen:
        rule, reason = "duplicate_person", f"the person has row {seen[person]} already; keep one row"
    elif person not in people:
        rule, reason = "unknown_person", "no such person on the sheet People"
    if rule:
        log.add(Severity.ERROR, rule, reason, sheet.file, row + 1, address(row, column), person)
    return bool(rule)


def _grid_columns(sheet: Sheet, program: Program, log: FindingLog) -> tuple[int, list[GridColumn]]:
    """First column of the dates (from 0), and every column that has a date and a slot.

    A date holds for the columns to its right until the next one. Without a slot in row 2 a column
    is the whole date where the program has one slot a day.
    """
    slots = {slot.code.casefold(): index for index, slot in enumerate(program.slot_types)}
    columns: list[GridColumn] = []
    seen: set[tuple[int, int]] = set()
    day, first = None, sheet.width
    for column in range(sheet.width):
        said, slot = sheet.text(0, column), sheet.text(1, column)
        if said and (first < sheet.width or said[:1].isdigit()):
            first = min(first, column)
            day = _date_or_finding(sheet, column, said, log)
        if first > column:
            _undated(sheet, column, slots, log)
            continue
        if not slot and not any(sheet.text(row, column) for row in range(2, sheet.height)):
            continue
        index = slots.get(slot.casefold(), 0 if not slot and len(slots) == 1 else None)
        if index is None:
            known = ", ".join(one.code for one in program.slot_types)
            reason = f"row 2 must name one of the slots {known}; the column is not read"
            log.add(Severity.ERROR, "unknown_slot", reason, sheet.file, 2, address(1, column), slot)
        elif day is not None and (day, index) in seen:
            log.add(
                Severity.ERROR,
                "bad_date",
                "this date and slot has a column already",
                sheet.file,
                1,
                address(0, column),
                said or slot,
            )
        elif day is not None:
            seen.add((day, index))
            columns.append(GridColumn(column, day, index))
    return first, columns


def _undated(sheet: Sheet, column: int, slots: Mapping[str, int], log: FindingLog) -> None:
    """Find slots in row 2 left of the first date: their own date is missing, and their codes would be lost."""
    if sheet.text(1, column).casefold() not in slots:
        return
    said = sheet.text(0, column)
    # the slots under one merged date are told once
    if said or column == 0 or sheet.text(1, column - 1).casefold() not in slots:
        reason = "not a date of the form 2026-01-31, and row 2 has a slot under it"
        log.add(Severity.ERROR, "bad_date", reason, sheet.file, 1, address(0, column), said)


def _date_or_finding(sheet: Sheet, column: int, said: str, log: FindingLog) -> int | None:
    try:
        where = address(0, column)
        if where in sheet.unread:
            raise cells.BadCell("bad_date", sheet.unread[where])
        return cells.read_date(said)
    except cells.BadCell as error:
        log.add(Severity.ERROR, error.rule, error.reason, sheet.file, 1, where, said)
        return None
