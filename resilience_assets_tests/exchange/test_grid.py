"""How a grid is read: its dates, its names, its codes."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resilience_assets.domain.days import date_of, day_of
from resilience_assets.domain.findings import Severity
from resilience_assets.domain.program import DEFAULT_SHIFTS, DEFAULT_SLOT_TYPES, Program, Shift, SlotType
from resilience_assets.exchange.finding_log import FindingLog
from resilience_assets.exchange.grid import (
    OFF,
    GridColumn,
    GridKey,
    GridRows,
    Meaning,
    NameRule,
    dated_columns,
    find_run,
    meaning_of,
    month_in,
    person_id,
    read_person,
    slot_shifts,
)
from resilience_assets.exchange.sheets import Sheet

PROGRAM = Program("p", "P", "UTC", DEFAULT_SLOT_TYPES, DEFAULT_SHIFTS)
WARD = Program(
    "w",
    "W",
    "UTC",
    (SlotType("DAY", 420, 1140), SlotType("NIGHT", 1140, 1860)),
    (Shift("D", 420, 1140), Shift("N", 1140, 1860), Shift("DN", 420, 1860)),
)
LEGEND = {
    "W": Meaning("WARD"),
    "CALL": Meaning("WARD", shift="CALL24"),
    "PC": Meaning("REST"),
    "V": Meaning(away="vacation"),
    "O": OFF,
}
SLOTTED = [GridColumn(1 + day * 3 + slot, 100 + day, slot) for day in range(2) for slot in range(3)]


def read(
    cells: list[object], merged: tuple[tuple[int, int, int, int], ...] = (), **more: object
) -> tuple[GridRows, FindingLog]:
    """One person's row of two dates with three slots each, from column B of row 1 on."""
    log = FindingLog()
    sheet = Sheet("book.xlsx#Roster", [["X", *cells]], merged, more.get("unread", {}))  # type: ignore[arg-type]
    return read_person(GridKey(sheet, PROGRAM, LEGEND, log), 0, "X", SLOTTED), log


def short(rows: GridRows) -> list[tuple[int, str, str]]:
    return [(row["day"], row["shift"], row["post"]) for row in rows.assignments]


# dates


@given(
    first=st.dates(dt.date(1990, 2, 1), dt.date(2199, 10, 1)),
    length=st.integers(7, 60),
    left=st.integers(0, 5),
    above=st.integers(0, 4),
    repeat=st.integers(1, 3),
    as_dates=st.booleans(),
)
def test_a_run_of_days_is_found_wherever_it_stands_and_dated(
    first: dt.date, length: int, left: int, above: int, repeat: int, as_dates: bool
) -> None:
    dates = [first + dt.timedelta(days=i) for i in range(length) for _ in range(repeat)]
    header: list[object] = [*(["name"] * left), *((date if as_dates else date.day) for date in dates), "hours", 160]
    sheet = Sheet("f", [["title", 1, 2, 3, 4]] * above + [header] + [["someone", 5, 5, 5]])
    run = find_run(sheet)
    assert run is not None
    assert (run.row, run.headers[0].column, len(run.headers)) == (above, left, len(dates))
    log = FindingLog()
    columns = dated_columns(sheet, run, log, start_day=day_of(first))
    assert [date_of(column.day) for column in columns] == dates
    assert not log.findings()


@given(year=st.integers(1991, 2198), month=st.integers(1, 12), before=st.integers(0, 4))
def test_the_month_is_that_of_the_first_one_even_when_the_run_begins_before_it(
    year: int, month: int, before: int
) -> None:
    start = dt.date(year, month, 1) - dt.timedelta(days=before)
    sheet = Sheet("f", [[(start + dt.timedelta(days=i)).day for i in range(before + 28)]])
    run = find_run(sheet)
    assert run is not None
    columns = dated_columns(sheet, run, FindingLog(), month=(year, month))
    assert date_of(columns[0].day) == start


def test_a_run_without_a_one_counts_from_its_first_number() -> None:
    sheet = Sheet("f", [list(range(10, 20))])
    run = find_run(sheet)
    assert run is not None
    assert date_of(dated_columns(sheet, run, FindingLog(), month=(2026, 3))[0].day) == dt.date(2026, 3, 10)


def test_a_day_that_the_month_does_not_have_is_found_with_its_address() -> None:
    sheet = Sheet("book.xlsx#grafik", [["x"], ["", *range(1, 32)]])
    run = find_run(sheet)
    assert run is not None
    log = FindingLog()
    columns = dated_columns(sheet, run, log, month=(2020, 11))
    assert len(columns) == 30
    assert [(one.rule, one.row, one.column, one.value) for one in log.findings()] == [("bad_date", 2, "AF2", "31")]
    assert "2020-12-01" in log.findings()[0].reason


def test_merged_dates_head_all_their_columns() -> None:
    header = [value for day in range(2, 9) for value in (dt.date(2026, 3, day), "")]
    sheet = Sheet("f", [["", *header]], tuple((0, 1 + 2 * i, 0, 2 + 2 * i) for i in range(7)))
    run = find_run(sheet)
    assert run is not None
    days = [column.day for column in dated_columns(sheet, run, FindingLog())]
    assert days == [day_of(dt.date(2026, 3, day)) for day in range(2, 9) for _ in range(2)]


