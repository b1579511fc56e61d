"""INRC-II instances with solutions, against counts made from the plain text and the organisers' own validator."""

from __future__ import annotations

import contextlib
import datetime as dt
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resilience_assets.domain.assembly import roster_from_tables
from resilience_assets.domain.days import day_of
from resilience_assets.domain.findings import Severity
from resilience_assets.exchange.read_inrc2 import read_inrc2
from resilience_assets.exchange.source import SourceError

MONDAY = day_of(dt.date(2026, 1, 5))
FOLDERS = [
    "n005w4/Solution_H_0-WD_1-2-3-3", "n005w4/Solution_H_1-WD_5-3-1-0", "n005w4/Solution_H_2-WD_6-7-8-9",
    "n012w8/Solution_H_0-WD_3-5-0-2-0-4-5-2", "n012w8/Solution_H_1-WD_7-7-0-8-9-3-2-6", "n012w8/Solution_H_2-WD_4-5-6-7-2-1-2-1",
]  # fmt: skip
DAYS = "Mon Tue Wed Thu Fri Sat Sun".split()  # noqa: SIM905

MADE_UP = {
    "Sc-tiny.txt": """SCENARIO = tiny

WEEKS = 1

SKILLS = 2
Senior
Junior

SHIFT_TYPES = 3
Early (2,5)
Twilight (1,2)
Night (2,3)

FORBIDDEN_SHIFT_TYPES_SUCCESSIONS
Early 0
Twilight 1 Early
Night 2 Early Twilight

CONTRACTS = 2
FullTime (3,5) (1,5) (1,3) 1 1
20Percent (1,2) (1,5) (1,3) 1 1

NURSES = 2   # a comment
Ada FullTime 2 Senior Junior
Ben 20Percent 1 Junior
""",
    "H0-tiny-0.txt": "HISTORY\n0 tiny\n\nNURSE_HISTORY\nAda 12 2 Night 1 3 0\nBen 0 0 None 0 0 4\n",
    "WD-tiny-7.txt": """WEEK_DATA
tiny

REQUIREMENTS
Early Senior (1,1) (0,0) (0,0) (0,0) (0,0) (0,0) (0,0)
Early Junior (0,1) (1,2) (0,0) (0,0) (0,0) (0,0) (0,0)
Twilight Senior (0,0) (0,0) (0,0) (0,0) (0,0) (0,0) (0,0)
Twilight Junior (0,0) (0,0) (0,0) (0,0) (0,0) (0,0) (0,0)
Night Senior (0,0) (0,0) (0,0) (0,0) (0,0) (0,0) (0,0)
Night Junior (0,0) (0,0) (0,0) (0,0) (0,0) (0,0) (1,1)

SHIFT_OFF_REQUESTS = 1
Ada Any Sun
""",
    "Solution_H_0-WD_7/Sol-tiny-7-0.txt": "SOLUTION\n0 tiny\n\nASSIGNMENTS = 3\nAda Mon Early Senior\nBen Tue Early Junior\nBen Sun Night Junior\n",
}


def make(folder: Path, **changed: tuple[str, str] | None) -> Path:
    """The made-up instance with one text replaced in a file (Sc, H0, WD or Sol), or the file left out."""
    for name, text in MADE_UP.items():
        path = folder / name
        change = changed.get(path.name.partition("-")[0], ("", ""))
        if change is None:
            continue
        assert change[0] in text
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace(change[0], change[1], 1) if change[0] else text)
    (folder / "Solution_H_0-WD_7").mkdir(exist_ok=True)
    return folder / "Solution_H_0-WD_7"


def test_the_made_up_instance(tmp_path: Path) -> None:
    read = read_inrc2(make(tmp_path), start_day=MONDAY)
    tables = read.tables
    assert read.counts == {"people": 2, "services": 3, "posts": 6, "qualifications": 9, "demand": 42, "assignments": 6}
    assert [(one.severity, one.rule, one.file) for one in read.findings] == [
        (Severity.NOTE, "history_elsewhere", "H0-tiny-0.txt"), (Severity.NOTE, "wishes_not_read", "WD-tiny-7.txt"),
    ]  # fmt: skip
    assert tables.program is not None
    assert (tables.program.id, tables.program.time_zone) == ("tiny-h0-7", "UTC")
    assert [(shift.code, shift.start, shift.end) for shift in tables.program.shifts] == [
        ("Early", 360, 840), ("Twilight", 840, 1320), ("Night", 1320, 1800),
    ]  # fmt: skip
    assert tables.program.forbidden_successions == (("Twilight", "Early"), ("Night", "Early"), ("Night", "Twilight"))
    assert tables.people is not None
    assert tables.assignments is not None
    assert tables.demand is not None
    assert tables.people[["person", "role", "fte", "row"]].values.tolist() == [
        ["Ada", "Senior", 1.0, 24],
        ["Ben", "Junior", 0.2, 25],
    ]
    assert tables.assignments[["person", "day", "shift", "post", "file", "row"]].values.tolist() == [
        ["Ada", MONDAY - 3, "Night", "ELSEWHERE", "H0-tiny-0.txt", 5],
        ["Ada", MONDAY - 2, "Night", "ELSEWHERE", "H0-tiny-0.txt", 5],
        ["Ada", MONDAY - 1, "Night", "ELSEWHERE", "H0-tiny-0.txt", 5],
        ["Ada", MONDAY, "Early", "Early/Senior", "Sol-tiny-7-0.txt", 5],
        ["Ben", MONDAY + 1, "Early", "Early/Junior", "Sol-tiny-7-0.txt", 6],
        ["Ben", MONDAY + 6, "Night", "Night/Junior", "Sol-tiny-7-0.txt", 7],
    ]
    needed = tables.demand[tables.demand["required"] > 0]
    assert needed[["post", "day", "slot", "required", "minimum", "row", "column"]].values.tolist() == [
        ["Early/Senior", MONDAY, "DAY", 1, 1, 5, "Mon"],
        ["Early/Junior", MONDAY, "DAY", 1, 0, 6, "Mon"],
        ["Early/Junior", MONDAY + 1, "DAY", 2, 1, 6, "Tue"],
        ["Night/Junior", MONDAY + 6, "DAY", 1, 1, 10, "Sun"],
    ]
    assert tables.dates == (MONDAY - 3, MONDAY + 6)


