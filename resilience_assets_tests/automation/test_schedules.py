"""Schedules: real ticks, through Dagster's own scheduler, around the days on which clocks change."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from dagster._utils.schedules import schedule_execution_time_iterator
from sqlalchemy import select

from resilience_assets.actions.import_roster import import_path
from resilience_assets.automation.schedules import resilience_health_check, schedules
from resilience_assets.domain.days import day_of
from resilience_assets.resources.as_of import TAG
from resilience_assets.resources.deployment import deployment
from resilience_assets.settings import Settings
from resilience_assets.storage import results, tables
from resilience_assets_tests.assets.deploying import small_set, write_set
from resilience_assets_tests.automation.daemon import Daemon, daemon

QUARTER = dt.timedelta(minutes=15)
CHECK, ANALYSIS = "periodic_health_check", "run_contingency_analysis"
CLOCK_CHANGES = {
    "spring in New York": dt.datetime(2026, 3, 8, 6, tzinfo=dt.UTC),
    "autumn in New York": dt.datetime(2026, 11, 1, 5, tzinfo=dt.UTC),
    "spring in Warsaw": dt.datetime(2026, 3, 29, 0, tzinfo=dt.UTC),
}
"""An hour before each change."""


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    """A daemon in a deployment in New York."""
    state = tmp_path / ".resilience"
    state.mkdir()
    monkeypatch.setenv("RESILIENCE_STATE_DIR", str(state))
    monkeypatch.setenv("RESILIENCE_TIME_ZONE", "America/New_York")
    with daemon(tmp_path) as here:
        yield here


def test_two_ticks_are_two_health_checks_as_of_their_own_times(running: Daemon, tmp_path: Path) -> None:
    first = dt.datetime(2026, 3, 8, 7, 0, tzinfo=dt.UTC)
    assert running.schedules(first - dt.timedelta(minutes=1)) == [], "the first look only notes when it began"
    here = deployment(Settings.from_environment(directory=tmp_path))
    files = small_set(today=first.date())
    import_path(here.database, write_set(tmp_path / "set", files), now=first - dt.timedelta(hours=1), by="a test")

    for n in range(2):
        tick = first + n * QUARTER
        made = {run.job_name: run for run in running.schedules(tick + dt.timedelta(seconds=2)) if run.job_name in (CHECK, ANALYSIS)}
        # 07:00 UTC is 03:00 in New York, in place of the 02:00 that this night has not
        assert set(made) == {CHECK} | ({ANALYSIS} if n == 0 else set())
        for run in made.values():
            assert run.status is dg.DagsterRunStatus.SUCCESS
            assert dt.datetime.fromisoformat(run.tags[TAG]) == tick
            assert run.tags["dagster-celery/queue"] == "resilience"
        assert running.schedules(tick + dt.timedelta(seconds=40)) == [], "one run a tick"
    with here.database.read() as connection:
        found = results.headlines_after(connection, 0)
    assert [row.as_of for row in found] == [first, first + QUARTER]
    assert [row.status for row in found] == ["healthy", "healthy"]


def ticks_of(schedule: dg.ScheduleDefinition, start: dt.datetime) -> Iterator[dt.datetime]:
    """Instants of a schedule from an instant on, as Dagster's scheduler counts them."""
    return schedule_execution_time_iterator(start.timestamp(), schedule.cron_schedule, schedule.execution_timezone)


@pytest.mark.parametrize("start", CLOCK_CHANGES.values(), ids=CLOCK_CHANGES)
def test_the_health_check_has_no_gap_and_no_double_when_clocks_change(start: dt.datetime) -> None:
    ticks = ticks_of(resilience_health_check, start)
    instants = [next(ticks).astimezone(dt.UTC) for _ in range(4 * 4 + 1)]
    assert instants == [start + n * QUARTER for n in range(17)]


