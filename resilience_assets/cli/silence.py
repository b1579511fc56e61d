"""`resilience silence`: nothing is told for a while of what fits.

Belongs here: the command, lengths of time as people type them. Does not belong here: what a silence does
(actions.silence, alerting.telling).
"""

from __future__ import annotations

import datetime as dt
import re

import click

from resilience_assets.cli.errors import Refused, debug_option

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


class Length(click.ParamType[dt.timedelta]):
    """'45m', '8h', '3d'."""

    name = "length"

    def convert(self, value: str | dt.timedelta, param: click.Parameter | None, ctx: click.Context | None) -> dt.timedelta:
        """The stretch of time."""
        if isinstance(value, dt.timedelta):
            return value
        found = re.fullmatch(r"([1-9][0-9]{0,4})([mhd])", value.strip().lower())
        if found is None:
            self.fail(f"{value!r} is not a length such as 45m, 8h or 3d", param, ctx)
        return dt.timedelta(**{_UNITS[found[2]]: int(found[1])})

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        """What the help text shows."""
        return "LENGTH"


@click.command()
@click.option("--program", default="", metavar="NAME", help="What belongs to this program.")
@click.option("--rule", default="", metavar="NAME", help="Alerts of this rule, such as coverage.")
@click.option("--service", default="", metavar="NAME", help="Alerts of this service.")
@click.option("--for", "length", type=Length(), help="How long: 45m, 8h, 3d.")
@click.option("--reason", default="", help="Why; kept on record.")
@click.option("--end", type=click.IntRange(min=1), metavar="NUMBER", help="End this silence now.")
@click.option("--list", "list_", is_flag=True, help="Show silences that hold.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@debug_option
def silence(
    program: str, rule: str, service: str, length: dt.timedelta | None, reason: str, end: int | None, list_: bool, as_json: bool
) -> None:
    """Tell nobody of what fits, for a while. It is kept on record, and what outlasts the silence is told then."""
    from resilience_assets.actions import silence as act
    from resilience_assets.cli.terminal import console, emit_json
    from resilience_assets.resources.deployment import deployment, who

    here = deployment()
    now = here.clock.now()
    if end is not None:
        act.end_silence(here.database, end, now=now, by=who())
    elif not list_:
        if length is None:
            raise Refused("say how long with --for, such as --for 8h")
        act.silence(
            here.database, here.policies(), now=now, ends=now + length, by=who(), reason=reason, program=program, rule=rule, service=service
        )
    rows = act.silences(here.database, now)
    if as_json:
        names = ("id", "program", "rule", "scope_key", "author", "reason")
        emit_json([{name: getattr(row, name) for name in names} | {"ends": row.ends_at.isoformat()} for row in rows])
        return
    out = console()
    for row in rows:
        what = " ".join(part for part in (row.program, row.rule, row.scope_key) if part)
        out.print(f"{row.id:>6}  {what} until {row.ends_at:%Y-%m-%d %H:%M} UTC ({row.author}: {row.reason})", soft_wrap=True)
    if not rows:
        out.print("No silence holds.")
