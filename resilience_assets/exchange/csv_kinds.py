"""The files of the CSV set: which columns each has, and how each becomes a frame of its kind.

Belongs here: columns, defaults, rules between the cells of one file. Does not belong here: what a
cell means (csv_cells.py), the program's own files (csv_program.py), rules between files (references.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from resilience_assets.domain import states
from resilience_assets.domain.assembly import MOST_DAYS
from resilience_assets.domain.days import OPEN_END, day_text
from resilience_assets.domain.findings import Severity
from resilience_assets.domain.tables import COLUMNS, frame
from resilience_assets.exchange import csv_cells as cells
from resilience_assets.exchange.finding_log import FindingLog
from resilience_assets.exchange.patient_data import patient_data_reason


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a file: its header, the column of the frame, how a cell is read, whether it must be there."""

    header: str
    into: str
    read: cells.Read
    dtype: str = "object"
    needed: bool = True


_FROM = Column("from", "first", cells.read_first_day, "int64", needed=False)
_TO = Column("to", "last", cells.read_last_day, "int64", needed=False)
_PERSON = Column("person", "person", cells.read_id)
_POST = Column("post", "post", cells.read_id)
_SLOT = Column("slot", "slot", cells.read_id)
_REQUIRED = Column("required", "required", cells.read_heads, "int64")
_MINIMUM = Column("minimum", "minimum", cells.read_optional_heads, "int64", needed=False)

KIND_COLUMNS: dict[str, tuple[Column, ...]] = {
    "people": (
        _PERSON,
        Column("name", "name", cells.read_name, needed=False),
        Column("role", "role", cells.read_id),
        Column("fte", "fte", cells.read_fte, "float64", needed=False),
        Column("team", "team", cells.read_name, needed=False),
        Column("home_region", "home_region", cells.read_name, needed=False),
        Column("from", "starts", cells.read_first_day, "int64", needed=False),
        Column("to", "ends", cells.read_last_day, "int64", needed=False),
    ),
    "services": (
        Column("service", "service", cells.read_id),
        Column("name", "name", cells.read_name, needed=False),
        Column("tier", "tier", cells.read_tier, "int64"),
    ),
    "posts": (
        Column("post", "post", cells.read_optional_id, needed=False),
        Column("service", "service", cells.read_id),
        Column("role", "role", cells.read_id),
    ),
    "qualifications": (_PERSON, _POST, _FROM, _TO),
    "demand": (_POST, Column("date", "day", cells.read_date, "int64"), _SLOT, _REQUIRED, _MINIMUM),
    "demand_rules": (_POST, Column("weekday", "weekdays", cells.read_weekdays), _SLOT, _REQUIRED, _MINIMUM, _FROM, _TO),
    "assignments": (
        _PERSON,
        Column("date", "day", cells.read_date, "int64"),
        Column("shift", "shift", cells.read_id),
        _POST,
        Column("to", "last", cells.read_last_day, "int64", needed=False),
        Column("weekdays", "weekdays", cells.read_optional_weekdays, needed=False),
    ),
    "absences": (
        _PERSON,
        Column("from", "first", cells.read_date, "int64"),
        _TO,
        Column("kind", "kind", cells.read_name, needed=False),
        Column("approved", "approved", cells.read_approved, "bool", needed=False),
    ),
}
"""Header, in order, of each file of the set. Dates are ISO; an empty `from` or `to` is open."""

MOST_BLOCK_DAYS = 366
"""Longest rotation block of one row: a year, so that a wrong year is noticed."""

_UNIQUE = {"people": ("person",), "services": ("service",), "posts": ("post",)}
_PERIODS = {
    "people": ("starts", "ends"),
    "qualifications": ("first", "last"),
    "demand_rules": ("first", "last"),
    "absences": ("first", "last"),
}
_RESERVED = frozenset({*states.RESERVED, "OFF"})


def read_kind(kind: str, table: pd.DataFrame, file: str, log: FindingLog) -> pd.DataFrame | None:
    """The rows of one text table that can be taken, as a frame of their kind; what is wrong is logged.

    None when a column is missing, so that nothing can be taken.
    """
    read = read_columns(KIND_COLUMNS[kind], table, file, log)
    if read is None:
        return None
    values, good = read
    rows = pd.DataFrame(values)
    rows["file"], rows["row"], rows["column"] = file, np.asarray(table.index, dtype=np.int64), ""
    rows = rows[good]
    if kind in _PERIODS:
        rows = _without_reversed(rows, *_PERIODS[kind], file, log)
    rows = _FINISH.get(kind, _unchanged)(rows, file, log)
    if kind in _UNIQUE:
        rows = _without_doubles(
            rows, _UNIQUE[kind], "duplicate_id", Severity.ERROR, "is defined again; keep one row for each", file, log
        )
    else:
        plain = [column for column in COLUMNS[kind] if column in rows]
        rows = _without_doubles(
            rows, plain, "duplicate_row", Severity.WARNING, "the same row again; counted once", file, log
        )
    if "day" in rows:
        _check_span(rows, file, log)
    return frame(kind, rows.reset_index(drop=True))


