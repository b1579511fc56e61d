"""The CSV set: what is read from it, and what each kind of bad input is answered with."""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
import re
import unicodedata
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resilience_assets.domain.assembly import roster_from_tables
from resilience_assets.domain.days import OPEN_END, OPEN_START, day_of
from resilience_assets.domain.findings import Severity
from resilience_assets.domain.program import DEFAULT_SHIFTS, DEFAULT_SLOT_TYPES, Shift, SlotType
from resilience_assets.domain.tables import COLUMNS, frame
from resilience_assets.exchange.read_csv import kind_of_file, read_csv_set
from resilience_assets.exchange.source import SourceError, SourceRead

SET = Path(__file__).resolve().parents[1] / "data" / "csv_set"
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "csv-format.md"

SMALL = {
    "program": "program,name,time_zone\nfm,Family medicine,UTC\n",
    "people": "person,role\nATT-01,attending\nATT-02,attending\n",
    "services": "service,tier\nICU,1\n",
    "posts": "service,role\nICU,attending\n",
    "qualifications": "person,post\nATT-01,ICU/attending\n",
    "demand": "post,date,slot,required,minimum\nICU/attending,2026-01-05,AM,2,1\n",
    "demand_rules": "post,weekday,slot,required\nICU/attending,daily,PM,1\n",
    "assignments": "person,date,shift,post\nATT-01,2026-01-05,AM,ICU/attending\nATT-02,2026-01-05,PM,FREE\n",
    "absences": "person,from,to\nATT-02,2026-01-06,\n",
}


