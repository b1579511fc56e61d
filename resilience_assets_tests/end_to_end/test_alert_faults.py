"""Alerts and snapshots when processes are killed, when five hundred things break at once, and when nobody watches.

Real processes, real mail and HTTP peers. What was killed when is drawn from a seed; each test prints its figure.
"""

from __future__ import annotations

import datetime as dt
import json
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import psutil
import pytest
from sqlalchemy import text

from resilience_assets.actions.import_roster import import_path
from resilience_assets.resources.as_of import TAG
from resilience_assets.storage import ledger, tables
from resilience_assets.storage.database import Database
from resilience_assets_tests.assets.deploying import Scratch, small_set, write_set
from resilience_assets_tests.delivery.peers import Mailbox, Receiver, mail_server, receiver
from resilience_assets_tests.delivery.rows import rows
from resilience_assets_tests.end_to_end.apart import Apart, apart, to_peers
from resilience_assets_tests.end_to_end.running import until
from resilience_assets_tests.storage.dumping import Rows, differences, dump

pytestmark = pytest.mark.slow

SEED = 41
KILLS = 5
MINUTE = dt.timedelta(minutes=1)
RESULTS = (
    "freeze", "roster_version", "result", "result_detail", "utilization_row", "redundancy_row", "contingency_row",
    "contingency_person_row", "contingency_pair_row", "health_check",
)  # fmt: skip
"""Tables of which a snapshot consists."""
BY_THE_CLOCK = (
    "incident_event.at", "incident.base_at", "notice.delivered_at", "inbox_message.written_at", "outbox.created_at",
    "outbox.next_at", "rule_cursor",
)  # fmt: skip
"""Columns that hold the time of day, whatever instant the figures speak of."""


def short(**options: Any) -> dict[str, str]:
    """The small program without the second of two at the ICU: coverage 16 of 24."""
    files = small_set(**options)
    files["assignments"] = "\n".join(line for line in files["assignments"].splitlines() if not line.startswith("A-02")) + "\n"
    return files


def bring(database: Database, folder: Path, files: dict[str, str], now: dt.datetime) -> None:
    """Import a CSV set, which must go through."""
    path = write_set(folder / f"set-{len(list(folder.glob('set-*')))}", files)
    report = import_path(database, path, now=now, by="a test")
    assert report.outcome == "imported", report


# --- the worker of a health check is killed ----------------------------------------------------------------


def test_a_killed_worker_leaves_no_half_snapshot_and_writes_nothing_after_its_failure(tmp_path: Path) -> None:
    drawn = random.Random(SEED)
    now = dt.datetime.now(dt.UTC).replace(second=0, microsecond=0) - 2 * KILLS * MINUTE
    (tmp_path / "twin").mkdir()
    shown, reached = [], Counter[str]()
    with apart(tmp_path) as running, dg.DagsterInstance.ephemeral() as unused:
        twin = Scratch(tmp_path / "twin", unused)
        ours, theirs = running.here.database, twin.deployment.database
        running.start_server()
        length = None
        for number in range(KILLS + 1):
            now += MINUTE
            for database, folder in ((ours, tmp_path), (theirs, tmp_path / "twin")):
                for letter in "abc":
                    bring(database, folder, short(code=f"p{number}{letter}"), now)
            twin.check(**{TAG: now.isoformat()})
            whole = dump(theirs, BY_THE_CLOCK)
            if length is None:
                length = _undisturbed(running, now)
            else:
                after = length * (number - 1 + drawn.random()) / KILLS
                shown.append(_kill_worker(running, now, after))
                left = dump(ours, BY_THE_CLOCK)
                assert half_snapshots(left, whole) == []
                reached[_furthest(left, whole)] += 1
                _undisturbed(running, now)
            assert differences(whole, dump(ours, BY_THE_CLOCK)) == []
        assert ledger.breaches(ours) == {}
    assert len(shown) == KILLS
    print(f"{KILLS} workers killed within {length:.1f} s of a check ({dict(reached)} when it died): FAILURE after "
          f"{', '.join(f'{one:.1f}' for one in shown)} s, 0 half snapshots, 0 writes after it, all rows there after the next run")  # fmt: skip
    assert max(shown) <= 5


def _undisturbed(running: Apart, now: dt.datetime) -> float:
    """A health check that goes through; returns the seconds from its start to its end."""
    run_id = running.launch("periodic_health_check", {TAG: now.isoformat()})
    until(lambda: running.status(run_id) is not dg.DagsterRunStatus.STARTING, 60, "the start of the run")
    began = time.monotonic()
    until(lambda: running.status(run_id) in (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE), 60, "the end of the run")
    assert running.status(run_id) is dg.DagsterRunStatus.SUCCESS
    return time.monotonic() - began


def _kill_worker(running: Apart, now: dt.datetime, after: float) -> float:
    """Launch a health check and kill its worker so many seconds after its start; returns how long FAILURE took.

    From then on nothing is written: a step that outlived its worker would show.
    """
    run_id = running.launch("periodic_health_check", {TAG: now.isoformat()})
    (worker,) = running.workers()
    while running.status(run_id) is not dg.DagsterRunStatus.STARTED:
        time.sleep(0.01)
    time.sleep(after)
    worker.kill()
    began = time.monotonic()
    while (status := running.status(run_id)) is dg.DagsterRunStatus.STARTED and time.monotonic() - began < 30:
        time.sleep(0.05)
    took = time.monotonic() - began
    assert status is dg.DagsterRunStatus.FAILURE, f"it was {status} {after:.2f} s after its start"
    before, events = dump(running.here.database), len(running.instance.all_logs(run_id))
    time.sleep(3)
    assert differences(before, dump(running.here.database)) == []
    assert len(running.instance.all_logs(run_id)) == events
    return took


def half_snapshots(ours: Database, theirs: Database, whole: dict[str, Rows]) -> list[str]:
    """Rows of results that an undisturbed run does not leave, and results of which only some rows are there."""
    left = dump(ours, BY_THE_CLOCK)
    out = [f"{table}: {row}" for table in RESULTS for row in set(left[table]) - set(whole[table])]
    there, wanted = _rows_of_results(ours), _rows_of_results(theirs)
    done = {row.id for row in rows(ours, tables.Result)}
    out += [f"{key}: {there[key]} of {count} rows" for key, count in wanted.items() if key[1] in done and there[key] != count]
    return out + [f"{key}: rows of a result that is not there" for key in there if key[1] not in done]


def _rows_of_results(database: Database) -> Counter[tuple[str, int]]:
    """How many rows there are, by table and result."""
    out = Counter[tuple[str, int]]()
    with database.read() as connection:
        for table in RESULTS:
            if table.endswith("_row"):
                query = text(f"SELECT result_id, COUNT(*) FROM {table} GROUP BY result_id")
                out.update({(table, int(id)): int(count) for id, count in connection.execute(query)})
    return out


def _furthest(left: dict[str, Rows], whole: dict[str, Rows]) -> str:
    """The last table of a check that is complete."""
    steps = ("freeze", "utilization_row", "redundancy_row", "contingency_row", "health_check", "incident_event")
    done = [name for name in steps if left[name] == whole[name]]
    return done[-1] if done else "nothing"
