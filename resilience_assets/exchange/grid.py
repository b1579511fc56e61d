"""Grids of people by dates: where the dates are, who stands in a row, what a code in a cell means.

Belongs here: finding the run of dates, dating it, names to ids, codes to assignments and absences,
for any layout. Does not belong here: one layout's sheets (own_workbook.py, mapped_workbook.py),
opening files (sheets.py).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from typing import Any

from resilience_assets.domain.days import date_of, day_of, day_text
from resilience_assets.domain.findings import Severity
from resilience_assets.domain.program import Program
from resilience_assets.exchange.finding_log import FindingLog
from resilience_assets.exchange.sheets import Sheet, address, cell_text

LEAST_RUN = 7
"""Shortest run of consecutive days that is taken for the header of a grid."""
FIRST_YEAR, LAST_YEAR = 1990, 2199
"""Years that a date may have; anything else is a typing error."""


@dataclass(frozen=True, slots=True)
class Header:
    """A header cell of a run: its column (from 0) and what it says, a day of the month or a date."""

    column: int
    says: int | dt.date


@dataclass(frozen=True, slots=True)
class DayRun:
    """A row of a sheet that counts through consecutive days. A day may head several columns (AM, PM)."""

    row: int
    headers: tuple[Header, ...]


@dataclass(frozen=True, slots=True)
class GridColumn:
    """One column of a grid: its epoch day, and the index of its slot type (None: the whole date)."""

    column: int
    day: int
    slot: int | None = None


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a code says: at most one of `post` and `away` is set; neither means off.

    `post` is a post id or FREE, REST, ELSEWHERE; `away` a kind of absence. `shift` is the shift
    worked ('' = the shift of the slot in whose column the code stands).
    """

    post: str = ""
    away: str = ""
    shift: str = ""
    approved: bool = True


OFF = Meaning()


@dataclass
class GridRows:
    """What a grid says, as rows for `domain.tables.frame`."""

    assignments: list[dict[str, Any]] = field(default_factory=list)
    absences: list[dict[str, Any]] = field(default_factory=list)

    def add(self, other: GridRows) -> None:
        """Append the rows of another."""
        self.assignments += other.assignments
        self.absences += other.absences


def find_run(sheet: Sheet, least: int = LEAST_RUN, *, row: int | None = None) -> DayRun | None:
    """The longest run of at least `least` consecutive days (in `row` only, if given); None if there is none.

    Day numbers follow each other when they rise by one, or fall to 1 after 28 to 31; dates when
    they are one day apart. Equal neighbours (a merged date over AM and PM) count once. Of equally
    long runs the topmost, then leftmost is taken.
    """
    best: tuple[int, DayRun] | None = None
    filled = sheet.filled() if sheet.merged else sheet
    for index in range(filled.height) if row is None else [row]:
        for run in _runs(filled, index):
            length = sum(1 for _ in groupby(header.says for header in run.headers))
            if length >= least and (best is None or length > best[0]):
                best = (length, run)
    return best[1] if best else None


def _runs(sheet: Sheet, row: int) -> list[DayRun]:
    runs: list[list[Header]] = []
    for column in range(sheet.width):
        says = day_in(sheet.value(row, column))
        if says is None:
            runs.append([])
            continue
        last = runs[-1][-1] if runs and runs[-1] else None
        if last is not None and (last.says == says or _follows(last.says, says)):
            runs[-1].append(Header(column, says))
        else:
            runs.append([Header(column, says)])
    return [DayRun(row, tuple(run)) for run in runs if run]


def _follows(one: int | dt.date, other: int | dt.date) -> bool:
    if isinstance(one, dt.date) or isinstance(other, dt.date):
        return isinstance(one, dt.date) and isinstance(other, dt.date) and (other - one).days == 1
    return other == one + 1 or (other == 1 and 28 <= one <= 31)


def day_in(value: Any) -> int | dt.date | None:
    """The date, or the day of the month 1..31, that a header cell says; None for anything else."""
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    text = cell_text(value)
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        try:
            return dt.date.fromisoformat(text)
        except ValueError:
            return None
    number = int(text) if re.fullmatch(r"[0-9]{1,2}", text) else 0
    return number if 1 <= number <= 31 else None


def dated_columns(
    sheet: Sheet, run: DayRun, log: FindingLog, *, month: tuple[int, int] | None = None, start_day: int | None = None
) -> list[GridColumn]:
    """The columns of a run with their epoch days.

    Headers that are dates say it themselves. Day numbers are counted from `start_day` (the first
    column), else from `month` (year, month), which is the month of the first 1 in the run (the run
    may begin in the month before), or of the first number where there is no 1. A header that does
    not agree with the calendar is found `bad_date` and its column left out. ValueError when day
    numbers are given neither.
    """
    if not run.headers:
        return []
    steps = _steps(run)
    first = _first_day(run, steps, month, start_day)
    columns = []
    for header, step in zip(run.headers, steps, strict=True):
        date = date_of(first + step)
        agrees = header.says == date if isinstance(header.says, dt.date) else header.says == date.day
        if agrees and FIRST_YEAR <= date.year <= LAST_YEAR:
            columns.append(GridColumn(header.column, day_of(date)))
            continue
        reason = f"the header says {header.says} where the calendar has {date.isoformat()}; its column is not read"
        where = address(run.row, header.column)
        log.add(Severity.UNREADABLE, "bad_date", reason, sheet.file, run.row + 1, where, str(header.says))
    return columns


