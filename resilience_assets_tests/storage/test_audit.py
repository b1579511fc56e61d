"""The audit trail: a chain that shows where it was broken."""

import datetime as dt
import threading

import pytest
from sqlalchemy import text

from resilience_assets.storage import audit
from resilience_assets.storage.database import Database

NOW = dt.datetime(2026, 9, 4, 6, 0, tzinfo=dt.UTC)


def fill(database, count=5):  # type: ignore[no-untyped-def]
    with database.write() as connection:
        return [audit.append(connection, NOW + dt.timedelta(minutes=i), "chief", "silence", f"silence {i}", {"reason": "é", "n": i}) for i in range(count)]


def verdict(database):  # type: ignore[no-untyped-def]
    with database.read() as connection:
        return audit.verify(connection)


def test_a_chain_holds_and_its_head_is_the_newest_hash(database):
    assert verdict(database) == audit.Verdict(0, audit.GENESIS, None)
    hashes = fill(database)
    assert len(set(hashes)) == 5
    assert verdict(database) == audit.Verdict(5, hashes[-1], None)
    with database.read() as connection:
        assert [row.subject for row in audit.newest(connection, 2)] == ["silence 4", "silence 3"]


@pytest.mark.parametrize(
    "change", ["UPDATE audit_event SET who = 'nobody' WHERE id = 3", "DELETE FROM audit_event WHERE id = 2", "UPDATE audit_event SET at = '2026-01-01' WHERE id = 3"]
)
def test_a_changed_or_removed_row_is_found_where_it_stands(database, change):
    """Somebody with all rights takes the guard away first."""
    fill(database)
    with database.write() as connection:
        if database.sqlite:
            for act in ("update", "delete"):
                connection.execute(text(f"DROP TRIGGER audit_event_no_{act}"))
        else:
            connection.execute(text("DROP TRIGGER audit_event_append_only ON audit_event"))
        connection.execute(text(change))
    assert verdict(database).broken == 3


def test_acts_at_once_make_one_chain(database):
    def act(number: int) -> None:
        own = Database(database.url)
        for i in range(5):
            with own.write() as connection:
                audit.append(connection, NOW, "chief", "ack", f"{number} {i}")
        own.dispose()

    threads = [threading.Thread(target=act, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (verdict(database).rows, verdict(database).broken) == (15, None)
