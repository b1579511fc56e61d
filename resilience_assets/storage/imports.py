"""Writing facts: batches, identities, and replacing just what a source speaks of.

Belongs here: comparing a source with the open rows of its program, kind and dates; adding, closing,
counting; provenance. Does not belong here: reading the source (exchange), deciding whether it may be
applied (actions.import_roster).
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Connection, Table, delete, insert, select, update

from resilience_assets.domain import states
from resilience_assets.domain.days import OPEN_END
from resilience_assets.domain.program import Program
from resilience_assets.domain.tables import DATED_KINDS, RosterTables
from resilience_assets.storage import bulk, tables

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Kind:
    """How one kind of record is stored: its table, the columns that identify a row, and the others."""

    model: Any
    key: tuple[str, ...]
    values: tuple[str, ...]
    identity: Any = None
    """Table of the stable identity of which this kind is the record; None for other facts."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Key and values, in this order."""
        return self.key + self.values


KINDS: dict[str, Kind] = {
    "people": Kind(
        tables.PersonRecord, ("person_id",), ("name", "role", "fte", "team", "home_region", "starts", "ends"), tables.Person
    ),
    "services": Kind(tables.ServiceRecord, ("service_id",), ("name", "tier"), tables.Service),
    "posts": Kind(tables.PostRecord, ("post_id",), ("service_id", "role"), tables.Post),
    "qualifications": Kind(tables.Qualification, ("person_id", "post_id", "first"), ("last",)),
    "demand": Kind(tables.Demand, ("post_id", "day", "slot_id"), ("required", "minimum")),
    "demand_rules": Kind(tables.DemandRule, ("post_id", "weekday", "slot_id", "first"), ("required", "minimum", "last")),
    "assignments": Kind(tables.Assignment, ("person_id", "day", "shift_id"), ("cell",)),
    "absences": Kind(tables.Absence, ("person_id", "first", "kind"), ("last", "approved")),
}


CONTRADICTABLE = ("qualifications", "assignments", "absences")
"""Kinds of which several rows may have the same key."""


@dataclass
class KindCount:
    """What happened to one kind: rows read, added, changed, closed, unchanged; ids missing from the source."""

    read: int = 0
    added: int = 0
    changed: int = 0
    closed: int = 0
    unchanged: int = 0
    missing: list[str] = field(default_factory=list)
    hanging: dict[str, int] = field(default_factory=dict)
    """Rows of other kinds that were closed because what they name was removed, by kind."""

    @property
    def touched(self) -> bool:
        """True when a row was added, changed or closed."""
        return bool(self.added or self.changed or self.closed)


def define_program(connection: Connection, program: Program, now: dt.datetime) -> tuple[int, bool]:
    """Create a program or bring its name, zone, slots, shifts and successions up to date.

    Returns its database id and whether anything changed. Slots and shifts that other rows may refer
    to are never removed. Raises ValueError when slot types change while rows already use the old ones.
    """
    table = tables.Program
    row = connection.execute(select(table).where(table.code == program.id)).one_or_none()
    changed = row is None
    if row is None:
        values = {"code": program.id, "name": program.name, "time_zone": program.time_zone, "created_at": now, "revision": 0, "checked_revision": 0}
        program_id = int(connection.execute(insert(table).returning(table.id), values).scalar_one())
    else:
        program_id = row.id
        if (row.name, row.time_zone) != (program.name, program.time_zone):
            connection.execute(update(table).where(table.id == row.id).values(name=program.name, time_zone=program.time_zone))
            changed = True
    changed |= _define_slots(connection, program_id, program)
    changed |= _define_shifts(connection, program_id, program)
    return program_id, changed


