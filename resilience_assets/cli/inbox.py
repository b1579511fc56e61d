"""`resilience inbox`: alerts that have arrived.

Belongs here: the command. Does not belong here: writing into the inbox (actions.deliver).
"""

from __future__ import annotations

import click

from resilience_assets.cli.errors import debug_option


@click.command()
@click.option("--program", metavar="NAME", help="Only messages about this program.")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many, the newest first.")
@click.option("--json", "as_json", is_flag=True, help="Print the messages as JSON.")
@debug_option
def inbox(program: str | None, limit: int, as_json: bool) -> None:
    """Show the newest alerts, newest first, each with its number (for `resilience ack`) and how it stands now."""
    from resilience_assets.actions import deliver
    from resilience_assets.cli.terminal import SEVERITY_STYLES, age_text, command_name, console, counted, emit_json
    from resilience_assets.resources.deployment import deployment

    here = deployment()
    if program is not None:
        from resilience_assets.actions.status import known_program  # brings the arrays with it: slow to load

        known_program(here.database, program)
    messages = deliver.inbox(here.database, program, limit)
    told = deliver.told(here.database, [one.notice_id for one in messages])
    waiting = [one for one in deliver.pending(here.database) if program in (None, one.program)]
    if as_json:
        fields = ("id", "program", "severity", "subject", "body")
        rows = [
            {name: getattr(one, name) for name in fields}
            | {
                "written_at": one.written_at.isoformat(),
                "alerts": [{"id": alert.incident, "stands": alert.stands} for alert in told.get(one.notice_id, [])],
            }
            for one in messages
        ]
        emit_json({"messages": rows, "pending": len(waiting)})
        return
    out = console()
    now = here.clock.now()
    for one in messages:
        out.print(one.severity.upper(), style=SEVERITY_STYLES.get(one.severity, ""), end="  ")
        out.print(age_text(now - one.written_at), style="bright_black", end="")
        alerts = ", ".join(f"{alert.incident} {alert.stands}" for alert in told.get(one.notice_id, []))
        out.print(f"  alert {alerts}" if alerts else "", style="bright_black", soft_wrap=True)
        for number, line in enumerate(one.body.splitlines()):
            out.print(f"  {line}", style="bold" if number == 0 else "", soft_wrap=True)
    if waiting:
        out.print(
            f"{counted(len(waiting), 'alert')} not delivered yet: {command_name()} run deliver_alerts", soft_wrap=True
        )
    elif not messages:
        out.print("No alerts.")