def test_shorter_runs_and_hours_are_no_dates() -> None:
    assert find_run(Sheet("f", [[1, 2, 3, 4, 5, 6], [8.5, 9.5, 10.5, 11.5, 12.5, 13.5, 14.5]])) is None
    assert find_run(Sheet("f", [[1, 2, 3]]), 3) is not None


def test_day_numbers_without_a_month_are_refused() -> None:
    sheet = Sheet("f", [list(range(1, 9))])
    run = find_run(sheet)
    assert run is not None
    with pytest.raises(ValueError, match="month or a start date"):
        dated_columns(sheet, run, FindingLog())


def test_a_title_says_the_month() -> None:
    names = {"marzec": 3}
    pattern = r"MIESIĄC\s+(?P<month>\w+).*ROK\s+(?P<year>\d{4})"
    assert month_in("GRAFIK | MIESIĄC MARZEC | ROK 2021 | 184", pattern, names) == (2021, 3)
    assert month_in("miesiąc marzec rok 2021", pattern, names) == (2021, 3)
    assert month_in("miesiąc 3 rok 2021", pattern, {}) == (2021, 3)
    assert month_in("miesiąc maj rok 2021", pattern, names) is None
    assert month_in("miesiąc 13 rok 2021", pattern, names) is None
    assert month_in("nothing", pattern, names) is None


# names

SCHEME = [NameRule(r"pracownik\w*?\s*(?P<number>[0-9]+)", "W-{number:2}")]


@given(
    number=st.integers(1, 99),
    stem=st.sampled_from(["Pracownik", "Pracownika", "PRACOWNIK", "pracowniku"]),
    gap=st.text(" \u00a0\t", max_size=4),
    around=st.text(" \u00a0", max_size=3),
    zeros=st.integers(0, 2),
)
def test_uneven_spelling_is_one_person(number: int, stem: str, gap: str, around: str, zeros: int) -> None:
    assert person_id(f"{around}{stem}{gap}{'0' * zeros}{number}{around}", SCHEME) == (f"W-{number:02d}", "")


@given(st.integers(1, 999), st.integers(1, 999))
def test_different_numbers_are_different_people(one: int, other: int) -> None:
    assert (person_id(f"Pracownik {one}", SCHEME) == person_id(f"Pracownik{other}", SCHEME)) == (one == other)


def test_a_name_of_no_scheme_has_no_id_and_the_first_scheme_wins() -> None:
    assert person_id("Dzieci", SCHEME) is None
    assert person_id("Pracownik 8 i 9", SCHEME) is None
    rules = [NameRule(r"nurse (?P<n>\d+)", "N-{n}", "nurse"), NameRule(r"(?P<all>.*)", "X-{all}")]
    assert person_id("Nurse 4", rules) == ("N-4", "nurse")
    assert person_id("carer", rules) == ("X-carer", "")


# codes


def test_codes_take_the_shift_of_their_column_and_blank_is_off() -> None:
    rows, log = read(["W", "W", "", "", "PC", "O"])
    assert short(rows) == [(100, "AM", "WARD"), (100, "PM", "WARD"), (101, "PM", "REST")]
    assert [row["column"] for row in rows.assignments] == ["B1", "C1", "F1"]
    assert not log.findings()


@pytest.mark.parametrize("cells", [["CALL", "CALL", "CALL"], ["CALL", "", ""], ["CALL", "CALL", ""]])
def test_a_long_shift_stands_once_or_in_all_its_slots(cells: list[str]) -> None:
    rows, log = read([*cells, "PC", "", ""])
    assert short(rows) == [(100, "CALL24", "WARD"), (101, "AM", "REST")]
    assert not log.findings()


def test_a_long_shift_may_be_merged_over_its_slots() -> None:
    rows, log = read(["CALL", "", "", "CALL", "CALL", "CALL"], ((0, 1, 0, 3),))
    assert short(rows) == [(100, "CALL24", "WARD"), (101, "CALL24", "WARD")]
    assert not log.findings()


@pytest.mark.parametrize(
    ("cells", "where", "rule", "reason"),
    [
        (["NF/?", "", ""], "B1", "unknown_code", "not in the legend"),
        (["CALL", "W", ""], "C1", "unreadable_cell", "in two places"),
        (["", "", "CALL"], "D1", "unreadable_cell", "starts in AM, not in NIGHT"),
    ],
)
def test_a_cell_not_understood_is_found_by_address_and_grey(
    cells: list[str], where: str, rule: str, reason: str
) -> None:
    rows, log = read(cells)
    [finding] = log.findings()
    assert (finding.severity, finding.rule, finding.row, finding.column) == (Severity.UNREADABLE, rule, 1, where)
    assert finding.file == "book.xlsx#Roster"
    assert reason in finding.reason
    [grey] = [row for row in rows.assignments if row["post"] == "UNKNOWN"]
    assert (grey["day"], grey["shift"], grey["column"]) == (100, ["AM", "PM", "NIGHT"]["BCD".index(where[0])], where)