def _define_slots(connection: Connection, program_id: int, program: Program) -> bool:
    table = tables.SlotType
    query = select(table).where(table.program_id == program_id).order_by(table.position)
    old = [(row.code, row.start, row.end) for row in connection.execute(query)]
    new = [(slot.code, slot.start, slot.end) for slot in program.slot_types]
    if old == new:
        return False
    if old and [code for code, _, _ in old] != [code for code, _, _ in new] and _has_rows(connection, program_id):
        raise ValueError(
            f"program {program.id} divides its day into {', '.join(code for code, _, _ in old)}; the source says "
            f"{', '.join(code for code, _, _ in new)}. Import it as a program of its own"
        )
    known = {row.code: row.id for row in connection.execute(query)}
    for position, (code, start, end) in enumerate(new):
        values = {"program_id": program_id, "position": position, "code": code, "start": start, "end": end}
        if code in known:
            connection.execute(update(table).where(table.id == known[code]).values(**values))
        else:
            connection.execute(insert(table), values)
    connection.execute(delete(table).where(table.program_id == program_id, table.code.not_in([code for code, _, _ in new])))
    return True


def _has_rows(connection: Connection, program_id: int) -> bool:
    for model in (tables.Assignment, tables.Demand, tables.DemandRule):
        if connection.execute(select(model.id).where(model.program_id == program_id).limit(1)).first() is not None:
            return True
    return False


def _define_shifts(connection: Connection, program_id: int, program: Program) -> bool:
    table, pairs = tables.Shift, tables.ForbiddenSuccession
    old = {row.code: row for row in connection.execute(select(table).where(table.program_id == program_id))}
    changed = False
    for shift in program.shifts:
        values = {"name": shift.name, "start": shift.start, "end": shift.end}
        row = old.get(shift.code)
        if row is None:
            connection.execute(insert(table), {"program_id": program_id, "code": shift.code, **values})
            changed = True
        elif (row.name, row.start, row.end) != (shift.name, shift.start, shift.end):
            connection.execute(update(table).where(table.id == row.id).values(**values))
            changed = True
    ids = {row.code: row.id for row in connection.execute(select(table.code, table.id).where(table.program_id == program_id))}
    found = {
        (row.first_shift_id, row.next_shift_id)
        for row in connection.execute(select(pairs).where(pairs.program_id == program_id))
    }
    wanted = {(ids[first], ids[after]) for first, after in program.forbidden_successions}
    if found != wanted:
        connection.execute(delete(pairs).where(pairs.program_id == program_id))
        if wanted:
            rows = [{"program_id": program_id, "first_shift_id": a, "next_shift_id": b} for a, b in sorted(wanted)]
            connection.execute(insert(pairs), rows)
        changed = True
    left = [row.id for code, row in old.items() if code not in {shift.code for shift in program.shifts}]
    return _remove_shifts(connection, program_id, left) or changed


def _remove_shifts(connection: Connection, program_id: int, shift_ids: list[int]) -> bool:
    """Remove those of these shifts that no assignment ever named; True when there were any."""
    if not shift_ids:
        return False
    held = tables.Assignment
    used = select(held.shift_id).where(held.program_id == program_id)
    where = (tables.Shift.id.in_(shift_ids), tables.Shift.id.not_in(used))
    return connection.execute(delete(tables.Shift).where(*where)).rowcount > 0


def known_codes(connection: Connection, program_id: int) -> dict[str, dict[str, int]]:
    """Readable id -> database id of a program's people, services, posts (those with an open record), shifts and slots."""
    out: dict[str, dict[str, int]] = {}
    for noun, model, record, column in (
        ("person", tables.Person, tables.PersonRecord, "person_id"),
        ("service", tables.Service, tables.ServiceRecord, "service_id"),
        ("post", tables.Post, tables.PostRecord, "post_id"),
    ):
        query = select(model.code, model.id).join(record, getattr(record, column) == model.id)
        query = query.where(record.program_id == program_id, record.closed_batch_id.is_(None))
        out[noun] = {row.code: row.id for row in connection.execute(query)}
    everything = identities(connection, program_id)
    return out | {noun: everything[noun] for noun in ("shift", "slot")}


def newest_batch(connection: Connection, program_id: int, content_hash: str) -> tuple[int | None, bool]:
    """The newest batch with this content, and whether it is also the newest of the program."""
    table = tables.ImportBatch
    same = connection.execute(
        select(table.id).where(table.program_id == program_id, table.content_hash == content_hash).order_by(table.id.desc()).limit(1)
    ).scalar_one_or_none()
    last = connection.execute(
        select(table.id).where(table.program_id == program_id).order_by(table.id.desc()).limit(1)
    ).scalar_one_or_none()
    return same, same is not None and same == last


