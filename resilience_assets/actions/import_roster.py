"""Import one source into one program: all of it, or nothing.

Belongs here: checking a source against what the program already knows and against what was reported
here, applying it in one transaction, the report. Does not belong here: reading files (exchange),
comparing rows (storage.imports).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from resilience_assets.domain.days import day_text
from resilience_assets.domain.findings import Finding, Severity
from resilience_assets.domain.tables import RosterTables
from resilience_assets.exchange.read_any import read_source
from resilience_assets.exchange.references import check_references
from resilience_assets.exchange.source import SourceError, SourceRead
from resilience_assets.storage import imports, overlay
from resilience_assets.storage.database import Database
from resilience_assets.storage.imports import KindCount
from resilience_assets.storage.programs import all_programs

Progress = Callable[[str, int, int], None]
Contradicted = Literal["refuse", "accept-source", "keep-changes"]


@dataclass
class ImportReport:
    """What an import read and did. `outcome` is imported, unchanged, already, refused or dry-run."""

    source: str
    program: str = ""
    outcome: str = "imported"
    batch: int | None = None
    kinds: dict[str, KindCount] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    contradictions: list[overlay.Contradiction] = field(default_factory=list)
    confirmed: list[overlay.Reported] = field(default_factory=list)
    revision: int | None = None

    @property
    def refused(self) -> bool:
        """True when nothing was written."""
        return self.outcome == "refused"

    def as_json(self) -> dict[str, Any]:
        """The report for programs; keys are stable."""
        return {
            "source": self.source,
            "program": self.program,
            "outcome": self.outcome,
            "batch": self.batch,
            "revision": self.revision,
            "kinds": {
                kind: {
                    "read": c.read, "added": c.added, "changed": c.changed, "closed": c.closed,
                    "unchanged": c.unchanged, "missing": c.missing, "closed_with_them": c.hanging,
                }
                for kind, c in self.kinds.items()
            },
            "findings": [
                {
                    "severity": str(f.severity), "rule": f.rule, "file": f.file, "row": f.row,
                    "column": f.column, "value": f.value, "reason": f.reason,
                }
                for f in self.findings
            ],
            "contradictions": [_contradiction(one) for one in self.contradictions],
            "now_in_the_source": [
                {"person": one.person, "from": day_text(one.first), "to": day_text(one.last), "kind": one.kind} for one in self.confirmed
            ],
        }  # fmt: skip


def _contradiction(one: overlay.Contradiction) -> dict[str, Any]:
    return {
        "person": one.absence.person, "reported_from": day_text(one.absence.first), "reported_to": day_text(one.absence.last),
        "kind": one.absence.kind, "date": day_text(one.day), "shift": one.shift, "post": one.post, "file": one.file,
        "row": one.row, "column": one.column,
    }  # fmt: skip


class ImportRefused(Exception):
    """Nothing was written; `report` says why."""

    def __init__(self, report: ImportReport) -> None:
        self.report = report
        super().__init__(f"{report.source}: refused")


def import_path(
    database: Database, path: Path, *, now: dt.datetime, by: str, kind: str | None = None, program: str | None = None,
    mapping: str | None = None, start_day: int | None = None, progress: Progress | None = None, **options: Any,
) -> ImportReport:  # fmt: skip
    """Read a file, zip or folder and import it; see `import_source` for the options. Raises ImportRefused."""
    try:
        source = read_source(path, kind, program=program, mapping=mapping, start_day=start_day, progress=progress)
    except SourceError as error:
        raise ImportRefused(ImportReport(path.name, program or "", "refused", findings=error.findings)) from error
    return import_source(database, source, name=path.name, now=now, by=by, program=program, progress=progress, **options)


def import_source(
    database: Database, source: SourceRead, *, name: str, now: dt.datetime, by: str, program: str | None = None,
    allow_unknown: bool = False, replace: bool = False, contradicted: Contradicted = "refuse",
    dry_run: bool = False, progress: Progress | None = None,
) -> ImportReport:  # fmt: skip
    """Bring a program to what a source says, in one transaction.

    `allow_unknown` lets unreadable grid cells in as unknown; `replace` removes people, services and
    posts that the source no longer names; `contradicted` says what happens when the source has
    somebody at work who was reported away here: refuse (and list), accept-source (the report here
    ends as overruled) or keep-changes (it stays on top). Raises ImportRefused with the report; then,
    and after a dry run, the database is as it was.
    """
    report = ImportReport(name, program or (source.tables.program.id if source.tables.program else ""), findings=list(source.findings))
    if source.refused(allow_unknown):
        raise _refuse(report)
    try:
        with database.write(alone=f"facts {report.program}") as connection:
            _apply(connection, source, report, now, by, program, replace, contradicted, progress)
            if dry_run:
                report.outcome, report.batch, report.revision = "dry-run", None, None
                raise _DryRun
    except _DryRun:
        pass
    return report


def _known(connection: Any, program_id: int, tables: RosterTables, replace: bool) -> dict[str, set[str]]:
    """Ids that a source may name: its own, and the program's (unless it replaces these)."""
    known = {noun: set(codes) for noun, codes in imports.known_codes(connection, program_id).items()}
    for noun, part in (("person", tables.people), ("service", tables.services), ("post", tables.posts)):
        if part is not None:
            known[noun] = set(part[noun]) | (set() if replace else known[noun])
    return known