def write_set(folder: Path, files: Mapping[str, str | bytes | None]) -> Path:
    """A folder with these files, by name without .csv; None leaves one out."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        if content is not None:
            (folder / f"{name}.csv").write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def read_with(folder: Path, *, asked: str | None = None, **changed: str | bytes | None) -> SourceRead:
    """The small set with some of its files replaced."""
    return read_csv_set(write_set(folder, {**SMALL, **changed}), program=asked)


def errors(read: SourceRead) -> list[tuple[str, str, int | None, str, str]]:
    return [
        (one.rule, one.file, one.row, one.column, one.value) for one in read.findings if one.severity == Severity.ERROR
    ]


def test_the_small_set_is_read_whole(tmp_path: Path) -> None:
    read = read_with(tmp_path)
    assert read.findings == []
    assert not read.refused()
    assert read.kind == "csv"
    assert read.files == tuple(sorted(f"{name}.csv" for name in SMALL))
    assert read.counts == {
        "people": 2, "services": 1, "posts": 1, "qualifications": 1, "demand": 1, "demand_rules": 7, "assignments": 2, "absences": 1,
    }  # fmt: skip
    tables = read.tables
    assert tables.program is not None
    assert tables.program.slot_types == DEFAULT_SLOT_TYPES
    assert tables.program.shifts == DEFAULT_SHIFTS
    for kind, part in tables.kinds().items():
        assert list(part.columns) == [*COLUMNS[kind], "file", "row", "column"]
        assert (part["file"] == f"{kind}.csv").all()
    assert tables.people is not None
    assert tables.people["fte"].tolist() == [1.0, 1.0]
    assert tables.posts is not None
    assert tables.posts["post"].tolist() == ["ICU/attending"]
    assert tables.demand_rules is not None
    assert tables.demand_rules["weekday"].tolist() == list(range(7))
    assert tables.demand_rules["row"].tolist() == [2] * 7
    assert tables.demand_rules["minimum"].tolist() == [1] * 7
    assert tables.absences is not None
    assert tables.absences.loc[0, ["last", "kind", "approved"]].tolist() == [OPEN_END, "away", True]


def test_the_shipped_example_is_a_roster_without_a_finding() -> None:
    read = read_csv_set(SET)
    assert read.findings == []
    roster, findings = roster_from_tables(read.tables)
    assert findings == []
    tuesday = (day_of(dt.date(2026, 2, 3)) - roster.first_day) * 3
    by_id = {post.id: i for i, post in enumerate(roster.posts)}
    # the dated rows replace the weekly rules: one resident instead of two, no clinic
    assert (roster.required[by_id["ICU/resident"], tuesday], roster.required[by_id["CLINIC/any"], tuesday + 1]) == (
        1,
        0,
    )
    assert (roster.filled() >= roster.minimum).all()


def test_the_document_shows_exactly_the_shipped_example() -> None:
    shown = dict(re.findall(r"^## (\w+)\.csv: .*?\n\n```csv\n(.*?)```", DOCUMENT.read_text(), flags=re.S | re.M))
    shown |= dict(re.findall(r"^## (\w+)\.csv\n\n```csv\n(.*?)```", DOCUMENT.read_text(), flags=re.S | re.M))
    assert shown == {path.stem: path.read_text() for path in SET.glob("*.csv")}


def test_folder_and_zip_have_the_same_content(tmp_path: Path) -> None:
    packed = tmp_path / "set.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for path in sorted(SET.iterdir(), reverse=True):
            archive.write(path, f"my set/{path.name}")
    one, two = read_csv_set(SET), read_csv_set(packed)
    assert one.content_hash == two.content_hash
    for kind, part in one.tables.kinds().items():
        pd.testing.assert_frame_equal(part, two.tables.kinds()[kind])


def test_a_single_file_needs_the_program_named(tmp_path: Path) -> None:
    path = write_set(tmp_path, {"absences": SMALL["absences"]}) / "absences.csv"
    assert [one[0] for one in errors(read_csv_set(path))] == ["missing_program"]
    read = read_csv_set(path, program="fm")
    assert read.findings == []
    assert read.tables.program is None
    assert list(read.tables.kinds()) == ["absences"]


def test_slots_and_shifts_divide_the_day(tmp_path: Path) -> None:
    slots = "slot,start,end\nN,19:00,07:00\nD,07:00,19:00\n"
    only_posts = {**dict.fromkeys(SMALL), "program": SMALL["program"], "slots": slots}
    program = read_csv_set(write_set(tmp_path / "one", only_posts)).tables.program
    assert program is not None
    assert program.slot_types == (SlotType("D", 420, 1140), SlotType("N", 1140, 1860))
    assert program.shifts == (Shift("D", 420, 1140), Shift("N", 1140, 1860))
    more = {
        "shifts": "shift,start,end,name\nL,07:00,07:00,long\nXL,07:00,36:00,\n",
        "successions": "first,next\nL,XL\n",
    }
    program = read_csv_set(write_set(tmp_path / "two", only_posts | more)).tables.program
    assert program is not None
    assert program.shifts == (Shift("L", 420, 1860, "long"), Shift("XL", 420, 2160))
    assert program.forbidden_successions == (("L", "XL"),)


def test_progress_counts_the_bytes(tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    read_csv_set(write_set(tmp_path, SMALL), progress=lambda *step: seen.append(step))
    total = sum(len(text) for text in SMALL.values())
    assert seen[-1] == ("checking", total, total)
    assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)


ERRORS: list[tuple[str, str, str | bytes, tuple[str, int | None, str, str]]] = [
    ("wrong encoding", "people", "person,role\nATT-01,Attendé\n".encode("latin-1"), ("bad_encoding", 2, "", "")),
    ("zeros", "people", bytes(10_000), ("zero_bytes", 1, "", "")),
    ("missing column", "people", "person,name\nATT-01,Alma\n", ("missing_column", 1, "role", "")),
    ("duplicate id", "people", "person,role\nATT-01,a\nATT-02,a\nATT-01,b\n", ("duplicate_id", 4, "person", "ATT-01")),
    ("duplicate service", "services", "service,tier\nICU,1\nICU,2\n", ("duplicate_id", 3, "service", "ICU")),
    ("duplicate post", "posts", "service,role\nICU,attending\nICU,attending\n", ("duplicate_id", 3, "post", "ICU/attending")),
    ("year 9999", "absences", "person,from,to\nATT-01,2026-01-01,9999-12-31\n", ("bad_date", 2, "to", "9999-12-31")),
    ("year 9999 in a roster", "assignments", SMALL["assignments"] + "ATT-01,9999-01-01,AM,FREE\n", ("bad_date", 4, "date", "9999-01-01")),
    ("negative demand", "demand", "post,date,slot,required\nICU/attending,2026-01-05,AM,-1\n", ("negative_demand", 2, "required", "-1")),
    ("minimum above", "demand", "post,date,slot,required,minimum\nICU/attending,2026-01-05,AM,1,2\n", ("minimum_above_required", 2, "minimum", "2")),
    ("minimum above by rule", "demand_rules", "post,weekday,slot,required,minimum\nICU/attending,daily,AM,1,2\n", ("minimum_above_required", 2, "minimum", "2")),
    ("unknown person", "assignments", SMALL["assignments"] + "ATT-03,2026-01-05,AM,ICU/attending\n", ("unknown_person", 4, "person", "ATT-03")),
    ("unknown post", "assignments", SMALL["assignments"] + "ATT-01,2026-01-06,AM,ICU\n", ("unknown_post", 4, "post", "ICU")),
    ("unknown shift", "assignments", SMALL["assignments"] + "ATT-01,2026-01-06,Q,ICU/attending\n", ("unknown_shift", 4, "shift", "Q")),
    ("unknown slot", "demand", "post,date,slot,required\nICU/attending,2026-01-05,EVE,1\n", ("unknown_slot", 2, "slot", "EVE")),
    ("unknown service", "posts", "post,service,role\nICU/attending,ICU,attending\nX,ER,attending\n", ("unknown_service", 3, "service", "ER")),
    ("formula in a name", "people", "person,name,role\nATT-01,=HYPERLINK(0),a\nATT-02,,a\n", ("formula_text", 2, "name", "=HYPERLINK(0)")),
    ("empty file", "people", b"", ("empty_file", None, "", "")),
    ("cut in half", "assignments", SMALL["assignments"] + "ATT-01,2026-01-0", ("cut_off", 4, "", "")),
    ("cut in a quote", "people", 'person,name,role\nATT-01,x,a\nATT-02,"Exam', ("cut_off", 3, "", "")),
    ("patient data", "people", "person,role,MRN\nATT-01,a,1\nATT-02,a,2\n", ("patient_data", 1, "mrn", "")),
    ("reversed", "absences", "person,from,to\nATT-01,2026-01-02,2026-01-01\n", ("reversed_period", 2, "to", "2026-01-02 to 2026-01-01")),
    ("fte", "people", "person,role,fte\nATT-01,a,1.5\nATT-02,a,1\n", ("bad_fte", 2, "fte", "1.5")),
    ("tier", "services", "service,tier\nICU,9\n", ("bad_tier", 2, "tier", "9")),
    ("twice", "demand", SMALL["demand"] + "ICU/attending,2026-01-05,AM,3,1\n", ("duplicate_cell", 3, "post", "ICU/attending")),
    ("two rules", "demand_rules", "post,weekday,slot,required\nICU/attending,daily,PM,1\nICU/attending,sun,PM,2\n", ("overlapping_rules", 3, "weekday", "sun")),
    ("long id", "people", f"person,role\nATT-01,a\nATT-02,a\n{'x' * 65},a\n", ("too_long", 4, "person", "x" * 65)),
    ("reserved", "posts", "post,service,role\nICU/attending,ICU,attending\nFREE,ICU,x\n", ("reserved_word", 3, "post", "FREE")),
    ("off", "assignments", SMALL["assignments"] + "ATT-01,2026-01-06,AM,OFF\n", ("off_is_no_row", 4, "post", "OFF")),
    ("span", "assignments", SMALL["assignments"] + "ATT-01,2062-01-06,AM,FREE\n", ("wide_span", 4, "date", "2062-01-06")),
    ("time zone", "program", "program,time_zone\nfm,Mars/Olympus\n", ("bad_program", 2, "", "")),
    ("two programs", "program", "program,time_zone\nfm,UTC\nim,UTC\n", ("one_program", 1, "", "")),
    ("overlapping slots", "slots", "slot,start,end\nAM,07:00,14:00\nPM,13:00,19:00\n", ("bad_program", None, "", "")),
    ("long shift", "shifts", "shift,start,end\nAM,07:00,13:00\nPM,13:00,19:00\nW,00:00,96:00\n", ("bad_time", 4, "end", "")),
    ("succession", "successions", "first,next\nNIGHT,EARLY\n", ("unknown_shift", 2, "next", "EARLY")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "expected"), [case[1:] for case in ERRORS], ids=[case[0] for case in ERRORS]
)
def test_bad_input_is_refused_by_file_row_column_and_rule(
    tmp_path: Path, name: str, content: str | bytes, expected: tuple[str, int | None, str, str]
) -> None:
    read = read_with(tmp_path, **{name: content})
    rule, row, column, value = expected
    assert errors(read) == [(rule, f"{name}.csv", row, column, value)]
    assert read.refused(allow_unknown=True)
    assert all(one.reason for one in read.findings)


def test_one_mistake_is_told_once(tmp_path: Path) -> None:
    """A person left out for a bad cell is not an unknown person everywhere else."""
    read = read_with(
        tmp_path, people="person,role,fte\nATT-01,a,7\nATT-02,a,1\n", posts="service,role,x\nICU,attending,\n"
    )
    assert [one.rule for one in read.findings] == ["bad_fte", "unknown_column"]


def test_another_program_is_refused(tmp_path: Path) -> None:
    assert errors(read_with(tmp_path, asked="im")) == [("other_program", "program.csv", 2, "program", "fm")]


def test_day_division_without_a_program_is_refused(tmp_path: Path) -> None:
    read = read_csv_set(write_set(tmp_path, {"slots": "slot,start,end\nD,07:00,19:00\n"}), program="fm")
    assert errors(read) == [("missing_program", "slots.csv", None, "", "")]


def test_unknown_columns_rows_twice_and_other_files_are_warnings(tmp_path: Path) -> None:
    twice = SMALL["qualifications"] + "ATT-01,ICU/attending\n"
    read = read_with(
        tmp_path, people="person,role,pager,\nATT-01,a,1,x\nATT-02,a,2,\n", qualifications=twice, notes="x\n"
    )
    assert not read.refused()
    assert [(one.rule, one.file, one.row) for one in read.findings] == [
        ("unknown_file", "notes.csv", None), ("unknown_column", "people.csv", 1), ("unknown_column", "people.csv", 1),
        ("duplicate_row", "qualifications.csv", 3),
    ]  # fmt: skip
    assert read.counts["qualifications"] == 1


def test_nothing_of_ours_raises(tmp_path: Path) -> None:
    (tmp_path / "budget.csv").write_text("a,b\n")
    with pytest.raises(SourceError, match=r"no_known_file.*people\.csv"):
        read_csv_set(tmp_path)


def test_the_same_file_twice_raises(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("a\n")
    (tmp_path / "People.CSV").write_text("a\n")
    if len(list(tmp_path.iterdir())) == 1:
        pytest.skip("this file system does not tell capital letters apart")
    with pytest.raises(SourceError, match="file_twice"):
        read_csv_set(tmp_path)


def test_names_of_files() -> None:
    assert [kind_of_file(name) for name in ("people.csv", "PEOPLE.CSV", "people", "my people.csv", ".csv", "people.csv.txt")] == [
        "people", "people", None, None, None, None,
    ]  # fmt: skip


def test_thousands_of_errors_are_counted_not_listed(tmp_path: Path) -> None:
    rows = "".join(f"ATT-{i},2026-01-05,AM,FREE\n" for i in range(100, 5112))
    found = read_with(tmp_path, assignments="person,date,shift,post\n" + rows).findings
    assert len(found) == 201
    assert found[-1].reason == "and 4,812 more of this rule in this file"


def test_semicolons_and_decimal_commas(tmp_path: Path) -> None:
    read = read_with(tmp_path, people="person;role;fte\nATT-01;attending;0,5\nATT-02;attending;1\n")
    assert read.findings == []
    assert read.tables.people is not None
    assert read.tables.people["fte"].tolist() == [0.5, 1.0]


# ---- laws -----------------------------------------------------------------------------------------

IDS = st.text(st.characters(categories=["L", "N"], exclude_characters="ﬀ"), min_size=1, max_size=6).map(
    lambda text: "i" + text
)
DAYS = st.integers(day_of(dt.date(1990, 1, 1)), day_of(dt.date(1999, 12, 31)))
NAMES = st.sampled_from(["", "Example, Ann", 'the "boss"', "Zoë", "O'Neil; B", "名前"])
PERIODS = st.tuples(st.one_of(st.none(), DAYS), st.one_of(st.none(), DAYS)).map(
    lambda pair: pair if None in pair else (min(pair), max(pair))  # type: ignore[type-var]
)


def iso(day: int | None) -> str:
    return "" if day is None else (dt.date(1970, 1, 1) + dt.timedelta(days=day)).isoformat()


@st.composite
def worlds(draw: st.DrawFn) -> dict[str, list[dict[str, Any]]]:
    """A small program as the frames' rows, with consistent references."""
    nfc = lambda ids: sorted({unicodedata.normalize("NFC", one) for one in ids})  # noqa: E731
    people, services = nfc(draw(st.sets(IDS, min_size=1, max_size=4))), nfc(draw(st.sets(IDS, min_size=1, max_size=3)))
    posts = [f"{service}/{role}" for service in services for role in ("att", "res")]
    pick = st.sampled_from
    period = lambda: dict(zip(("first", "last"), draw(PERIODS), strict=True))  # noqa: E731
    cells = draw(st.sets(st.tuples(pick(posts), DAYS, pick(["AM", "PM", "NIGHT"])), max_size=5))
    heads = st.integers(0, 5).flatmap(lambda required: st.tuples(st.just(required), st.integers(0, required)))
    shifts = draw(
        st.sets(st.tuples(pick(people), DAYS, pick(["AM", "CALL24"]), pick([*posts, "REST", "FREE"])), max_size=8)
    )
    return {
        "people": [
            {"person": one, "name": draw(NAMES), "role": draw(pick(["att", "res"])), "fte": draw(pick([1.0, 0.5, 0.125])), "team": draw(NAMES), "home_region": "", **period()}
            for one in people
        ],
        "services": [{"service": one, "name": draw(NAMES) or one, "tier": draw(st.integers(1, 7))} for one in services],
        "posts": [{"post": one, "service": one.partition("/")[0], "role": one.partition("/")[2]} for one in posts],
        "demand": [
            {"post": post, "day": day, "slot": slot, "required": heads_[0], "minimum": heads_[1]}
            for (post, day, slot) in sorted(cells) for heads_ in [draw(heads)]
        ],
        "assignments": [{"person": person, "day": day, "shift": shift, "post": post} for person, day, shift, post in sorted(shifts)],
        "absences": [
            {"person": person, "first": day, "last": draw(st.one_of(st.none(), st.just(day + 3))), "kind": "leave", "approved": draw(st.booleans())}
            for person, day in sorted(draw(st.sets(st.tuples(pick(people), DAYS), max_size=4)))
        ],
    }  # fmt: skip


