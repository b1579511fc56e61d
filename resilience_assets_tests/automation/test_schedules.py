"""Schedules: real ticks, through Dagster's own scheduler, around the days on which clocks change."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._utils.schedules import schedule_execution_time_iterator

from resilience_assets.actions.import_roster import import_path
from resilience_assets.automation.schedules import resilience_health_check, schedules
from resilience_assets.resources.as_of import TAG
from resilience_assets.resources.deployment import deployment
from resilience_assets.settings import Settings
from resilience_assets.storage import results
from resilience_assets_tests.assets.deploying import small_set, write_set
from resilience_assets_tests.automation.daemon import Daemon, daemon

QUARTER = dt.timedelta(minutes=15)
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
        (run,) = running.schedules(tick + dt.timedelta(seconds=2))
        assert run.job_name == "periodic_health_check"
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


def test_after_a_pause_the_newest_missed_tick_is_run_and_speaks_of_its_own_time(running: Daemon) -> None:
    start = dt.datetime(2026, 3, 8, 9, 1, tzinfo=dt.UTC)
    running.schedules(start)
    (run,) = running.schedules(start + dt.timedelta(hours=2))
    assert (run.job_name, run.status) == ("periodic_health_check", dg.DagsterRunStatus.SUCCESS)
    assert dt.datetime.fromisoformat(run.tags[TAG]) == dt.datetime(2026, 3, 8, 11, 0, tzinfo=dt.UTC)
