"""Results keyed by what made them, and the headline of each health check.

Belongs here: finding what is computed already, storing rows once, reading the newest. Does not
belong here: computing anything.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from sqlalchemy import Connection, and_, exists, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import aliased

from resilience_assets.storage import bulk, tables
from resilience_assets.storage.columns import unpack

UTILIZATION, REDUNDANCY, CONTINGENCY, DEEP_DIVE = "utilization", "redundancy", "contingency", "deep_dive"
"""Kinds of results, and of their rows. One that may look ahead as far as it is asked to has the days in its name (`over`)."""
CONTINGENCY_PERSON, CONTINGENCY_PAIR, DETAIL = "contingency_person", "contingency_pair", "detail"
"""Further rows of a result."""
_ROWS: dict[str, Any] = {
    UTILIZATION: tables.UtilizationRow, REDUNDANCY: tables.RedundancyRow, CONTINGENCY: tables.ContingencyRow,
    CONTINGENCY_PERSON: tables.ContingencyPersonRow, CONTINGENCY_PAIR: tables.ContingencyPairRow,
    DEEP_DIVE: tables.DeepDiveRow, DETAIL: tables.ResultDetail,
}  # fmt: skip
_WHOLE = (CONTINGENCY, DEEP_DIVE, DETAIL)
"""Rows with JSON or bytes, one a result; the others are plain columns and may be many."""

Columns = dict[str, list[Any]]


def over(kind: str, days: int) -> str:
    """The kind of a result that looks so many days ahead."""
    return f"{kind}/{days}"


def _model(kind: str) -> Any:
    return _ROWS[kind.partition("/")[0]]


@dataclass(frozen=True, slots=True)
class ResultKey:
    """All that decides a result: program and roster version, policy, code, local date of the window's start."""

    program_id: int
    version_id: int
    policy_hash: str
    code_version: str
    local_day: int


def find_results(connection: Connection, kind: str, keys: Sequence[ResultKey]) -> dict[ResultKey, int]:
    """Ids of results that are stored already, by key; one query for all.

    A kind that ends in '/' is any number of days ahead; the newest is taken.
    """
    if not keys:
        return {}
    table = tables.Result
    of_kind = table.kind.startswith(kind) if kind.endswith("/") else table.kind == kind
    query = select(table).where(of_kind, table.local_day.in_({key.local_day for key in keys})).order_by(table.id)
    if len(keys) < 900:  # below the number of variables that every SQLite takes
        query = query.where(table.version_id.in_([key.version_id for key in keys]))
    wanted = set(keys)
    found: dict[ResultKey, int] = {}
    for row in connection.execute(query):
        key = ResultKey(row.program_id, row.version_id, row.policy_hash, row.code_version, row.local_day)
        if key in wanted:
            found[key] = row.id
    return found


def store_results(
    connection: Connection, kind: str, results: Iterable[tuple[ResultKey, dict[str, Columns]]], now: dt.datetime
) -> dict[ResultKey, int]:
    """Store results with their rows (columns of equal length, by the kind of row); one that is there already stays as it is."""
    table = tables.Result
    ids: dict[ResultKey, int] = {}
    gathered: dict[str, Columns] = {}
    for key, rows in results:
        values = {
            "program_id": key.program_id, "kind": kind, "version_id": key.version_id, "policy_hash": key.policy_hash,
            "code_version": key.code_version, "local_day": key.local_day, "computed_at": now,
        }  # fmt: skip
        new_id = connection.execute(_insert_once(connection, table).values(**values).returning(table.id)).scalar_one_or_none()
        if new_id is None:
            ids |= find_results(connection, kind, [key])
            continue
        ids[key] = new_id
        for name, columns in rows.items():
            count = len(next(iter(columns.values()))) if columns else 0
            for column, values_of in ({"result_id": [new_id] * count} | columns).items():
                gathered.setdefault(name, {}).setdefault(column, []).extend(values_of)
    for name, columns in gathered.items():
        _insert_rows(connection, name, columns)
    return ids