HEADERS = {
    "people": {"first": "from", "last": "to"}, "absences": {"first": "from", "last": "to"},
    "demand": {"day": "date"}, "assignments": {"day": "date"},
}  # fmt: skip


def write_world(folder: Path, world: Mapping[str, list[dict[str, Any]]]) -> None:
    write_set(folder, {"program": SMALL["program"]})
    for kind, rows in world.items():
        columns = list(rows[0]) if rows else list(COLUMNS[kind])
        names = HEADERS.get(kind, {})
        with (folder / f"{kind}.csv").open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow([names.get(column, column) for column in columns] if rows else _empty_header(kind))
            for row in rows:
                writer.writerow([_cell(column, row[column]) for column in columns])


def _empty_header(kind: str) -> list[str]:
    return {
        "demand": ["post", "date", "slot", "required"],
        "assignments": ["person", "date", "shift", "post"],
        "absences": ["person", "from"],
    }[kind]


def _cell(column: str, value: Any) -> str:
    if column in ("day", "first", "last"):
        return iso(value)
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(world=worlds())
def test_any_roster_written_as_csv_is_read_as_the_same_frames(
    tmp_path_factory: pytest.TempPathFactory, world: dict[str, list[dict[str, Any]]]
) -> None:
    folder = tmp_path_factory.mktemp("world")
    write_world(folder, world)
    read = read_csv_set(folder)
    assert read.findings == []
    for kind, rows in world.items():
        closed = [
            {
                {"first": "starts", "last": "ends"}.get(key, key) if kind == "people" else key: _closed(key, value)
                for key, value in row.items()
            }
            for row in rows
        ]
        expected = frame(kind, closed)
        expected["file"], expected["row"] = f"{kind}.csv", range(2, 2 + len(rows))
        expected["file"] = expected["file"].astype(object)
        pd.testing.assert_frame_equal(read.tables.kinds()[kind], expected)


