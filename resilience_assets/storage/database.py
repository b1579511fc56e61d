"""One database: engine, transactions, migrations.

Belongs here: how a connection is opened and which schema it finds. Does not belong here: queries.
SQLite runs in WAL mode on a local disk and takes the write lock when a write begins, so that two
writers wait for each other instead of failing half way; PostgreSQL uses psycopg2.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import make_url

MIGRATIONS = Path(__file__).parent / "migrations"
HEAD = "0003"
"""The newest migration; a test holds it equal to the folder."""


class DatabaseError(RuntimeError):
    """The database cannot be used as it is; the message says what to do."""


class Database:
    """A database by its URL. `read()` and `write()` each give a connection in one transaction."""

    def __init__(self, url: str) -> None:
        parsed = make_url(url)
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg2")
        self.url = parsed.render_as_string(hide_password=False)
        self.sqlite = parsed.get_backend_name() == "sqlite"
        self._path = Path(parsed.database) if self.sqlite and parsed.database else None

    @cached_property
    def engine(self) -> Engine:
        """The engine. Connections stay open: SQLite writes its log back whenever the last one closes."""
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        if not self.sqlite:
            return create_engine(self.url, pool_pre_ping=True, pool_size=2)
        engine = create_engine(self.url, connect_args={"timeout": 30})
        event.listen(engine, "connect", _open_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent view; nothing that is done in it is kept."""
        options = {} if self.sqlite else {"isolation_level": "REPEATABLE READ"}
        with self.engine.connect().execution_options(**options) as connection:
            yield connection
            connection.rollback()

    @contextmanager
    def write(self, alone: str | None = None) -> Iterator[Connection]:
        """One transaction: all of it is kept, or (on any exception) none.

        Writers that give the same name in `alone` wait for each other from the start, so that each
        decides on what the one before it left. SQLite has one writer at a time in any case.
        """
        with self.engine.connect().execution_options(writes=True) as connection, connection.begin():
            if alone is not None and not self.sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": alone})
            yield connection

    def migrate(self) -> None:
        """Bring the schema to HEAD; does nothing when it is there already."""
        found = self.schema_version()
        if found == HEAD:
            return
        if found is not None and found > HEAD:
            raise DatabaseError(f"the database has schema {found}, newer than this program's {HEAD}: install the newer version")
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        with self.write(alone="migrate") as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def schema_version(self) -> str | None:
        """The migration that the database stands at; None for an empty one."""
        with self.engine.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()

    def dispose(self) -> None:
        """Close what is open; the object may be used again."""
        if "engine" in self.__dict__:
            self.engine.dispose()
            del self.__dict__["engine"]


def _open_sqlite(dbapi_connection: Any, _record: Any) -> None:
    # SQLAlchemy's own BEGIN (below) replaces the driver's implicit transactions
    dbapi_connection.isolation_level = None
    cursor = dbapi_connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=30000", "cache_size=-65536", "wal_autocheckpoint=8000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    immediate = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