def test_a_formula_never_calculated_is_grey_not_off() -> None:
    rows, log = read(["", "W"], unread={"B1": "the formula was never calculated"})
    assert short(rows) == [(100, "AM", "UNKNOWN"), (100, "PM", "WARD")]
    assert log.findings()[0].column == "B1"


def test_a_cell_merged_over_several_people_belongs_to_nobody() -> None:
    log = FindingLog()
    sheet = Sheet("f#s", [["X", "W"], ["Y", ""]], ((0, 1, 1, 1),))
    key = GridKey(sheet, PROGRAM, LEGEND, log)
    for row, person in enumerate("XY"):
        assert [cell["post"] for cell in read_person(key, row, person, SLOTTED[:1]).assignments] == ["UNKNOWN"]
    assert [one.column for one in log.findings()] == ["B1", "B2"]


def test_absences_become_stretches_a_kind() -> None:
    legend = LEGEND | {"S": Meaning(away="sick"), "D": Meaning("WARD", shift="D")}
    codes = ["V", "V", "S", "", "S", "S", "D"]
    columns = [GridColumn(1 + i, 100 + i) for i in range(7)]
    rows = read_person(GridKey(Sheet("f#s", [["X", *codes]]), WARD, legend, FindingLog()), 0, "X", columns)
    assert [(row["first"], row["last"], row["kind"], row["column"]) for row in rows.absences] == [
        (100, 101, "vacation", "B1"),
        (102, 102, "sick", "D1"),
        (104, 105, "sick", "F1"),
    ]
    assert short(rows) == [(106, "D", "WARD")]


def test_away_and_at_work_on_one_date_is_found() -> None:
    _, log = read(["V", "W", ""])
    assert [(one.severity, one.column) for one in log.findings()] == [(Severity.UNREADABLE, "B1")]


def test_an_unknown_code_of_a_whole_date_makes_all_its_slots_grey() -> None:
    log = FindingLog()
    rows = read_person(GridKey(Sheet("f#s", [["X", "?"]]), WARD, LEGEND, log), 0, "X", [GridColumn(1, 100)])
    assert short(rows) == [(100, "D", "UNKNOWN"), (100, "N", "UNKNOWN")]


def test_a_code_of_a_whole_date_needs_a_shift() -> None:
    log = FindingLog()
    read_person(GridKey(Sheet("f#s", [["X", "W"]]), WARD, LEGEND, log), 0, "X", [GridColumn(1, 100)])
    assert "add the shift to the legend" in log.findings()[0].reason


def test_marks_and_capitals_do_not_matter_but_two_spellings_do() -> None:
    log = FindingLog()
    key = GridKey(Sheet("f#s", [["X", "w*", "* W"]]), PROGRAM, LEGEND, log, marks="*")
    assert short(read_person(key, 0, "X", SLOTTED[:2])) == [(100, "AM", "WARD"), (100, "PM", "WARD")]
    both = {"n": Meaning("A"), "N": Meaning("B")}
    assert meaning_of("n", both) == Meaning("A")
    assert meaning_of("N", both) == Meaning("B")
    assert meaning_of("x", both) is None


def test_a_colour_gives_a_blank_cell_its_meaning() -> None:
    key = GridKey(
        Sheet("f#s", [["X", "", "W"]]),
        PROGRAM,
        LEGEND,
        FindingLog(),
        colours={(0, 1): LEGEND["V"], (0, 2): LEGEND["V"]},
    )
    rows = read_person(key, 0, "X", [GridColumn(1, 100, 0), GridColumn(2, 101, 0)])
    assert [row["first"] for row in rows.absences] == [100]
    assert short(rows) == [(101, "AM", "WARD")]


def test_the_shift_of_a_slot_is_the_one_that_covers_it_alone() -> None:
    assert slot_shifts(PROGRAM) == ["AM", "PM", "NIGHT"]
    assert slot_shifts(WARD) == ["D", "N"]
    lone = Program("l", "L", "UTC", DEFAULT_SLOT_TYPES, (Shift("CALL24", 420, 1860),))
    assert slot_shifts(lone) == [None, None, None]


@given(st.lists(st.sampled_from(["", "W", "PC", "CALL", "V", "O", "??", "w"]), min_size=6, max_size=6))
def test_no_filled_cell_is_lost_without_a_word(cells: list[str]) -> None:
    """Every filled cell is off, in a row, in an absence, inside a shift, or found."""
    rows, log = read(list(cells))
    told = {row["column"] for row in rows.assignments} | {one.column for one in log.findings()}
    calls = [int(row["column"] == "E1") * 3 for row in rows.assignments if row["shift"] == "CALL24"]
    inside = {"BCDEFG"[start + i] + "1" for start in calls for i in range(3)}
    away = {row["first"] + i for row in rows.absences for i in range(row["last"] - row["first"] + 1)}
    for index, code in enumerate(cells):
        where, day = "BCDEFG"[index] + "1", 100 + index // 3
        if code == "V":
            assert day in away
        elif code not in ("", "O"):
            assert where in told or (code == "CALL" and where in inside)