def _insert_rows(connection: Connection, name: str, columns: Columns) -> None:
    model = _model(name)
    if name.partition("/")[0] not in _WHOLE:
        bulk.insert_columns(connection, model.__table__, columns)
        return
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    if rows:
        connection.execute(insert(model), rows)


def _insert_once(connection: Connection, table: Any) -> Any:
    maker = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    return maker(table).on_conflict_do_nothing()


def store_policy(connection: Connection, policy_hash: str, text: str, now: dt.datetime) -> None:
    """Keep the text of a policy under its hash, before the first result that cites it."""
    connection.execute(_insert_once(connection, tables.PolicyVersion).values(hash=policy_hash, text=text, first_used_at=now))


def rows_of(connection: Connection, kind: str, result_ids: Sequence[int], scope: str | None = None) -> pd.DataFrame:
    """The rows of results, with the column `result_id`, in the order in which they were stored.

    With `scope` (of utilization: program, service or tier) only those of it that speak of the whole horizon.
    """
    model = _model(kind)
    columns = [column for column in model.__table__.columns if column.name != "id"]
    query = select(*columns).order_by(*model.__table__.primary_key)
    query = query.where(_among(model.result_id, result_ids))
    if scope is not None:
        query = query.where(model.scope == scope, model.day.is_(None))
    frame = pd.DataFrame(connection.execute(query).all(), columns=[column.name for column in columns])
    return frame[frame["result_id"].isin(set(result_ids))].reset_index(drop=True)


def _among(column: Any, ids: Sequence[int]) -> Any:
    """A condition that all these ids fulfil, and others only where there are more than a query can name."""
    if len(ids) < 900:  # below the number of variables that every SQLite takes
        return column.in_(list(ids))
    return column.between(min(ids), max(ids))


def whole_rows(connection: Connection, kind: str, result_ids: Sequence[int], *, findings: bool = True) -> dict[int, Any]:
    """The one row of each result of a kind that has one row a result, by result id; without `findings` only the figures."""
    model = _model(kind)
    wanted = set(result_ids)
    if not wanted:
        return {}
    columns = [column for column in model.__table__.columns if findings or column.name != "findings"]
    rows = connection.execute(select(*columns).where(_among(model.result_id, result_ids)))
    return {row.result_id: row for row in rows if row.result_id in wanted}


def detail_of(connection: Connection, result_id: int) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Header and columns of a result's blob; None where it has none."""
    table = tables.ResultDetail
    blob = connection.execute(select(table.blob).where(table.result_id == result_id)).scalar_one_or_none()
    return None if blob is None else unpack(blob)


def newest_result(connection: Connection, kind: str, program_id: int, until_day: int) -> Any | None:
    """The newest result of a kind of one program whose window begins on or before a local day; None where there is none."""
    table = tables.Result
    query = select(table).where(table.kind == kind, table.program_id == program_id, table.local_day <= until_day)
    return connection.execute(query.order_by(table.id.desc()).limit(1)).one_or_none()


def newest_computed(connection: Connection, kind: str) -> dict[int, dt.datetime]:
    """When each program's newest result of a kind (over any number of days) was computed, by program id."""
    table = tables.Result
    of_kind = or_(table.kind == kind, table.kind.startswith(f"{kind}/"))
    query = select(table.program_id, func.max(table.computed_at)).where(of_kind).group_by(table.program_id)
    return {row[0]: row[1] for row in connection.execute(query)}


def store_headlines(connection: Connection, headlines: Sequence[dict[str, Any]]) -> None:
    """Write the headlines of a check; one that the same inputs made already stays as it is."""
    if headlines:
        connection.execute(_insert_once(connection, tables.HealthCheck), list(headlines))


def newest_ids(as_of: dt.datetime | None = None, nth: int = 0, *, before: dt.datetime | None = None) -> Any:
    """A query for the id of each program's newest headline, or of the `nth` before it.

    The newest is that of the latest instant and, of these, of the roster frozen last.

    Only headlines at or before `as_of`, or strictly before `before`, where these are given. One look
    into an index a program, however long the history.
    """
    check, other = tables.HealthCheck, aliased(tables.HealthCheck)
    inner = select(other.id).where(other.program_id == tables.Program.id)
    if as_of is not None:
        inner = inner.where(other.as_of <= as_of)
    if before is not None:
        inner = inner.where(other.as_of < before)
    inner = inner.order_by(other.as_of.desc(), other.freeze_id.desc(), other.id.desc()).limit(1).offset(nth).correlate(tables.Program)
    return select(check.id).select_from(tables.Program).join(check, check.id == inner.scalar_subquery())


