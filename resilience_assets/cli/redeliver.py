"""`resilience redeliver`: try again what could not be delivered.

Belongs here: the command. Does not belong here: sending (delivery).
"""

from __future__ import annotations

import click

from resilience_assets.cli.errors import debug_option


@click.command()
@click.argument("messages", nargs=-1, type=click.IntRange(min=1), metavar="[NUMBER]...")
@click.option("--list", "list_", is_flag=True, help="Show what was given up, with numbers.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@debug_option
def redeliver(messages: tuple[int, ...], list_: bool, as_json: bool) -> None:
    """Make messages that were given up due again; all of them when no number is given. On record."""
    from resilience_assets.actions.redeliver import given_up
    from resilience_assets.actions.redeliver import redeliver as act
    from resilience_assets.cli.terminal import console, counted, emit_json
    from resilience_assets.resources.deployment import deployment, who

    here = deployment()
    out = console()
    if list_:
        rows = given_up(here.database)
        names = ("outbox_id", "channel", "severity", "reason")
        if as_json:
            emit_json([{name: getattr(row, name) for name in names} | {"died_at": row.died_at.isoformat()} for row in rows])
            return
        for row in rows:
            out.print(f"{row.outbox_id:>6}  {row.channel} {row.severity}  {row.died_at:%Y-%m-%d %H:%M} UTC: {row.reason}", soft_wrap=True)
        if not rows:
            out.print("Nothing was given up.")
        return
    done = act(here.database, messages, now=here.clock.now(), by=who())
    if as_json:
        emit_json({"due_again": done})
    else:
        out.print(f"{counted(len(done), 'message')} due again.")
