"""`resilience dispatch`: send alerts as they arise, in a process of its own.

Belongs here: the command, its signals, what it prints. Does not belong here: sending (delivery), what is worth an
alert (actions.evaluate_alerts).
"""

from __future__ import annotations

import datetime as dt
import signal
import threading
from typing import TYPE_CHECKING

import click

from resilience_assets.cli.errors import debug_option

if TYPE_CHECKING:
    from resilience_assets.delivery.dispatcher import Dispatcher
    from resilience_assets.resources.deployment import Deployment


@click.command()
@click.option("--once", is_flag=True, help="Send what is due now and end.")
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
@debug_option
def dispatch(once: bool, as_json: bool) -> None:
    """Send alerts within about a second, and watch that the health check still runs.

    Optional: `resilience dev` delivers too, every quarter of a minute. Both may run at once, and several of this;
    no message goes twice. Ends on Ctrl-C or SIGTERM when what is under way is done.
    """
    from resilience_assets.actions.deliver import deliver_pending
    from resilience_assets.cli.terminal import counted, emit_json
    from resilience_assets.delivery.dispatcher import Dispatcher, run
    from resilience_assets.resources.deployment import deployment

    here = deployment()
    database, channels, now = here.database, here.channels(), here.clock.now
    if once:
        outcomes = dict(deliver_pending(database, now(), channels, now).attempts)
    else:
        stop = threading.Event()
        sender = Dispatcher(database, channels, now)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        click.echo("Sending alerts as they arise; Ctrl-C ends it.", err=True)
        done = run(sender, stop, lambda at: _watch(here, sender, at), lambda at: deliver_pending(database, at))
        outcomes = dict(done.outcomes)
    if as_json:
        emit_json({"attempts": outcomes})
    else:
        said = ", ".join(f"{count} {name}" for name, count in sorted(outcomes.items()))
        click.echo(f"{counted(sum(outcomes.values()), 'attempt')}" + (f": {said}" if said else ""))


def _watch(here: Deployment, sender: Dispatcher, at: dt.datetime) -> None:
    """Read the channels anew, for the policy may have been edited; then tell what only the clock can: a health
    check that does not run, deliveries that fail."""
    from resilience_assets.actions.evaluate_alerts import evaluate_alerts
    from resilience_assets.actions.who_may_cover import covers_of

    sender.channels, policies = here.channels(), here.policies()
    evaluate_alerts(here.database, policies, at, source="clock", covers=covers_of(here.database, policies, at))
