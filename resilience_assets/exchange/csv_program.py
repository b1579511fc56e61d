"""The files of the CSV set that say what a program is: program, slots, shifts, successions.

Belongs here: building a Program from those four small tables. Does not belong here: the other files
(csv_kinds.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import pandas as pd

from resilience_assets.domain.days import MINUTES_A_DAY
from resilience_assets.domain.findings import Severity
from resilience_assets.domain.program import DEFAULT_SHIFTS, DEFAULT_SLOT_TYPES, Program, Shift, SlotType
from resilience_assets.exchange import csv_cells as cells
from resilience_assets.exchange.csv_kinds import Column, read_columns
from resilience_assets.exchange.finding_log import FindingLog

PROGRAM_COLUMNS: dict[str, tuple[Column, ...]] = {
    "program": (
        Column("program", "program", cells.read_id),
        Column("name", "name", cells.read_name, needed=False),
        Column("time_zone", "time_zone", cells.read_id),
    ),
    "slots": (
        Column("slot", "code", cells.read_id),
        Column("start", "start", cells.read_clock, "int64"),
        Column("end", "end", cells.read_clock, "int64"),
    ),
    "shifts": (
        Column("shift", "code", cells.read_id),
        Column("start", "start", cells.read_clock, "int64"),
        Column("end", "end", cells.read_clock, "int64"),
        Column("name", "name", cells.read_name, needed=False),
    ),
    "successions": (Column("first", "first", cells.read_id), Column("next", "next", cells.read_id)),
}
"""Header, in order, of each file about the program itself."""

Row = dict[str, Any]
TextTable = tuple[str, pd.DataFrame]
"""File name and text table."""
Noun = TypeVar("Noun", SlotType, Shift)


def read_program(tables: Mapping[str, TextTable], asked: str | None, log: FindingLog) -> Program | None:
    """The program that the files describe; None when there is no program file or it cannot be taken.

    `tables` holds (file name, text table) by kind; `asked` is the program that the caller names.
    Without slots.csv a program has the default slots and shifts; with slots.csv alone every slot
    is also a shift.
    """
    rows = {kind: _rows(kind, *tables[kind], log) for kind in PROGRAM_COLUMNS if kind in tables}
    if "program" not in tables:
        _say_missing(tables, rows, asked, log)
        return None
    file = tables["program"][0]
    if len(rows["program"]) != 1:
        if not log.refused:
            reason = f"{len(rows['program'])} programs; a set of files speaks of exactly one"
            log.add(Severity.ERROR, "one_program", reason, file, 1)
        return None
    said = rows["program"][0]
    if asked is not None and asked != said["program"]:
        reason = f"the import is for program {asked!r}; import this file under its own name"
        log.add(Severity.ERROR, "other_program", reason, file, said["row"], "program", said["program"])
        return None
    return _build(said, rows, {kind: tables[kind][0] for kind in rows}, log)


def _say_missing(
    tables: Mapping[str, TextTable], rows: Mapping[str, list[Row]], asked: str | None, log: FindingLog
) -> None:
    for kind in rows:
        reason = "says how a program divides its day, but there is no program.csv beside it"
        log.add(Severity.ERROR, "missing_program", reason, tables[kind][0])
    if asked is None and not log.refused:
        reason = "whose roster is this? Add program.csv, or name the program with --program"
        log.add(Severity.ERROR, "missing_program", reason)


def _rows(kind: str, file: str, table: pd.DataFrame, log: FindingLog) -> list[Row]:
    """The good rows of a small table as dicts of plain values, with their row number."""
    read = read_columns(PROGRAM_COLUMNS[kind], table, file, log)
    if read is None:
        return []
    values, good = read
    plain = {column: cells.tolist() for column, cells in values.items()}
    return [
        {**{column: plain[column][i] for column in plain}, "row": int(table.index[i])}
        for i in range(len(table))
        if good[i]
    ]


def _build(said: Row, rows: Mapping[str, list[Row]], files: Mapping[str, str], log: FindingLog) -> Program | None:
    """The Program itself; whatever its parts refuse is logged for the row that they come from."""
    slots: list[SlotType | None] = list(DEFAULT_SLOT_TYPES)
    shifts: list[Shift | None] = list(DEFAULT_SHIFTS)
    if "slots" in rows:
        ordered = sorted(rows["slots"], key=lambda row: int(row["start"]))
        slots = [_made(SlotType, row, files["slots"], log) for row in ordered]
        shifts = [Shift(slot.code, slot.start, slot.end) for slot in slots if slot]
    if "shifts" in rows:
        shifts = [_made(Shift, row, files["shifts"], log) for row in rows["shifts"]]
    if None in slots or None in shifts:
        return None
    pairs = _successions(rows.get("successions", []), {shift.code for shift in shifts if shift}, files, log)
    divided = tuple(slot for slot in slots if slot), tuple(shift for shift in shifts if shift)
    try:
        return Program(said["program"], said["name"] or said["program"], said["time_zone"], *divided, pairs)
    except ValueError as error:
        kind = next((kind for kind in ("slots", "shifts") if kind in files and kind[:-1] in str(error)), "program")
        row = said["row"] if kind == "program" else None
        log.add(Severity.ERROR, "bad_program", str(error), files[kind], row)
        return None


def _successions(
    rows: list[Row], codes: set[str], files: Mapping[str, str], log: FindingLog
) -> tuple[tuple[str, str], ...]:
    """Forbidden pairs, each once; a shift that is not defined is logged and its pair left out."""
    for row in rows:
        for column in ("first", "next"):
            if row[column] not in codes:
                reason = "no such shift is defined"
                log.add(Severity.ERROR, "unknown_shift", reason, files["successions"], row["row"], column, row[column])
    pairs = [(str(row["first"]), str(row["next"])) for row in rows]
    return tuple(pair for pair in dict.fromkeys(pairs) if set(pair) <= codes)


def _made(noun: Callable[..., Noun], row: Row, file: str, log: FindingLog) -> Noun | None:
    """A slot type or shift of one row; an end that is not after the start lies on the next date."""
    end = row["end"] if row["end"] > row["start"] else row["end"] + MINUTES_A_DAY
    try:
        return noun(**{**{key: value for key, value in row.items() if key != "row"}, "end": end})
    except ValueError as error:
        log.add(Severity.ERROR, "bad_time", str(error), file, row["row"], "end")
        return None
