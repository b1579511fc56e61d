"""`resilience demo`: the invented programs.

Belongs here: the command. Does not belong here: generating and loading them (demo).
"""

from __future__ import annotations

import click

from resilience_assets.cli.errors import debug_option


@click.command()
@click.option("--seed", type=click.IntRange(min=0), help="Another seed gives another demo; the same seed the same.")
@click.option(
    "--force", is_flag=True, help="Load them although there are programs; demo programs are brought up to date."
)
@click.option("--json", "as_json", is_flag=True, help="Print the reports as JSON.")
@debug_option
def demo(seed: int | None, force: bool, as_json: bool) -> None:
    """Load three invented programs, up to 90 days ahead.

    A family medicine residency, a ward of 60 nurses, a department of 300: with leave, a July turnover, one thin
    service, one duty-hour problem and one known gap. All people are invented.
    """
    from resilience_assets.actions.status import program_codes
    from resilience_assets.cli.terminal import command_name, emit_json, progress_bar
    from resilience_assets.demo.load import demo_day, load_demo
    from resilience_assets.demo.programs import DEFAULT_SEED
    from resilience_assets.resources.deployment import deployment, who

    here = deployment()
    now = here.clock.now()
    known = program_codes(here.database)
    if known and not force:
        if as_json:
            emit_json({"loaded": [], "programs": known})
        else:
            more = ", ..." if len(known) > 5 else ""
            click.echo(f"There are programs already ({', '.join(known[:5])}{more}); nothing to do.")
            click.echo("--force loads the demo programs beside them.")
        return
    with progress_bar() as progress:
        chosen = DEFAULT_SEED if seed is None else seed
        reports = load_demo(here.database, demo_day(now), now, chosen, who(), progress)
    if as_json:
        emit_json({"loaded": [report.as_json() for report in reports], "programs": program_codes(here.database)})
        return
    for report in reports:
        rows = sum(count.read for count in report.kinds.values())
        people = report.kinds["people"].read if "people" in report.kinds else 0
        click.echo(f"{report.program}: {report.outcome}, {people} people, {rows} rows")
    click.echo(f"Next: {command_name()} run periodic_health_check, then {command_name()} status")
