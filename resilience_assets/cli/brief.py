"""`resilience brief`: today's open seats and who may cover them, as the morning brief says it.

Belongs here: the command. Does not belong here: its words (alerting.brief), sending it (the job morning_brief).
"""

from __future__ import annotations

import click

from resilience_assets.cli.errors import debug_option


@click.command()
@click.option("--program", metavar="NAME", help="This program alone.")
@click.option("--json", "as_json", is_flag=True, help="Print the briefs as JSON.")
@debug_option
def brief(program: str | None, as_json: bool) -> None:
    """Show today's brief of each program: what is open, who may cover, text ready to send. Nothing is sent.

    It goes to each program's list at 06:45 of its own clock (job morning_brief).
    """
    from resilience_assets.actions.morning_brief import briefs
    from resilience_assets.actions.status import known_program
    from resilience_assets.cli.terminal import SEVERITY_STYLES, console, emit_json
    from resilience_assets.resources.deployment import deployment

    here = deployment()
    if program is not None:
        known_program(here.database, program)
    found = briefs(here.database, here.policies(), here.clock.now(), [program] if program else None)
    if as_json:
        emit_json([
            one.payload() | {"severity": one.text.severity.text, "subject": one.text.subject, "body": one.text.body}
            for one in found
        ])  # fmt: skip
        return
    out = console()
    for number, one in enumerate(found):
        out.print("\n" if number else "", end="")
        for place, line in enumerate(one.text.body.splitlines()):
            out.print(line, style=SEVERITY_STYLES[one.text.severity.text] if place == 0 else "", soft_wrap=True)
    if not found:
        out.print("No program yet.")