def read_columns(
    columns: tuple[Column, ...], table: pd.DataFrame, file: str, log: FindingLog
) -> tuple[dict[str, npt.NDArray[Any]], npt.NDArray[np.bool_]] | None:
    """Values by column of the frame, each [N], and which rows are good in all of them [N].

    None when a needed column is missing, which is logged.
    """
    check_header(columns, table, file, log)
    missing = [column.header for column in columns if column.needed and column.header not in table]
    for header in missing:
        there = ", ".join(str(name) for name in table.columns if not str(name).startswith("\0"))
        reason = f"the column {header!r} is missing; the header has {there}"
        log.add(Severity.ERROR, "missing_column", reason, file, 1, header)
    if missing:
        return None
    values: dict[str, npt.NDArray[Any]] = {}
    good = np.ones(len(table), dtype=np.bool_)
    for column in columns:
        if column.header in table:
            values[column.into], fine = cells.read_column(
                table[column.header], column.read, column.dtype, file, column.header, log
            )
            good &= fine
        else:
            values[column.into] = cells.repeated(column.read(""), len(table), column.dtype)
    return values, good


def check_header(columns: tuple[Column, ...], table: pd.DataFrame, file: str, log: FindingLog) -> None:
    """Warn of columns that are not read; refuse those that look like data about patients."""
    known = {column.header for column in columns}
    for name in (str(name) for name in table.columns):
        if name in known:
            continue
        reason = patient_data_reason(name)
        if reason:
            log.add(Severity.ERROR, "patient_data", reason, file, 1, name)
        elif not name.startswith("\0"):
            log.add(
                Severity.WARNING,
                "unknown_column",
                "the column is not one of this file's and was not read",
                file,
                1,
                name,
            )
        elif any(str(text).strip() for text in table[name].cat.categories):
            log.add(Severity.WARNING, "unknown_column", "a column without a name was not read", file, 1)


def _unchanged(rows: pd.DataFrame, file: str, log: FindingLog) -> pd.DataFrame:
    return rows


def _finish_posts(rows: pd.DataFrame, file: str, log: FindingLog) -> pd.DataFrame:
    """Give posts without an id the id service/role; refuse ids that an assignment uses for something else."""
    rows = rows.copy()
    made = rows["service"].astype(object) + "/" + rows["role"].astype(object)
    rows["post"] = rows["post"].where(rows["post"] != "", made).astype(object)
    long = rows["post"].str.len() > cells.LONGEST_ID
    rows = _without(
        rows,
        long,
        "too_long",
        "the id made of service and role is too long; give the post a shorter one",
        "post",
        file,
        log,
    )
    reserved = rows["post"].isin(_RESERVED)
    return _without(
        rows, reserved, "reserved_word", "has a meaning of its own in assignments; choose another id", "post", file, log
    )


def _finish_services(rows: pd.DataFrame, file: str, log: FindingLog) -> pd.DataFrame:
    """Call a service without a name by its id."""
    rows = rows.copy()
    rows["name"] = rows["name"].where(rows["name"] != "", rows["service"])
    return rows


def _finish_assignments(rows: pd.DataFrame, file: str, log: FindingLog) -> pd.DataFrame:
    """Rotation blocks (rows with a last date) laid out as one row a date, all from the same row of the file."""
    off = rows["post"] == "OFF"
    rows = _without(rows, off, "off_is_no_row", "who is off has no row; leave it out", "post", file, log)
    last = rows["last"].where(rows["last"] != OPEN_END, rows["day"])
    rows = _without_reversed(rows.assign(last=last), "day", "last", file, log)
    long = rows["last"] - rows["day"] >= MOST_BLOCK_DAYS
    rows = _without(rows, long, "long_block", f"the block is longer than {MOST_BLOCK_DAYS} days", "last", file, log)
    if not (rows["last"] > rows["day"]).any():
        return rows.drop(columns=["last", "weekdays"])
    repeats = (rows["last"] - rows["day"] + 1).to_numpy(dtype=np.int64)
    out = rows.loc[rows.index.repeat(repeats)].copy()
    offsets = np.arange(repeats.sum()) - np.repeat(np.cumsum(repeats) - repeats, repeats)
    out["day"] = out["day"] + offsets
    # epoch day 0 was a Thursday, weekday 3; a row of one date holds whatever its weekday
    within = [(day + 3) % 7 in days for day, days in zip(out["day"], out["weekdays"], strict=True)]
    return out[np.array(within) | (np.repeat(repeats, repeats) == 1)].drop(columns=["last", "weekdays"])