def _steps(run: DayRun) -> list[int]:
    """How many days each header lies after the first one."""
    steps, step = [], 0
    for index, header in enumerate(run.headers):
        step += index > 0 and header.says != run.headers[index - 1].says
        steps.append(step)
    return steps


def _first_day(run: DayRun, steps: list[int], month: tuple[int, int] | None, start_day: int | None) -> int:
    first = run.headers[0].says
    if isinstance(first, dt.date):
        return day_of(first)
    if start_day is not None:
        return start_day
    if month is None:
        raise ValueError("day numbers need a month or a start date")
    ones = [step for header, step in zip(run.headers, steps, strict=True) if header.says == 1]
    if ones:
        return day_of(dt.date(month[0], month[1], 1)) - ones[0]
    return day_of(dt.date(month[0], month[1], 1)) + first - 1


def month_in(text: str, pattern: str, names: Mapping[str, int]) -> tuple[int, int] | None:
    """Year and month that a title says, by a pattern with the groups `year` and `month`; None if it does not.

    `names` gives the number of a month's name in lower case; a number is taken as it is.
    """
    found = re.search(pattern, text, re.IGNORECASE)
    if found is None:
        return None
    said = found.group("month").strip().casefold()
    number = int(said) if said.isdecimal() else {name.casefold(): value for name, value in names.items()}.get(said, 0)
    year = int(found.group("year"))
    return (year, number) if 1 <= number <= 12 and FIRST_YEAR <= year <= LAST_YEAR else None


@dataclass(frozen=True, slots=True)
class NameRule:
    """One naming scheme: a pattern over the whole name, the id it gives, and the role if the name tells it.

    In `id` a group stands as {number}, or {number:2} to fill it up with zeros to two digits.
    """

    pattern: str
    id: str
    role: str = ""


def person_id(name: str, rules: Sequence[NameRule]) -> tuple[str, str] | None:
    """The id and role (or '') of a name by the first rule that fits it whole, capitals aside; None if none does.

    Spelling within a scheme does not matter where the pattern allows it: 'Worker 8', 'worker08' and
    'Workers 8' are one person under `workers?\\s*(?P<number>[0-9]+)`.
    """
    for rule in rules:
        found = re.fullmatch(rule.pattern, cell_text(name), re.IGNORECASE)
        if found is not None:
            return _id_of(rule.id, found), rule.role
    return None


def _id_of(template: str, found: re.Match[str]) -> str:
    """The id of a rule with its groups filled in; numbers without their leading zeros."""

    def group(hole: re.Match[str]) -> str:
        value = (found.group(hole.group(1)) or "").strip()
        return (str(int(value)) if value.isdecimal() else value).zfill(int(hole.group(2) or 0))

    return re.sub(r"\{(\w+)(?::([0-9]))?\}", group, template)


def meaning_of(code: str, legend: Mapping[str, Meaning]) -> Meaning | None:
    """What a code means; capitals matter only where the legend has both spellings."""
    if code in legend:
        return legend[code]
    folded = {meaning for known, meaning in legend.items() if known.casefold() == code.casefold()}
    return folded.pop() if len(folded) == 1 else None


def slot_shifts(program: Program) -> list[str | None]:
    """For each slot type the code of the shift that covers it and nothing else; None if there is none.

    A shift with the slot's own code is preferred, then the order of the program.
    """
    out: list[str | None] = []
    for index, slot in enumerate(program.slot_types):
        own = [shift.code for shift in program.shifts if program.slots_of(shift) == (index,)]
        out.append(slot.code if slot.code in own else own[0] if own else None)
    return out


@dataclass(frozen=True)
class GridKey:
    """All that is needed to understand the cells of one sheet.

    `marks` are characters that a code may carry without a meaning; `colours` gives a meaning to
    blank cells by (row, column).
    """

    sheet: Sheet
    program: Program
    legend: Mapping[str, Meaning]
    log: FindingLog
    marks: str = ""
    colours: Mapping[tuple[int, int], Meaning] = field(default_factory=dict)

    @cached_property
    def own_shifts(self) -> list[str | None]:
        """See `slot_shifts`."""
        return slot_shifts(self.program)

    @cached_property
    def covers(self) -> dict[str, tuple[int, ...]]:
        """Slots that each shift covers, by its code."""
        return {shift.code: self.program.slots_of(shift) for shift in self.program.shifts}


