"""`resilience template`: the filled-in example workbook.

Belongs here: the command. Does not belong here: the workbook's content (exchange.template).
"""

from __future__ import annotations

from pathlib import Path

import click

from resilience_assets.cli.errors import Refused, debug_option


@click.command()
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--force", is_flag=True, help="Write over a file that exists.")
@debug_option
def template(path: Path, force: bool) -> None:
    """Write an example workbook that imports as it is.

    People, services and posts, demand, a legend, and a grid of people by dates. Fill in your own and import it.
    """
    from resilience_assets.cli.terminal import command_name
    from resilience_assets.domain.days import local_day
    from resilience_assets.exchange.template import write_template
    from resilience_assets.resources.deployment import Clock
    from resilience_assets.settings import Settings

    target = path if path.suffix else path.with_suffix(".xlsx")
    if target.suffix.lower() != ".xlsx":
        raise Refused(f"{target.name}: the example is an .xlsx workbook; give a name that ends so")
    if target.exists() and not force:
        raise Refused(f"{target} exists; give another name, or --force to write over it")
    write_template(target, local_day(Clock().now(), Settings.from_environment().time_zone))
    click.echo(f"Wrote {target}: put your own people and shifts in, then")
    click.echo(f"  {command_name()} import {target}")