def newest_headlines(connection: Connection, codes: Sequence[str] | None = None, as_of: dt.datetime | None = None) -> list[Any]:
    """The newest headline a program (at or before `as_of`), with `program` its readable id and `name`."""
    table = tables.HealthCheck
    columns = (table, tables.Program.code.label("program"), tables.Program.name.label("name"), tables.Program.time_zone.label("time_zone"))
    query = newest_ids(as_of).with_only_columns(*columns).order_by(tables.Program.code)
    if codes is not None:
        query = query.where(tables.Program.code.in_(codes))
    return list(connection.execute(query))


def last_headlines(connection: Connection, program_ids: Sequence[int], before: dt.datetime, count: int) -> dict[int, list[Any]]:
    """The last `count` headlines before an instant, oldest first, by program: what hysteresis looks back on."""
    wanted = set(program_ids)
    out: dict[int, list[Any]] = {}
    for nth in reversed(range(count)):
        query = newest_ids(nth=nth, before=before).with_only_columns(tables.HealthCheck)
        if len(wanted) < 900:
            query = query.where(tables.Program.id.in_(wanted))
        for row in connection.execute(query):
            if row.program_id in wanted:
                out.setdefault(row.program_id, []).append(row)
    return out


def headlines_after(connection: Connection, after_id: int, program_ids: Sequence[int] | None = None) -> list[Any]:
    """Headlines with a higher id, oldest first: the readings that rules have not seen.

    One that speaks of an earlier instant, or of the same and an older roster, than a headline written
    before it is left out: a look at the past, or a run that was overtaken, says nothing of now.
    """
    table, written_before = tables.HealthCheck, aliased(tables.HealthCheck)
    later = or_(
        written_before.as_of > table.as_of,
        and_(written_before.as_of == table.as_of, written_before.freeze_id > table.freeze_id),
    )
    overtaken = exists().where(
        written_before.program_id == table.program_id, written_before.as_of >= table.as_of, later, written_before.id < table.id
    )
    query = (
        select(table, tables.Program.code.label("program"), tables.Program.time_zone.label("time_zone"))
        .join(tables.Program, tables.Program.id == table.program_id)
        .where(table.id > after_id, ~overtaken)
        .order_by(table.id)
    )
    if program_ids is not None:
        query = query.where(table.program_id.in_(program_ids))
    return list(connection.execute(query))


def mark_checked(connection: Connection, revisions: dict[int, int]) -> None:
    """Note the newest revision of each program that a scheduled or clicked check has seen."""
    table = tables.Program
    for program_id, revision in revisions.items():
        connection.execute(
            update(table).where(table.id == program_id, table.checked_revision < revision).values(checked_revision=revision)
        )


def scope_rows(connection: Connection, result_ids: Sequence[int], scope: str) -> list[Any]:
    """Rows of utilization results for the whole horizon of one scope (program, service or tier)."""
    table = tables.UtilizationRow
    query = select(
        table.result_id, table.key, table.utilization, table.coverage, table.coverage_minimum, table.open_seats, table.open_below_minimum
    ).where(table.scope == scope, table.day.is_(None), _among(table.result_id, result_ids))
    wanted = set(result_ids)
    return [row for row in connection.execute(query.order_by(table.id)) if row.result_id in wanted]


def service_days(connection: Connection, result_ids: Sequence[int]) -> list[Any]:
    """Rows of utilization results for each service on each date: what is required, open and below the minimum."""
    table = tables.UtilizationRow
    query = select(table.result_id, table.key, table.day, table.required, table.open_seats, table.open_below_minimum).where(
        table.scope == "service", table.day.is_not(None), _among(table.result_id, result_ids)
    )
    wanted = set(result_ids)
    return [row for row in connection.execute(query.order_by(table.id)) if row.result_id in wanted]