def _finish_absences(rows: pd.DataFrame, file: str, log: FindingLog) -> pd.DataFrame:
    rows = rows.copy()
    rows["kind"] = rows["kind"].where(rows["kind"] != "", "away")
    return rows


def _finish_demand(rows: pd.DataFrame, file: str, log: FindingLog) -> pd.DataFrame:
    rows = _with_minimum(rows, file, log)
    key = ("post", "day", "slot")
    reason = "this post, date and slot has a row already; keep one"
    return _without_doubles(rows, key, "duplicate_cell", Severity.ERROR, reason, file, log)


def _finish_demand_rules(rows: pd.DataFrame, file: str, log: FindingLog) -> pd.DataFrame:
    """One row a weekday; two rules that hold on one date for one cell are refused, as neither would be right."""
    rows = _with_minimum(rows, file, log).explode("weekdays").rename(columns={"weekdays": "weekday"})
    rows["weekday"] = rows["weekday"].astype("int64")
    ordered = rows.sort_values(["post", "weekday", "slot", "first", "row"], kind="stable")
    ends = ordered.groupby(["post", "weekday", "slot"], sort=False)["last"].cummax()
    same = (ordered[["post", "weekday", "slot"]] == ordered[["post", "weekday", "slot"]].shift()).all(axis=1)
    clash = ordered[same & (ordered["first"] <= ends.shift())].drop_duplicates("row").sort_values("row")
    reason = "another rule holds for this post, weekday and slot at the same time; end one before the other begins"
    log.add_rows(
        Severity.ERROR,
        "overlapping_rules",
        reason,
        file,
        clash["row"].tolist(),
        "weekday",
        [cells.WEEKDAYS[day] for day in clash["weekday"]],
    )
    return rows


_FINISH: dict[str, Callable[[pd.DataFrame, str, FindingLog], pd.DataFrame]] = {
    "posts": _finish_posts,
    "services": _finish_services,
    "demand": _finish_demand,
    "demand_rules": _finish_demand_rules,
    "assignments": _finish_assignments,
    "absences": _finish_absences,
}


def _with_minimum(rows: pd.DataFrame, file: str, log: FindingLog) -> pd.DataFrame:
    """An empty minimum is what is required; a minimum above it is refused."""
    rows = rows.copy()
    rows["minimum"] = rows["minimum"].where(rows["minimum"] >= 0, rows["required"])
    above = rows["minimum"] > rows["required"]
    return _without(
        rows, above, "minimum_above_required", "the safe minimum is above what is required", "minimum", file, log
    )


def _without(
    rows: pd.DataFrame,
    bad: pd.Series[bool],
    rule: str,
    reason: str,
    column: str,
    file: str,
    log: FindingLog,
    severity: Severity = Severity.ERROR,
) -> pd.DataFrame:
    """The rows that are not bad, the others being logged with their value in `column`."""
    if not bad.any():
        return rows
    wrong = rows[bad]
    log.add_rows(severity, rule, reason, file, wrong["row"].tolist(), column, [str(value) for value in wrong[column]])
    return rows[~bad]


def _without_reversed(rows: pd.DataFrame, first: str, last: str, file: str, log: FindingLog) -> pd.DataFrame:
    bad = rows[last] < rows[first]
    if not bad.any():
        return rows
    wrong = rows[bad]
    values = [f"{day_text(low)} to {day_text(high)}" for low, high in zip(wrong[first], wrong[last], strict=True)]
    reason = "the period ends before it begins"
    log.add_rows(Severity.ERROR, "reversed_period", reason, file, wrong["row"].tolist(), "to", values)
    return rows[~bad]


def _without_doubles(
    rows: pd.DataFrame,
    key: tuple[str, ...] | list[str],
    rule: str,
    severity: Severity,
    reason: str,
    file: str,
    log: FindingLog,
) -> pd.DataFrame:
    doubles = rows.duplicated(list(key))
    return _without(rows, doubles, rule, reason, key[0], file, log, severity)


def _check_span(rows: pd.DataFrame, file: str, log: FindingLog) -> None:
    """A typing error in a year must not make a roster of decades."""
    if not len(rows):
        return
    low, high = int(rows["day"].min()), int(rows["day"].max())
    if high - low >= MOST_DAYS:
        at = rows["row"].iloc[int(rows["day"].argmax())]
        reason = (
            f"dates run from {day_text(low)} to {day_text(high)}, more than {MOST_DAYS} days; look for a wrong year"
        )
        log.add(Severity.ERROR, "wide_span", reason, file, int(at), "date", day_text(high))
