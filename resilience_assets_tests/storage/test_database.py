"""Opening a database and bringing it to its schema, on SQLite and on PostgreSQL."""

import datetime as dt
import threading

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import func, inspect, select, text
from sqlalchemy.exc import IntegrityError, StatementError

from resilience_assets.storage import tables
from resilience_assets.storage.database import HEAD, MIGRATIONS, Database, DatabaseError
from resilience_assets_tests import postgres as harness
from resilience_assets_tests.storage.dumping import dump


def test_the_newest_migration_is_the_newest_in_the_folder():
    names = sorted(path.name for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))
    assert names[-1].split("_")[0] == HEAD


def test_the_migrations_add_up_to_the_tables(database):
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, tables.Base.metadata) == []
        assert set(inspect(connection).get_table_names()) == {*tables.Base.metadata.tables, "alembic_version"}


def test_migrating_twice_changes_nothing(database):
    before = dump(database)
    database.migrate()
    assert dump(database) == before
    assert database.schema_version() == HEAD


def test_an_empty_database_has_no_schema(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'deep' / 'er' / 'new.db'}")
    assert database.schema_version() is None
    database.migrate()
    assert database.schema_version() == HEAD


def test_a_database_from_the_future_is_refused(sqlite_database):
    with sqlite_database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseError, match="install the newer version"):
        sqlite_database.migrate()


def _migrate_at_once(url: str) -> list[BaseException]:
    errors: list[BaseException] = []

    def migrate() -> None:
        try:
            own = Database(url)
            own.migrate()
            own.dispose()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=migrate) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


def test_several_processes_may_bring_one_database_up_at_once(tmp_path, postgres):
    name = postgres.create()
    for url in (f"sqlite:///{tmp_path / 'new.db'}", postgres.url(name)):
        assert _migrate_at_once(url) == []
        assert Database(url).schema_version() == HEAD


def _count(database):  # type: ignore[no-untyped-def]
    with database.read() as connection:
        return connection.execute(select(func.count()).select_from(tables.RuleCursor)).scalar_one()


def test_a_write_is_kept_whole_or_not_at_all(database):
    def write(fail: bool) -> None:
        with database.write() as connection:
            connection.execute(tables.RuleCursor.__table__.insert(), {"source": f"a{fail}", "last_id": 1})
            if fail:
                raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError):
        write(True)
    assert _count(database) == 0
    write(False)
    assert _count(database) == 1


def test_what_is_done_while_reading_is_not_kept(database):
    with database.read() as connection:
        connection.execute(tables.RuleCursor.__table__.insert(), {"source": "a", "last_id": 1})
    assert _count(database) == 0


def test_a_reader_sees_one_state_while_others_write(database):
    with database.read() as reading:
        before = reading.execute(select(func.count()).select_from(tables.RuleCursor)).scalar_one()
        with database.write() as writing:
            writing.execute(tables.RuleCursor.__table__.insert(), {"source": "a", "last_id": 1})
        assert reading.execute(select(func.count()).select_from(tables.RuleCursor)).scalar_one() == before
    assert _count(database) == before + 1


def test_writers_of_one_name_wait_for_each_other(database):
    """Each adds one to what it found: without waiting, additions get lost."""
    with database.write() as connection:
        connection.execute(tables.RuleCursor.__table__.insert(), {"source": "a", "last_id": 0})

    def add() -> None:
        for _ in range(10):
            with database.write(alone="counter") as connection:
                found = connection.execute(select(tables.RuleCursor.last_id)).scalar_one()
                connection.execute(tables.RuleCursor.__table__.update().values(last_id=found + 1))

    threads = [threading.Thread(target=add) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as connection:
        assert connection.execute(select(tables.RuleCursor.last_id)).scalar_one() == 30


def test_rows_that_refer_to_nothing_are_refused(database):
    with pytest.raises(IntegrityError), database.write() as connection:
        connection.execute(tables.Person.__table__.insert(), {"program_id": 99, "code": "X"})


def test_a_plain_postgresql_address_gets_the_driver_that_is_installed():
    assert Database("postgresql://u:p@host/db").url == "postgresql+psycopg2://u:p@host/db"


def test_a_naive_instant_is_refused(sqlite_database):
    row = {"hash": "h", "text": "", "first_used_at": dt.datetime(2026, 1, 1)}
    with sqlite_database.write() as connection, pytest.raises(StatementError, match="has no time zone"):
        connection.execute(tables.PolicyVersion.__table__.insert(), row)


@pytest.mark.parametrize("source", [harness.system_binaries, harness.wheel_binaries])
def test_a_server_of_either_source_serves(source):
    folder = source()
    if folder is None:
        pytest.skip(f"{source.__name__}: not installed here")
    try:
        server = harness.start(folder)
    except harness.CannotStartError as error:
        pytest.skip(str(error))
    try:
        database = Database(server.url("postgres"))
        database.migrate()
        assert database.schema_version() == HEAD
        database.dispose()
    finally:
        server.stop()
    assert not server.folder.exists()
