"""The ledger finds every breach that is planted, and nothing else."""

import pytest
from sqlalchemy import text

from resilience_assets.storage import ledger, outbox
from resilience_assets_tests.delivery.peers import mail_server
from resilience_assets_tests.delivery.rows import NOW, channels, dispatcher, enqueue, incidents, notice

PLANTED = {
    "known_state": "UPDATE outbox SET state = 'lost' WHERE id = 1",
    "settled_is_settled": "UPDATE outbox SET lease_by = 'x' WHERE id = 1",
    "sent_was_taken": "UPDATE delivery_attempt SET outcome = 'ambiguous' WHERE outbox_id = 1",
    "taken_is_sent": "UPDATE outbox SET state = 'cancelled', reason = 'x' WHERE id = 1",
    "attempts_are_counted": "UPDATE outbox SET attempts = 2 WHERE id = 1",
    "attempts_end": "UPDATE delivery_attempt SET outcome = NULL WHERE outbox_id = 1",
    "cancelled_for_a_reason": "UPDATE outbox SET reason = '' WHERE state = 'dead'",
    "cancelled_is_told": "UPDATE outbox SET digest_id = 2 WHERE id = 1",
    "digest_replaces": "UPDATE outbox SET kind = 'digest' WHERE id = 1",
    "dead_leaves_a_letter": "DELETE FROM dead_letter",
    "in_order": "UPDATE outbox SET state = 'pending', settled_at = NULL WHERE id = 1",
    "told_of_the_end": "UPDATE outbox SET recipient = 'other@example.org' WHERE kind = 'closed'",
    "incident_has_events": "UPDATE incident SET closed_at = opened_at WHERE id = 1",
    "every_event_has_a_reader": "UPDATE telling SET reader = 'somebody' WHERE id = 1",
    "told_is_in_the_inbox": "",
    "told_is_in_the_outbox": "",
    "told_is_told_of_the_end": "",
    "untold_is_spared_the_end": "",
    "one_open_incident": "",
    "one_attempt_at_a_time": "",
    "event_is_told_or_not": "",
}
"""By invariant, what breaks it; where nothing does, the database itself refuses the breach or a test below plants it."""


@pytest.fixture
def delivered(database):  # type: ignore[no-untyped-def]
    one, other = incidents(database, 2)
    with mail_server() as box:
        box.replies["nobody@example.org"] = "550 no such user"
        enqueue(database, notice(one), notice(other, recipient="nobody@example.org"))
        for seq, kind in ((2, "raised"), (3, "closed")):
            dispatcher_run(database, box)
            enqueue(database, notice(one, seq, kind=kind))
        dispatcher_run(database, box)
    return database


def dispatcher_run(database, box) -> None:  # type: ignore[no-untyped-def]
    from resilience_assets.delivery.dispatcher import drain

    drain(dispatcher(database, channels(box)), seconds=10)


def test_every_invariant_has_a_name_of_its_own_and_holds_after_deliveries(delivered):
    names = [one.name for one in ledger.INVARIANTS]
    assert len(set(names)) == len(names)
    assert set(names) == set(PLANTED)
    assert ledger.breaches(delivered) == {}


@pytest.mark.parametrize("name", [name for name, statement in PLANTED.items() if statement])
def test_a_planted_breach_is_found(delivered, name: str):
    with delivered.write() as connection:
        assert connection.execute(text(PLANTED[name])).rowcount
    found = ledger.breaches(delivered)
    assert name in found, found
    assert all(found[name])


def test_a_notice_that_the_inbox_does_not_have_is_found(delivered):
    from resilience_assets.storage import incidents as stored

    with delivered.write() as connection:
        values = {"kind": "opened", "as_of": NOW, "severity": "warning", "subject": "s", "body": "b", "delivered_at": None}
        notice_id, _ = stored.add_notice(connection, 1, values)
        connection.execute(text("UPDATE telling SET notice_id = :id, reason = '' WHERE id = 1"), {"id": notice_id})
    assert set(ledger.breaches(delivered)) == {"told_is_in_the_inbox"}


def test_a_dead_row_that_is_redelivered_breaks_nothing(delivered):
    with delivered.write() as connection:
        dead = [letter.outbox_id for letter in outbox.dead_letters(connection)]
        assert [outbox.redeliver(connection, id, NOW) for id in dead] == [True]
    assert ledger.breaches(delivered) == {}
    with mail_server() as box:
        dispatcher_run(delivered, box)
    assert ledger.breaches(delivered) == {}
