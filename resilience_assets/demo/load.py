"""Loads the demo programs like any other source, and finds what to try first with them.

Belongs here: handing the generated frames to the import, the example of a thin service in what is loaded.
Does not belong here: what the demo looks like (programs.py).
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable

import numpy as np
from sqlalchemy import select

from resilience_assets.actions.import_roster import ImportReport, import_source
from resilience_assets.actions.program_states import program_states
from resilience_assets.demo.family_medicine import PROGRAM as FAMILY_MEDICINE
from resilience_assets.demo.programs import DEFAULT_SEED, HEALTH_CHECK_DAYS, THIN_SERVICE, demo_programs
from resilience_assets.domain.days import local_day
from resilience_assets.domain.tables import RosterTables
from resilience_assets.exchange.source import SourceRead
from resilience_assets.storage import tables, versions
from resilience_assets.storage.database import Database

KIND = "demo"
"""Kind of an import batch that holds a demo program."""

Progress = Callable[[str, int, int], None]


def demo_day(now: dt.datetime) -> int:
    """The epoch day around which the demo is made: today where its family medicine is."""
    return local_day(now, FAMILY_MEDICINE.time_zone)


def load_demo(
    database: Database, today: int, now: dt.datetime, seed: int = DEFAULT_SEED, by: str = KIND,
    progress: Progress | None = None,
) -> list[ImportReport]:  # fmt: skip
    """Generate the demo programs around `today` (epoch day) and import each; loaded again, they are brought up to date.

    Absences reported here stay on top. Programs of other names are not touched. Raises ImportRefused when a
    program of a demo's name holds a roster that divides its day differently.
    """
    made = demo_programs(today, seed)
    reports = []
    for done, one in enumerate(made):
        if progress is not None:
            progress("loading demo programs", done, len(made))
        reports.append(
            import_source(
                database,
                _source(one, today, seed),
                name=KIND,
                now=now,
                by=by,
                replace=True,
                contradicted="keep-changes",
            )
        )
    return reports


def _source(one: RosterTables, today: int, seed: int) -> SourceRead:
    program = one.program.id if one.program is not None else ""
    content = hashlib.sha256(f"{KIND} {program} {today} {seed}".encode()).hexdigest()
    return SourceRead(one, [], content, (KIND,), KIND, {kind: len(part) for kind, part in one.kinds().items()})


def is_demo(database: Database, program: str) -> bool:
    """True when a program's newest import is the demo's: what is tried out on it harms nobody."""
    batch = tables.ImportBatch
    query = (
        select(batch.kind)
        .join(tables.Program, tables.Program.id == batch.program_id)
        .where(tables.Program.code == program)
        .order_by(batch.id.desc())
        .limit(1)
    )
    with database.read() as connection:
        return connection.execute(query).scalar_one_or_none() == KIND


def who_to_miss(database: Database, now: dt.datetime) -> tuple[str, str, int] | None:
    """Whose absence opens the demo's thin service, and when: (person id, service id, epoch day).

    The first seat there within a health check's eight days of the roster that holds now; None where the demo is not
    loaded or nobody is seated there.
    """
    states = program_states(database, now, [FAMILY_MEDICINE.id])
    if not states or states[0].version_id is None or not is_demo(database, FAMILY_MEDICINE.id):
        return None
    with database.read() as connection:
        roster, _ = versions.load_rosters(connection, [states[0].version_id])[states[0].version_id]
    today = local_day(now, states[0].time_zone)
    part = roster.window(today, today + HEALTH_CHECK_DAYS - 1)
    thin = [i for i, post in enumerate(part.posts) if part.services[post.service].id == THIN_SERVICE]
    seated = np.argwhere(np.isin(part.state, thin).T)  # (slot, person), earliest first
    if not len(seated):
        return None
    slot, person = (int(value) for value in seated[0])
    return part.people[person].id, THIN_SERVICE, part.first_day + slot // part.per_day
