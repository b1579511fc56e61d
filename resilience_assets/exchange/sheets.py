"""The sheets of an Excel workbook as plain values, opened with care.

Belongs here: refusing what is no workbook (or would fill memory when unpacked), values, merged
ranges, cells whose value the file does not hold, cell addresses. Does not belong here: what a sheet
means (own_workbook.py, mapped_workbook.py), colours (cell_colours.py), writing.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any
from xml.etree import ElementTree

import python_calamine as calamine

from resilience_assets.exchange.open_files import Limits, read_plain
from resilience_assets.exchange.source import SourceError, source_error

MOST_BYTES = 50 * 1024 * 1024
"""Largest workbook file that is opened."""
MOST_UNPACKED_BYTES = 200 * 1024 * 1024
"""Largest workbook after unpacking; a roster of 2,000 people and 90 days needs about 30 MB."""
MOST_MEMBERS = 2_000
"""Most files inside a workbook."""
MOST_CELLS = 4_000_000
"""Largest area of one sheet (rows x columns up to the last filled cell)."""
_CHUNK = 1 << 20

_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_CELL = re.compile(rb"<(?:\w+:)?c\b([^>]*?)(?:/>|>(.*?)</(?:\w+:)?c>)", re.DOTALL)
_REFERENCE = re.compile(rb'\br="([A-Z]{1,3})([0-9]{1,7})"')
_STORED = re.compile(rb"<(?:\w+:)?v(?:\s[^>]*)?>[^<]")
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")
_FILLED = re.compile(rb'<(?:\w+:)?c\b[^>]*?\br="([A-Z]{1,3})([0-9]{1,7})"[^>]*?(?<!/)>\s*<(?:\w+:)?(?:v|f|is)\b')


@dataclass(frozen=True)
class Sheet:
    """One sheet. Rows and columns count from 0 here; `address` gives them as the reader's program does.

    `file` is how findings name it ("roster.xlsx#Roster"); `values` are the cells from A1 on;
    `merged` holds (top, left, bottom, right), inclusive; `unread` says of an address why its value
    is not in the file (a formula that was never calculated, an error value).
    """

    file: str
    values: list[list[Any]]
    merged: tuple[tuple[int, int, int, int], ...] = ()
    unread: dict[str, str] = field(default_factory=dict)

    @property
    def height(self) -> int:
        """Number of rows up to the last filled one."""
        return len(self.values)

    @cached_property
    def width(self) -> int:
        """Number of columns up to the last that is filled or merged with a filled row."""
        filled = max((len(row) for row in self.values), default=0)
        return max([filled, *(right + 1 for top, _, _, right in self.merged if top < self.height)])

    def value(self, row: int, column: int) -> Any:
        """The value of a cell; '' outside the filled area."""
        if 0 <= row < len(self.values) and 0 <= column < len(self.values[row]):
            return self.values[row][column]
        return ""

    def text(self, row: int, column: int) -> str:
        """The value of a cell as text (see `cell_text`)."""
        return cell_text(self.value(row, column))

    @cached_property
    def merges(self) -> dict[tuple[int, int], tuple[int, int, int, int]]:
        """The merged range of each (row, column) inside the filled area that lies in one."""
        return {
            (row, column): merge
            for merge in self.merged
            for row in range(merge[0], min(merge[2], self.height - 1) + 1)
            for column in range(merge[1], min(merge[3], self.width - 1) + 1)
        }

    def filled(self) -> Sheet:
        """The same sheet with the value of every merged range in all of its cells."""
        values = [list(row) + [""] * (self.width - len(row)) for row in self.values]
        for (row, column), merge in self.merges.items():
            values[row][column] = self.value(merge[0], merge[1])
        return Sheet(self.file, values, self.merged, self.unread)


@dataclass(frozen=True)
class WorkbookFile:
    """A workbook that was found fit to be read: its name, its bytes, its sheets by name."""

    name: str
    content: bytes
    sheets: dict[str, Sheet]

    def sheet(self, name: str) -> Sheet | None:
        """The sheet of that name, blanks and capitals aside."""
        wanted = name.strip().casefold()
        return next((sheet for title, sheet in self.sheets.items() if title.strip().casefold() == wanted), None)


def address(row: int, column: int) -> str:
    """'F14' for row 13, column 5 (both from 0)."""
    return f"{column_letters(column)}{row + 1}"


def column_letters(column: int) -> str:
    """'A' for 0, 'AA' for 26."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def column_number(letters: str) -> int:
    """0 for 'A', 26 for 'AA'; ValueError for anything that is no column."""
    if not re.fullmatch(r"[A-Za-z]{1,3}", letters):
        raise ValueError(f"{letters!r} is not a column such as A or AF")
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number - 1


