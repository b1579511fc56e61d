"""Silences: nothing is told for a while of what fits; what happens is kept on record. Audited.

Belongs here: beginning and ending a silence. Does not belong here: what a silence does (alerting.telling).
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from resilience_assets.policy import Policies
from resilience_assets.storage import acts, audit, programs
from resilience_assets.storage.database import Database

LONGEST = dt.timedelta(days=31)
"""A silence that is meant to last is a rule to be changed in the policy."""


def silence(
    database: Database, policies: Policies, *, now: dt.datetime, ends: dt.datetime, by: str, reason: str, starts: dt.datetime | None = None,
    program: str = "", rule: str = "", service: str = "",
) -> int:  # fmt: skip
    """Begin a silence of a program, a rule's family, a service, or what fits all that is named; returns its id.

    ValueError when it names nothing, an unknown program or rule, gives no reason, or ends too early or too late.
    """
    starts = starts or now
    if not (program or rule or service):
        raise ValueError("say what is to be silent: a program, a rule or a service")
    if not reason.strip():
        raise ValueError("a silence needs a reason")
    if not starts < ends <= now + LONGEST or ends <= now:
        raise ValueError(f"a silence must end after it starts, in the future, and within {LONGEST.days} days")
    families = {one.family for one in policies.for_program(program).alert_rules}
    if rule and rule not in families:
        raise ValueError(f"no rule is called {rule!r}; known are {', '.join(sorted(families))}")
    with database.write(alone="alerts") as connection:
        if program and not programs.all_programs(connection, [program]):
            known = ", ".join(row.code for row in programs.all_programs(connection)) or "none yet"
            raise ValueError(f"program {program!r} is not known (known: {known})")
        id = acts.add_silence(
            connection, program=program, rule=rule, scope_key=service, starts_at=starts, ends_at=ends, author=by,
            reason=reason.strip(), created_at=now,
        )  # fmt: skip
        detail = {
            "program": program, "rule": rule, "service": service, "starts": starts.isoformat(), "ends": ends.isoformat(),
            "reason": reason.strip(),
        }  # fmt: skip
        audit.append(connection, now, by, "silence", f"silence {id}", detail)
    return id


def end_silence(database: Database, id: int, *, now: dt.datetime, by: str) -> None:
    """End a silence now; ValueError where none of this number still holds."""
    with database.write(alone="alerts") as connection:
        if not acts.end_silence(connection, id, now):
            raise ValueError(f"no silence {id} holds (any more): see `resilience silence --list`")
        audit.append(connection, now, by, "end silence", f"silence {id}")


def silences(database: Database, now: dt.datetime) -> list[Any]:
    """Silences that hold now or later, oldest first."""
    with database.read() as connection:
        return acts.silences(connection, now)
