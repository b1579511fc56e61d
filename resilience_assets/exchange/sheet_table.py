"""Tables on a sheet: one header row, one record a row, every cell known by its address.

Belongs here: finding columns by their headers, reading rows, saying where a cell is wrong. Does not
belong here: which tables a workbook has (own_workbook.py, mapped_workbook.py), what a text means
(csv_cells.py, shared with the CSV set).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from resilience_assets.domain.findings import Finding, Severity
from resilience_assets.exchange.csv_cells import BadCell, Read
from resilience_assets.exchange.finding_log import FindingLog
from resilience_assets.exchange.patient_data import patient_data_reason
from resilience_assets.exchange.sheets import Sheet, address, cell_text, column_letters


@dataclass(frozen=True, slots=True)
class Field:
    """One column: its header, the key of its value, how its text is read, whether it must be there."""

    header: str
    key: str
    read: Read
    needed: bool = True


@dataclass(frozen=True)
class SheetTable:
    """The rows of a table without those that have a bad cell; `said` keeps what all rows said under each key.

    Every row has the keys of its fields plus `file`, `row` (as Excel counts) and `column` ('');
    `columns` gives the column (from 0) of each key that is there.
    """

    sheet: Sheet
    rows: list[dict[str, Any]] = field(default_factory=list)
    columns: dict[str, int] = field(default_factory=dict)
    said: dict[str, set[str]] = field(default_factory=dict)

    def where(self, row: dict[str, Any], key: str) -> str:
        """Address of a cell of a row."""
        return address(row["row"] - 1, self.columns.get(key, 0))

    def refuse(self, log: FindingLog, row: dict[str, Any], key: str, rule: str, reason: str) -> None:
        """An error about one cell."""
        where = self.where(row, key)
        said = self.sheet.text(row["row"] - 1, self.columns[key]) if key in self.columns else ""
        log.add(Severity.ERROR, rule, reason, self.sheet.file, row["row"], where, said)


def read_sheet_table(
    sheet: Sheet, fields: Sequence[Field], log: FindingLog, *, header_row: int | None = None, extra: bool = False
) -> SheetTable:
    """The table whose header stands in `header_row` (from 0), else in the first row that is not blank.

    Headers are compared without regard to capitals and blanks. A header that looks like data about
    patients refuses the file; another unknown one is a warning unless `extra` columns are expected.
    Blank rows are passed over; a row with a bad cell is left out and each such cell found.
    """
    at = header_row if header_row is not None else next((i for i in range(sheet.height) if _row_filled(sheet, i)), 0)
    columns = _columns(sheet, at, fields, log, extra)
    table = SheetTable(sheet, columns=columns, said={one.key: set() for one in fields})
    if any(one.needed and one.key not in columns for one in fields):
        return table
    for row in range(at + 1, sheet.height):
        if any(sheet.text(row, column) or address(row, column) in sheet.unread for column in columns.values()):
            record = _record(table, row, fields, log)
            if record is not None:
                table.rows.append(record)
    return table


def _row_filled(sheet: Sheet, row: int) -> bool:
    return any(cell_text(value) for value in sheet.values[row])


def _columns(sheet: Sheet, header_row: int, fields: Sequence[Field], log: FindingLog, extra: bool) -> dict[str, int]:
    by_header = {one.header.casefold(): one for one in fields}
    columns: dict[str, int] = {}
    for column in range(sheet.width):
        header = sheet.text(header_row, column)
        known = by_header.get(header.casefold())
        where = address(header_row, column)
        if known is not None and known.key in columns:
            reason = f"the header stands in column {column_letters(columns[known.key])} already; keep one"
            log.add(Severity.ERROR, "column_twice", reason, sheet.file, header_row + 1, where, header)
        elif known is not None:
            columns[known.key] = column
        elif header and (reason := patient_data_reason(header) or ""):
            log.add(Severity.ERROR, "patient_data", reason, sheet.file, header_row + 1, where, header)
        elif header and not extra:
            expected = ", ".join(one.header for one in fields)
            log.add(
                Severity.WARNING,
                "unknown_column",
                f"not read; the columns here are {expected}",
                sheet.file,
                header_row + 1,
                where,
                header,
            )
    for one in fields:
        if one.needed and one.key not in columns:
            log.add(
                Severity.ERROR,
                "missing_column",
                f"the sheet needs a column {one.header!r} in its header row",
                sheet.file,
                header_row + 1,
                "",
                one.header,
            )
    return columns


def _record(table: SheetTable, row: int, fields: Sequence[Field], log: FindingLog) -> dict[str, Any] | None:
    sheet, good = table.sheet, True
    record: dict[str, Any] = {"file": sheet.file, "row": row + 1, "column": ""}
    for one in fields:
        column = table.columns.get(one.key)
        said = "" if column is None else sheet.text(row, column)
        where = "" if column is None else address(row, column)
        table.said[one.key].add(said)
        try:
            if where in sheet.unread:
                raise BadCell("unreadable_cell", sheet.unread[where])
            record[one.key] = one.read(said)
        except BadCell as error:
            log.add(Severity.ERROR, error.rule, error.reason, sheet.file, row + 1, where, said)
            good = False
    return record if good else None


def refuse_repeats(table: SheetTable, key: str, rule: str, log: FindingLog) -> list[dict[str, Any]]:
    """The rows with the first of each `key`; a further one is found under `rule`."""
    seen: dict[Any, dict[str, Any]] = {}
    for row in table.rows:
        if row[key] in seen:
            table.refuse(log, row, key, rule, f"given in row {seen[row[key]]['row']} already; keep one row")
        else:
            seen[row[key]] = row
    return list(seen.values())


def refuse_reversed(table: SheetTable, log: FindingLog) -> list[dict[str, Any]]:
    """The rows whose period does not end before it begins (keys `first` and `last`); the others are found."""
    for row in table.rows:
        if row["last"] < row["first"]:
            table.refuse(log, row, "last", "reversed_period", "the period ends before it begins")
    return [row for row in table.rows if row["last"] >= row["first"]]


def with_addresses(findings: Iterable[Finding], tables: Iterable[SheetTable]) -> list[Finding]:
    """Findings that name a column by its key, with the address of the cell in its place."""
    columns = {(table.sheet.file, key): column for table in tables for key, column in table.columns.items()}
    out = []
    for finding in findings:
        column = columns.get((finding.file, finding.column))
        if column is not None and finding.row is not None:
            finding = replace(finding, column=address(finding.row - 1, column))
        out.append(finding)
    return out