def open_batch(
    connection: Connection, program_id: int, kind: str, name: str, content_hash: str, now: dt.datetime, by: str, files: tuple[str, ...]
) -> tuple[int, dict[str, int]]:
    """Create a batch with its files; returns its id and the file ids by name."""
    table = tables.ImportBatch
    values = {
        "program_id": program_id, "kind": kind, "name": name[:300], "content_hash": content_hash,
        "imported_at": now, "imported_by": by[:200], "report": {},
    }  # fmt: skip
    batch_id = int(connection.execute(insert(table).returning(table.id), values).scalar_one())
    file_ids = {}
    for file in files or (name,):
        values = {"batch_id": batch_id, "name": file[:300]}
        file_ids[file] = int(connection.execute(insert(tables.ImportFile).returning(tables.ImportFile.id), values).scalar_one())
    return batch_id, file_ids


def drop_batch(connection: Connection, batch_id: int) -> None:
    """Forget a batch that turned out to change nothing; no row refers to it."""
    connection.execute(delete(tables.ImportFile).where(tables.ImportFile.batch_id == batch_id))
    connection.execute(delete(tables.ImportBatch).where(tables.ImportBatch.id == batch_id))


def close_report(connection: Connection, batch_id: int, report: dict[str, Any]) -> None:
    """Keep what the importer was told beside the batch."""
    connection.execute(update(tables.ImportBatch).where(tables.ImportBatch.id == batch_id).values(report=report))


def raise_revision(connection: Connection, program_id: int, imported_at: dt.datetime | None = None) -> int:
    """Raise a program's revision after a write to its facts or overlay; returns the new one."""
    table = tables.Program
    values: dict[str, Any] = {"revision": table.revision + 1}
    if imported_at is not None:
        values["imported_at"] = imported_at
    connection.execute(update(table).where(table.id == program_id).values(**values))
    return int(connection.execute(select(table.revision).where(table.id == program_id)).scalar_one())


def touch_import(connection: Connection, program_id: int, imported_at: dt.datetime) -> None:
    """Note that the source was looked at again and says the same: its age starts anew."""
    connection.execute(update(tables.Program).where(tables.Program.id == program_id).values(imported_at=imported_at))


def add_identities(connection: Connection, program_id: int, source: RosterTables) -> None:
    """Give every person, service and post that the source names an identity."""
    for noun, kind, model in (("person", "people", tables.Person), ("service", "services", tables.Service), ("post", "posts", tables.Post)):
        part = getattr(source, kind)
        if part is None:
            continue
        known = {row.code for row in connection.execute(select(model.code).where(model.program_id == program_id))}
        new = [code for code in dict.fromkeys(part[noun]) if code not in known]
        if new:
            connection.execute(insert(model), [{"program_id": program_id, "code": code} for code in new])


def identities(connection: Connection, program_id: int) -> dict[str, dict[str, int]]:
    """Readable id -> database id of everything ever named in a program, closed or open."""
    models: dict[str, Any] = {"person": tables.Person, "service": tables.Service, "post": tables.Post, "shift": tables.Shift, "slot": tables.SlotType}
    return {
        noun: {row.code: row.id for row in connection.execute(select(model.code, model.id).where(model.program_id == program_id))}
        for noun, model in models.items()
    }


