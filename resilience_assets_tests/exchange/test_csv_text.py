"""The shape of a CSV text: delimiter, quotes, header, rows, and the row numbers a spreadsheet shows."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resilience_assets.exchange.csv_text import read_text_table
from resilience_assets.exchange.finding_log import FindingLog
from resilience_assets.exchange.source import SourceFile

Rows = dict[int, dict[str, str]]


def read(text: str | bytes) -> tuple[Rows | None, list[tuple[str, int | None]]]:
    """The rows by number, and the (rule, row) of every finding."""
    log = FindingLog()
    table = read_text_table(SourceFile("f.csv", text.encode() if isinstance(text, str) else text), log)
    rows = (
        None
        if table is None
        else {int(row): {str(c): str(v) for c, v in cells.items()} for row, cells in table.iterrows()}
    )
    return rows, [(finding.rule, finding.row) for finding in log.findings()]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_delimiters_and_line_ends(delimiter: str, end: str) -> None:
    text = end.join([delimiter.join(["Person", " Home Region "]), delimiter.join(["A", "north"]), ""])
    assert read(text) == ({2: {"person": "A", "home_region": "north"}}, [])


def test_empty_rows_are_skipped_but_counted() -> None:
    expected = {3: {"a": "1", "b": "2"}, 6: {"a": "3", "b": ""}}
    assert read("a,b\n\n1,2\n , \n,\n3,\n\n") == (expected, [])
    assert read('a,b\n\n1,2\n , \n,\n"3",\n\n') == (expected, [])


def test_rows_are_counted_as_a_spreadsheet_does_also_when_a_cell_has_two_lines() -> None:
    assert read('a,b\n"one\ntwo",x\n3,"he said ""no"", twice"\n') == (
        {2: {"a": "one\ntwo", "b": "x"}, 3: {"a": "3", "b": 'he said "no", twice'}}, [],
    )  # fmt: skip


def test_text_stays_as_it_is_written() -> None:
    cells = ["007", "1.0", "1e3", "NA", "nan", "True", "None", "1_0"]
    rows, findings = read("a,b\n" + "".join(f"{cell},x\n" for cell in cells))
    assert findings == []
    assert rows is not None
    assert [row["a"] for row in rows.values()] == cells


def test_a_header_alone_is_an_empty_table() -> None:
    assert read("a,b\n") == ({}, [])
    assert read("a,b") == ({}, [("no_final_newline", 1)])
    assert read('"a",b\n') == ({}, [])


@pytest.mark.parametrize(
    ("text", "findings"),
    [
        ("", [("empty_file", None)]),
        ("\n\n", [("empty_file", None)]),
        (",,\n1,2,3\n", [("empty_file", 1)]),
        ("a,b,A\n1,2,3\n", [("duplicate_column", 1)]),
        ("a,b\n1,2\n3\n", [("cut_off", 3)]),
        ("a,b\n1,2\n3", [("cut_off", 3)]),
        ("a,b\n1,2\n\n3\n4,5\n", [("wrong_cell_count", 4)]),
        ("a,b\n1,2,3\n", [("wrong_cell_count", 2)]),
        ('a,b\n"1",2,3\n', [("wrong_cell_count", 2)]),
        ('a,b\n1,2\n3,"unclosed\n4,5\n', [("cut_off", 3)]),
        ('a,b\n1,"x"y\n', [("cut_off", 2)]),
    ],
)
def test_wrong_shapes_leave_a_finding_with_their_row(text: str, findings: list[tuple[str, int | None]]) -> None:
    assert read(text) == (None, findings)


def test_a_last_line_without_end_is_mentioned() -> None:
    assert read("a,b\n1,2") == ({2: {"a": "1", "b": "2"}}, [("no_final_newline", 2)])


def test_many_wrong_rows_are_counted() -> None:
    rows, findings = read("a,b\n" + "1\n" * 1000 + "1,2\n")
    assert rows is None
    assert len(findings) == 201


CELL = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0\r"), max_size=6)


@given(
    st.lists(st.lists(CELL, min_size=2, max_size=2), max_size=8), st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL])
)
def test_what_the_csv_module_writes_is_read_as_written(cells: list[list[str]], quoting: int) -> None:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n", quoting=quoting)  # type: ignore[arg-type]
    writer.writerow(["left", "right"])
    writer.writerows(cells)
    rows, findings = read(buffer.getvalue())
    assert findings == []
    expected = {i: {"left": a, "right": b} for i, (a, b) in enumerate(cells, start=2) if a.strip() or b.strip()}
    assert rows == expected


@given(st.text(alphabet='a1,;"\n\t é', max_size=60))
def test_any_text_gives_a_table_or_a_finding(text: str) -> None:
    rows, findings = read(text)
    assert rows is not None or findings
