"""Rows of headlines and results to write: the figures are made up.

Belongs here: plain rows. Does not belong here: expectations.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from resilience_assets.storage import results, tables
from resilience_assets.storage.database import Database
from resilience_assets.storage.results import ResultKey


def headline(program_id: int, as_of: dt.datetime, **values: Any) -> dict[str, Any]:
    """A headline with plain figures."""
    plain = {
        "program_id": program_id, "as_of": as_of, "local_day": 20_700, "freeze_id": 1, "version_id": None, "policy_hash": "p",
        "code_version": "1", "utilization_id": None, "redundancy_id": None, "status": "healthy", "raw_status": "healthy",
        "measured_status": "healthy", "utilization": 0.5, "utilization_level": "GREEN", "coverage": 1.0, "open_seats": 0,
        "defense_level": "prevention", "load_shedding": "NORMAL", "n1_pass": None, "n2_pass": None, "active_fallbacks": 0,
        "immediate_actions": [], "measured_actions": [], "watch_items": ["é, \\N"],
    }  # fmt: skip
    return plain | values


def utilization_rows(*scopes: tuple[str, str], coverage: float | None = 1.0) -> dict[str, list[Any]]:
    """Columns of one utilization result: a row a scope."""
    count = len(scopes)
    numbers = {name: [1.0] * count for name in ("required", "available", "assigned", "utilization", "coverage_minimum", "buffer", "safe_load")}
    return numbers | {
        "scope": [scope for scope, _ in scopes], "key": [key for _, key in scopes], "day": [None] * count, "coverage": [coverage] * count,
        "open_seats": [0] * count, "open_below_minimum": [0] * count, "level": ["GREEN"] * count, "wait_factor": [None] * count,
        "wait_factor_erlang": [None] * count, "servers": [1] * count,
    }  # fmt: skip


def add_program(database: Database, code: str) -> int:
    """A program without anything; returns its id."""
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    with database.write() as connection:
        row = {"code": code, "name": code.upper(), "time_zone": "UTC", "revision": 3, "checked_revision": 0, "created_at": now}
        return int(connection.execute(tables.Program.__table__.insert().returning(tables.Program.id), row).scalar_one())


def add_version(database: Database, program_id: int, content: str, now: dt.datetime) -> int:
    """A version whose blob is nothing; returns its id."""
    row = {"program_id": program_id, "content_hash": content, "first_day": 0, "days": 0, "created_at": now, "blob": b"x"}
    with database.write() as connection:
        return int(connection.execute(tables.RosterVersion.__table__.insert().returning(tables.RosterVersion.id), row).scalar_one())


def add_result(database: Database, key: ResultKey, now: dt.datetime, coverage: float | None = 1.0) -> int:
    """A utilization result of the program and one service; returns its id."""
    with database.write() as connection:
        columns = utilization_rows(("program", ""), ("service", "icu"), coverage=coverage)
        return results.store_results(connection, results.UTILIZATION, [(key, {results.UTILIZATION: columns})], now)[key]
