"""One screen a program, or a line each.

Belongs here: words, order and colours of the screen: the status leads, then why, then what to do. Does not belong
here: the figures (actions.status).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from resilience_assets.cli.terminal import (
    LEVEL_STYLES,
    REDUNDANCY_STYLES,
    SEVERITY_STYLES,
    STATUS_STYLES,
    age_text,
    command_name,
    console,
    counted,
    figure,
    plain_table,
    show_points,
    when,
)

if TYPE_CHECKING:
    from resilience_assets.actions.status import ServiceStanding, Standing

POINTS_SHOWN = 6
SERVICES_SHOWN = 10
CALM = ("N+1", "N+2")


def show_overview(found: Sequence[Standing]) -> None:
    """A line a program, the most worrying first."""
    from rich.text import Text

    table = plain_table(
        "program", "status", "coverage", "utilization", "open", "alerts", "age",
        right=("coverage", "open", "alerts"), fold=("program",),
    )  # fmt: skip
    order = ["emergency", "critical", "unknown", "degraded", "warning", "healthy"]
    for one in sorted(found, key=lambda one: (order.index(_status(one)), one.program)):
        line = one.headline or {}
        level = line.get("utilization_level", "")
        used = Text.assemble(figure(line.get("utilization"), 2), " ", (level, LEVEL_STYLES.get(level, "")))
        age = "never" if one.age is None else ("late: " if one.late else "") + age_text(one.age).removesuffix(" ago")
        table.add_row(
            one.program, Text(_status(one), _status_style(one)), figure(line.get("coverage")),
            used, _count(line.get("open_seats")), _count(len(one.incidents)), age,
        )  # fmt: skip
    out = console()
    out.print(table)
    out.print(f"One program, whole: {command_name()} status --program NAME", soft_wrap=True)


def show_program(one: Standing, *, everything: bool = False) -> None:
    """The whole screen of a program."""
    from rich.text import Text

    out = console()
    out.print(Text.assemble((one.program, "bold"), f"  {one.name}"))
    lead = Text(_status(one).upper(), _status_style(one))
    if one.headline is None or one.age is None:
        out.print(Text.assemble(lead, "  not checked yet"))
    else:
        late = "  LATE: nothing newer is known" if one.late else ""
        out.print(
            Text.assemble(
                lead, f"  as of {when(one.headline['as_of'], one.time_zone)}, {age_text(one.age)}", (late, "bold red")
            )
        )
        if one.headline["raw_status"] not in (one.headline["status"], "unknown"):
            reading = one.headline["raw_status"]
            out.print(f"This reading alone says {reading}; the status follows when the next ones agree", soft_wrap=True)
    if one.changed or one.late or one.headline is None:
        why = "The roster has changed since this check" if one.changed and one.headline else "A check is due"
        out.print(f"{why}: {command_name()} run periodic_health_check", soft_wrap=True)
    if one.headline is not None:
        out.print(_figures(one, one.headline))
        _points(out, "Do now", one.headline["immediate_actions"], everything, "red")
    _incidents(out, one)
    _absences(out, one)
    if one.headline is not None:
        _services(out, one.services, everything)
        _points(out, "Watch", one.headline["watch_items"], everything, "")


def _status(one: Standing) -> str:
    return "unknown" if one.headline is None else str(one.headline["status"])


def _status_style(one: Standing) -> str:
    """A status that is late is grey: it is no statement about now."""
    return STATUS_STYLES["unknown"] if one.late else STATUS_STYLES[_status(one)]


def _count(value: int | None) -> str:
    return "-" if value is None else str(value)


def _figures(one: Standing, line: dict[str, Any]) -> Any:
    from rich.table import Table
    from rich.text import Text

    level = line["utilization_level"]
    seats = "" if line["open_seats"] is None else f"{counted(line['open_seats'], 'seat')} open"
    paused = f"would pause {', '.join(one.paused)}" if one.paused else "nothing to pause"
    if line["load_shedding"] == "UNKNOWN":
        paused = "unknown"
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="bright_black", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("coverage", Text.assemble((figure(line["coverage"]), "bold"), f"  {seats}"))
    table.add_row(
        "utilization", Text.assemble((figure(line["utilization"]), "bold"), "  ", (level, LEVEL_STYLES.get(level, "")))
    )
    table.add_row("line of defence", line["defense_level"])
    table.add_row("load", paused)
    table.add_row("one person out", _loss(line["n1_pass"], "N-1"))
    table.add_row("two people out", _loss(line["n2_pass"], "N-2"))
    return table


def _loss(passes: bool | None, name: str) -> Any:
    from rich.text import Text

    if passes is None:
        return Text(f"{name} unknown: not analysed yet", "bright_black")
    return (
        Text(f"{name} passes: every minimum holds", "green")
        if passes
        else Text(f"{name} fails: a minimum breaks", "red")
    )


def _points(out: Any, title: str, points: list[str], everything: bool, style: str) -> None:
    if not points:
        return
    out.print(f"\n{title}", style="bold")
    shown = points if everything else points[:POINTS_SHOWN]
    show_points(out, shown, style)
    if len(shown) < len(points):
        out.print(f"    {len(points) - len(shown)} more (--all)", style="bright_black")


def _incidents(out: Any, one: Standing) -> None:
    from rich.text import Text

    if not one.incidents:
        return
    out.print("\nAlerts open", style="bold")
    table = plain_table("severity", "alert", "service", "value", "since", right=("value",), fold=("service",))
    for incident in one.incidents:
        table.add_row(
            Text(incident.severity, SEVERITY_STYLES.get(incident.severity, "")), incident.rule.replace("_", " "),
            incident.scope_key or "all", figure(incident.value, 2), when(incident.opened_at, one.time_zone),
        )  # fmt: skip
    out.print(table)


def _absences(out: Any, one: Standing) -> None:
    from resilience_assets.domain.days import day_text

    if not one.absences:
        return
    out.print("\nNot yet in the source", style="bold")
    points = []
    for absence in one.absences:
        dates = day_text(absence.first) + (f" to {day_text(absence.last)}" if absence.last != absence.first else "")
        reported = f"reported {when(absence.reported_at, one.time_zone)} by {absence.reported_by}"
        points.append(f"{absence.person} away ({absence.kind}) {dates}, {reported}")
    show_points(out, points)


def _redundancy(one: ServiceStanding) -> Any:
    """'N+0 (call-in N+1)'; a dash for a service without a minimum."""
    from rich.text import Text

    if one.redundancy == "UNKNOWN":
        return Text("-", "bright_black")
    call_in = f" (call-in {one.call_in})" if one.call_in != one.redundancy else ""
    return Text.assemble((one.redundancy, REDUNDANCY_STYLES.get(one.redundancy, "")), call_in)


def _services(out: Any, services: Sequence[ServiceStanding], everything: bool) -> None:
    """The worst services first. "short" counts seats open below the minimum; "call-in" includes people who are off."""
    from rich.text import Text

    if not services:
        return
    shown = services if everything else services[:SERVICES_SHOWN]
    out.print("\nServices", style="bold")
    table = plain_table(
        "service", "coverage", "open", "short", "redundancy", "worst slot",
        right=("coverage", "open", "short"), fold=("service",),
    )  # fmt: skip
    for one in shown:
        table.add_row(
            one.id, figure(one.coverage), str(one.open_seats or "-"), Text(str(one.below_minimum or "-"), "red"),
            _redundancy(one), one.worst,
        )  # fmt: skip
    out.print(table)
    rest = services[len(shown) :]
    if rest:
        calm = all(one.redundancy in CALM and not one.open_seats for one in rest)
        out.print(f"{len(rest)} more{', all N+1 or better and full' if calm else ''} (--all)", style="bright_black")
