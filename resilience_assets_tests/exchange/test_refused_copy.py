"""The copy of a refused workbook: what is coloured, what it says, and that the source stays."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest

from resilience_assets.domain.findings import Finding, Severity
from resilience_assets.exchange.refused_copy import FILLS, write_refused_copy
from resilience_assets.exchange.source import SourceError
from resilience_assets.exchange.template import write_template
from resilience_assets.exchange.workbook import read_workbook


@pytest.fixture
def source(tmp_path: Path) -> Path:
    write_template(tmp_path / "roster.xlsx", 20_530)
    return tmp_path / "roster.xlsx"


def found(
    column: str, *, severity: Severity = Severity.ERROR, sheet: str = "Roster", rule: str = "bad_date"
) -> Finding:
    return Finding(severity, rule, f"why {column}", f"roster.xlsx#{sheet}" if sheet else "roster.xlsx", 3, column)


def test_cells_are_coloured_by_severity_and_say_why(source: Path, tmp_path: Path) -> None:
    before = source.read_bytes()
    findings = [
        found("C3"),
        found("D3", severity=Severity.UNREADABLE),
        found("B2", sheet="People", severity=Severity.WARNING),
        found("D3", severity=Severity.ERROR, rule="second"),
    ]
    assert write_refused_copy(source, findings, tmp_path / "copy.xlsx") == 3
    assert source.read_bytes() == before
    book = openpyxl.load_workbook(tmp_path / "copy.xlsx")
    for sheet, where, severity in [("Roster", "C3", "error"), ("Roster", "D3", "error"), ("People", "B2", "warning")]:
        assert book[sheet][where].fill.fgColor.rgb == "00" + FILLS[Severity(severity)]
    comment = book["Roster"]["D3"].comment
    assert comment is not None
    assert comment.text == "bad_date: why D3\nsecond: why D3"
    assert book["Roster"]["E3"].comment is None


def test_what_names_no_cell_is_passed_over(source: Path, tmp_path: Path) -> None:
    findings = [
        found("C3", sheet="Nowhere"), found("person"), found("", sheet=""), found("C3", sheet=""),
        found("C3", severity=Severity.NOTE),
    ]  # fmt: skip
    assert write_refused_copy(source, findings, tmp_path / "copy.xlsx") == 0


def test_a_merged_cell_is_marked_where_it_shows_and_counted_once(source: Path, tmp_path: Path) -> None:
    assert write_refused_copy(source, [found("D1"), found("E1")], tmp_path / "copy.xlsx") == 1
    comment = openpyxl.load_workbook(tmp_path / "copy.xlsx")["Roster"]["C1"].comment
    assert comment is not None
    assert comment.text == "bad_date: why D1\nbad_date: why E1"


def test_the_same_findings_give_the_same_bytes(source: Path, tmp_path: Path) -> None:
    for name in ("one.xlsx", "two.xlsx"):
        write_refused_copy(source, [found("C3")], tmp_path / name)
    assert (tmp_path / "one.xlsx").read_bytes() == (tmp_path / "two.xlsx").read_bytes()


def test_a_refused_import_comes_back_coloured(source: Path, tmp_path: Path) -> None:
    book = openpyxl.load_workbook(source)
    book["Roster"]["F7"] = "NF/?"
    book["People"]["D4"] = 2
    book.save(source)
    read = read_workbook(source)
    assert read.refused()
    assert write_refused_copy(source, read.findings, tmp_path / "copy.xlsx") == 2
    copy = openpyxl.load_workbook(tmp_path / "copy.xlsx")
    assert "not in the legend" in copy["Roster"]["F7"].comment.text
    assert "full-time share" in copy["People"]["D4"].comment.text


def test_the_source_is_never_the_target(source: Path) -> None:
    with pytest.raises(ValueError, match="another path"):
        write_refused_copy(source, [], source)


def test_a_source_that_is_no_workbook_is_refused(tmp_path: Path) -> None:
    (tmp_path / "b.xlsx").write_bytes(b"words")
    with pytest.raises(SourceError, match="no copy can be made"):
        write_refused_copy(tmp_path / "b.xlsx", [], tmp_path / "copy.xlsx")