class _DryRun(Exception):
    pass


def _refuse(report: ImportReport) -> ImportRefused:
    report.outcome, report.batch, report.revision, report.kinds = "refused", None, None, {}
    return ImportRefused(report)


def _apply(
    connection: Any, source: SourceRead, report: ImportReport, now: dt.datetime, by: str, program: str | None,
    replace: bool, contradicted: Contradicted, progress: Progress | None,
) -> None:  # fmt: skip
    program_id, defined = _program(connection, source, report, now, program)
    same, newest = imports.newest_batch(connection, program_id, source.content_hash)
    if newest and contradicted == "refuse" and not replace:
        report.outcome, report.batch = "already", same
        imports.touch_import(connection, program_id, now)
        return
    wrong = check_references(source.tables, _known(connection, program_id, source.tables, replace))
    report.findings += wrong
    if any(finding.severity is Severity.ERROR for finding in wrong):
        raise _refuse(report)
    reported = overlay.open_absences(connection, program_id)
    report.confirmed = overlay.confirmed(reported, source.tables.absences)
    still = [one for one in reported if one not in report.confirmed]
    report.contradictions = overlay.contradictions(still, source.tables.assignments)
    if report.contradictions and contradicted == "refuse":
        raise _refuse(report)
    batch_id, file_ids = imports.open_batch(connection, program_id, source.kind, report.source, source.content_hash, now, by, source.files)
    imports.add_identities(connection, program_id, source.tables)
    ids = imports.identities(connection, program_id)
    for kind, part in source.tables.kinds().items():
        if kind == "demand_rules" and part.empty and not replace:
            # a header alone would end every rule, and with them all demand: too much for a file that says nothing
            reason = "the source has no weekly rules; those on file were kept (--replace ends them)"
            report.findings.append(Finding(Severity.WARNING, "no_rules", reason))
            continue
        report.kinds[kind] = imports.replace_kind(
            connection, program_id, kind, part, ids, batch_id, file_ids, source.tables.dates, replace, progress
        )
    overlay.end_absences(connection, [one.id for one in report.confirmed], "in source", now, by, batch_id)
    if contradicted == "accept-source":
        overlay.end_absences(connection, sorted({one.absence.id for one in report.contradictions}), "overruled", now, by, batch_id)
    touched = defined or bool(report.confirmed) or any(count.touched for count in report.kinds.values())
    touched |= contradicted == "accept-source" and bool(report.contradictions)
    report.batch = batch_id
    if touched:
        report.revision = imports.raise_revision(connection, program_id, now)
    else:
        imports.drop_batch(connection, batch_id)
        imports.touch_import(connection, program_id, now)
        report.outcome, report.batch = ("already", same) if same is not None else ("unchanged", None)
        return
    imports.close_report(connection, batch_id, report.as_json())


def _program(connection: Any, source: SourceRead, report: ImportReport, now: dt.datetime, program: str | None) -> tuple[int, bool]:
    """The program that a source is for: its own definition, else the one that was named and exists."""
    definition = source.tables.program
    if definition is not None:
        report.program = program or definition.id
        try:
            return imports.define_program(connection, dataclasses.replace(definition, id=report.program), now)
        except ValueError as error:
            report.findings.append(Finding(Severity.ERROR, "slots_changed", str(error)))
            raise _refuse(report) from error
    found = all_programs(connection, [report.program]) if report.program else []
    if not found:
        known = ", ".join(row.code for row in all_programs(connection)) or "none yet"
        said = f"program {report.program!r} is not known" if report.program else "the source does not say which program it is for"
        reason = f"{said}; add a program.csv to it, or name one with --program (known: {known})"
        report.findings.append(Finding(Severity.ERROR, "unknown_program", reason))
        raise _refuse(report)
    return found[0].id, False
