"""What is opened as a workbook, what is refused, and what a cell says."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resilience_assets.exchange import sheets
from resilience_assets.exchange.sheets import Sheet, address, cell_text, column_letters, column_number, open_workbook
from resilience_assets.exchange.source import SourceError


def saved(path: Path, cells: dict[str, Any], title: str = "Plan", merges: tuple[str, ...] = ()) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = title
    for where, value in cells.items():
        sheet[where] = value
    for merge in merges:
        sheet.merge_cells(merge)
    book.save(path)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(SourceError) as caught:
        open_workbook(path)
    [finding] = caught.value.findings
    assert finding.file.split("#")[0] == path.name
    return finding.rule


@given(st.integers(0, 16_383))
def test_column_letters_and_numbers_are_inverse(column: int) -> None:
    assert column_number(column_letters(column)) == column


def test_addresses_are_as_excel_gives_them() -> None:
    assert [address(13, 5), address(0, 0), address(8, 25), address(8, 26), address(0, 701), address(0, 702)] == [
        "F14", "A1", "Z9", "AA9", "ZZ1", "AAA1",
    ]  # fmt: skip
    with pytest.raises(ValueError, match="not a column"):
        column_number("4")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""), ("", ""), (" a \u00a0 b\n", "a b"), (3.0, "3"), (0.8, "0.8"), (True, "yes"),
        (dt.date(2026, 3, 2), "2026-03-02"), (dt.datetime(2026, 3, 2), "2026-03-02"), (dt.datetime(2026, 3, 2, 7, 30), "2026-03-02 07:30:00"),
        (dt.time(7, 0), "07:00"),
        ("e\u0301", "\u00e9"),
    ],
)  # fmt: skip
def test_a_cell_as_text(value: Any, text: str) -> None:
    assert cell_text(value) == text


def test_values_start_at_a1_and_merges_are_known(tmp_path: Path) -> None:
    book = open_workbook(saved(tmp_path / "b.xlsx", {"B3": "x", "D4": 2}, merges=("B3:C3", "D4:D6")))
    sheet = book.sheet(" plan ")
    assert sheet is not None
    assert sheet.file == "b.xlsx#Plan"
    assert (sheet.text(2, 1), sheet.text(3, 3), sheet.text(99, 99)) == ("x", "2", "")
    assert sheet.merges[(2, 2)] == (2, 1, 2, 2)
    assert sheet.filled().text(2, 2) == "x"
    assert book.sheet("other") is None


def test_cells_without_a_value_in_the_file_are_known(tmp_path: Path) -> None:
    path = saved(tmp_path / "b.xlsx", {"A1": "=1+1", "B1": 5, "C1": "#N/A"})
    sheet = open_workbook(path).sheet("Plan")
    assert sheet is not None
    assert set(sheet.unread) == {"A1", "C1"}
    assert "never calculated" in sheet.unread["A1"]
    assert "Excel error" in sheet.unread["C1"]


def test_a_formula_with_its_value_is_read(tmp_path: Path) -> None:
    path = saved(tmp_path / "b.xlsx", {"A1": "=1+1", "B1": '="D"'})
    rewritten(path, "xl/worksheets/sheet1.xml", b"<f>1+1</f><v />", b"<f>1+1</f><v>2</v>")
    rewritten(path, "xl/worksheets/sheet1.xml", b'r="B1"><f>"D"</f><v />', b'r="B1" t="str"><f>"D"</f><v>D</v>')
    sheet = open_workbook(path).sheet("Plan")
    assert sheet is not None
    assert (sheet.text(0, 0), sheet.text(0, 1), sheet.unread) == ("2", "D", {})


def rewritten(path: Path, member: str, old: bytes, new: bytes) -> None:
    with zipfile.ZipFile(path) as source:
        parts = {name: source.read(name) for name in source.namelist()}
    assert old in parts[member]
    parts[member] = parts[member].replace(old, new)
    with zipfile.ZipFile(path, "w") as target:
        for name, content in parts.items():
            target.writestr(name, content)


def test_what_is_no_workbook_is_refused(tmp_path: Path) -> None:
    for name, content in {
        "words.xlsx": b"not a zip",
        "empty.xlsx": b"",
        "zeros.xlsx": bytes(1_000_000),
        "old.xls": sheets._OLD_OFFICE + bytes(600),
    }.items():
        (tmp_path / name).write_bytes(content)
        assert refusal(tmp_path / name) == "not_a_workbook"
    with zipfile.ZipFile(tmp_path / "other.xlsx", "w") as archive:
        archive.writestr("people.csv", "person")
    assert refusal(tmp_path / "other.xlsx") == "not_a_workbook"
    assert refusal(saved_half(tmp_path)) == "not_a_workbook"


def saved_half(folder: Path) -> Path:
    """A workbook cut in half on its way."""
    whole = saved(folder / "half.xlsx", {"A1": "x"}).read_bytes()
    (folder / "half.xlsx").write_bytes(whole[: len(whole) // 2])
    return folder / "half.xlsx"


def test_a_password_is_told_apart_from_an_old_workbook(tmp_path: Path) -> None:
    (tmp_path / "b.xlsx").write_bytes(sheets._OLD_OFFICE + bytes(512) + "EncryptedPackage".encode("utf-16-le"))
    assert refusal(tmp_path / "b.xlsx") == "encrypted_workbook"


def test_a_workbook_that_unpacks_into_too_much_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "bomb.xlsx", {"A1": "x"})
    with (
        zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive,
        archive.open("xl/media/zeros.bin", "w", force_zip64=True) as member,
    ):
        for _ in range(210):
            member.write(bytes(1 << 20))
    assert path.stat().st_size < 1_000_000
    assert refusal(path) == "too_big"


def test_a_large_file_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "MOST_BYTES", 1000)
    assert refusal(saved(tmp_path / "b.xlsx", {"A1": "x"})) == "too_big"


def test_one_cell_far_out_does_not_fill_memory(tmp_path: Path) -> None:
    assert refusal(saved(tmp_path / "b.xlsx", {"A1": "x", "XFD1048576": "y"})) == "too_big"


def test_a_merge_over_the_whole_sheet_does_not_fill_memory(tmp_path: Path) -> None:
    path = saved(tmp_path / "b.xlsx", {"A1": "x", "A40000": "y"}, merges=("B1:C1",))
    rewritten(path, "xl/worksheets/sheet1.xml", b'"B1:C1"', b'"B1:XFD1048576"')
    assert refusal(path) == "too_big"


@given(data=st.data())
def test_random_damage_is_refused_or_read_never_a_crash(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.getbasetemp()
    whole = bytearray(_WHOLE)
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    path = folder / "damaged.xlsx"
    path.write_bytes(whole[: data.draw(st.integers(len(whole) // 2, len(whole)))])
    with suppress(SourceError):
        open_workbook(path)


def _whole() -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in range(1, 20):
        sheet.append([f"W-{row}", *range(1, 20)])
    sheet.merge_cells("B2:C2")
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


_WHOLE = _whole()


def test_a_sheet_without_cells_is_empty() -> None:
    assert (Sheet("f", []).height, Sheet("f", []).width) == (0, 0)