def read_person(key: GridKey, row: int, person: str, columns: Sequence[GridColumn]) -> GridRows:
    """The cells of one person's row.

    A code stands where its shift starts; in the further slots of that shift the same code or
    nothing may stand. A cell that cannot be understood is found UNREADABLE with its address, and
    its slots are given to UNKNOWN: grey, filling no seat.
    """
    out = GridRows()
    per_day = len(key.program.slot_types)
    running: dict[int, tuple[str, str]] = {}  # slot since the epoch -> code and address of the shift that covers it
    away: dict[int, tuple[Meaning, str]] = {}
    for place in columns:
        code, where, problem = _cell(key, row, place.column)
        meaning = meaning_of(code, key.legend) if code else key.colours.get((row, place.column), OFF)
        if not problem and not code and meaning == OFF:
            continue
        covered = None if place.slot is None else running.get(place.day * per_day + place.slot)
        if not problem and covered is not None and covered[0] == code:
            continue
        if not problem and meaning is not None and not meaning.post:
            if meaning.away:
                away.setdefault(place.day, (meaning, where))
            continue
        shift = _shift_or_finding(key, row, place, code, where, problem, meaning, covered)
        source = {"file": key.sheet.file, "row": row + 1, "column": where}
        if shift is None or meaning is None:
            out.assignments += _unknown(key, person, place, source)
            continue
        out.assignments.append({"person": person, "day": place.day, "shift": shift, "post": meaning.post} | source)
        if place.slot is not None:
            running |= {place.day * per_day + offset: (code, where) for offset in key.covers[shift]}
    _away_rows(key, row, person, away, out)
    return out


def _cell(key: GridKey, row: int, column: int) -> tuple[str, str, str]:
    """Code, address and problem of a cell; a cell merged along its row has the value of the merge."""
    where = address(row, column)
    top, left, bottom, _ = key.sheet.merges.get((row, column), (row, column, row, column))
    code = key.sheet.text(top, left)
    if key.marks:
        code = code.strip(key.marks + " ")
    if top != bottom and code:
        return code, where, "the cell is merged over several people; write the code into each row"
    return code, where, key.sheet.unread.get(address(top, left), "")


def _shift_or_finding(
    key: GridKey,
    row: int,
    place: GridColumn,
    code: str,
    where: str,
    problem: str,
    meaning: Meaning | None,
    covered: tuple[str, str] | None,
) -> str | None:
    """The shift that a cell gives; None, and a finding, where it gives none."""
    shift, rule = "", "unreadable_cell"
    if not problem and meaning is None:
        rule, problem = "unknown_code", "the code is not in the legend; correct the cell or add the code to the legend"
    if not problem and covered is not None:
        problem = f"the cell lies inside {covered[0]!r} that starts in {covered[1]}; one person cannot be in two places"
    if not problem and meaning is not None:
        shift, problem = _shift_of(key, code, meaning, place)
    if problem:
        key.log.add(Severity.UNREADABLE, rule, problem, key.sheet.file, row + 1, where, code)
        return None
    return shift


def _shift_of(key: GridKey, code: str, meaning: Meaning, place: GridColumn) -> tuple[str, str]:
    """The shift that a code means in its column, and '' or the reason why there is none."""
    own = key.own_shifts
    if not meaning.shift:
        shift = own[place.slot or 0]
        if shift is None or (place.slot is None and len(own) > 1):
            return (
                "",
                "the legend gives this code no shift, and the column does not tell one; add the shift to the legend",
            )
        return shift, ""
    first = key.covers[meaning.shift][0]
    if place.slot is not None and first != place.slot:
        here, there = (key.program.slot_types[slot % len(own)].code for slot in (place.slot, first))
        return "", f"shift {meaning.shift} of code {code!r} starts in {there}, not in {here}; write it there"
    return meaning.shift, ""


def _unknown(key: GridKey, person: str, place: GridColumn, source: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows that make the slots of a cell grey."""
    slots = range(len(key.own_shifts)) if place.slot is None else [place.slot]
    shifts = [shift for slot in slots if (shift := key.own_shifts[slot]) is not None] or [key.program.shifts[0].code]
    return [{"person": person, "day": place.day, "shift": shift, "post": "UNKNOWN"} | source for shift in shifts]


def _away_rows(key: GridKey, row: int, person: str, away: dict[int, tuple[Meaning, str]], out: GridRows) -> None:
    """One absence row for each run of dates of one kind; a date on which the person also works is found."""
    working = {cell["day"]: cell["column"] for cell in out.assignments if cell["post"] != "UNKNOWN"}
    for day in sorted(set(away) & set(working)):
        reason = f"away on {day_text(day)} here and at work in {working[day]}; leave one of the two cells blank"
        key.log.add(
            Severity.UNREADABLE, "unreadable_cell", reason, key.sheet.file, row + 1, away[day][1], away[day][0].away
        )
    for _, run in groupby(enumerate(sorted(away)), key=lambda item: (item[1] - item[0], away[item[1]][0])):
        stretch = [day for _, day in run]
        meaning, where = away[stretch[0]]
        out.absences.append(
            {
                "person": person,
                "first": stretch[0],
                "last": stretch[-1],
                "kind": meaning.away,
                "approved": meaning.approved,
                "file": key.sheet.file,
                "row": row + 1,
                "column": where,
            }
        )
