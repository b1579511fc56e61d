"""`resilience ack`: take an alert in hand.

Belongs here: the command. Does not belong here: what it means (actions.acknowledge).
"""

from __future__ import annotations

import click

from resilience_assets.cli.errors import Refused, debug_option


@click.command()
@click.argument("alerts", nargs=-1, type=click.IntRange(min=1), metavar="[NUMBER]...")
@click.option("--program", metavar="NAME", help="All that is open in this program.")
@click.option("--note", default="", help="What is being done; kept on record.")
@click.option("--list", "list_", is_flag=True, help="Show what is open, with numbers.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@debug_option
def ack(alerts: tuple[int, ...], program: str | None, note: str, list_: bool, as_json: bool) -> None:
    """Take alerts in hand: nobody is reminded or called next, until it gets worse or is over. On record."""
    from resilience_assets.actions.acknowledge import acknowledge, open_alerts
    from resilience_assets.cli.terminal import SEVERITY_STYLES, console, counted, emit_json
    from resilience_assets.resources.deployment import deployment, who

    here = deployment()
    if program is not None:
        from resilience_assets.actions.status import known_program

        known_program(here.database, program)
    out = console()
    if list_:
        rows = open_alerts(here.database, program)
        if as_json:
            emit_json([_as_json(row) for row in rows])
            return
        for row in rows:
            hand = "  in hand" if row.acknowledged_at else ""
            out.print(f"{row.id:>6}  ", end="")
            out.print(row.severity, style=SEVERITY_STYLES.get(row.severity, ""), end="")
            out.print(f"  {row.summary}{hand}", soft_wrap=True)
        if not rows:
            out.print("Nothing is open.")
        return
    done = acknowledge(here.database, alerts, now=here.clock.now(), by=who(), program=program, note=note)
    if as_json:
        emit_json({"acknowledged": [_as_json(row) for row in done.taken], "refused": done.refused})
    else:
        for row in done.taken:
            out.print(f"In hand: {row.id}  {row.summary}", soft_wrap=True)
        if not done.taken and not done.refused:
            out.print("Nothing is open.")
    if done.refused:
        said = "; ".join(f"{id}: {why}" for id, why in done.refused.items())
        raise Refused(f"{counted(len(done.refused), 'alert')} left as before: {said}")


def _as_json(row: object) -> dict[str, object]:
    names = ("id", "program", "rule", "scope_key", "severity", "summary")
    return {name: getattr(row, name) for name in names} | {"opened_at": row.opened_at.isoformat()}  # type: ignore[attr-defined]
