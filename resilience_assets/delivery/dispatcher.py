"""The dispatcher: claim what is due, send it, write down what became of it.

Belongs here: the loop, its pace, what an outcome means for a row and its endpoint. Does not belong here: the
tables (storage.outbox), the channels, and what is worth a notice.

At least once on the wire, once to the reader: a row is sent outside any transaction, under a deadline shorter
than its lease; a worker that dies leaves the lease to run out, and the next sends the row again under the same
id. The same code runs for a while in a job (`drain`) and for good in a process of its own (`run`); any number of
both may run at once.
"""

from __future__ import annotations

import datetime as dt
import logging
import os
import secrets
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from sqlalchemy.exc import DBAPIError

from resilience_assets.delivery.channels import PACING, Channels
from resilience_assets.delivery.outcome import Outcome, next_pause
from resilience_assets.storage import outbox
from resilience_assets.storage.database import Database
from resilience_assets.storage.outbox import LENIENT, Claim, Settlement

LOG = logging.getLogger(__name__)

STALE = "the claim is too old"

HEARTBEAT = "dispatcher"
"""Name under which `run` says that it is alive."""

Now = Callable[[], dt.datetime]


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast and how patiently: lengths in seconds.

    `seconds` is the deadline of one attempt, `lease` how long a claim holds; between the two lies time to settle.
    `patience` is how long `drain` waits for a row to come due: for a channel that takes one a second, a first retry.
    `at_one_endpoint` bounds the workers that one slow endpoint can hold.
    """

    lease: float = 60.0
    seconds: float = 20.0
    workers: int = 4
    at_one_endpoint: int = 2
    age_limit: float = 2 * 3600.0
    poll: float = 0.5
    heartbeat: float = 10.0
    watchdog: float = 60.0
    merge: float = 5.0
    patience: float = 10.0

    def __post_init__(self) -> None:
        if self.seconds + 5 > self.lease and self.seconds * 1.5 > self.lease:
            raise ValueError(f"a lease of {self.lease:g} s leaves no time to settle after an attempt of {self.seconds:g} s")


@dataclass
class Dispatched:
    """What was done: attempts by outcome."""

    outcomes: Counter[str] = field(default_factory=Counter)

    @property
    def attempts(self) -> int:
        """Attempts in all."""
        return sum(self.outcomes.values())


def settlement(claim: Claim, outcome: Outcome, now: dt.datetime) -> Settlement:
    """What an outcome means for the row: done, again after a pause, or dead."""
    if outcome.kind == "sent":
        return Settlement("sent", "sent", outcome.code)
    if outcome.off:
        return Settlement(outcome.kind, "cancelled", reason=outcome.error)
    pause = None if outcome.kind == "permanent" else next_pause(claim.tries, claim.idem_key, outcome.retry_after)
    if pause is None:
        tried = f" after {claim.tries} attempts" if outcome.kind != "permanent" else ""
        said = " ".join(str(part) for part in (outcome.code, outcome.error) if part is not None)
        return Settlement(outcome.kind, "dead", outcome.code, outcome.error, reason=f"{said}{tried}"[:200])
    return Settlement(outcome.kind, "pending", outcome.code, outcome.error, next_at=now + pause)


LONGEST_PAUSE = dt.timedelta(minutes=2)
FIRST_PAUSE = dt.timedelta(seconds=5)


def endpoint_pause(failures: int, outcome: Outcome) -> dt.timedelta:
    """How long an endpoint that failed so often in a row is left alone.

    A few quick failures cost nothing and may be of single messages: a receiver that refuses every fourth message
    must not hold up the others. From `LENIENT` on (at once, where it let us wait) it is 5 s, doubling to 2 minutes.
    """
    if outcome.retry_after is not None:
        return outcome.retry_after
    if failures < LENIENT:
        return dt.timedelta(0)
    return min(FIRST_PAUSE * (1 << min(failures - LENIENT, 10)), LONGEST_PAUSE)


class Dispatcher:
    """One worker's view of the outbox: a database, channels, a clock, a pace and a name of its own."""

    def __init__(
        self, database: Database, channels: Channels, now: Now, pace: Pace | None = None, name: str | None = None
    ) -> None:
        self.database, self.channels, self.now = database, channels, now
        self.pace = pace or Pace()
        self.name = (name or f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}")[-120:]
        self._busy: Counter[str] = Counter()
        self._lock = threading.Lock()
        self.finished = threading.Event()
        """Set whenever a row is settled: what it held up may be due."""
        self._lease = dt.timedelta(seconds=self.pace.lease)
        self.done = Dispatched()

    # --- one row --------------------------------------------------------------------------------

    def claim(self, message_id: int | None = None) -> tuple[Claim, float] | None:
        """The next row to send and the instant (monotonic) of its claim; None when nothing is due for us."""
        with self._lock:
            full = [name for name, count in self._busy.items() if count >= self.pace.at_one_endpoint]
        at = time.monotonic()
        with self.database.write() as connection:
            found = outbox.claim(
                connection, self.now(), self.name, self._lease, busy=full, message_id=message_id, spacing=PACING,
                probe=dt.timedelta(seconds=self.pace.seconds),
            )  # fmt: skip
        if found is None:
            return None
        with self._lock:
            self._busy[found.endpoint] += 1
        return found, at

    def deliver(self, claim: Claim, claimed_at: float) -> Outcome:
        """Send one claimed row and settle it. Whatever a row holds, this does not raise on its account."""
        try:
            outcome = self._attempt(claim, claimed_at)
            self._settle(claim, outcome, claimed_at)
            with self._lock:
                self.done.outcomes[outcome.kind] += 1
            return outcome
        finally:
            with self._lock:
                self._busy[claim.endpoint] -= 1
            self.finished.set()

    def _attempt(self, claim: Claim, claimed_at: float) -> Outcome:
        if time.monotonic() - claimed_at > self.pace.lease - self.pace.seconds:
            # this process was stopped meanwhile: by the time of the answer, another may hold the row
            return Outcome("temporary", error=STALE)
        off = self.channels.off(claim.channel, claim.recipient)
        if off is not None:
            return Outcome("permanent", error=off, off=claim.channel == "email")
        try:
            with self.database.read() as connection:
                stands = outbox.endpoint(connection, claim.endpoint)
            if stands is not None and stands.disabled_at is not None and stands.address_hash == self.channels.address(claim):
                return Outcome("permanent", error="the receiver wants nothing more (410)")
            return self.channels.send(claim, self.now(), self.pace.seconds)
        except DBAPIError:
            raise
        except Exception as error:
            # a row that cannot be sent must not stop the others, nor come back for ever
            return Outcome("permanent", error=f"not sendable ({type(error).__name__})")

    def _settle(self, claim: Claim, outcome: Outcome, claimed_at: float) -> None:
        """Write the outcome; while the database cannot be reached, try on until the lease ends."""
        while True:
            try:
                self._write(claim, outcome)
                return
            except DBAPIError as error:
                if time.monotonic() - claimed_at > self.pace.lease:
                    LOG.warning("outbox row %s was not settled in time (%s); it is sent again", claim.id, type(error).__name__)
                    return
                time.sleep(min(1.0, self.pace.lease / 10))

    def _write(self, claim: Claim, outcome: Outcome) -> None:
        now = self.now()
        with self.database.write() as connection:
            if not outbox.settle(connection, claim, settlement(claim, outcome, now), now, self.channels.last_resort):
                return
            if outcome.gone:
                address = self.channels.address(claim)
                outbox.note_endpoint(connection, claim.endpoint, disabled_at=now, address_hash=address, not_before=None)
            elif outcome.whole and outcome.kind != "sent":
                failures = outbox.fail_endpoint(connection, claim.endpoint, stalled=outcome.stalled)
                pause = endpoint_pause(failures, outcome)
                outbox.note_endpoint(connection, claim.endpoint, not_before=now + pause if pause else None)
            elif claim.failures and outcome.error != STALE:
                outbox.note_endpoint(connection, claim.endpoint, failures=0, not_before=None)

    # --- many rows ------------------------------------------------------------------------------

    def tidy(self) -> None:
        """What is done to the outbox as a whole: wrong clocks, digests."""
        now = self.now()
        with self.database.write() as connection:
            repaired = outbox.clamp(connection, now, self._lease)
            outbox.merge(connection, now, dt.timedelta(seconds=self.pace.age_limit))
        if repaired:
            LOG.warning("%s instants of a clock that was ahead were repaired", repaired)

    def due_in(self, message_id: int | None = None) -> float | None:
        """Seconds until the next row is due (0 or less: now), None when nothing waits; a look that takes no lock."""
        with self.database.read() as connection:
            at = outbox.next_due(connection, message_id)
        return None if at is None else (at - self.now()).total_seconds()