def _closed(column: str, value: Any) -> Any:
    if value is None:
        return OPEN_START if column == "first" else OPEN_END
    return value


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_bytes_changed_give_findings_or_a_source_error(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = write_set(tmp_path_factory.mktemp("bytes"), {path.stem: path.read_bytes() for path in SET.glob("*.csv")})
    path = data.draw(st.sampled_from(sorted(folder.iterdir())))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 8))] = data.draw(st.binary(max_size=8))
        if not content:
            break
    path.write_bytes(content)
    with contextlib.suppress(SourceError):
        read_csv_set(folder)


BLOCK_ROWS = [
    # a whole block of 30 days, one of weekdays only over a month's end, a single date, a block of one weekday
    ("A", "2026-06-01,D,ICU/attending,2026-06-30,", 30),
    ("B", "2026-06-25,D,ICU/attending,2026-07-05,weekdays", 7),
    ("C", "2026-06-06,D,ICU/attending,,weekdays", 1),
    ("D", "2026-06-01,D,ICU/attending,2026-06-30,wed", 4),
]


def test_a_rotation_block_of_any_length_is_one_row(tmp_path: Path) -> None:
    lines = ["person,date,shift,post,to,weekdays", *(f"{person},{rest}" for person, rest, _ in BLOCK_ROWS)]
    (tmp_path / "assignments.csv").write_text("\n".join(lines) + "\n")
    read = read_csv_set(tmp_path, program="p")
    assert not read.findings
    rows = read.tables.assignments
    assert rows is not None
    assert rows.groupby("person").size().to_dict() == {person: count for person, _, count in BLOCK_ROWS}
    assert rows.groupby("person")["row"].unique().map(list).to_dict() == {"A": [2], "B": [3], "C": [4], "D": [5]}


def test_a_block_that_ends_before_it_begins_or_lasts_for_years_is_refused(tmp_path: Path) -> None:
    lines = ["person,date,shift,post,to", "A,2026-06-10,D,ICU/x,2026-06-01", "B,2026-06-10,D,ICU/x,2028-06-01"]
    (tmp_path / "assignments.csv").write_text("\n".join(lines) + "\n")
    found = {(finding.rule, finding.row) for finding in read_csv_set(tmp_path, program="p").findings}
    assert found == {("reversed_period", 2), ("long_block", 3)}
