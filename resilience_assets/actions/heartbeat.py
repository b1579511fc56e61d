"""The heartbeat: after a good health check an address outside is asked for, and somebody is told when that stops.

Belongs here: whether a check was good, the one request. Does not belong here: who listens and whom it tells
(a service of the deployment's own choice), checking (check_health.py), the connection (delivery.outbound).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from urllib.parse import urlsplit, urlunsplit

from resilience_assets.delivery.outbound import get
from resilience_assets.delivery.outcome import Outcome
from resilience_assets.delivery.secret import Secret
from resilience_assets.storage import results
from resilience_assets.storage.database import Database

SECONDS = 5.0
"""The whole request ends within this, whatever the peer does: it may not hold up the next health check."""

FAIL = "/fail"
"""What is added to the address to say that a check failed (healthchecks.io/docs/signaling_failures)."""


def failed_programs(database: Database, as_of: dt.datetime) -> list[str] | None:
    """Programs that the check of an instant could not judge; None where no program was checked at all.

    Not judged: no headline of this instant or later, or one without figures although there is a roster. A roster
    that was refused or is old is an alert of its own, and no fault of the check.
    """
    with database.read() as connection:
        rows = results.newest_headlines(connection)
    if rows and all(row.as_of < as_of for row in rows):
        return None
    return [row.program for row in rows if row.as_of < as_of or (row.version_id is not None and row.coverage is None)]


def send_heartbeat(url: Secret, *, failed: bool, now: dt.datetime, allowed: Collection[str] = ()) -> Outcome:
    """Ask for the address (or its /fail); what became of it, in words that do not hold the address. Never raises."""
    return get(_failing(url) if failed else url, seconds=SECONDS, now=now, allowed=allowed)


def _failing(url: Secret) -> Secret:
    """The same address with /fail at the end of its path."""
    try:
        parts = urlsplit(url.reveal().strip())
    except ValueError:
        return url  # not an address: asking for it says so
    return Secret(urlunsplit(parts._replace(path=parts.path.rstrip("/") + FAIL)))
