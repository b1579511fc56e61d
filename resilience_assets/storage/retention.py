"""Removing what has outlived its keep.

Belongs here: deleting old headlines, result rows and roster versions that nothing refers to any
more. Does not belong here: how long each is kept (policy). Facts, incidents and the newest of
everything stay.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Connection, delete, func, select, union, update

from resilience_assets.storage import tables
from resilience_assets.storage.results import DEEP_DIVE, newest_ids

RESULT_ROWS: tuple[Any, ...] = (
    tables.UtilizationRow, tables.RedundancyRow, tables.ContingencyRow, tables.ContingencyPersonRow,
    tables.ContingencyPairRow, tables.DeepDiveRow, tables.ResultDetail,
)  # fmt: skip
"""Every table whose rows belong to a result."""


def purge_headlines(connection: Connection, before: dt.datetime) -> int:
    """Delete headlines of checks before an instant, but never the newest of a program."""
    table = tables.HealthCheck
    return connection.execute(delete(table).where(table.as_of < before, table.id.not_in(newest_ids()))).rowcount


def purge_results(connection: Connection, before: dt.datetime) -> int:
    """Delete results computed before an instant, with their rows; headlines keep their figures and lose the pointer.

    What the newest headline of a program points to stays, and its newest deep dive.
    """
    check, result = tables.HealthCheck, tables.Result
    newest = newest_ids()
    pointers = (check.utilization_id, check.redundancy_id, check.contingency_id)
    kept = union(*(select(pointer).where(check.id.in_(newest), pointer.is_not(None)) for pointer in pointers), _newest_deep_dives())
    old = select(result.id).where(result.computed_at < before, result.id.not_in(kept))
    for pointer in pointers:
        connection.execute(update(check).where(pointer.in_(old)).values({pointer.key: None}))
    for rows in RESULT_ROWS:
        connection.execute(delete(rows).where(rows.result_id.in_(old)))
    return connection.execute(delete(result).where(result.computed_at < before, result.id.not_in(kept))).rowcount


def _newest_deep_dives() -> Any:
    """A query for the newest deep dive of each program."""
    result = tables.Result
    return select(func.max(result.id)).where(result.kind.startswith(DEEP_DIVE)).group_by(result.program_id)


def purge_versions(connection: Connection, before: dt.datetime) -> int:
    """Delete roster versions stored before an instant that are not the newest accepted one of a program.

    Old freezes and headlines keep the content hash and figures and lose the pointer to the cells.
    """
    version, freeze, check = tables.RosterVersion, tables.Freeze, tables.HealthCheck
    newest_good = select(func.max(freeze.id)).where(freeze.accepted).group_by(freeze.program_id)
    held = select(freeze.version_id).where(freeze.id.in_(newest_good), freeze.version_id.is_not(None))
    kept = held.union(select(tables.Result.version_id))
    old = select(version.id).where(version.created_at < before, version.id.not_in(kept))
    for pointer in (freeze.version_id, check.version_id):
        connection.execute(update(pointer.class_).where(pointer.in_(old)).values(version_id=None))
    return connection.execute(delete(version).where(version.created_at < before, version.id.not_in(kept))).rowcount
