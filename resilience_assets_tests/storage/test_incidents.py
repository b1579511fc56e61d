"""Incidents, their events, who was told, and the inbox: one open incident a scope, each event and reader once."""

import datetime as dt
import threading

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from resilience_assets.storage import incidents, tables
from resilience_assets.storage.database import Database
from resilience_assets_tests.storage.headlines import add_program

NOW = dt.datetime(2026, 9, 4, 6, 0, tzinfo=dt.UTC)
SCOPE = ("coverage", 1, "icu")
EVERYWHERE = ("health_check_stale", 0, "")
HELD = "held until morning"


def notice(kind: str = "opened", subject: str = "subject") -> dict[str, object]:
    return {"kind": kind, "as_of": NOW, "severity": "warning", "subject": subject, "body": "body\nof two lines", "delivered_at": None}


def event(kind: str = "opened", origin: str = "") -> dict[str, object]:
    return {"kind": kind, "severity": "warning", "as_of": NOW, "at": NOW, "value": 0.8, "origin": origin or kind}


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


def test_an_incident_of_the_deployment_is_one_as_well(filled):
    open_one(filled, EVERYWHERE)
    with pytest.raises(IntegrityError):
        open_one(filled, EVERYWHERE)
    with filled.read() as connection:
        (row,) = incidents.open_incidents(connection)
        assert (row.program_id, row.program, row.time_zone) == (None, "", "UTC")


def test_events_and_notices_are_numbered_and_none_happens_twice(filled):
    one, other = open_one(filled), open_one(filled, ("coverage", 1, ""))
    with filled.write() as connection:
        for incident_id in (one, other, one):
            incidents.add_notice(connection, incident_id, notice())
        incidents.add_event(connection, one, event("opened"))
        incidents.add_event(connection, one, event("closed"))
    with filled.read() as connection:
        assert [(row.incident_id, row.seq) for row in incidents.pending_notices(connection)] == [(one, 1), (other, 1), (one, 2)]
        assert [(row.seq, row.kind) for row in incidents.events(connection, one)] == [(1, "opened"), (2, "closed")]
        first = incidents.pending_notices(connection)[0]
    assert (first.rule, first.scope_key, first.program) == ("coverage", "icu", "fm")
    with pytest.raises(IntegrityError), filled.write() as connection:
        incidents.add_event(connection, other, event("opened"))  # the same reading has opened the first


def test_each_event_and_reader_ends_in_a_notice_or_a_reason_and_never_both(filled):
    incident_id = open_one(filled)
    with filled.write() as connection:
        notice_id, _ = incidents.add_notice(connection, incident_id, notice())
        event_id = incidents.add_event(connection, incident_id, event())
        incidents.add_tellings(connection, [{"event_id": event_id, "reader": "inbox", "notice_id": notice_id}])
    for wrong in (
        {"event_id": event_id, "reader": "inbox", "reason": "silence"},  # told already
        {"event_id": event_id, "reader": "chief", "notice_id": notice_id, "reason": "silence"},
        {"event_id": event_id, "reader": "chief"},
    ):
        with pytest.raises(IntegrityError), filled.write() as connection:
            incidents.add_tellings(connection, [wrong])


def test_what_a_reader_has_heard_and_what_waits_for_them(filled):
    incident_id = open_one(filled)
    with filled.write() as connection:
        opened = incidents.add_event(connection, incident_id, event())
        incidents.add_tellings(connection, [{"event_id": opened, "reader": "chief", "reason": HELD}, {"event_id": opened, "reader": "dean", "reason": "silence"}])
    with filled.read() as connection:
        assert incidents.heard(connection, [incident_id], HELD) == {(incident_id, "chief"): (False, True), (incident_id, "dean"): (False, False)}
        assert incidents.untold_openings(connection, ["silence"]) == [(incident_id, "dean")]
        assert [(row.reader, row.kind, row.program) for row in incidents.held_tellings(connection, HELD)] == [("chief", "opened", "fm")]
    with filled.write() as connection:
        notice_id, _ = incidents.add_notice(connection, incident_id, notice())
        incidents.tell_held(connection, incident_id, "chief", notice_id, HELD)
    with filled.read() as connection:
        assert incidents.heard(connection, [incident_id], HELD)[incident_id, "chief"] == (True, False)
        assert incidents.held_tellings(connection, HELD) == []


