"""Small programs to act on, and the acts as one line each.

Belongs here: sources, importing them, instants. Does not belong here: expectations.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

from resilience_assets.actions import check_health, import_roster
from resilience_assets.domain.findings import Finding
from resilience_assets.domain.tables import RosterTables
from resilience_assets.exchange.source import SourceRead
from resilience_assets.policy import load_policies
from resilience_assets.storage import results
from resilience_assets.storage.database import Database
from resilience_assets_tests.storage.writing import FIRST, NOW, PROGRAM, away, may, needs, person, source, works

__all__ = ["DAYS", "FIRST", "NOW", "POLICIES", "QUARTER", "away", "check", "load", "person", "program", "shown", "source", "works"]

POLICIES = load_policies()
QUARTER = dt.timedelta(minutes=15)
DAYS = 40
"""Dates on file from FIRST, which is today at NOW."""


def program(code: str = "fm", **kinds: list[dict[str, Any]]) -> RosterTables:
    """Five people, two of whom work every morning: A at the ICU (1 needed), B in the clinic (1 needed, 0 at least)."""
    rows: dict[str, list[dict[str, Any]]] = {
        "people": [person(one) for one in "ABCDE"],
        "services": [{"service": "icu", "name": "ICU", "tier": 1}, {"service": "clinic", "name": "Clinic", "tier": 3}],
        "posts": [{"post": "icu/MD", "service": "icu", "role": "MD"}, {"post": "clinic/MD", "service": "clinic", "role": "MD"}],
        "qualifications": [may(one, post) for one in "ABCDE" for post in ("icu/MD", "clinic/MD")],
        "demand": [needs(day, 1, least, post=post) for day in range(DAYS) for post, least in (("icu/MD", 1), ("clinic/MD", 0))],
        "assignments": [works(one, day, post=post) for day in range(DAYS) for one, post in (("A", "icu/MD"), ("B", "clinic/MD"))],
        "absences": [],
    }
    return source(program=replace(PROGRAM, id=code), **(rows | kinds))


def load(
    database: Database, tables: RosterTables, content: str, *, now: dt.datetime = NOW, findings: tuple[Finding, ...] = (), **options: Any
) -> import_roster.ImportReport:
    """Import frames as a source whose content hash is `content`."""
    read = SourceRead(tables, list(findings), content, ("assignments.csv", "demand.csv", "people.csv", "absences.csv"), "csv", {})
    return import_roster.import_source(database, read, name=f"{content}.zip", now=now, by="tester", **options)


def check(database: Database, quarters: float = 0, **options: Any) -> check_health.HealthCheck:
    """The check at so many quarters of an hour after NOW."""
    return check_health.run_check(database, POLICIES, NOW + quarters * QUARTER, **options)


def shown(database: Database, code: str = "fm") -> Any:
    """The newest stored headline of a program."""
    with database.read() as connection:
        return results.newest_headlines(connection, [code])[0]
