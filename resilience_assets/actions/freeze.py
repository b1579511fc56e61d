"""Freeze rosters: read what moved, lay it out, check it, keep it as a version or refuse it.

Belongs here: which programs are looked at, accepting and refusing. Does not belong here: the checks
(analysis.roster_checks), the arrays (domain.assembly), SQL (storage).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from resilience_assets.actions.program_states import ProgramState, program_states
from resilience_assets.analysis.roster_checks import Example, RosterCheck, check_roster, refused
from resilience_assets.domain.assembly import RosterFacts, assemble
from resilience_assets.domain.days import day_text, local_day
from resilience_assets.domain.findings import Finding, Severity
from resilience_assets.domain.fingerprint import fingerprint
from resilience_assets.domain.roster import Roster
from resilience_assets.policy import Policies
from resilience_assets.storage import facts, imports, programs, versions
from resilience_assets.storage.database import Database

BATCH = 50
"""Programs read at once: bounds memory, and is where one query a table pays."""

Progress = Callable[[str, int, int], None]


def freeze_rosters(
    database: Database, policies: Policies, as_of: dt.datetime, *, live: bool = True,
    codes: Sequence[str] | None = None, progress: Progress | None = None,
) -> list[ProgramState]:  # fmt: skip
    """Freeze every program whose revision moved (only when `live`); returns what holds at `as_of`.

    A program that cannot be laid out, or whose roster breaks a rule of severity error, is recorded
    as refused and keeps its last accepted version; the others go on.
    """
    if live:
        with database.read() as connection:
            rows = programs.all_programs(connection, codes)
            known = versions.frozen_revisions(connection)
        moved = [row.id for row in rows if row.revision > known.get(row.id, 0)]
        for done, batch in enumerate(_batches(moved)):
            _freeze_batch(database, policies, as_of, batch)
            if progress is not None:
                progress("freezing rosters", min((done + 1) * BATCH, len(moved)), len(moved))
    return program_states(database, as_of, codes)


def _batches(ids: list[int]) -> Iterator[list[int]]:
    for low in range(0, len(ids), BATCH):
        yield ids[low : low + BATCH]


def _freeze_batch(database: Database, policies: Policies, as_of: dt.datetime, program_ids: list[int]) -> None:
    with database.read() as connection:
        rows = {row.id: row for row in programs.all_programs(connection) if row.id in set(program_ids)}
        read = _read_facts(connection, program_ids)
    for program_id in program_ids:
        row, found = rows[program_id], read[program_id]
        if isinstance(found, ValueError):
            roster, checks = None, _cannot_lay_out(found)
        else:
            roster, checks = _lay_out(found.facts, found.findings, policies, row, as_of)
        _keep(database, row, roster, checks, as_of)


def _read_facts(connection: Any, program_ids: list[int]) -> dict[int, facts.ReadFacts | ValueError]:
    """Facts by program; where those of a batch cannot be read, one by one, so that just the bad ones are refused."""
    try:
        return dict(facts.read_facts(connection, program_ids))
    except ValueError as error:
        if len(program_ids) == 1:
            return {program_ids[0]: error}
    return {id: found for one in program_ids for id, found in _read_facts(connection, [one]).items()}


def _cannot_lay_out(error: ValueError) -> list[RosterCheck]:
    return [RosterCheck("cannot_lay_out", Severity.ERROR, 1, str(error))]


def _lay_out(
    read: RosterFacts, findings: list[Finding], policies: Policies, row: programs.ProgramRow, as_of: dt.datetime
) -> tuple[Roster | None, list[RosterCheck]]:
    """The roster and its checks; no roster where the facts cannot be laid out at all."""
    try:
        roster, doubles = assemble(read)
    except ValueError as error:
        return None, _cannot_lay_out(error)
    policy = policies.for_program(row.code)
    today = local_day(as_of, row.time_zone)
    last = today + policy.health.horizon_days - 1
    age = import_age_hours(row.imported_at, as_of)
    return roster, check_roster(roster, policy, today, last, import_age_hours=age, findings=findings, doubles=doubles)


def import_age_hours(imported_at: dt.datetime | None, as_of: dt.datetime) -> float | None:
    """Hours since the source was last read; None where that is not on record."""
    return None if imported_at is None else max(0.0, (as_of - imported_at).total_seconds() / 3600)


def _keep(database: Database, row: programs.ProgramRow, roster: Roster | None, checks: list[RosterCheck], as_of: dt.datetime) -> None:
    print_ = None if roster is None else fingerprint(roster)
    with database.write(alone=f"freeze {row.id}") as connection:
        if versions.frozen_revisions(connection, [row.id]).get(row.id, 0) >= row.revision:
            return  # another run was quicker
        version_id = None
        if roster is not None and print_ is not None and not refused(checks):
            version_id = versions.store_version(connection, row.id, roster, print_, as_of)
        findings = [_finding(connection, check) for check in checks if not check.passed]
        versions.store_freeze(connection, row.id, row.revision, as_of, version_id, print_.content if print_ else "", findings)


def _finding(connection: Any, check: RosterCheck) -> dict[str, Any]:
    """A failed check as stored: its examples followed back to file, row and column."""
    came_from = _provenance(connection, check.of, check.examples)
    return {
        "rule": check.rule,
        "severity": str(check.severity),
        "count": check.count,
        "sentence": check.sentence,
        "examples": [
            {"id": id, "date": day_text(day), "slot": slot, **came_from.get(source, {"file": "", "row": 0, "column": "", "batch": 0})}
            for id, day, slot, source in check.examples
        ],
    }


def _provenance(connection: Any, of: str, examples: tuple[Example, ...]) -> dict[int, dict[str, Any]]:
    """File, row, column and batch by source id; a negative id of demand is a weekly rule's."""
    out: dict[int, dict[str, Any]] = {}
    for kind, sign in ((of, 1), ("demand_rules", -1)) if of == "demand" else ((of, 1),):
        ids = sorted({sign * source for _, _, _, source in examples if sign * source > 0})
        if kind in imports.KINDS and ids:
            for row_id, (file, row, column, batch) in imports.provenance(connection, kind, ids).items():
                out[sign * row_id] = {"file": file, "row": row, "column": column, "batch": batch}
    return out
