"""Alerts and snapshots when processes are killed, when five hundred things break at once, and when nobody watches.

Real processes, real mail and HTTP peers. What was killed when is drawn from a seed; each test prints its figure.
"""

from __future__ import annotations

import datetime as dt
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest
from click.testing import CliRunner
from sqlalchemy import text

from resilience_assets.actions.deliver import deliver_pending
from resilience_assets.actions.import_roster import import_path
from resilience_assets.cli import resilience
from resilience_assets.cli.dispatch import _watch
from resilience_assets.delivery.dispatcher import Dispatcher, Pace, run
from resilience_assets.resources.as_of import TAG
from resilience_assets.resources.deployment import Clock, deployment
from resilience_assets.settings import Settings
from resilience_assets.storage import ledger, outbox, tables
from resilience_assets.storage.database import Database
from resilience_assets_tests.assets.deploying import CANARY, NOW, Scratch, SetClock, small_set, write_set
from resilience_assets_tests.automation.daemon import Daemon, daemon
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


def short(code: str) -> dict[str, str]:
    """The small program without the second of two at the ICU: coverage 16 of 24."""
    files = small_set(code)
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
    lengths, shown, reached = list[float](), list[float](), Counter[str]()
    with apart(tmp_path) as running, dg.DagsterInstance.ephemeral() as unused:
        twin = Scratch(tmp_path / "twin", unused)
        ours, theirs = running.here.database, twin.deployment.database
        running.start_server()
        while len(shown) < KILLS and len(lengths) < 2 * KILLS:
            now += MINUTE
            for database, folder in ((ours, tmp_path), (theirs, tmp_path / "twin")):
                for letter in "abc":
                    bring(database, folder, short(f"p{len(lengths)}{letter}"), now)
            twin.check(**{TAG: now.isoformat()})
            whole = dump(theirs, BY_THE_CLOCK)
            if lengths:
                took = _kill_worker(running, now, min(lengths) * (len(shown) + drawn.random()) / KILLS)
                assert half_snapshots(ours, theirs, whole) == []
                if took is not None:
                    shown.append(took)
                    reached[_furthest(dump(ours, BY_THE_CLOCK), whole)] += 1
            lengths.append(_undisturbed(running, now))
            assert differences(whole, dump(ours, BY_THE_CLOCK)) == []
        assert ledger.breaches(ours) == {}
    assert len(shown) == KILLS
    print(f"{KILLS} workers killed within {min(lengths):.1f} s of a check (furthest when they died: {dict(reached)}): FAILURE after "
          f"{', '.join(f'{one:.1f}' for one in shown)} s, 0 half snapshots, 0 writes after it, all rows there after the next run")  # fmt: skip
    assert max(shown) <= 5


def _undisturbed(running: Apart, now: dt.datetime) -> float:
    """A health check that goes through; returns the seconds from its start to its end."""
    run_id = running.launch("periodic_health_check", {TAG: now.isoformat()})
    until(lambda: running.status(run_id) is not dg.DagsterRunStatus.STARTING, 60, "the start of the run")
    began = time.monotonic()
    ended = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE)
    while running.status(run_id) not in ended and time.monotonic() - began < 45:
        time.sleep(0.05)
    assert running.status(run_id) is dg.DagsterRunStatus.SUCCESS, running.why(run_id)
    return time.monotonic() - began


