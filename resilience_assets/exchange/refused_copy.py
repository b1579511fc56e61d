"""A copy of a workbook in which every cell that was not accepted is coloured and says why.

Belongs here: marking cells. Does not belong here: finding out what is wrong (the readers). The
source is never changed.
"""

from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Iterable
from pathlib import Path

import openpyxl
from openpyxl.cell.cell import MergedCell
from openpyxl.comments import Comment
from openpyxl.styles import PatternFill
from openpyxl.worksheet.worksheet import Worksheet

from resilience_assets.domain.findings import Finding, Severity
from resilience_assets.exchange.settled import save_settled
from resilience_assets.exchange.source import source_error

FILLS = {Severity.ERROR: "FF7C80", Severity.UNREADABLE: "FFC000", Severity.WARNING: "FFF2AB"}
"""Fill of a marked cell by severity: red refuses the file, orange was not understood, yellow is a remark."""
_ADDRESS = re.compile(r"[A-Z]{1,3}[1-9][0-9]{0,6}")
_WRITTEN = dt.date(1980, 1, 1)
LONGEST_COMMENT = 1_000


def write_refused_copy(source: Path, findings: Iterable[Finding], target: Path) -> int:
    """Copy a workbook with the refused cells marked; returns how many cells were coloured.

    A finding counts when its `file` ends in "#Sheet" and its `column` is an address of that sheet;
    several findings about one cell share one comment, the worst gives the colour. A cell inside a
    merge is marked in the merge's first cell. Charts, pictures and calculated values of the source
    are not carried over. Raises SourceError when the source cannot be opened, ValueError when
    source and target are one file.
    """
    if source.resolve() == target.resolve():
        raise ValueError(f"the copy of {source} needs another path than its source")
    by_cell = _by_cell(findings)
    try:
        book = openpyxl.load_workbook(io.BytesIO(source.read_bytes()))
    except Exception as error:  # openpyxl raises whatever its XML happens to break
        raise source_error("not_a_workbook", f"no copy can be made of it ({error})", file=source.name) from error
    coloured = 0
    for (title, address), found in by_cell.items():
        if title in book.sheetnames and isinstance(book[title], Worksheet):
            coloured += _mark(book[title], address, found)
    save_settled(book, target, _WRITTEN)
    return coloured


def _by_cell(findings: Iterable[Finding]) -> dict[tuple[str, str], list[Finding]]:
    """Findings that name a cell, by sheet and address, in the order given."""
    by_cell: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        title = finding.file.partition("#")[2]
        if title and finding.severity in FILLS and _ADDRESS.fullmatch(finding.column):
            by_cell.setdefault((title, finding.column), []).append(finding)
    return by_cell


def _mark(sheet: Worksheet, address: str, found: list[Finding]) -> int:
    """Colour one cell and put the reasons beside it; 0 where the cell carries the marks of another already."""
    cell = sheet[address]
    if isinstance(cell, MergedCell):
        cell = next(sheet.cell(merge.min_row, merge.min_col) for merge in sheet.merged_cells.ranges if address in merge)
    worst = min(found, key=lambda one: list(FILLS).index(one.severity)).severity
    reasons = "\n".join(dict.fromkeys(f"{one.rule}: {one.reason}" for one in found))
    already = cell.comment.text + "\n" if cell.comment else ""
    again = bool(cell.comment and cell.comment.author == "resilience")
    cell.fill = PatternFill("solid", fgColor=FILLS[worst])
    cell.comment = Comment((already + reasons)[:LONGEST_COMMENT], "resilience", height=120, width=320)
    return 0 if again else 1
