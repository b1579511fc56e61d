"""Take alerts in hand: no more reminders, no escalation; audited.

Belongs here: acknowledging open incidents. Does not belong here: closing them (only readings do).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from resilience_assets.storage import acts, audit, incidents
from resilience_assets.storage.database import Database


@dataclass(frozen=True)
class Acknowledged:
    """Which incidents were taken in hand now, and ids that could not be, with the reason."""

    taken: list[Any]
    refused: dict[int, str]


def acknowledge(
    database: Database, ids: Sequence[int], *, now: dt.datetime, by: str, program: str | None = None, note: str = ""
) -> Acknowledged:
    """Acknowledge open incidents by id, or with `program` all that are open there ('' names the deployment's own).

    One that is closed or in hand already is left as it is and told. ValueError when nothing is named.
    """
    if not ids and program is None:
        raise ValueError("name the alerts to acknowledge by number (see `resilience inbox`), or a program with --program")
    taken, refused = [], {}
    with database.write(alone="alerts") as connection:
        known = {row.id: row for row in incidents.find_incidents(connection, sorted(set(ids)))}
        wanted = list(dict.fromkeys(ids))
        if program is not None:
            wanted += [row.id for row in incidents.open_incidents(connection) if row.program == program and row.acknowledged_at is None]
            known |= {row.id: row for row in incidents.open_incidents(connection)}
        for id in dict.fromkeys(wanted):
            row = known.get(id)
            if row is None:
                refused[id] = "there is no such alert"
            elif row.closed_at is not None:
                refused[id] = "it is over"
            elif not acts.acknowledge(connection, id, now, by, note):
                refused[id] = "it is in hand already"
            else:
                incidents.add_event(connection, id, {
                    "kind": "acknowledged", "severity": row.severity, "as_of": now, "at": now, "value": row.value,
                    "summary": row.summary, "origin": f"{id}|acknowledged|{now.isoformat()}",
                })  # fmt: skip
                audit.append(connection, now, by, "acknowledge", f"incident {id}", {"rule": row.rule, "program": row.program, "note": note})
                taken.append(row)
    return Acknowledged(taken, refused)


def open_alerts(database: Database, program: str | None = None) -> list[Any]:
    """What is open now, oldest first."""
    with database.read() as connection:
        return [row for row in incidents.open_incidents(connection) if program in (None, row.program)]