def _kill_worker(running: Apart, now: dt.datetime, after: float) -> float | None:
    """Launch a health check and kill its worker so many seconds after its start; returns how long FAILURE took, None for
    a run that was quicker.

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
    if status is dg.DagsterRunStatus.SUCCESS:
        return None
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


# --- the daemon is killed ------------------------------------------------------------------------------------

CATCH_UP_SECONDS = 60
KILL_WITHIN = 20.0
"""Seconds after the crossing in which a daemon dies: ticks, the check and the delivery all lie within them."""


@pytest.fixture
def peers() -> Iterator[tuple[Mailbox, Receiver]]:
    with mail_server() as box, receiver() as web:
        yield box, web


def test_alerts_survive_a_daemon_that_is_killed_at_any_moment(tmp_path: Path, peers: tuple[Mailbox, Receiver]) -> None:
    box, web = peers
    drawn = random.Random(SEED)
    caught_up, moments = list[float](), list[str]()
    codes = [f"p{number}" for number in range(KILLS)]
    with apart(tmp_path, **to_peers(box, web)) as running:
        database = running.here.database
        for code in codes:
            bring(database, tmp_path, small_set(code), dt.datetime.now(dt.UTC))
        running.start_server()
        running.start_daemon()
        until(lambda: _at_rest(running), 120, "the first check")
        for number, code in enumerate(codes):
            crossed, since = time.monotonic(), dt.datetime.now(dt.UTC)
            bring(database, tmp_path, short(code), dt.datetime.now(dt.UTC))
            time.sleep(max(0.0, crossed + KILL_WITHIN * (number + drawn.random()) / KILLS - time.monotonic()))
            running.kill_daemon()
            moments.append(f"{time.monotonic() - crossed:.1f} s ({_progress(running, since)})")
            running.start_daemon()
            began = time.monotonic()
            until(lambda code=code: _told(database, code) and _at_rest(running), 2 * CATCH_UP_SECONDS, f"the alert of {code}")
            caught_up.append(time.monotonic() - began)
        lost, repeats, twice = _at_the_peers(database, box, web)
        assert ledger.breaches(database) == {}
    print(f"daemon killed {KILLS} times, {', '.join(moments)} after a crossing: {lost} lost, {twice} twice, {repeats} repeats on the wire; "
          f"caught up {', '.join(f'{one:.0f}' for one in caught_up)} s after the restart")  # fmt: skip
    assert (lost, twice) == (0, 0)
    for code in codes:
        assert _told(database, code) == 1, "one incident a breach"
    assert max(caught_up) <= CATCH_UP_SECONDS


def _told(database: Database, code: str) -> int:
    """How many incidents of coverage below its limit a program has had, at the level of the program."""
    with database.read() as connection:
        query = text("SELECT COUNT(*) FROM incident i JOIN program p ON p.id = i.program_id "
                     "WHERE p.code = :code AND i.rule = 'coverage' AND i.scope_key = ''")  # fmt: skip
        return int(connection.execute(query, {"code": code}).scalar_one())


def _at_rest(running: Apart) -> bool:
    """What was told has arrived, and no revision waits for its check."""
    database = running.here.database
    settled = all(row.state == "sent" for row in rows(database)) and all(one.delivered_at for one in rows(database, tables.Notice))
    return settled and all(one.revision == one.checked_revision for one in rows(database, tables.Program))


def _progress(running: Apart, since: dt.datetime) -> str:
    """How far the runs had come that were made since an instant."""
    found = running.instance.get_runs(dg.RunsFilter(created_after=since))
    return ", ".join(f"{run.job_name} {run.status.value}" for run in reversed(found)) or "no run yet"


def _at_the_peers(database: Database, box: Mailbox, web: Receiver) -> tuple[int, int, int]:
    """Notices that no peer got; messages that came again under the same id; messages told twice under different ids."""
    wanted = {(row.channel, row.idem_key[:40]) for row in rows(database)}
    mails = [("email", id[1:41]) for id in box.ids()]
    hooks = [("webhook", id.removeprefix("msg_")) for id in web.ids()]
    said = {(key, str(mail["Subject"]), mail.get_body(("plain",)).get_content()) for key, mail in zip(mails, box.mails, strict=True)}  # type: ignore[union-attr]
    posted = {(key, json.dumps(json.loads(one.body)["data"], sort_keys=True)) for key, one in zip(hooks, web.got, strict=True)}
    twice = sum(Counter(what[1:] for what in said).values()) - len({what[1:] for what in said})
    twice += len(posted) - len({what for _, what in posted})
    got = set(mails) | set(hooks)
    return len(wanted - got), len(mails) + len(hooks) - len(got), twice + len(got - wanted)


# --- five hundred at once --------------------------------------------------------------------------------------

PROGRAMS, SERVICES = 10, 50


def wide_set(code: str, *, staffed: bool) -> dict[str, str]:
    """A program of many services with one seat each; nobody is on any of them where it is not staffed."""
    numbers = range(SERVICES)
    dates = [NOW.date() + dt.timedelta(days=n) for n in range(10)]
    works = [f"A-{n:02},{day},AM,s{n}/att" for day in dates for n in numbers]
    return small_set(code) | {
        "people": "\n".join(["person,name,role", *(f"A-{n:02},{CANARY} Tester{n},att" for n in numbers)]) + "\n",
        "services": "\n".join(["service,name,tier", *(f"s{n},Service {n},3" for n in numbers)]) + "\n",
        "posts": "\n".join(["service,role", *(f"s{n},att" for n in numbers)]) + "\n",
        "qualifications": "\n".join(["person,post", *(f"A-{n:02},s{n}/att" for n in numbers)]) + "\n",
        "demand_rules": "\n".join(["post,weekday,slot,required,minimum", *(f"s{n}/att,daily,AM,1,0" for n in numbers)]) + "\n",
        "assignments": "\n".join(["person,date,shift,post", *(works if staffed else [f"A-00,{day},AM,FREE" for day in dates])]) + "\n",
    }


def stop_sensor(running: Daemon, name: str) -> None:
    """Switch a sensor off, as a click in the UI does."""
    location = running.workspace.create_request_context().get_code_location("resilience_assets")
    (repository,) = location.get_repositories().values()
    sensor = repository.get_sensor(name)
    running.instance.stop_sensor(sensor.get_remote_origin_id(), sensor.selector_id, sensor)


@pytest.mark.parametrize("by", ["the job", "dispatch"])
def test_five_hundred_breaches_at_once_are_two_runs_at_most(
    tmp_path: Path, peers: tuple[Mailbox, Receiver], monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    box, web = peers
    monkeypatch.chdir(tmp_path)
    for name, value in ({"RESILIENCE_STATE_DIR": str(tmp_path / ".resilience")} | to_peers(box, web)).items():
        monkeypatch.setenv(name, value)
    (tmp_path / ".resilience").mkdir()
    database = deployment(Settings.from_environment()).database
    with daemon(tmp_path / "dagster") as running:
        start = dt.datetime.now(dt.UTC).replace(microsecond=0)
        ticks = (start + dt.timedelta(seconds=20 * n) for n in range(100))
        if by == "dispatch":
            stop_sensor(running, "threshold_sensor")
        for staffed in (True, False):
            for number in range(PROGRAMS):
                bring(database, tmp_path, wide_set(f"p{number}", staffed=staffed), dt.datetime.now(dt.UTC))
            if not staffed:
                before = len(rows(database))
            checked = [run.job_name for run in running.sensors(next(ticks))]
            assert checked.count("periodic_health_check") == 1
        found = [row for row in rows(database, tables.Incident) if row.closed_at is None]
        breaches = [row for row in found if row.rule == "coverage" and row.scope_key]
        began = time.monotonic()
        if by == "dispatch":
            CliRunner().invoke(resilience, ["dispatch", "--once"], catch_exceptions=False)
        jobs = [run.job_name for _ in range(5) for run in running.sensors(next(ticks))]
        took = time.monotonic() - began
        status = {run.status for run in running.instance.get_runs()}
    written = rows(database)[before:]
    groups = {(row.program_id, row.rule) for row in found}
    runs = jobs.count("deliver_alerts") + checked.count("deliver_alerts")
    print(f"{len(breaches)} services breached at once: {len(written)} notices to 2 readers in {len(groups)} groups, {runs} delivery runs, "
          f"drained by {by} in {took:.1f} s")  # fmt: skip
    assert len(breaches) == PROGRAMS * SERVICES
    assert max(Counter((row.incident_id, row.channel, row.recipient) for row in written).values()) == 1
    assert len(written) <= 2 * len(groups)
    assert runs <= (0 if by == "dispatch" else 2)
    assert status == {dg.DagsterRunStatus.SUCCESS}
    assert {row.state for row in rows(database)} == {"sent"}
    assert _at_the_peers(database, box, web) == (0, 0, 0)
    assert ledger.breaches(database) == {}
    assert took <= 60


# --- nobody watches ----------------------------------------------------------------------------------------------

QUARTER = dt.timedelta(minutes=15)


@pytest.fixture
def watched(tmp_path: Path, peers: tuple[Mailbox, Receiver], monkeypatch: pytest.MonkeyPatch) -> Iterator[Scratch]:
    """A deployment that tells the peers, with one program that was checked just now, and a clock to be moved."""
    monkeypatch.chdir(tmp_path)  # where .env would be read
    with dg.DagsterInstance.ephemeral() as instance:
        made = Scratch(tmp_path, instance, **to_peers(*peers))
        made.clock.at = dt.datetime.now(dt.UTC).replace(second=0, microsecond=0)  # NOW may be long ago
        bring(made.deployment.database, tmp_path, small_set(), made.clock.at)
        made.check(**{TAG: made.clock.at.isoformat()})
        assert made.job("deliver_alerts").success
        yield made
        made.deployment.database.dispose()


@contextmanager
def dispatching(watched: Scratch) -> Iterator[None]:
    """The loop of `resilience dispatch`, which looks at the clock twice a second in place of every minute."""
    here, stop = watched.deployment, threading.Event()
    sender = Dispatcher(here.database, here.channels(), here.clock.now, Pace(watchdog=0.5, poll=0.05, heartbeat=0.2, merge=0.5))

    def beside(at: dt.datetime) -> None:
        deliver_pending(here.database, at)

    loop = threading.Thread(target=run, args=(sender, stop, lambda at: _watch(here, sender, at), beside))
    loop.start()
    try:
        yield
    finally:
        stop.set()
        loop.join(30)


def _heartbeats(watched: Scratch) -> list[dt.datetime]:
    with watched.deployment.database.read() as connection:
        return list(outbox.heartbeats(connection).values())


def subjects(box: Mailbox) -> list[str]:
    return [str(mail["Subject"]) for mail in box.mails]


def test_the_dispatcher_tells_once_that_no_health_check_came_for_45_minutes(watched: Scratch, peers: tuple[Mailbox, Receiver]) -> None:
    box, web = peers
    before, hooks, start = len(box.mails), len(web.got), watched.clock.at
    with dispatching(watched):
        for minutes in (20, 44):
            watched.clock.at = start + minutes * MINUTE
            time.sleep(2)
            assert subjects(box)[before:] == []
        for minutes in (46, 50):
            watched.clock.at = start + minutes * MINUTE
            until(lambda: len(box.mails) == before + 1 and len(web.got) == hooks + 1, 60, "the alert")
            time.sleep(2)
        assert ["No health check for 46 minutes" in one for one in subjects(box)[before:]] == [True], subjects(box)
        watched.check(**{TAG: watched.clock.at.isoformat()})
        watched.clock.at += MINUTE
        until(lambda: len(box.mails) == before + 2 and len(web.got) == hooks + 2, 60, "the message that it is over")
    assert subjects(box)[-1].startswith("[over]")
    assert len(web.got) == hooks + 2
    assert ledger.breaches(watched.deployment.database) == {}
    print(f"silence at 44 minutes, one message at 46, one when it was over: {subjects(box)[before:]}")


def test_the_health_check_tells_that_the_dispatcher_is_silent(watched: Scratch, peers: tuple[Mailbox, Receiver]) -> None:
    box, _ = peers
    start = watched.clock.at

    def next_check(minutes: int) -> list[str]:
        """Subjects of what a health check and its delivery at that time bring."""
        before = len(box.mails)
        watched.clock.at = start + minutes * MINUTE
        watched.check(**{TAG: watched.clock.at.isoformat()})
        assert watched.job("deliver_alerts").success
        return subjects(box)[before:]

    assert next_check(3) == [], "none was ever started: none is missed"
    with dispatching(watched):
        until(lambda: _heartbeats(watched), 60, "the first heartbeat")
    assert next_check(12) == []
    (silent,) = next_check(14)
    assert "The dispatcher of alerts has been silent for 11 minutes" in silent
    assert next_check(20) == [], "told once"
    with dispatching(watched):
        until(lambda: _heartbeats(watched)[0] == watched.clock.at, 60, "a heartbeat")
    (over,) = next_check(21)
    assert over.startswith("[over]")
    assert ledger.breaches(watched.deployment.database) == {}


def test_a_scheduled_run_that_failed_is_found_by_the_next_health_check(
    tmp_path: Path, peers: tuple[Mailbox, Receiver], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing was told when it failed: it is found in the record of runs by whoever looks next."""
    box, web = peers
    overlay = tmp_path / "policy.yaml"
    overlay.write_text("{}\n")
    variables = {"RESILIENCE_STATE_DIR": str(tmp_path / ".resilience"), "RESILIENCE_POLICY": str(overlay)}
    monkeypatch.chdir(tmp_path)
    for name, value in (variables | to_peers(box, web)).items():
        monkeypatch.setenv(name, value)
    (tmp_path / ".resilience").mkdir()
    clock = SetClock()
    monkeypatch.setattr(Clock, "now", lambda _self: clock.at)  # of the code location, which Dagster loads by itself
    database = deployment(Settings.from_environment()).database
    first = NOW + QUARTER - (NOW - NOW.replace(minute=0)) % QUARTER
    with daemon(tmp_path / "dagster") as running:
        running.schedules(first - MINUTE)
        bring(database, tmp_path, small_set(), first - MINUTE)
        said, failed = list[list[str]](), ""
        for number, (policy, wanted) in enumerate([("{}", "SUCCESS"), ("utilization: [", "FAILURE"), ("{}", "SUCCESS"), ("{}", "SUCCESS")]):
            overlay.write_text(policy + "\n")
            at = first + number * QUARTER + dt.timedelta(seconds=5)
            clock.at = at + dt.timedelta(seconds=5)
            (made,) = [one for one in running.schedules(at) if one.job_name == "periodic_health_check"]
            assert made.status.value == wanted
            before = len(box.mails)
            if wanted == "SUCCESS":
                clock.at = at + dt.timedelta(seconds=20)
                running.sensors(clock.at)
            said.append([one for one in subjects(box)[before:] if "scheduled run" in one])
            if wanted == "FAILURE":
                failed = made.run_id
    assert [len(one) for one in said] == [0, 0, 1, 1]
    assert f"The scheduled run resilience_health_check failed: run {failed[:8]}" in said[2][0]
    assert said[3][0].startswith("[over]")
    assert ledger.breaches(database) == {}
    print(f"a run failed, nobody was told; the next check: {said[2][0]}; the one after: {said[3][0]}")
