"""Whether alerts arrive, and how fast: `python -m benchmarks.alerting [--json] [--set full]`.

Belongs here: the trials and their figures. Does not belong here: the peers (the tests' own).

Incidents x 2 channels (mail, webhook) are told by two dispatchers in processes of their own to a real mail
server and a real HTTP receiver, on SQLite and, where one can be started, PostgreSQL; with and without kill -9 of
the dispatchers at random instants; with peers that take everything, and peers that refuse some and break the
connection after taking others.

- lost: notices that no peer ever got, once nothing waits to be sent any more.
- late: notices that had not arrived after 60 seconds (180 at the product's own pace), for their retries lie further
  ahead (the pauses are 5 s, 30 s, 2 minutes ...). The instants of what waits are then put forward, so that the count
  of lost ones needs no day.
- duplicates: messages of the same text on the same channel that are left after repeats were dropped by the id that
  every attempt of a notice shows again (webhook-id, Message-ID), and messages of no notice.
- p50, p99: from a notice's transaction to its first arrival, over all notices; a late one counts as that much.
  The reference prototype had shorter pauses between retries, so beside faulty peers the ratio says little.
- nobody_up: seconds in which no dispatcher ran, for those that were killed were still being started again: what no
  delivery can be quicker than. On a busy machine a start takes seconds, and this is most of p50.

After each trial the ledger is checked.

Leases are those of the reference trial (3 s, attempts of 1.5 s), so that latency can be compared with it: a kill
delays what was under way by the rest of its lease. `--set full` ends with one trial at the product's own pace.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import insert, update

from benchmarks.report import Figure, arguments, show
from resilience_assets.storage import ledger, outbox, tables
from resilience_assets.storage.database import Database
from resilience_assets.storage.outbox import Outgoing
from resilience_assets_tests import postgres
from resilience_assets_tests.delivery.peers import Mailbox, Receiver, mail_server, receiver

DISPATCHERS = 2
SEED = 11
EVERY = 0.02
"""Seconds between two incidents: an alert storm would have them in one transaction."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One setting, and the p50 and p99 in seconds that a reference prototype of the same shape had."""

    kind: str
    faulty: bool
    kills: int
    reference: tuple[float, float]
    lease: float = 3.0
    seconds: float = 1.5
    until: float = 60.0

    @property
    def name(self) -> str:
        """Name of its figures."""
        own = "" if self.lease == 3.0 else f".lease_{self.lease:g}"
        return f"alerting.{self.kind}.{'faulty' if self.faulty else 'healthy'}.kills_{self.kills}{own}"


TRIALS = tuple(
    Trial(kind, faulty, kills, reference)
    for kind, faulty, kills, reference in (
        ("sqlite", False, 0, (0.88, 1.45)), ("sqlite", False, 15, (4.3, 4.9)), ("sqlite", True, 15, (5.5, 9.4)),
        ("postgresql", False, 0, (0.03, 0.3)), ("postgresql", False, 15, (4.0, 4.5)), ("postgresql", True, 15, (4.3, 7.6)),
    )
)  # fmt: skip
OWN_PACE = tuple(Trial(kind, True, 15, (0.0, 0.0), 60.0, 20.0, 180.0) for kind in ("sqlite", "postgresql"))
INCIDENTS = {"quick": 150, "full": 150}


@contextmanager
def _databases() -> Iterator[Callable[[str], Database | None]]:
    """Gives a fresh, migrated database of a kind; None where PostgreSQL cannot be started."""
    with tempfile.TemporaryDirectory(prefix="resilience-benchmark-") as folder, ExitStack() as stack:
        server: postgres.Server | None = None
        for binaries in (postgres.system_binaries(), postgres.wheel_binaries()):
            if binaries is not None and server is None:
                try:
                    server = postgres.start(binaries)
                except postgres.CannotStartError:
                    continue
                stack.callback(server.stop)
        numbers = iter(range(1000))

        def fresh(kind: str) -> Database | None:
            if kind == "sqlite":
                database = Database(f"sqlite:///{Path(folder) / str(next(numbers))}.db")
            elif server is None:
                return None
            else:
                database = Database(server.url(server.create()))
            database.migrate()
            stack.callback(database.dispose)
            return database

        yield fresh