def cell_text(value: Any) -> str:
    """A cell as a reader sees it: trimmed, inner blanks single, 3.0 as '3', dates in ISO form, yes/no."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(" ")
    if isinstance(value, dt.time):
        return value.strftime("%H:%M")
    return " ".join(unicodedata.normalize("NFC", str(value)).split())


def open_workbook(path: Path) -> WorkbookFile:
    """All sheets of an .xlsx or .xlsm file.

    Raises SourceError (rule `not_a_workbook`, `encrypted_workbook` or `too_big`) where the file
    is something else, damaged, protected by a password, or would unpack into too much, and as
    `open_files.read_plain` does where it cannot be opened.
    """
    name = path.name
    content = read_plain(path, Limits(total_bytes=MOST_BYTES)).content
    parts = _checked_parts(name, content)
    try:
        with calamine.CalamineWorkbook.from_filelike(io.BytesIO(content)) as book:
            sheets = {
                title: _sheet(name, title, book, parts.get(title, b"")) for title in book.sheet_names if title in parts
            }
    except (calamine.CalamineError, OSError) as error:
        raise source_error(
            "not_a_workbook", f"the workbook is damaged ({error}); open it in Excel and save it again", file=name
        ) from error
    return WorkbookFile(name, content, sheets)


def _sheet(name: str, title: str, book: calamine.CalamineWorkbook, part: bytes) -> Sheet:
    sheet = book.get_sheet_by_name(title)
    merged = tuple((a, b, c, d) for (a, b), (c, d) in sheet.merged_cell_ranges or ())
    if sum((d - b + 1) * (min(c, sheet.total_height) - a + 1) for a, b, c, d in merged) > MOST_CELLS:
        raise source_error(
            "too_big", f"more than {MOST_CELLS:,} cells are merged; undo the merges", file=f"{name}#{title}"
        )
    return Sheet(f"{name}#{title}", sheet.to_python(skip_empty_area=False), merged, _unread_cells(part))


def _checked_parts(name: str, content: bytes) -> dict[str, bytes]:
    """The XML of each worksheet by title, after every guard has passed."""
    if content.startswith(_OLD_OFFICE):
        if "EncryptedPackage".encode("utf-16-le") in content:
            raise source_error(
                "encrypted_workbook", "the workbook is protected by a password; save a copy without one", file=name
            )
        raise source_error(
            "not_a_workbook", "this is an old .xls workbook; save it as .xlsx (Excel Workbook)", file=name
        )
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return _worksheet_parts(name, archive)
    except SourceError:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError) as error:
        reason = (
            f"the file is no Excel workbook, or was cut off on its way ({error}); save it as .xlsx and send it again"
        )
        raise source_error("not_a_workbook", reason, file=name) from error


def _worksheet_parts(name: str, archive: zipfile.ZipFile) -> dict[str, bytes]:
    members = archive.infolist()
    if len(members) > MOST_MEMBERS:
        raise source_error(
            "too_big", f"the workbook holds {len(members):,} files, more than {MOST_MEMBERS:,}", file=name
        )
    if "xl/workbook.xml" not in archive.namelist():
        raise source_error(
            "not_a_workbook",
            "the file is a zip but holds no xl/workbook.xml; save it as .xlsx (Excel Workbook)",
            file=name,
        )
    room = MOST_UNPACKED_BYTES
    kept: dict[str, bytes] = {}
    for member in members:
        unpacked = _unpacked(name, archive, member, room)
        room -= len(unpacked)
        if member.filename.startswith("xl/") and member.filename.endswith((".xml", ".rels")):
            kept[member.filename] = unpacked
    parts = {title: kept.get(part, b"") for title, part in _titles(kept)}
    for title, part in parts.items():
        _check_area(f"{name}#{title}", part)
    return parts


def _unpacked(name: str, archive: zipfile.ZipFile, member: zipfile.ZipInfo, room: int) -> bytes:
    """The bytes of one member, read in chunks so that a lying header cannot fill memory."""
    out = bytearray()
    with archive.open(member) as stream:
        while chunk := stream.read(_CHUNK):
            out += chunk
            if len(out) > room:
                raise source_error(
                    "too_big", f"the workbook unpacks into more than {MOST_UNPACKED_BYTES:,} bytes", file=name
                )
    return bytes(out)


def _titles(parts: dict[str, bytes]) -> Iterator[tuple[str, str]]:
    """Title and part name of each worksheet, in the order of the workbook. ValueError for broken XML."""
    try:
        book = ElementTree.fromstring(parts["xl/workbook.xml"])
        links = ElementTree.fromstring(parts.get("xl/_rels/workbook.xml.rels", b"<none/>"))
    except ElementTree.ParseError as error:
        raise ValueError(f"its table of contents is broken: {error}") from error
    targets = {link.get("Id", ""): link.get("Target", "") for link in links}
    for sheet in book.iter():
        if sheet.tag.rpartition("}")[2] != "sheet":
            continue
        link = next((value for key, value in sheet.attrib.items() if key.rpartition("}")[2] == "id"), "")
        target = targets.get(link, "")
        part = target.lstrip("/") if target.startswith("/") else str(PurePosixPath("xl") / target)
        if part in parts and "/worksheets/" in part:
            yield sheet.get("name", ""), part


def _check_area(file: str, part: bytes) -> None:
    """Refuse a sheet with a filled cell so far out that its rectangle would fill memory."""
    rows = columns = 0
    for letters, digits in _FILLED.findall(part):
        rows = max(rows, int(digits))
        columns = max(columns, column_number(letters.decode()) + 1)
    if rows * columns > MOST_CELLS:
        where = f"{column_letters(columns - 1)}{rows}"
        raise source_error(
            "too_big",
            f"the sheet reaches to {where}, more than {MOST_CELLS:,} cells; delete what lies far out",
            file=file,
        )


def _unread_cells(part: bytes) -> dict[str, str]:
    """Addresses of cells whose value the file does not hold, with the reason."""
    unread: dict[str, str] = {}
    if not (_FORMULA.search(part) or b't="e"' in part):
        return unread
    for attributes, body in _CELL.findall(part):
        reference = _REFERENCE.search(attributes)
        if reference is None:
            continue
        where = (reference.group(1) + reference.group(2)).decode()
        if b't="e"' in attributes:
            unread[where] = "the cell holds an Excel error; correct its formula"
        elif _FORMULA.search(body) and not _STORED.search(body) and b't="str"' not in attributes:
            unread[where] = "the formula was never calculated; open the workbook in Excel and save it"
    return unread
