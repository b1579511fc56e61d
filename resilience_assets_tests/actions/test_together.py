"""Runs beside each other, and runs that are cut off: one consistent set of rows at the end."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import func, select

import resilience_assets
from resilience_assets.actions.deliver import deliver_pending
from resilience_assets.actions.evaluate_alerts import evaluate_alerts
from resilience_assets.actions.report_absence import report_absence
from resilience_assets.storage import tables
from resilience_assets.storage.database import Database
from resilience_assets_tests.actions.building import FIRST, NOW, POLICIES, check, load, program, shown, source, works
from resilience_assets_tests.actions.test_check_health import DOUBLE, ill
from resilience_assets_tests.storage.dumping import differences, dump
from resilience_assets_tests.storage.writing import read

CODES = ("a", "b", "c", "d")
IDS = (
    "freeze.id", "freeze.version_id", "roster_version.id", "result.id", "result.version_id", "utilization_row.id", "utilization_row.result_id",
    "redundancy_row.id", "redundancy_row.result_id", "health_check.id", "health_check.freeze_id", "health_check.version_id",
    "health_check.utilization_id", "health_check.redundancy_id", "health_check.contingency_id", "contingency_row.result_id",
    "contingency_person_row.id", "contingency_person_row.result_id", "contingency_pair_row.id", "contingency_pair_row.result_id",
    "result_detail.result_id",
)  # fmt: skip
"""Who comes first decides these."""


def prepare(database):  # type: ignore[no-untyped-def]
    for code in CODES:
        load(database, program(code, **({"assignments": DOUBLE} if code == "c" else {})), code)


def at_once(database, *acts):  # type: ignore[no-untyped-def]
    """Run each act in a thread of its own, with a connection of its own; returns what was raised."""
    begin, errors = threading.Barrier(len(acts)), []

    def run(act):  # type: ignore[no-untyped-def]
        own = Database(database.url)
        try:
            begin.wait(10)
            act(own)
        except Exception as error:
            errors.append(error)
        finally:
            own.dispose()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


def test_three_checks_of_one_instant_leave_what_one_leaves(database, twin):
    for one in (database, twin):
        prepare(one)
    check(twin)
    assert at_once(database, check, check, check) == []
    assert differences(dump(twin, IDS), dump(database, IDS)) == []
    before = dump(database)
    check(database)
    assert differences(before, dump(database)) == []


def test_two_evaluations_at_once_open_each_incident_once(database):
    prepare(database)
    ill(database)
    check(database)
    assert at_once(database, *[lambda own: evaluate_alerts(own, POLICIES)] * 3) == []
    with database.read() as connection:
        assert connection.execute(select(tables.Incident.rule, tables.Incident.scope_key).order_by(tables.Incident.id)).all() == [
            ("coverage", ""), ("tier_1_seats", ""), ("coverage", "icu"), ("data_stale", ""),
        ]  # fmt: skip
        assert connection.execute(select(func.count()).select_from(tables.Notice)).scalar_one() == 3
    assert at_once(database, *[lambda own: deliver_pending(own, NOW)] * 3) == []
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(tables.InboxMessage)).scalar_one() == 3


def test_two_imports_of_one_program_at_once_leave_one_roster(database):
    load(database, program(), "one")
    changes = [source(program=None, assignments=[works(who, day) for day in range(30)]) for who in "CD"]
    errors = at_once(database, *[lambda own, i=i: load(own, changes[i], f"c{i}", program="fm") for i in range(2)])
    assert errors == []
    roster = read(database)
    seated = {roster.people[p].id for p in range(5) if (roster.planned[p, : 30 * 3] >= 0).any()}
    assert len(seated) == 1  # the second replaced the first: nobody is on the same seat twice
    with database.read() as connection:
        assert connection.execute(select(tables.Program.revision)).scalar_one() == 3


def test_two_imports_of_a_new_program_at_once_make_one_program(database):
    errors = at_once(database, *[lambda own, i=i: load(own, program(), f"c{i}") for i in range(2)])
    assert errors == []
    with database.read() as connection:
        assert connection.execute(select(tables.Program.code)).scalars().all() == ["fm"]
    assert len(read(database).people) == 5


def test_an_absence_and_a_check_at_once(database):
    """The check in the quarter of an hour finds the roster before or after; the newest headline knows of the absence."""
    load(database, program(), "one")

    def absent(own):  # type: ignore[no-untyped-def]
        report_absence(own, POLICIES, "A", first=FIRST + 1, last=FIRST + 2, kind="sick", now=NOW, by="chief")

    assert at_once(database, absent, check, check) == []
    assert shown(database).coverage == 14 / 16
    check(database, 1)
    assert shown(database).coverage == 14 / 16


def run_child(url: str, kill_in: int) -> subprocess.CompletedProcess[str]:
    root = Path(resilience_assets.__file__).parents[1]
    command = [sys.executable, "-m", "resilience_assets_tests.actions.killed_check", url, str(kill_in)]
    return subprocess.run(command, cwd=root, env=os.environ | {"PYTHONPATH": str(root)}, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("kill_in", [2, 6, 7])
def test_a_check_killed_on_the_way_and_run_again_leaves_the_rows_of_an_undisturbed_one(database, twin, kill_in):
    for one in (database, twin):
        prepare(one)
    died = run_child(database.url, kill_in)
    assert died.returncode == -signal.SIGKILL, died.stderr
    check(database)
    check(twin)
    # PostgreSQL does not give a number back that was taken and not kept
    without = () if database.sqlite else IDS
    assert differences(dump(twin, without), dump(database, without)) == []
    assert shown(database, "a").status == "healthy"


def test_the_check_has_as_many_writes_as_the_kills_assume(sqlite_database):
    prepare(sqlite_database)
    done = run_child(sqlite_database.url, 0)
    assert int(done.stdout) >= 7, done.stderr
