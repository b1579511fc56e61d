"""`resilience dev`: the product, running.

Belongs here: getting the state ready (database, demo, a first health check) and what to try first. Does not belong
here: keeping Dagster alive (supervisor).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from resilience_assets.cli.errors import debug_option

if TYPE_CHECKING:
    import dagster as dg

    from resilience_assets.resources.deployment import Deployment

PROGRAMS_CHECKED_HERE = 200
"""With more programs waiting the first check is left to an ordinary run: the UI opens before it is done."""


@click.command()
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    help="Port of the Dagster UI; else the first free one from RESILIENCE_PORT on.",
)
@debug_option
def dev(port: int | None) -> None:
    """Run Dagster on this state: UI, schedules, sensors.

    On an empty state the demo programs are loaded first. Ctrl-C stops all of it.
    """
    from resilience_assets.resources.deployment import deployment
    from resilience_assets.supervisor import run_dev

    here = deployment()
    code = run_dev(
        here.settings, port=port, echo=click.echo, prepare=lambda: prepare(here),
        first_thing_to_try=lambda: first_thing_to_try(here),
    )  # fmt: skip
    raise click.exceptions.Exit(code)


def prepare(here: Deployment) -> None:
    """Bring database, demo and assets to where the UI has something to show; a line each, with its time."""
    from resilience_assets.actions.status import program_codes
    from resilience_assets.settings import unknown_variables

    for sentence in unknown_variables():
        click.echo(f"Warning: {sentence}")
    here.policies()
    with _timed("database") as say:
        say("SQLite in the state folder" if here.database.sqlite else "PostgreSQL")
        programs = program_codes(here.database)
    if not programs:
        _load_demo(here)
    _check_health(here)


def _load_demo(here: Deployment) -> None:
    from resilience_assets.demo.load import demo_day, load_demo
    from resilience_assets.resources.deployment import who

    with _timed("demo") as say:
        now = here.clock.now()
        reports = load_demo(here.database, demo_day(now), now, by=who())
        say(f"loaded {', '.join(report.program for report in reports)}")


def _check_health(here: Deployment) -> None:
    """Materialize roster and monitoring assets here, unless they are there and nothing has moved."""
    from resilience_assets.actions.watch import unchecked_programs

    waiting = unchecked_programs(here.database)
    if len(waiting) > PROGRAMS_CHECKED_HERE:
        click.echo(f"  assets     {len(waiting)} programs are checked by an ordinary run, once Dagster is up")
        return
    with _timed("assets") as say:
        from resilience_assets.cli import launch

        with launch.instance_of(here) as instance:
            missing = not _materialized(instance)
        if not (waiting or missing):
            say("materialized, nothing has moved")
            return
        outcome = launch.in_process(here, launch.find_job(here, "periodic_health_check"), {})
        say("materialized" if outcome.status == "SUCCESS" else f"not materialized: {outcome.message}")


def _materialized(instance: dg.DagsterInstance) -> bool:
    import dagster as dg

    from resilience_assets.automation.jobs import HEALTH_ASSETS

    records = instance.get_asset_records([dg.AssetKey(name) for name in HEALTH_ASSETS])
    return sum(record.asset_entry.last_materialization is not None for record in records) == len(HEALTH_ASSETS)


@contextmanager
def _timed(what: str) -> Iterator[Callable[[str], None]]:
    """Yields a function that notes what was done; at the end one line with the time it took."""
    started = time.monotonic()
    said: list[str] = []
    yield said.append
    click.echo(f"  {what:<9}  {'; '.join(said)} ({time.monotonic() - started:.1f} s)")


def first_thing_to_try(here: Deployment) -> str:
    """What to type first: somebody of the demo is ill; for a roster of one's own, its status."""
    from resilience_assets.cli.terminal import command_name
    from resilience_assets.demo.load import who_to_miss
    from resilience_assets.domain.days import day_text

    state = f"RESILIENCE_STATE_DIR={here.settings.state_dir} " if os.environ.get("RESILIENCE_STATE_DIR") else ""
    name = state + command_name()
    example = who_to_miss(here.database, here.clock.now())
    if example is None:
        return f"Try in another terminal:\n  {name} status"
    person, service, day = example
    return (
        f"Somebody is ill ({service} hangs on one person). Run this in another terminal, then watch\n"
        f"coverage, the sensor and the inbox:\n"
        f"  {name} absent {person} --from {day_text(day)}\n"
        f"  {name} inbox\n"
        f"  {name} status --program family-medicine"
    )
