"""`resilience doctor`: whether what must hold does hold.

Belongs here: the command and what it prints. Does not belong here: the invariants themselves (storage.ledger).
"""

from __future__ import annotations

import click

from resilience_assets.cli.errors import Failed, debug_option


@click.command()
@click.option("--ledger", is_flag=True, required=True, help="Check that no alert was lost, told twice or left without an end.")
@click.option("--json", "as_json", is_flag=True, help="Print the breaches as JSON.")
@debug_option
def doctor(ledger: bool, as_json: bool) -> None:
    """Check what must hold of alerts and deliveries; exit code 1 where it does not."""
    from resilience_assets.cli.terminal import emit_json
    from resilience_assets.resources.deployment import deployment
    from resilience_assets.storage.ledger import INVARIANTS, breaches

    found = breaches(deployment().database)
    if as_json:
        emit_json({one.name: {"holds": one.holds, "breaches": found.get(one.name, [])} for one in INVARIANTS})
    else:
        for one in INVARIANTS:
            ids = found.get(one.name, [])
            click.echo(f"{'BROKEN' if ids else 'holds '}  {one.holds}" + (f": ids {', '.join(map(str, ids[:10]))}" if ids else ""))
    if found:
        raise Failed(f"{len(found)} of {len(INVARIANTS)} do not hold")