def replace_kind(
    connection: Connection, program_id: int, kind: str, part: pd.DataFrame, ids: dict[str, dict[str, int]],
    batch_id: int, file_ids: dict[str, int], dates: tuple[int, int] | None, replace_missing: bool,
    progress: Progress | None = None,
) -> KindCount:  # fmt: skip
    """Bring one kind of a program to what a source says; returns what happened.

    A dated kind is replaced on `dates` only (the source's stretch, else that of the frame). Of
    people, services and posts nothing is removed unless `replace_missing`; of qualifications only
    those of people whom the source names. Rows that are the same stay untouched.
    """
    spec = KINDS[kind]
    new = _coded(kind, part, ids)
    # two posts for one person, date and shift are both kept: that nobody can be in both is for the roster's checks to say
    new = new.drop_duplicates(list(spec.columns if kind in CONTRADICTABLE else spec.key), keep="last")
    old = _replaced_rows(connection, program_id, kind, new, dates)
    if kind == "qualifications" and not replace_missing:
        old = old[old["person_id"].isin(new["person_id"].unique())]
    count = KindCount(read=len(part))
    merged = old.merge(new.assign(_new=np.arange(len(new))), on=list(spec.columns), how="left") if len(old) else None
    if merged is None:
        fresh, gone = new, old
    else:
        same = merged["_new"].notna()
        count.unchanged = int(same.sum())
        fresh = new.drop(new.index[merged.loc[same, "_new"].to_numpy(dtype=np.int64)])
        gone = old[~same.to_numpy()]
    count.changed = _in_both(gone, fresh, spec.key)
    if spec.identity is not None and not replace_missing:
        named = set(new[spec.key[0]])
        missing = gone[~gone[spec.key[0]].isin(named)]
        code_of = {value: code for code, value in ids[spec.key[0][:-3]].items()}
        count.missing = sorted(code_of[int(value)] for value in missing[spec.key[0]])
        gone = gone[gone[spec.key[0]].isin(named)]
    if spec.identity is not None and replace_missing:
        named = set(new[spec.key[0]])
        removed = [int(value) for value in gone[spec.key[0]] if value not in named]
        count.hanging = _close_dependents(connection, program_id, spec.key[0], removed, batch_id)
    count.added, count.closed = len(fresh) - count.changed, len(gone) - count.changed
    _close(connection, spec.model.__table__, gone["id"].tolist(), batch_id)
    _add(connection, spec.model.__table__, program_id, batch_id, file_ids, fresh, spec.columns, kind, progress)
    return count


def _coded(kind: str, part: pd.DataFrame, ids: dict[str, dict[str, int]]) -> pd.DataFrame:
    """The frame with database ids in place of readable ids; references were checked before."""
    out: dict[str, Any] = {name: part[name].to_numpy() for name in ("file", "row", "column")}
    spec = KINDS[kind]
    for column in spec.columns:
        if column == "cell":
            codes, uniques = pd.factorize(part["post"])
            table = [states.RESERVED.get(value) or ids["post"][value] for value in uniques]
            out[column] = np.array(table, dtype=np.int64)[codes] if len(part) else np.zeros(0, dtype=np.int64)
        elif column.endswith("_id"):
            codes, uniques = pd.factorize(part[column[:-3]])
            table = [ids[column[:-3]][value] for value in uniques]
            out[column] = np.array(table, dtype=np.int64)[codes] if len(part) else np.zeros(0, dtype=np.int64)
        else:
            out[column] = part[column].to_numpy()
    return pd.DataFrame(out)


def _in_both(one: pd.DataFrame, other: pd.DataFrame, key: tuple[str, ...]) -> int:
    """How many keys two frames share."""
    if not len(one) or not len(other):
        return 0
    names = list(key)
    return len(one[names].drop_duplicates().merge(other[names].drop_duplicates(), on=names, how="inner"))


def _replaced_rows(connection: Connection, program_id: int, kind: str, new: pd.DataFrame, dates: tuple[int, int] | None) -> pd.DataFrame:
    """Open rows that a source speaks of: all of its kind; of a dated kind those on its dates, and those that it names itself.

    Its dates are `dates` where it says them (a month grid), else those from its first row to its last.
    """
    spec = KINDS[kind]
    table = spec.model.__table__
    if kind not in DATED_KINDS:
        return _open_rows(connection, table, program_id, spec.columns, None)
    column = "first" if kind == "absences" else "day"
    own = _own_dates(kind, new) if len(new) else None
    low, high = dates or own or (1, 0)
    wide = (low, high) if own is None else (min(low, own[0]), max(high, own[1]))
    old = _open_rows(connection, table, program_id, spec.columns, (column, *wide))
    if wide == (low, high) or not len(old):
        return old
    named = pd.MultiIndex.from_frame(old[list(spec.key)]).isin(pd.MultiIndex.from_frame(new[list(spec.key)]))
    return old[old[column].between(low, high) | named].reset_index(drop=True)