def drain(dispatcher: Dispatcher, *, seconds: float, message_id: int | None = None) -> Dispatched:
    """Send what is due until nothing is for a while, or `seconds` have passed.

    Raises DBAPIError when the database is away.
    """
    end = time.monotonic() + seconds
    dispatcher.tidy()
    running: set[Future[Outcome]] = set()
    with ThreadPoolExecutor(dispatcher.pace.workers, thread_name_prefix="deliver") as pool:
        while time.monotonic() < end:
            dispatcher.finished.clear()
            running = _still(running)
            free = len(running) < dispatcher.pace.workers
            found = dispatcher.claim(message_id) if free else None
            wait = dispatcher.due_in(message_id) if found is None and not running else None
            if found is not None:
                running.add(pool.submit(dispatcher.deliver, *found))
            elif running:
                dispatcher.finished.wait(dispatcher.pace.poll)
            elif wait is None or wait > dispatcher.pace.patience:
                break
            else:
                time.sleep(min(max(wait, 0.05), end - time.monotonic(), 1.0))
    _still(running)
    return dispatcher.done


def _still(running: set[Future[Outcome]]) -> set[Future[Outcome]]:
    """The ones that are not done; an exception of one that is done is raised here."""
    for future in running:
        if future.done():
            future.result()
    return {future for future in running if not future.done()}


