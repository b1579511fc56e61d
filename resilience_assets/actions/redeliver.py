"""Try again to deliver what was given up; audited.

Belongs here: making dead rows of the outbox due again. Does not belong here: sending (delivery).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from resilience_assets.storage import audit, outbox
from resilience_assets.storage.database import Database


def redeliver(database: Database, ids: Sequence[int], *, now: dt.datetime, by: str) -> list[int]:
    """Make messages that were given up due again, with all their tries; without ids all of them. Returns their ids.

    ValueError for an id that is not among them.
    """
    with database.write(alone="alerts") as connection:
        dead = [letter.outbox_id for letter in outbox.dead_letters(connection)]
        done = []
        for id in dict.fromkeys(ids or dead):
            if not outbox.redeliver(connection, id, now):
                if ids:
                    raise ValueError(f"no message {id} was given up: see `resilience redeliver --list`")
                continue
            audit.append(connection, now, by, "redeliver", f"message {id}")
            done.append(id)
    return done


def given_up(database: Database) -> list[Any]:
    """Dead letters, oldest first: outbox_id, channel, severity, reason, died_at."""
    with database.read() as connection:
        return outbox.dead_letters(connection)
