"""Many rows at once, in and out, by the fastest road that each database has.

Belongs here: inserting columns of equal length, reading integer columns into arrays. Does not
belong here: what the rows mean.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, Select, Table

CHUNK = 50_000
"""Rows handed over at once: bounds memory without costing speed."""


def insert_columns(connection: Connection, table: Table, columns: dict[str, Any]) -> int:
    """Insert rows given as columns (arrays, lists, or one value for all rows); returns their number.

    Values go to the driver as they are: numbers, text, booleans and None; no instants and no JSON.
    """
    lengths = {len(values) for values in columns.values() if _is_column(values)}
    if len(lengths) > 1:
        raise ValueError(f"columns of {table.name} differ in length: {sorted(lengths)}")
    count = lengths.pop() if lengths else 0
    for low in range(0, count, CHUNK):
        high = min(low + CHUNK, count)
        parts = [_plain(values, low, high) for values in columns.values()]
        _insert_rows(connection, table, list(columns), zip(*parts, strict=True))
    return count


def _is_column(values: Any) -> bool:
    return hasattr(values, "__len__") and not isinstance(values, str | bytes | dict)


def _plain(values: Any, low: int, high: int) -> Sequence[Any]:
    if not _is_column(values):
        return [values] * (high - low)
    part = values[low:high]
    return part.tolist() if hasattr(part, "tolist") else part


def _insert_rows(connection: Connection, table: Table, names: list[str], rows: Iterable[tuple[Any, ...]]) -> None:
    quoted = ", ".join(connection.dialect.identifier_preparer.quote(name) for name in names)
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(names))
        connection.exec_driver_sql(f"INSERT INTO {table.name} ({quoted}) VALUES ({marks})", list(rows))
        return
    buffer = io.StringIO()
    # Every text is quoted and a missing value is a bare nan, so that no text can be taken for a missing one
    # (a number that is none is stored as missing, as SQLite does).
    writer = csv.writer(buffer, quoting=csv.QUOTE_NONNUMERIC)
    for row in rows:
        writer.writerow([math.nan if value is None else value for value in row])
    buffer.seek(0)
    cursor: Any = connection.connection.cursor()
    cursor.copy_expert(f"COPY {table.name} ({quoted}) FROM STDIN WITH (FORMAT csv, NULL 'nan')", buffer)
    cursor.close()


def read_integers(connection: Connection, query: Select[Any]) -> dict[str, npt.NDArray[np.int64]]:
    """Run a query of integer columns only and return them as arrays by name."""
    result = connection.execution_options(stream_results=False).execute(query)
    names = list(result.keys())
    cursor: Any = result.cursor
    rows = cursor.fetchall() if cursor is not None else result.fetchall()
    result.close()
    if not rows:
        return {name: np.zeros(0, dtype=np.int64) for name in names}
    # one flat pass over the tuples is twice as fast as np.array(rows)
    flat = np.fromiter((value for row in rows for value in row), dtype=np.int64, count=len(rows) * len(names))
    return dict(zip(names, flat.reshape(-1, len(names)).T.copy(), strict=True))
