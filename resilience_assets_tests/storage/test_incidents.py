"""Incidents, their notices and the inbox: one open incident a scope, each notice exactly once."""

import datetime as dt
import threading

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from resilience_assets.storage import incidents, tables
from resilience_assets.storage.database import Database
from resilience_assets_tests.storage.headlines import add_program

NOW = dt.datetime(2026, 9, 4, 6, 0, tzinfo=dt.UTC)
SCOPE = ("coverage", 1, "icu")


def notice(kind: str = "opened", subject: str = "subject") -> dict[str, object]:
    return {"kind": kind, "check_id": 1, "as_of": NOW, "severity": "warning", "subject": subject, "body": "body\nof two lines"}


@pytest.fixture
def filled(database):  # type: ignore[no-untyped-def]
    add_program(database, "fm")
    return database


def open_one(database, scope=SCOPE):  # type: ignore[no-untyped-def]
    with database.write() as connection:
        return incidents.open_incident(connection, scope, "warning", NOW, 0.8)


def test_a_second_open_incident_of_a_scope_is_refused_until_the_first_is_closed(filled):
    first = open_one(filled)
    with pytest.raises(IntegrityError):
        open_one(filled)
    open_one(filled, ("coverage", 1, ""))
    open_one(filled, ("utilization_level", 1, "icu"))
    with filled.write() as connection:
        incidents.update_incident(connection, first, closed_at=NOW, value=0.99)
    again = open_one(filled)
    with filled.read() as connection:
        assert [row.id for row in incidents.open_incidents(connection)][-1] == again
        assert len(incidents.open_incidents(connection)) == 3
        assert {row.program for row in incidents.open_incidents(connection)} == {"fm"}


def test_notices_are_numbered_within_their_incident(filled):
    one, other = open_one(filled), open_one(filled, ("coverage", 1, ""))
    with filled.write() as connection:
        for incident_id in (one, other, one):
            incidents.add_notice(connection, incident_id, notice())
    with filled.read() as connection:
        assert [(row.incident_id, row.seq) for row in incidents.pending_notices(connection)] == [(one, 1), (other, 1), (one, 2)]
        first = incidents.pending_notices(connection)[0]
    assert (first.rule, first.scope_key, first.program) == ("coverage", "icu", "fm")


def test_an_incident_that_is_not_kept_leaves_no_notice(filled):
    def fail() -> None:
        with filled.write() as connection:
            incidents.add_notice(connection, incidents.open_incident(connection, SCOPE, "warning", NOW, None), notice())
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError):
        fail()
    with filled.read() as connection:
        assert (incidents.open_incidents(connection), incidents.pending_notices(connection)) == ([], [])


def test_the_inbox_takes_each_notice_once_and_shows_the_newest_first(filled):
    incident = open_one(filled)
    with filled.write() as connection:
        for number in range(3):
            incidents.add_notice(connection, incident, notice(subject=f"number {number}"))
        pending = incidents.pending_notices(connection)
        assert incidents.write_inbox(connection, pending, NOW) == 3
        assert incidents.write_inbox(connection, pending, NOW) == 0
        assert incidents.write_inbox(connection, [], NOW) == 0
        assert incidents.pending_notices(connection) == []
    with filled.read() as connection:
        assert [row.subject for row in incidents.inbox(connection, limit=2)] == ["number 2", "number 1"]
        assert incidents.inbox(connection, "other") == []
        assert [row.body for row in incidents.inbox(connection, "fm")] == ["body\nof two lines"] * 3


def test_two_deliveries_at_once_write_each_notice_once(filled):
    """Both have read the same pending notices before either writes."""
    incident = open_one(filled)
    with filled.write() as connection:
        for number in range(20):
            incidents.add_notice(connection, incident, notice(subject=f"number {number}"))
    both_have_read = threading.Barrier(2)
    written: list[int] = []

    def deliver() -> None:
        own = Database(filled.url)
        with own.read() as connection:
            pending = incidents.pending_notices(connection)
        both_have_read.wait(10)
        with own.write() as connection:
            written.append(incidents.write_inbox(connection, pending, NOW))
        own.dispose()

    threads = [threading.Thread(target=deliver) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(written) == 20
    with filled.read() as connection:
        assert len(connection.execute(select(tables.InboxMessage.id)).all()) == 20


def test_counts_of_rules_are_kept_where_they_say_something(filled):
    with filled.write() as connection:
        assert incidents.last_reading(connection, "health_check") == 0
        incidents.save_rule_states(connection, {SCOPE: (2, False), ("other", 1, ""): (0, True)}, "health_check", 7)
        incidents.save_rule_states(connection, {SCOPE: (0, False)}, "health_check", 9)
    with filled.read() as connection:
        assert incidents.rule_states(connection) == {("other", 1, ""): (0, True)}
        assert incidents.last_reading(connection, "health_check") == 9
