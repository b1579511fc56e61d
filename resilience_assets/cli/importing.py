"""`resilience import`: one source into one program, all of it or nothing.

Belongs here: the command, the coloured copy of a refused workbook. Does not belong here: reading and applying a
source (actions.import_roster), how its report reads (import_report.py).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from resilience_assets.cli.dates import DATE, epoch_day
from resilience_assets.cli.errors import debug_option

if TYPE_CHECKING:
    from resilience_assets.actions.import_roster import ImportReport
    from resilience_assets.resources.deployment import Deployment

COLOURED = (".xlsx", ".xlsm")


@click.command(name="import")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--kind", type=click.Choice(["csv", "xlsx", "inrc2"]), help="Kind of source; else told by its name.")
@click.option(
    "--mapping",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="YAML that describes a workbook of another layout.",
)
@click.option("--program", metavar="NAME", help="The program that the source is for, where it does not say so itself.")
@click.option("--start", type=DATE, help="First date, where the source does not say it (INRC-II, some grids).")
@click.option("--dry-run", is_flag=True, help="Check and report; write nothing.")
@click.option(
    "--accept-source",
    "contradicted",
    flag_value="accept-source",
    help="Where the source contradicts an absence reported here, the source holds.",
)
@click.option(
    "--keep-changes",
    "contradicted",
    flag_value="keep-changes",
    help="Where the source contradicts an absence reported here, the report holds.",
)
@click.option("--allow-unknown", is_flag=True, help="Let unreadable grid cells in as unknown: grey, not filled.")
@click.option("--replace", is_flag=True, help="Remove people, services and posts that the source no longer names.")
@click.option("--by", metavar="WHO", help="Who imports, for the audit; else the account that runs this.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON, and nothing else is done or printed.")
@debug_option
def import_(path: Path, by: str | None, as_json: bool, **options: Any) -> None:
    """Import a roster: a folder or zip of CSV files, a workbook, or an INRC-II solution.

    One transaction: an error refuses all of it (exit code 2) and leaves the database as it was. A file replaces only
    its program, its kinds of record and its dates.
    """
    from resilience_assets.actions.import_roster import ImportRefused
    from resilience_assets.cli.import_report import show_report
    from resilience_assets.cli.terminal import emit_json
    from resilience_assets.resources.deployment import deployment, who

    here = deployment()
    copy: Path | None = None
    try:
        report = _import(here, path, by or who(), **options)
    except ImportRefused as refused:
        report = refused.report
        copy = _coloured_copy(path, report)
    if as_json:
        emit_json(report.as_json() | {"coloured_copy": str(copy) if copy else None})
    else:
        show_report(report, copy, _checked(here, report), dry_run=options["dry_run"])
    if report.refused:
        raise click.exceptions.Exit(2)


def _import(
    here: Deployment, path: Path, by: str, *, kind: str | None, mapping: Path | None, program: str | None,
    start: str | None, dry_run: bool, contradicted: Any, allow_unknown: bool, replace: bool,
) -> ImportReport:  # fmt: skip
    from resilience_assets.actions.import_roster import import_path
    from resilience_assets.cli.terminal import progress_bar

    now = here.clock.now()
    with progress_bar() as progress:
        return import_path(
            here.database, path, now=now, by=by, kind=kind, program=program,
            mapping=mapping.read_text(encoding="utf-8") if mapping else None,
            start_day=epoch_day(start, now, here.settings.time_zone) if start else None, progress=progress,
            dry_run=dry_run, contradicted=contradicted or "refuse", allow_unknown=allow_unknown, replace=replace,
        )  # fmt: skip


def _checked(here: Deployment, report: ImportReport) -> str:
    """One line of the program's health after an import that changed something; '' after any other."""
    if report.revision is None:
        return ""
    from resilience_assets.actions.check_health import run_check
    from resilience_assets.actions.evaluate_alerts import evaluate_alerts
    from resilience_assets.actions.who_may_cover import covers_of
    from resilience_assets.cli.terminal import figure

    policies, now = here.policies(), here.clock.now()
    line = run_check(here.database, policies, now, codes=[report.program]).headlines[0]
    now = here.clock.now()
    evaluate_alerts(here.database, policies, now, source="health_check", covers=covers_of(here.database, policies, now))
    if line["coverage"] is None:
        return f"Health: {line['status']}. {' '.join(line['immediate_actions'][:1])}"
    used = f"utilization {figure(line['utilization'])} ({line['utilization_level']})"
    return f"Health: {line['status']}; coverage {figure(line['coverage'])}, {used}"


def _coloured_copy(path: Path, report: ImportReport) -> Path | None:
    """Write a copy of a refused workbook with its cells coloured, beside it; None where nothing is to be coloured."""
    if path.suffix.lower() not in COLOURED or not path.is_file():
        return None
    from resilience_assets.exchange.refused_copy import write_refused_copy
    from resilience_assets.exchange.source import SourceError

    target = path.with_name(f"{path.stem}.refused.xlsx")
    if target.exists() and target.samefile(path):
        return None
    try:
        coloured = write_refused_copy(path, report.findings, target)
    except SourceError:
        return None  # the report itself already says what is wrong with the file
    except OSError as error:
        click.echo(f"No copy with coloured cells: {target}: {error.strerror}", err=True)
        return None
    if not coloured:
        target.unlink()
        return None
    return target
