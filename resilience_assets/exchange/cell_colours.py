"""The fill colours of a sheet, for grids in which a colour carries meaning.

Belongs here: reading fills (with openpyxl, the slow reader; values come from sheets.py). Does not
belong here: what a colour means (the mapping).
"""

from __future__ import annotations

import io

import openpyxl

from resilience_assets.exchange.sheets import WorkbookFile
from resilience_assets.exchange.source import source_error


def cell_colours(book: WorkbookFile, sheet: str) -> dict[tuple[int, int], str]:
    """Six hex digits (RGB) of each solidly filled cell by (row, column) from 0.

    Theme colours, which a file names by number only, are left out. Raises SourceError where the
    styles of the workbook are damaged.
    """
    try:
        styled = openpyxl.load_workbook(io.BytesIO(book.content), read_only=True)
    except Exception as error:  # openpyxl raises whatever its XML happens to break
        reason = f"the colours of the workbook cannot be read ({error}); save it again in Excel"
        raise source_error("not_a_workbook", reason, file=book.name) from error
    title = next(name for name in styled.sheetnames if name.strip().casefold() == sheet.strip().casefold())
    colours: dict[tuple[int, int], str] = {}
    for cells in styled[title].iter_rows():
        for cell in cells:
            fill = getattr(cell, "fill", None)
            if fill is not None and fill.fill_type == "solid" and isinstance(fill.fgColor.rgb, str):
                colours[(cell.row - 1, cell.column - 1)] = fill.fgColor.rgb[-6:].upper()
    styled.close()
    return colours
