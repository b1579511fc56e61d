"""The report of an import, as people read it.

Belongs here: its words and tables. Does not belong here: the report itself (actions.import_roster).
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resilience_assets.cli.terminal import SEVERITY_STYLES, command_name, console, counted, plain_table, show_points

if TYPE_CHECKING:
    from resilience_assets.actions.import_roster import ImportReport
    from resilience_assets.domain.findings import Finding
    from resilience_assets.storage.overlay import Contradiction

FINDINGS_SHOWN = 40
NAMES_SHOWN = 12
FINDING_WORDS = {
    "error": ("error",), "unreadable": ("unreadable cell",), "warning": ("warning",), "note": ("note",),
}  # fmt: skip
"""Severities, the gravest first, as they are counted."""


def show_report(report: ImportReport, copy: Path | None, health: str, *, dry_run: bool) -> None:
    """Print a report: what happened first, then what to look at, then what to do next."""
    out = console()
    out.print(_headline(report), style="bold red" if report.refused else "bold")
    if report.kinds and report.outcome in ("imported", "dry-run"):
        out.print(_counts(report))
    for line in _missing(report) + _hanging(report):
        out.print(line)
    for one in report.confirmed:
        out.print(f"Now in the source: {one.person} away {_dates(one.first, one.last)} ({one.kind})")
    _show_findings(out, report.findings, report.refused)
    _show_contradictions(out, report)
    if copy is not None:
        out.print(f"A copy with the refused cells coloured: {copy}", soft_wrap=True)
    if health:
        out.print(health)
    if not report.refused and not dry_run:
        out.print(f"Next: {command_name()} status --program {report.program}", soft_wrap=True)


def _headline(report: ImportReport) -> str:
    target = f"{report.source} -> {report.program}" if report.program else report.source
    return {
        "imported": f"{target}: imported as batch {report.batch} (revision {report.revision})",
        "already": f"{target}: already imported as batch {report.batch}; nothing to do",
        "unchanged": f"{target}: every row is on file already; nothing to do",
        "dry-run": f"{target}: a dry run, nothing was written; an import would do this",
        "refused": f"{target}: refused, nothing was changed",
    }[report.outcome]


def _counts(report: ImportReport) -> Any:
    names = ("read", "added", "changed", "closed", "unchanged", "missing")
    table = plain_table("kind", *names, right=names)
    for kind, count in report.kinds.items():
        figures = (count.read, count.added, count.changed, count.closed, count.unchanged, len(count.missing))
        table.add_row(kind.replace("_", " "), *(str(value) if value else "-" for value in figures))
    return table


def _missing(report: ImportReport) -> list[str]:
    return [
        f"Missing from the source, kept (--replace removes them): {kind} {_some(count.missing)}"
        for kind, count in report.kinds.items()
        if count.missing
    ]


def _hanging(report: ImportReport) -> list[str]:
    return [
        f"Closed with the {kind} that were removed: "
        + ", ".join(f"{number} {other.replace('_', ' ')}" for other, number in count.hanging.items())
        for kind, count in report.kinds.items()
        if count.hanging
    ]


def _some(names: list[str]) -> str:
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return ", ".join(names[:NAMES_SHOWN]) + more


def _dates(first: int, last: int) -> str:
    from resilience_assets.domain.days import day_text

    return day_text(first) + (f" to {day_text(last)}" if last != first else "")


def _show_findings(out: Any, findings: list[Finding], refused: bool) -> None:
    """Findings, the gravest first, each with file, row, column, value and reason."""
    if not findings:
        return
    totals = Counter(str(one.severity) for one in findings)
    ranked = sorted(findings, key=lambda one: list(FINDING_WORDS).index(str(one.severity)))
    said = ", ".join(counted(totals[name], *words) for name, words in FINDING_WORDS.items() if totals[name])
    out.print(f"\nFindings: {said}")
    for one in ranked[:FINDINGS_SHOWN]:
        show_points(out, [str(one)], SEVERITY_STYLES["error"] if one.severity == "error" else "")
    if len(findings) > FINDINGS_SHOWN:
        out.print(f"  and {len(findings) - FINDINGS_SHOWN} more; --json lists all of them")
    if totals["unreadable"] and not totals["error"] and refused:
        out.print("Mend these cells, or run it again with --allow-unknown: they then count as not filled.")


def _show_contradictions(out: Any, report: ImportReport) -> None:
    if not report.contradictions:
        return
    out.print(f"\nThe source contradicts what was reported here ({counted(len(report.contradictions), 'cell')}):")
    show_points(out, [contradiction_text(one) for one in report.contradictions])
    if report.refused:
        out.print("Run it again with --accept-source (the source holds) or --keep-changes (the report here holds).")


def contradiction_text(one: Contradiction) -> str:
    """'ATT-03 was reported away (sick) 2026-03-10 here; the source has them at work on ...'."""
    from resilience_assets.domain.days import day_text

    absence = one.absence
    where = f"{one.file}, row {one.row}" + (f", {one.column}" if one.column else "")
    return (
        f"{absence.person} was reported away ({absence.kind}) {_dates(absence.first, absence.last)} here; "
        f"the source has them at work on {day_text(one.day)}, {one.shift} at {one.post} ({where})"
    )
