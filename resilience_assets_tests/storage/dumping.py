"""Everything that a database holds, as plain rows: what 'left as it was' is measured by.

Belongs here: reading all tables. Does not belong here: any expectation.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import inspect, text

from resilience_assets.storage.database import Database

Rows = list[tuple[Any, ...]]


def dump(database: Database, leave_out: Collection[str] = ()) -> dict[str, Rows]:
    """Rows of every table in order, all columns but those named in `leave_out` ('table.column' or a table)."""
    out: dict[str, Rows] = {}
    with database.read() as connection:
        for table in inspect(connection).get_table_names():
            if table in leave_out:
                continue
            columns = [one["name"] for one in inspect(connection).get_columns(table) if f"{table}.{one['name']}" not in leave_out]
            quoted = ", ".join(f'"{name}"' for name in columns)
            rows = connection.execute(text(f'SELECT {quoted} FROM "{table}"'))
            out[table] = sorted((tuple(map(_plain, row)) for row in rows), key=repr)
    return out


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else repr(value) if isinstance(value, list | dict) else value


def differences(before: dict[str, Rows], after: dict[str, Rows]) -> list[str]:
    """Tables that differ, with the rows that went and came; short enough to read in a failed assertion."""
    out = []
    for table in sorted(set(before) | set(after)):
        old, new = before.get(table, []), after.get(table, [])
        if old != new:
            gone, come = [row for row in old if row not in new], [row for row in new if row not in old]
            out.append(f"{table}: gone {str(gone)[:600]}, come {str(come)[:600]}")
    return out