@pytest.mark.parametrize("start", CLOCK_CHANGES.values(), ids=CLOCK_CHANGES)
def test_every_tick_asks_for_one_run_as_of_itself(start: dt.datetime) -> None:
    seen = set()
    for n in range(12):
        tick = start + n * QUARTER
        with dg.build_schedule_context(scheduled_execution_time=tick) as context:
            (request,) = resilience_health_check.evaluate_tick(context).run_requests or []
        assert dt.datetime.fromisoformat(request.tags[TAG]) == tick
        seen.add(request.run_key)
    assert len(seen) == 12


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/Warsaw", "Australia/Lord_Howe", "UTC"])
def test_nightly_upkeep_runs_once_a_night_in_the_deployments_zone(zone: str) -> None:
    (nightly,) = [one for one in schedules(zone) if one.name == "resilience_maintenance"]
    ticks = ticks_of(nightly, dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    nights = [next(ticks) for _ in range(365)]
    assert all((night.hour, night.minute) == (4, 30) for night in nights)
    assert len({night.date() for night in nights}) == 365


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/Warsaw", "Australia/Lord_Howe", "UTC"])
def test_the_contingency_analysis_runs_once_a_night_also_when_02_00_is_missing_or_comes_twice(zone: str) -> None:
    (nightly,) = [one for one in schedules(zone) if one.name == "resilience_contingency_analysis"]
    ticks = ticks_of(nightly, dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    nights = [next(ticks) for _ in range(365)]
    assert len({night.date() for night in nights}) == 365
    odd = [night for night in nights if (night.hour, night.minute) != (2, 0)]
    assert len(odd) <= 1, "the night that has no 02:00"
    assert all(night.hour in (2, 3) for night in odd)
    assert all(dt.timedelta(hours=22) < later - earlier < dt.timedelta(hours=26) for earlier, later in pairwise(in_utc(nights)))


def in_utc(instants: list[dt.datetime]) -> list[dt.datetime]:
    return [one.astimezone(dt.UTC) for one in instants]


@pytest.mark.parametrize("tick", [dt.datetime(2026, 11, 1, 6, tzinfo=dt.UTC), dt.datetime(2026, 3, 8, 7, tzinfo=dt.UTC)])
def test_a_night_asks_for_one_analysis_as_of_itself(tick: dt.datetime) -> None:
    (nightly,) = [one for one in schedules("America/New_York") if one.name == "resilience_contingency_analysis"]
    with dg.build_schedule_context(scheduled_execution_time=tick.astimezone(ZoneInfo("America/New_York"))) as context:
        (request,) = nightly.evaluate_tick(context).run_requests or []
    assert dt.datetime.fromisoformat(request.tags[TAG]) == tick
    assert request.run_key == tick.isoformat()
    assert not request.run_config, "days ahead are the policy's"


def test_real_ticks_of_the_analysis_over_the_night_on_which_02_00_comes_once_and_01_00_twice(running: Daemon, tmp_path: Path) -> None:
    begin = dt.datetime(2026, 11, 1, 5, 50, tzinfo=dt.UTC)  # 01:50 in New York, for the first time; 02:00 there is 07:00 UTC
    running.schedules(begin)
    here = deployment(Settings.from_environment(directory=tmp_path))
    import_path(here.database, write_set(tmp_path / "set", small_set(today=begin.date())), now=begin, by="a test")
    made = [run for minutes in (71, 131) for run in running.schedules(begin + dt.timedelta(minutes=minutes)) if run.job_name == ANALYSIS]
    (run,) = made
    assert run.status is dg.DagsterRunStatus.SUCCESS
    assert dt.datetime.fromisoformat(run.tags[TAG]) == dt.datetime(2026, 11, 1, 7, tzinfo=dt.UTC)
    with here.database.read() as connection:
        query = select(tables.Result.kind, tables.Result.local_day).where(tables.Result.kind.startswith("deep_dive"))
        assert [tuple(row) for row in connection.execute(query)] == [("deep_dive/90", day_of(dt.date(2026, 11, 1)))]


def test_after_a_pause_the_newest_missed_tick_is_run_and_speaks_of_its_own_time(running: Daemon) -> None:
    start = dt.datetime(2026, 3, 8, 9, 1, tzinfo=dt.UTC)
    running.schedules(start)
    (run,) = [one for one in running.schedules(start + dt.timedelta(hours=2)) if one.job_name == CHECK]
    assert run.status is dg.DagsterRunStatus.SUCCESS
    assert dt.datetime.fromisoformat(run.tags[TAG]) == dt.datetime(2026, 3, 8, 11, 0, tzinfo=dt.UTC)