def run(
    dispatcher: Dispatcher, stop: threading.Event, watchdog: Callable[[dt.datetime], object] | None = None,
    beside: Callable[[dt.datetime], object] | None = None,
) -> Dispatched:  # fmt: skip
    """Dispatch until `stop` is set: look twice a second, beat every ten, call `watchdog` every minute.

    A database that is away is waited for. `watchdog` runs in a thread of its own, never twice at once; what it
    raises is logged and it is called again. `beside` is called each time that the outbox is tidied.
    """
    pace = dispatcher.pace
    due = {"beat": 0.0, "merge": 0.0, "watch": time.monotonic() + min(pace.watchdog, 5.0)}
    watching: Future[object] | None = None
    with (
        ThreadPoolExecutor(pace.workers, thread_name_prefix="deliver") as pool,
        ThreadPoolExecutor(1, thread_name_prefix="watchdog") as watcher,
    ):
        running: set[Future[Outcome]] = set()
        while not stop.is_set():
            dispatcher.finished.clear()
            running = {future for future in running if not _finished(future)}
            at = time.monotonic()
            try:
                if at >= due["beat"]:
                    with dispatcher.database.write() as connection:
                        outbox.beat(connection, HEARTBEAT, dispatcher.now())
                    due["beat"] = at + pace.heartbeat
                if at >= due["merge"]:
                    dispatcher.tidy()
                    if beside is not None:
                        beside(dispatcher.now())
                    due["merge"] = at + pace.merge
                if watchdog is not None and at >= due["watch"] and (watching is None or _finished(watching)):
                    watching = watcher.submit(watchdog, dispatcher.now())
                    due["watch"] = at + pace.watchdog
                # a look takes no lock; after a claim, more is likely to be due
                wait = 0.0 if running else dispatcher.due_in()
                ready = wait is not None and wait <= 0 and len(running) < pace.workers
                found = dispatcher.claim() if ready else None
            except DBAPIError as error:
                LOG.warning("the database cannot be used (%s); trying on", type(error).__name__)
                stop.wait(1.0)
                continue
            if found is not None:
                running.add(pool.submit(dispatcher.deliver, *found))
            elif running:
                dispatcher.finished.wait(pace.poll)
            else:
                stop.wait(pace.poll)
    return dispatcher.done


def _finished(future: Future[object] | Future[Outcome]) -> bool:
    """Whether it is done; an exception is logged by its class (its text may hold what is not for logs)."""
    if not future.done():
        return False
    error = future.exception()
    if error is not None:
        LOG.error("%s in a thread of the dispatcher", type(error).__name__)
    return True