def _open_incident(database: Database, program: int, number: int) -> int:
    """One incident with its notices for two readers, in one transaction; returns its id."""
    now = dt.datetime.now(dt.UTC)
    incident = {
        "rule": "coverage", "program_id": program, "scope_key": f"s{number}", "severity": "warning", "opened_at": now, "value": 0.8,
        "rule_id": "coverage", "summary": "", "place": "", "step": 0, "thread_id": None,
    }  # fmt: skip
    event = {"seq": 1, "kind": "opened", "severity": "warning", "as_of": now, "at": now, "summary": "", "level": 1}
    with database.write() as connection:
        query = insert(tables.Incident).values(incident).returning(tables.Incident.id)
        incident_id = int(connection.execute(query).scalar_one())
        of = insert(tables.IncidentEvent).values(event | {"incident_id": incident_id, "origin": f"benchmark {incident_id}"})
        event_id = connection.execute(of.returning(tables.IncidentEvent.id)).scalar_one()
        connection.execute(insert(tables.Telling).values(event_id=event_id, reader="inbox", reason="benchmark"))
        subject, text = f"[warning] service s{number}: coverage 0.80", f"Coverage of s{number} is 0.80.\nTo do: look."
        rows = [
            Outgoing(incident_id, 1, "email", "chief@example.org", "warning", "opened", subject, text),
            Outgoing(incident_id, 1, "webhook", "ops", "warning", "opened", subject, text, payload={"coverage": 0.8}),
        ]
        outbox.enqueue(connection, rows, now)
    return incident_id


def _program(database: Database) -> int:
    row = {
        "code": "fm", "name": "FM", "time_zone": "UTC", "revision": 0, "checked_revision": 0,
        "created_at": dt.datetime.now(dt.UTC),
    }  # fmt: skip
    with database.write() as connection:
        return int(connection.execute(insert(tables.Program).values(row).returning(tables.Program.id)).scalar_one())