def _own_dates(kind: str, new: pd.DataFrame) -> tuple[int, int]:
    """First and last date that the rows of a dated kind speak of.

    An absence without an end says nothing of the leave of others until further notice: it counts with its first date.
    """
    if kind != "absences":
        return int(new["day"].min()), int(new["day"].max())
    ends = np.where(new["last"] == OPEN_END, new["first"], new["last"])
    return int(new["first"].min()), int(ends.max())


def _open_rows(
    connection: Connection, table: Table, program_id: int, columns: tuple[str, ...], stretch: tuple[str, int, int] | None
) -> pd.DataFrame:
    query = select(table.c.id, *(table.c[name] for name in columns))
    query = query.where(table.c.program_id == program_id, table.c.closed_batch_id.is_(None))
    if stretch is not None:
        column, low, high = stretch
        query = query.where(table.c[column] >= low, table.c[column] <= high)
    if all(isinstance(table.c[name].type.python_type(), int) and table.c[name].type.python_type is int for name in columns):
        return pd.DataFrame(bulk.read_integers(connection, query.order_by(table.c.id)))
    rows = connection.execute(query.order_by(table.c.id)).all()
    return pd.DataFrame([tuple(row) for row in rows], columns=["id", *columns])


def _close_dependents(connection: Connection, program_id: int, column: str, removed: list[int], batch_id: int) -> dict[str, int]:
    """Close what hangs on people, services or posts that were removed, so that no fact names somebody gone; rows by kind."""
    closed: Counter[str] = Counter()
    if not removed:
        return {}
    for kind, spec in KINDS.items():
        table = spec.model.__table__
        name = "cell" if column == "post_id" and "cell" in table.c else column
        if name not in table.c or (name == spec.key[0] and spec.identity is not None):
            continue
        where = (table.c.program_id == program_id, table.c.closed_batch_id.is_(None), table.c[name].in_(removed))
        if column == "service_id":
            posts = [row[0] for row in connection.execute(select(table.c.post_id).where(*where))]
            closed.update(_close_dependents(connection, program_id, "post_id", posts, batch_id))
        closed[kind] += connection.execute(update(table).where(*where).values(closed_batch_id=batch_id)).rowcount
    return {kind: count for kind, count in closed.items() if count}


def _close(connection: Connection, table: Table, row_ids: list[int], batch_id: int) -> None:
    for low in range(0, len(row_ids), 500):
        part = row_ids[low : low + 500]
        connection.execute(update(table).where(table.c.id.in_(part)).values(closed_batch_id=batch_id))


def _add(
    connection: Connection, table: Table, program_id: int, batch_id: int, file_ids: dict[str, int],
    fresh: pd.DataFrame, columns: tuple[str, ...], kind: str, progress: Progress | None,
) -> None:  # fmt: skip
    fallback = next(iter(file_ids.values()))
    codes, uniques = pd.factorize(fresh["file"])
    files = np.array([file_ids.get(name, fallback) for name in uniques] or [fallback], dtype=np.int64)
    for low in range(0, len(fresh), bulk.CHUNK):
        high = min(low + bulk.CHUNK, len(fresh))
        part = fresh.iloc[low:high]
        bulk.insert_columns(
            connection, table,
            {name: part[name].to_numpy() for name in columns}
            | {
                "program_id": program_id, "batch_id": batch_id, "file_id": files[codes[low:high]],
                "row": part["row"].to_numpy(), "column": part["column"].to_numpy(),
            },
        )  # fmt: skip
        if progress is not None:
            progress(f"storing {kind}", high, len(fresh))


def provenance(connection: Connection, kind: str, row_ids: list[int]) -> dict[int, tuple[str, int, str, int]]:
    """Where rows of a kind came from: row id -> (file, row, column, batch)."""
    table = KINDS[kind].model
    query = select(table.id, tables.ImportFile.name, table.row, table.column, table.batch_id)
    query = query.outerjoin(tables.ImportFile, tables.ImportFile.id == table.file_id).where(table.id.in_(row_ids))
    return {row[0]: (row[1] or "", row[2], row[3], row[4]) for row in connection.execute(query)}
