"""The text of one CSV file as a table of text cells, with everything wrong about its shape reported.

Belongs here: delimiter, quotes, header, rows with too many or too few cells. Does not belong here:
what a cell means (csv_cells.py) or which columns a file has (csv_kinds.py).
"""

from __future__ import annotations

import csv
import io
from typing import Any

import numpy as np
import pandas as pd

from resilience_assets.domain.days import IntArray
from resilience_assets.domain.findings import Severity
from resilience_assets.exchange.finding_log import FindingLog
from resilience_assets.exchange.source import SourceFile, text_of

LONGEST_CELL = 10_000
"""Characters in one cell beyond which a file is not a table (an unclosed quote swallows all that follows)."""


def read_text_table(file: SourceFile, log: FindingLog) -> pd.DataFrame | None:
    """Columns named by the header, categorical text cells; the index is the row as a spreadsheet counts it.

    Comma, semicolon or tab, whichever the header has most of. Rows without any text are skipped
    (and counted in the row numbers). None when the file has no readable table; the log says why.
    """
    text, wrong = text_of(file)
    if wrong is not None:
        log.extend([wrong])
        return None
    first_line = text.partition("\n")[0]
    delimiter = max(",;\t", key=first_line.count)
    records = _plain_records(text, delimiter) if '"' not in text else _quoted_records(text, delimiter, file.name, log)
    if records is None:
        return None
    header, widths, cells = records
    columns = _header(header, file.name, log)
    if columns is None or not _shape_is_right(len(columns), widths, file.name, log):
        return None
    if not text.endswith("\n"):
        reason = "the last line has no end; if the file was cut off on its way, send it again"
        log.add(Severity.WARNING, "no_final_newline", reason, file.name, len(widths) + 1)
    table = _frame(cells, columns, delimiter)
    table.index = pd.Index(np.flatnonzero(widths >= 0) + 2, dtype="int64")
    return table


def _plain_records(text: str, delimiter: str) -> tuple[list[str], IntArray, Any]:
    """Header, cells in each later line (-1 for a line without text), and the text below the header.

    Without quotes a line is a record, so that counting bytes finds the shape in one pass.
    """
    head, _, body = text.partition("\n")
    codes = np.frombuffer(body.encode(), dtype=np.uint8)
    ends = np.flatnonzero(codes == ord("\n"))
    if codes.size and (not ends.size or ends[-1] != codes.size - 1):
        ends = np.append(ends, codes.size)
    marks = np.flatnonzero(codes == ord(delimiter))
    widths = np.diff(np.searchsorted(marks, ends), prepend=0) + 1
    # blank: nothing but delimiters and white space between two line ends
    ink = np.ones(256, dtype=np.bool_)
    ink[[ord(delimiter), *range(9, 14), *range(28, 33)]] = False
    filled = np.flatnonzero(ink[codes])
    blank = np.diff(np.searchsorted(filled, ends), prepend=0) == 0
    widths[blank] = -1
    if blank.any():
        kept = [line for line, empty in zip(body.split("\n"), blank, strict=False) if not empty]
        body = "\n".join([*kept, ""])
    return head.split(delimiter), widths.astype(np.int64), body


def _quoted_records(text: str, delimiter: str, name: str, log: FindingLog) -> tuple[list[str], IntArray, Any] | None:
    """The same for a text with quotes, by the csv module; None for a quote that is never closed."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    try:
        for record in reader:
            if any(len(cell) > LONGEST_CELL for cell in record):
                raise csv.Error("a cell is far too long")
            rows.append(record)
    except csv.Error as error:
        reason = f"the quotes do not match ({error}); the file is damaged or cut off"
        log.add(Severity.ERROR, "cut_off", reason, name, len(rows) + 1)
        return None
    head, body = rows[0], rows[1:]
    widths = np.array([len(row) if any(cell.strip() for cell in row) else -1 for row in body], dtype=np.int64)
    return head, widths, [row for row, width in zip(body, widths, strict=True) if width >= 0]


def _header(cells: list[str], name: str, log: FindingLog) -> list[str] | None:
    """Column names in small letters with _ for blanks; None (and logged) when there are none or doubles."""
    columns = ["_".join(cell.strip().lower().split()) for cell in cells]
    while columns and not columns[-1]:  # spreadsheets leave empty columns at the right edge
        columns.pop()
    if not columns:
        log.add(Severity.ERROR, "empty_file", "the first row has no column names", name, 1)
        return None
    doubles = sorted({column for column in columns if columns.count(column) > 1})
    for column in doubles:
        what = f"column {column!r}" if column else "a column without a name"
        log.add(Severity.ERROR, "duplicate_column", f"{what} is there twice; leave one", name, 1, column)
    return None if doubles else columns + [""] * (len(cells) - len(columns))


def _shape_is_right(expected: int, widths: IntArray, name: str, log: FindingLog) -> bool:
    """True when every row has as many cells as the header; else the rows are logged."""
    wrong = np.flatnonzero((widths != expected) & (widths >= 0))
    if not wrong.size:
        return True
    last = int(np.flatnonzero(widths >= 0)[-1])
    if wrong[-1] == last and widths[last] < expected:
        reason = f"{widths[last]} of {expected} cells in the last row: the file looks cut off; send it again"
        log.add(Severity.ERROR, "cut_off", reason, name, last + 2)
        wrong = wrong[:-1]
    log.add_rows(
        Severity.ERROR, "wrong_cell_count",
        lambda width: f"{width} cells, but the header has {expected}; a value with the delimiter in it needs quotes",
        name, (wrong + 2).tolist(), "", [str(widths[at]) for at in wrong],
    )  # fmt: skip
    return False


def _frame(cells: str | list[list[str]], columns: list[str], delimiter: str) -> pd.DataFrame:
    """Categorical columns of the text as it stands; '007' stays '007'."""
    unnamed = [column or f"\0{i}" for i, column in enumerate(columns)]
    if not isinstance(cells, str):
        plain = pd.DataFrame(cells, columns=unnamed, dtype=object)
    elif not cells:
        plain = pd.DataFrame(columns=unnamed, dtype=object)
    else:
        plain = pd.read_csv(
            io.StringIO(cells), sep=delimiter, header=None, names=unnamed, index_col=False, dtype=object,
            na_filter=False, skip_blank_lines=False, quoting=csv.QUOTE_NONE, engine="c", low_memory=False,
        )  # fmt: skip
    out: dict[str, pd.Categorical] = {}
    for column in unnamed:
        # read_csv's own categories would turn '00' into '0'
        codes, texts = pd.factorize(plain[column])
        out[column] = pd.Categorical.from_codes(codes, categories=pd.Index(texts, dtype=object))
    return pd.DataFrame(out)