class _Dispatchers:
    """Dispatcher processes, of which one after the other is killed and started again."""

    def __init__(self, words: list[str]) -> None:
        self._words = words
        self._changes: list[tuple[float, int]] = []
        """Instants at which one came up (+1) or went down (-1)."""
        self._up: set[int] = set()
        self._lock = threading.Lock()
        self._running = [self._start() for _ in range(DISPATCHERS)]

    def _start(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(self._words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        threading.Thread(target=self._await, args=(process,), daemon=True).start()
        return process

    def _await(self, process: subprocess.Popen[bytes]) -> None:
        """Note when a process says that it is up."""
        assert process.stdout is not None
        if process.stdout.readline():
            with self._lock:
                self._up.add(process.pid)
                self._changes.append((time.monotonic(), 1))

    def wait_until_up(self, seconds: float) -> None:
        """Wait until all are up: starting them is not latency."""
        end = time.monotonic() + seconds
        while len(self._up) < DISPATCHERS and time.monotonic() < end:
            time.sleep(0.02)

    def kill_one(self, place: int) -> None:
        """kill -9, and another in its place."""
        process = self._running[place]
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        with self._lock:
            if process.pid in self._up:
                self._up.discard(process.pid)
                self._changes.append((time.monotonic(), -1))
        self._running[place] = self._start()

    def nobody_up(self, since: float) -> float:
        """Seconds from an instant on in which none was up."""
        with self._lock:
            changes = sorted(self._changes)
        up, last, total = 0, since, 0.0
        for at, step in [*changes, (time.monotonic(), 0)]:
            if not up and at > last:
                total += at - last
            up, last = up + step, max(at, since)
        return total

    def end(self) -> None:
        """Stop all."""
        for process in self._running:
            process.kill()
            process.wait()


def run_trial(trial: Trial, database: Database, incidents: int) -> Iterator[Figure]:
    """Run one trial and give its figures."""
    drawn = random.Random(SEED)
    with mail_server() as box, receiver() as web:
        box.delay = web.delay = 0.02
        if trial.faulty:
            box.refuse = web.refuse = 0.15
            box.drop = web.drop = 0.10
        words = [sys.executable, "-m", "resilience_assets_tests.delivery.dispatching", database.url, str(box.port), str(web.port)]
        dispatchers = _Dispatchers([*words, str(trial.lease), str(trial.seconds), "600"])
        try:
            dispatchers.wait_until_up(60)
            began = time.monotonic()
            written = _write(database, incidents, dispatchers, trial.kills, drawn)
            _drained(database, began + trial.until)
            unaided = _first_arrivals(box, web)
            nobody_up = dispatchers.nobody_up(began)
            _put_forward(database, time.monotonic() + 90)
        finally:
            dispatchers.end()
        wire, twice = len(box.at) + len(web.got), _duplicates(box, web, written)
        yield from _figures(trial, database, _Seen(written, unaided, _first_arrivals(box, web), wire, twice, nobody_up))


def _write(database: Database, incidents: int, dispatchers: _Dispatchers, kills: int, drawn: random.Random) -> dict[str, float]:
    """Open incidents one after the other, killing dispatchers in between; instants by notice."""
    program = _program(database)
    left = sorted((drawn.randrange(incidents) for _ in range(kills)), reverse=True)
    written: dict[str, float] = {}
    for number in range(incidents):
        incident = _open_incident(database, program, number)
        at = time.monotonic()
        for channel, reader in (("email", "chief@example.org"), ("webhook", "ops")):
            row = Outgoing(incident, 1, channel, reader, "warning", "opened", "", "")  # type: ignore[arg-type]
            written[row.idem_key[:40]] = at
        while left and left[-1] <= number:
            left.pop()
            dispatchers.kill_one(drawn.randrange(DISPATCHERS))
            time.sleep(drawn.uniform(0.05, 0.4))
        time.sleep(EVERY)
    return written


def _drained(database: Database, until: float) -> None:
    while time.monotonic() < until:
        with database.read() as connection:
            if not outbox.counts(connection).get("pending"):
                return
        time.sleep(0.1)


def _put_forward(database: Database, until: float) -> None:
    """Make what waits due at once, again and again, until nothing waits: as if its pauses had passed."""
    while time.monotonic() < until:
        with database.write() as connection:
            if not outbox.counts(connection).get("pending"):
                return
            now = dt.datetime.now(dt.UTC)
            row, endpoint = tables.OutboxRow, tables.Endpoint
            connection.execute(update(row).where(row.state == "pending", row.lease_by.is_(None)).values(next_at=now))
            connection.execute(update(endpoint).values(not_before=None))
        time.sleep(1.0)


def _first_arrivals(box: Mailbox, web: Receiver) -> dict[str, float]:
    """The instant at which each id was first received."""
    got = [(id[1:41], at) for id, at in zip(box.ids(), list(box.at), strict=False)]
    got += [(one.headers.get("webhook-id", "").removeprefix("msg_"), one.at) for one in list(web.got)]
    first: dict[str, float] = {}
    for key, at in sorted(got, key=lambda one: one[1]):
        first.setdefault(key, at)
    return first


def _duplicates(box: Mailbox, web: Receiver, written: dict[str, float]) -> int:
    """Ids beyond the first by what a message says, and ids of no notice: what a reader sees in spite of the ids."""
    said: dict[tuple[str, str], set[str]] = {}
    for mail in box.mails:
        said.setdefault(("email", str(mail["Subject"])), set()).add(str(mail["Message-ID"])[1:41])
    for one in web.got:
        subject = json.loads(one.body)["data"]["subject"]
        said.setdefault(("webhook", subject), set()).add(one.headers["webhook-id"].removeprefix("msg_"))
    ids = set().union(*said.values())
    return sum(len(found) - 1 for found in said.values()) + len(ids - set(written))


@dataclass(frozen=True, slots=True)
class _Seen:
    """Instants by notice: written, first received without help, first received at all; messages on the wire; seconds
    in which no dispatcher ran."""

    written: dict[str, float]
    unaided: dict[str, float]
    received: dict[str, float]
    wire: int
    duplicates: int
    nobody_up: float


def _figures(trial: Trial, database: Database, seen: _Seen) -> Iterator[Figure]:
    lost, late = len(set(seen.written) - set(seen.received)), len(set(seen.written) - set(seen.unaided))
    latencies = sorted(seen.unaided[key] - at if key in seen.unaided else trial.until for key, at in seen.written.items())
    p50, p99, most = (latencies[min(int(len(latencies) * share), len(latencies) - 1)] for share in (0.5, 0.99, 1.0))
    with database.read() as connection:
        waiting = outbox.counts(connection).get("pending", 0)
    broken = ledger.breaches(database)
    note = f"{len(seen.written)} notices, {DISPATCHERS} dispatchers, {trial.kills} kill -9, lease {trial.lease:g} s"
    yield _exactly(f"{trial.name}.lost", lost, "notices", f"{note}; {waiting} still waiting at the end")
    yield Figure(f"{trial.name}.late", float(late), "notices", note=f"not there after {trial.until:g} s: a retry lies ahead")
    repeats = f"{seen.wire - len(seen.received)} repeats on the wire, dropped by id"
    yield _exactly(f"{trial.name}.duplicates", seen.duplicates, "notices", repeats)
    yield _exactly(f"{trial.name}.ledger", sum(map(len, broken.values())), "breaches", ", ".join(broken) or "all invariants hold")
    if trial.kills:
        yield Figure(f"{trial.name}.nobody_up", float(f"{seen.nobody_up:.3g}"), "s", note="killed ones were still starting")
    for name, value, other in (("p50", p50, trial.reference[0]), ("p99", p99, trial.reference[1])):
        against = f"prototype's {name} of {other:g} s" if other else None
        ratio = float(f"{value / other:.3g}") if other else None
        yield Figure(f"{trial.name}.{name}", float(f"{value:.3g}"), "s", against=against, ratio=ratio, note=f"max {most:.2f} s")


def _exactly(name: str, value: int, unit: str, note: str) -> Figure:
    """A figure that must be none."""
    return Figure(name, float(value), unit, 0.0, value == 0, note=note)


def main(argv: list[str] | None = None) -> None:
    """Measure and print."""
    chosen = arguments(__doc__ or "", argv)
    trials = TRIALS + (OWN_PACE if chosen.set == "full" else ())
    with _databases() as fresh:
        for trial in trials:
            database = fresh(trial.kind)
            if database is None:
                print(f"{trial.name}: no PostgreSQL could be started here", file=sys.stderr)
                continue
            for figure in run_trial(trial, database, INCIDENTS[chosen.set]):
                show(figure, chosen.json)


if __name__ == "__main__":
    main()
