"""`resilience gap`: seats known to be open, and accepted.

Belongs here: the command. Does not belong here: what a declared gap does to the alarm (actions.declare_gap).
"""

from __future__ import annotations

import click

from resilience_assets.cli.dates import DATE, epoch_day
from resilience_assets.cli.errors import Refused, debug_option


@click.command()
@click.argument("program", required=False)
@click.argument("service", required=False)
@click.option("--from", "first", type=DATE, default="today", show_default=True, help="First date (YYYY-MM-DD, today, tomorrow).")
@click.option("--to", "last", type=DATE, help="Last date; the first when left out.")
@click.option("--seats", type=click.IntRange(min=1), help="Seats a date that may be open, each slot counted; those open now when left out.")
@click.option("--reason", default="", help="Why it is accepted; kept on record.")
@click.option("--end", type=click.IntRange(min=1), metavar="NUMBER", help="End this gap now.")
@click.option("--list", "list_", is_flag=True, help="Show gaps that hold.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@debug_option
def gap(
    program: str | None, service: str | None, first: str, last: str | None, seats: int | None, reason: str, end: int | None,
    list_: bool, as_json: bool,
) -> None:  # fmt: skip
    """Declare that seats of SERVICE in PROGRAM are known to be open: no alarm for them, coverage stays what it is."""
    from resilience_assets.actions import declare_gap as act
    from resilience_assets.cli.terminal import console, emit_json
    from resilience_assets.domain.days import day_text
    from resilience_assets.resources.deployment import deployment, who

    here = deployment()
    now = here.clock.now()
    if end is not None:
        act.end_gap(here.database, end, now=now, by=who())
    elif not list_:
        if program is None or service is None:
            raise Refused("name the program and the service, such as: resilience gap family-medicine clinic --to 2026-03-31 --reason '...'")
        from resilience_assets.actions.program_states import program_states
        from resilience_assets.actions.status import known_program

        known_program(here.database, program)
        (state,) = program_states(here.database, now, [program])
        low = epoch_day(first, now, state.time_zone)
        high = low if last is None else epoch_day(last, now, state.time_zone)
        act.declare_gap(
            here.database, program=program, service=service, first=low, last=high, now=now, by=who(), reason=reason, seats=seats
        )
    rows = act.gaps(here.database, program)
    if as_json:
        names = ("id", "program", "service", "seats", "author", "reason")
        emit_json([{name: getattr(row, name) for name in names} | {"from": day_text(row.first), "to": day_text(row.last)} for row in rows])
        return
    out = console()
    for row in rows:
        dates = f"{day_text(row.first)} to {day_text(row.last)}"
        out.print(f"{row.id:>6}  {row.program} {row.service}: up to {row.seats} a date, {dates} ({row.author}: {row.reason})", soft_wrap=True)
    if not rows:
        out.print("No gap is declared.")