def test_another_start_is_another_content_and_a_program_may_be_named(tmp_path: Path) -> None:
    folder = make(tmp_path)
    one, two = (
        read_inrc2(folder, start_day=MONDAY),
        read_inrc2(folder, start_day=MONDAY + 7, program="ward-a", time_zone="Europe/Rome"),
    )
    assert one.content_hash != two.content_hash
    assert two.tables.program is not None
    assert (two.tables.program.id, two.tables.program.time_zone) == ("ward-a", "Europe/Rome")


WRONG: list[tuple[str, tuple[str, str] | None, str, int | None]] = [
    ("Sol", None, "missing_file", None),
    ("WD", None, "missing_file", None),
    ("Sc", None, "missing_file", None),
    ("Sol", ("= 3", "= 9"), "cut_off", 7),
    ("Sol", ("= 3", "= 2"), "other_count", 6),
    ("Sol", ("= 3", "= x"), "bad_number", 4),
    ("Sol", ("0 tiny", "1 tiny"), "other_week", 2),
    ("Sol", ("Ben Tue", "Bob Tue"), "unknown_person", 6),
    ("Sol", ("Ben Tue", "Ben Tag"), "unknown_weekday", 6),
    ("Sol", ("Early Junior", "Noon Junior"), "unknown_shift", 6),
    ("Sol", ("Early Junior", "Early Boss"), "unknown_skill", 6),
    ("Sol", ("Ben Sun", "Ben Tue"), "duplicate_cell", 7),
    ("Sol", (" Early Junior", " Early"), "bad_line", 6),
    ("H0", ("1 3 0", "4 3 0"), "bad_history", 5),
    ("H0", ("Ben 0", "Ada 0"), "duplicate_id", 6),
    ("H0", ("Ben 0 0 None 0 0 4\n", ""), "cut_off", 5),
    ("WD", ("(1,2)", "(3,2)"), "minimum_above_required", 6),
    ("WD", ("(1,2)", "(-1,2)"), "bad_demand", 6),
    ("WD", ("Early Junior", "Early Senior"), "duplicate_cell", 6),
    ("WD", ("Night Junior (0,0)", "Night Junior"), "bad_demand", 10),
    ("Sc", ("= tiny", "= other"), "other_instance", 1),
    ("Sc", ("Ben 20Percent 1", "Ada 20Percent 1"), "duplicate_id", 25),
    ("Sc", ("Ben 20Percent", "Ben None"), "unknown_contract", 25),
    ("Sc", ("Ben 20Percent", "=1+1 20Percent"), "formula_text", 25),
    ("Sc", ("Ben 20Percent 1", "Ben 20Percent 2"), "bad_line", 25),
    ("Sc", ("Night 2 Early Twilight", "Night 2 Early"), "bad_line", 17),
]  # fmt: skip


@pytest.mark.parametrize(("name", "change", "rule", "row"), WRONG)
def test_what_does_not_follow_the_format_is_named_with_its_line(
    tmp_path: Path, name: str, change: tuple[str, str] | None, rule: str, row: int | None
) -> None:
    with pytest.raises(SourceError) as caught:
        read_inrc2(make(tmp_path, **{name: change}), start_day=MONDAY)
    (finding,) = caught.value.findings
    assert (finding.rule, finding.row) == (rule, row)
    assert finding.reason
    assert row is None or finding.file.startswith(name)


@pytest.mark.parametrize("start", [None, MONDAY + 1])
def test_the_start_must_be_given_and_a_monday(tmp_path: Path, start: int | None) -> None:
    with pytest.raises(SourceError, match="bad_start"):
        read_inrc2(make(tmp_path), start_day=start)


