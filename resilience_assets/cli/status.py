"""`resilience status`: how every program stands.

Belongs here: the command. Does not belong here: gathering the figures (actions.status), the screen (status_page.py).
"""

from __future__ import annotations

import click

from resilience_assets.cli.errors import debug_option

SCREENS_AT_MOST = 3
"""With more programs than this the overview is a line each."""


@click.command()
@click.option("--program", metavar="NAME", help="One program, whole.")
@click.option("--all", "everything", is_flag=True, help="Every service and every point, however long.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON: one object a program.")
@debug_option
def status(program: str | None, everything: bool, as_json: bool) -> None:
    """One screen a program: how worried to be, why, and what to do now.

    Shows the newest stored health check; it computes nothing.
    """
    from resilience_assets.actions.status import known_program, program_codes, standings
    from resilience_assets.cli.status_page import show_overview, show_program
    from resilience_assets.cli.terminal import command_name, emit_json
    from resilience_assets.resources.deployment import deployment

    here = deployment()
    codes = program_codes(here.database)
    if program is not None:
        codes = [known_program(here.database, program)]
    if not codes:
        if as_json:
            emit_json({})
        else:
            name = command_name()
            click.echo(f"No program yet: load your own with `{name} import PATH` or the demo with `{name} demo`.")
        return
    now = here.clock.now()
    table = len(codes) > SCREENS_AT_MOST and not (as_json or everything)
    found = standings(here.database, here.policies(), now, None if program is None else codes, detail=not table)
    if as_json:
        emit_json({one.program: one.as_json() for one in found})
    elif table:
        show_overview(found)
    else:
        for number, one in enumerate(found):
            if number:
                click.echo()
            show_program(one, everything=everything)