def test_an_incident_that_is_not_kept_leaves_no_notice(filled):
    def fail() -> None:
        with filled.write() as connection:
            incidents.add_notice(connection, incidents.open_incident(connection, SCOPE, "warning", NOW, None), notice())
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError):
        fail()
    with filled.read() as connection:
        assert (incidents.open_incidents(connection), incidents.pending_notices(connection)) == ([], [])


def test_the_inbox_shows_the_newest_first_each_notice_once(filled):
    incident = open_one(filled)
    with filled.write() as connection:
        for number in range(3):
            notice_id, _ = incidents.add_notice(connection, incident, notice(subject=f"number {number}"))
            incidents.add_to_inbox(connection, notice_id, 1 if number else 0, "warning", f"number {number}", "body\nof two lines", NOW)
    with filled.read() as connection:
        assert [(row.subject, row.program) for row in incidents.inbox(connection)] == [("number 2", "fm"), ("number 1", "fm"), ("number 0", "")]
        assert incidents.inbox(connection, "other") == []
        assert [row.body for row in incidents.inbox(connection, "fm", 1)] == ["body\nof two lines"]
    with pytest.raises(IntegrityError), filled.write() as connection:
        incidents.add_to_inbox(connection, notice_id, 1, "warning", "again", "", NOW)


def test_two_deliveries_at_once_take_up_each_notice_once(filled):
    """Both have read the same pending notices before either writes."""
    incident = open_one(filled)
    with filled.write() as connection:
        for number in range(20):
            incidents.add_notice(connection, incident, notice(subject=f"number {number}"))
    both_have_read = threading.Barrier(2)
    taken: list[int] = []

    def deliver() -> None:
        own = Database(filled.url)
        with own.read() as connection:
            pending = incidents.pending_notices(connection)
        both_have_read.wait(10)
        with own.write() as connection:
            taken.append(incidents.take_up(connection, pending, NOW))
        own.dispose()

    threads = [threading.Thread(target=deliver) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(taken) == 20
    with filled.read() as connection:
        assert incidents.pending_notices(connection) == []


def test_counts_and_histories_are_kept_where_they_say_something(filled):
    with filled.write() as connection:
        assert incidents.last_reading(connection, "health_check") == 0
        incidents.save_rule_states(connection, {SCOPE: (2, 0, False), ("other", 0, ""): (0, 1, True)})
        incidents.save_rule_states(connection, {SCOPE: (0, 0, False)})
        incidents.save_rule_histories(connection, {SCOPE: ("0110", True), EVERYWHERE: ("000", False)})
        incidents.save_last_reading(connection, "health_check", 7)
        incidents.save_last_reading(connection, "health_check", 9)
    with filled.read() as connection:
        assert incidents.rule_states(connection) == {("other", 0, ""): (0, 1, True)}
        assert incidents.rule_histories(connection) == {SCOPE: ("0110", True)}
        assert incidents.last_reading(connection, "health_check") == 9


def test_readers_of_what_is_still_open_in_a_thread(filled):
    one, other = open_one(filled), open_one(filled, ("coverage", 1, ""))
    with filled.write() as connection:
        for incident_id, reader in ((one, "chief"), (other, "dean")):
            incidents.update_incident(connection, incident_id, thread_id=one)
            event_id = incidents.add_event(connection, incident_id, event(origin=f"{incident_id}"))
            notice_id, _ = incidents.add_notice(connection, one, notice())
            incidents.add_tellings(connection, [{"event_id": event_id, "reader": reader, "notice_id": notice_id}])
        incidents.update_incident(connection, one, closed_at=NOW)
    with filled.read() as connection:
        assert incidents.readers_of_open(connection, one) == {"dean"}
        assert connection.execute(select(tables.Notice.seq)).scalars().all() == [1, 2]


@pytest.mark.parametrize("statement", ["UPDATE audit_event SET who = 'nobody'", "DELETE FROM audit_event"])
def test_the_audit_trail_refuses_to_be_changed(filled, statement):
    from resilience_assets.storage import audit

    with filled.write() as connection:
        audit.append(connection, NOW, "chief", "acknowledge", "incident 1")
    with pytest.raises(DBAPIError, match="append-only"), filled.write() as connection:
        connection.execute(text(statement))
