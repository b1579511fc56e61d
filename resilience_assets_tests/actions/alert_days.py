"""A simulated day: figures set by hand every quarter of an hour, evaluated as the product does, and what was told.

Belongs here: playing readings and reading off who was told what. Does not belong here: expectations.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select, update

from resilience_assets.actions.evaluate_alerts import Evaluation, evaluate_alerts
from resilience_assets.policy import Policies, load_policies
from resilience_assets.storage import ledger, results, tables
from resilience_assets.storage.database import Database
from resilience_assets.storage.results import ResultKey
from resilience_assets_tests.storage.headlines import add_program, headline, utilization_rows

MORNING = dt.datetime(2026, 3, 10, 12, 0, tzinfo=dt.UTC)
QUARTER = dt.timedelta(minutes=15)

CHIEF = "{id: chief, channel: email, address: chief@example.org}"
TO_CHIEF = f"telling: {{recipients: [{CHIEF}], routes: [{{id: r, to: [chief], severity: info}}]}}"
"""An overlay in which one reader gets everything by mail."""


MAIL_ONLY_SEEMS_SENT = {"sent_was_taken", "attempts_are_counted", "settled_is_settled"}
"""Invariants of delivery, which these days leave out."""


@dataclass
class Day:
    """One database with programs, and the time of day."""

    database: Database
    policies: Policies = field(default_factory=lambda: load_policies(TO_CHIEF))
    now: dt.datetime = MORNING
    programs: dict[str, int] = field(default_factory=dict)

    def reading(self, program: str = "fm", services: Sequence[tuple[str, float | None]] = (), **figures: Any) -> None:
        """Write one headline (with rows for services where given) as of now."""
        if program not in self.programs:
            self.programs[program] = add_program(self.database, program)
        program_id = self.programs[program]
        with self.database.write() as connection:
            if services:
                version = connection.execute(
                    tables.RosterVersion.__table__.insert().returning(tables.RosterVersion.id),
                    {"program_id": program_id, "content_hash": f"{self.now}", "first_day": 0, "days": 0, "created_at": self.now, "blob": b"x"},
                ).scalar_one()
                columns = utilization_rows(("program", ""), *(("service", name) for name, _ in services))
                columns["coverage"] = [1.0, *(share for _, share in services)]
                key = ResultKey(program_id, version, "p", "1", 20_700)
                rows = {results.UTILIZATION: columns}
                figures["utilization_id"] = results.store_results(connection, results.UTILIZATION, [(key, rows)], self.now)[key]
            results.store_headlines(connection, [headline(program_id, self.now, **figures)])

    def evaluate(self, **options: Any) -> Evaluation:
        """Evaluate as of now, and let everything in the outbox arrive at once."""
        done = evaluate_alerts(self.database, self.policies, self.now, **options)
        with self.database.write() as connection:
            connection.execute(update(tables.OutboxRow).where(tables.OutboxRow.state == "pending").values(state="sent", attempts=1))
        found = {name: ids for name, ids in ledger.breaches(self.database).items() if name not in MAIL_ONLY_SEEMS_SENT}
        assert found == {}, found
        return done

    def play(self, figures: Iterable[dict[str, Any]], step: dt.timedelta = QUARTER) -> None:
        """A reading and an evaluation each quarter of an hour."""
        for one in figures:
            self.reading(**one)
            self.evaluate()
            self.now += step

    def wait(self, step: dt.timedelta, times: int = 1, **figures: Any) -> None:
        """Let time pass; the readings go on as they were."""
        self.play([figures] * times, step)

    def _at(self, instant: dt.datetime) -> str:
        return instant.strftime("%H:%M")

    def inbox(self) -> list[tuple[str, str]]:
        """(time, subject) of everything in the inbox, in order."""
        with self.database.read() as connection:
            rows = connection.execute(select(tables.InboxMessage).order_by(tables.InboxMessage.id))
            return [(self._at(row.written_at), row.subject) for row in rows]

    def sent(self, recipient: str = "chief@example.org") -> list[tuple[str, str]]:
        """(time, subject) of everything put into the outbox for a reader, in order."""
        with self.database.read() as connection:
            table = tables.OutboxRow
            rows = connection.execute(select(table).where(table.recipient == recipient).order_by(table.id))
            return [(self._at(row.created_at), row.subject) for row in rows]

    def tellings(self, reader: str = "chief") -> list[tuple[str, str]]:
        """(kind of event, 'told' or the reason why not) of every event for a reader, in order."""
        with self.database.read() as connection:
            event, telling = tables.IncidentEvent, tables.Telling
            query = select(event.kind, telling.reason).join(telling, telling.event_id == event.id).where(telling.reader == reader)
            return [(kind, reason or "told") for kind, reason in connection.execute(query.order_by(event.id))]

    def body(self, kind: str) -> list[str]:
        """Lines of the newest outbox row of a kind."""
        with self.database.read() as connection:
            query = select(tables.OutboxRow.text).where(tables.OutboxRow.kind == kind).order_by(tables.OutboxRow.id.desc())
            text: str = connection.execute(query.limit(1)).scalar_one()
            return text.splitlines()

    def open(self) -> list[tuple[str, str, str]]:
        """(rule, scope, severity) of what is open."""
        with self.database.read() as connection:
            table = tables.Incident
            rows = connection.execute(select(table).where(table.closed_at.is_(None)).order_by(table.id))
            return [(row.rule, row.scope_key, row.severity) for row in rows]
