"""`resilience audit`: who did what, and whether that record is whole.

Belongs here: the commands. Does not belong here: the chain of hashes itself (storage.audit).
"""

from __future__ import annotations

import click

from resilience_assets.cli.errors import Failed, debug_option


@click.group()
def audit() -> None:
    """The record of acts: acknowledged, silenced, declared, sent again."""


@audit.command()
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as JSON.")
@debug_option
def verify(as_json: bool) -> None:
    """Check that no row of the record was changed, removed or put in between; exit code 1 where one was.

    Rows removed at the end leave no trace here: keep the head hash that is printed, and compare.
    """
    from resilience_assets.cli.terminal import counted, emit_json
    from resilience_assets.resources.deployment import deployment
    from resilience_assets.storage import audit as trail

    with deployment().database.read() as connection:
        found = trail.verify(connection)
    if as_json:
        emit_json({"rows": found.rows, "head": found.head, "broken": found.broken, "holds": found.broken is None})
    elif found.broken is None:
        click.echo(f"{counted(found.rows, 'row')}, all as they were written; head {found.head}")
    if found.broken is not None:
        raise Failed(f"row {found.broken} is not as it was written; {counted(found.rows, 'row')} before it hold")
