"""`resilience absent`: somebody is away, or back.

Belongs here: the command and how its report reads. Does not belong here: recording it (actions.report_absence).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from resilience_assets.cli.dates import DATE, epoch_day
from resilience_assets.cli.errors import Refused, debug_option

if TYPE_CHECKING:
    from resilience_assets.actions.report_absence import AbsenceReport
    from resilience_assets.resources.deployment import Deployment


SEATS_SHOWN = 8
"""Seats whose covers are spelled out."""


@click.command()
@click.argument("person")
@click.option("--from", "first", type=DATE, help="First date away (YYYY-MM-DD, today, tomorrow); today when left out.")
@click.option("--to", "last", type=DATE, help="Last date away; the first when left out.")
@click.option("--kind", default="sick", show_default=True, help="Why: sick, vacation, deployed, ...")
@click.option("--program", metavar="NAME", help="The person's program, where the id alone does not say it.")
@click.option("--undo", is_flag=True, help="Take back what was reported: on these dates, or all of it.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@debug_option
def absent(
    person: str, first: str | None, last: str | None, kind: str, program: str | None, undo: bool, as_json: bool
) -> None:
    """Report PERSON (id or name) away, and see at once which seats open.

    One audited row, not yet in the source: no import undoes it silently. The program is checked at once.
    """
    from resilience_assets.actions.report_absence import report_absence, undo_absence
    from resilience_assets.cli.terminal import emit_json
    from resilience_assets.resources.deployment import deployment, who

    here = deployment()
    now = here.clock.now()
    days = _days(here, person, program, undo, first, last)
    if undo and days[0] is None and days[1] is not None:
        raise Refused("--undo with --to needs --from as well; without both, all that was reported is taken back")
    act = undo_absence if undo else report_absence
    report = act(
        here.database,
        here.policies(),
        person,
        first=days[0],
        last=days[1],
        kind=kind,
        now=now,
        by=who(),
        program=program,
    )
    if as_json:
        emit_json(report.as_json())
    else:
        _show(here, report)


def _days(here: Deployment, person: str, program: str | None, undo: bool, *words: str | None) -> list[int | None]:
    """Epoch days of the dates given, in the time zone of the person's program."""
    from resilience_assets.actions.people import find_person

    if not any(words):
        return [None for _ in words]
    with here.database.read() as connection:
        zone = find_person(connection, person, program, gone=undo).time_zone
    now = here.clock.now()
    return [None if word is None else epoch_day(word, now, zone) for word in words]


def _show(here: Deployment, report: AbsenceReport) -> None:
    from resilience_assets.cli.terminal import command_name, console
    from resilience_assets.domain.days import day_text

    out = console()
    lines = report.lines()
    out.print(lines[0], style="bold")
    if report.cells:
        out.print(_cells(report))
        _covers(out, report)
    told = sum(1 + (0 if report.undone else len(cell.cover_lines())) for cell in report.cells)
    for line in lines[1 + told :]:
        out.print(line)
    name, who_ = command_name(), report.person
    if not report.undone:
        dates = f"--from {day_text(report.first)}" + (f" --to {day_text(report.last)}" if report.last != report.first else "")
        out.print(f"Take it back: {name} absent {who_.code} --program {who_.program} --undo {dates}", soft_wrap=True)
    for line in _alerts(here, name):
        out.print(line, soft_wrap=True)


def _cells(report: AbsenceReport) -> Any:
    from rich.text import Text

    from resilience_assets.cli.terminal import plain_table
    from resilience_assets.domain.days import date_of, day_text

    styles = {"below the minimum": "red", "open": "yellow", "still full": "green"}
    table = plain_table("date", "slot", "seat", "seated", "minimum", "", right=("seated", "minimum"), fold=("seat",))
    for cell in report.cells:
        table.add_row(
            f"{date_of(cell.day):%a} {day_text(cell.day)}", cell.slot, f"{cell.role} on {cell.service}",
            f"{cell.filled} of {cell.required}", str(cell.minimum),
            Text(cell.verdict.removeprefix("still ") if report.undone else cell.verdict, styles[cell.verdict]),
        )  # fmt: skip
    return table


def _covers(out: Any, report: AbsenceReport) -> None:
    """Who may cover each seat that is short, the first seats in full."""
    from resilience_assets.cli.terminal import show_points
    from resilience_assets.domain.days import day_text

    short = [] if report.undone else [cell for cell in report.cells if cell.cover_lines()]
    if not short:
        return
    out.print("\nWho may cover", style="bold")
    for cell in short[:SEATS_SHOWN]:
        out.print(f"{day_text(cell.day)} {cell.slot}, {cell.role} on {cell.service}:")
        show_points(out, list(cell.covers) or ["nobody within the rules"])
    if len(short) > SEATS_SHOWN:
        out.print(f"and {len(short) - SEATS_SHOWN} more seats (--json has all)", style="bright_black")
    out.print()


def _alerts(here: Deployment, name: str) -> list[str]:
    """What becomes of the alerts that this opened or closed."""
    from resilience_assets.actions.deliver import pending
    from resilience_assets.cli.terminal import counted
    from resilience_assets.supervisor import instance_running

    waiting = pending(here.database)
    if not waiting:
        return []
    if instance_running(here.settings):
        return [f"{counted(len(waiting), 'alert')} on the way to the inbox: {name} inbox"]
    many = counted(len(waiting), "alert")
    return [f"{many} not delivered, for nothing runs here: {name} run deliver_alerts, or {name} dev"]