def test_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="not_a_solution"):
        read_inrc2(tmp_path, start_day=MONDAY)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_bytes_changed_give_a_roster_or_a_source_error(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = make(tmp_path_factory.mktemp("inrc2"))
    path = folder.parent / data.draw(st.sampled_from(sorted(MADE_UP)))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 4))] = data.draw(
            st.one_of(st.binary(max_size=4), st.just(b"9"), st.just(b"\n"))
        )
    path.write_bytes(content)
    with contextlib.suppress(SourceError):
        read_inrc2(folder, start_day=MONDAY)


# ---- the organisers' solutions --------------------------------------------------------------------


def lines_after(path: Path, title: str) -> list[list[str]]:
    """The lines below a title up to the next empty one, by plain text."""
    block = re.split(r"\n\s*\n", path.read_text().replace("\r", "").partition(title)[2].partition("\n")[2])[0]
    return [line.split() for line in block.splitlines() if line.strip()]


@pytest.mark.parametrize("name", FOLDERS)
def test_an_organisers_solution_counts_as_its_text_says_and_is_nowhere_below_minimum(
    shared_data: Path, name: str
) -> None:
    folder = shared_data / "inrc2" / "text" / name
    instance = folder.parent.name
    weeks = name.partition("-WD_")[2].split("-")
    nurses = {words[0]: words[3:] for words in lines_after(folder.parent / f"Sc-{instance}.txt", "NURSES")}
    shifts = [words[0] for words in lines_after(folder.parent / f"Sc-{instance}.txt", "SHIFT_TYPES")]
    skills = [words[0] for words in lines_after(folder.parent / f"Sc-{instance}.txt", "SKILLS")]
    worked = [
        (position, *words)
        for position, week in enumerate(weeks)
        for words in lines_after(folder / f"Sol-{instance}-{week}-{position}.txt", "ASSIGNMENTS")
    ]
    history = sum(
        int(words[5])
        for words in lines_after(folder.parent / f"H0-{instance}-{name.partition('_H_')[2][0]}.txt", "NURSE_HISTORY")
    )

    read = read_inrc2(folder, start_day=MONDAY)
    assert read.counts["people"] == len(nurses) == int(instance[1:4])
    assert read.counts["posts"] == len(shifts) * len(skills)
    assert read.counts["assignments"] == len(worked) + history
    assert not read.refused()

    roster, findings = roster_from_tables(read.tables)
    assert findings == []
    week_one = MONDAY - roster.first_day
    filled = roster.filled()[:, week_one:]
    seated = Counter(
        (position * 7 + DAYS.index(day), f"{shift}/{skill}")
        for position, nurse, day, shift, skill in worked
        if skill in nurses[nurse]
    )
    assert sum(seated.values()) == len(worked)  # every nurse has the skill that the solution uses
    by_id = {post.id: i for i, post in enumerate(roster.posts)}
    expected = np.zeros_like(filled)
    for (day, post), heads in seated.items():
        expected[by_id[post], day] = heads
    np.testing.assert_array_equal(filled, expected)

    minimum, required = np.zeros_like(filled), np.zeros_like(filled)
    for position, week in enumerate(weeks):
        for shift, skill, *cells in lines_after(folder.parent / f"WD-{instance}-{week}.txt", "REQUIREMENTS"):
            for weekday, cell in enumerate(cells):
                low, high = (int(number) for number in re.findall(r"\d+", cell))
                minimum[by_id[f"{shift}/{skill}"], position * 7 + weekday] = low
                required[by_id[f"{shift}/{skill}"], position * 7 + weekday] = high
    np.testing.assert_array_equal(roster.minimum[:, week_one:], minimum)
    np.testing.assert_array_equal(roster.required[:, week_one:], required)
    assert roster.days == week_one + 7 * len(weeks)

    # the oracle: the organisers' solutions meet every minimum
    assert (filled >= roster.minimum[:, week_one:]).all()


def test_the_validators_own_grid_shows_the_same_shifts(shared_data: Path) -> None:
    folder = shared_data / "inrc2" / "text" / FOLDERS[0]
    roster, _ = roster_from_tables(read_inrc2(folder, start_day=MONDAY).tables)
    names = [person.id for person in roster.people]
    grid = [
        line
        for line in (folder / "validator.txt").read_text().splitlines()
        if line.split() and line.split()[0].rstrip("|") in names
    ]
    assert len(grid) == len(names)
    letters = [shift.code[0] for shift in roster.program.shifts]
    for line in grid:
        nurse, cells = line.split(maxsplit=1)[0], re.findall(r"[A-Z-](?=\|)", line)
        shown = roster.shift[names.index(nurse), MONDAY - roster.first_day :]
        assert cells == [letters[shift] if shift >= 0 else "-" for shift in shown]


def test_most_cells_of_an_organisers_solution_stand_exactly_at_the_minimum(shared_data: Path) -> None:
    """Optimised rosters have no slack: about nine cells in ten, over the three solutions of n012w8."""
    tight = total = 0
    for name in FOLDERS[3:]:
        roster, _ = roster_from_tables(read_inrc2(shared_data / "inrc2" / "text" / name, start_day=MONDAY).tables)
        needed = roster.minimum > 0
        tight += int((roster.filled()[needed] == roster.minimum[needed]).sum())
        total += int(needed.sum())
    assert 0.85 < tight / total < 0.95
