"""Jobs, executed in this process: absences, delivery, upkeep, and what is tried again."""

import datetime as dt
import sqlite3
from contextlib import closing
from typing import Any

import dagster as dg
import pytest
from dagster._core.execution.plan import active
from dagster._core.test_utils import freeze_time
from sqlalchemy.exc import OperationalError

from resilience_assets.actions import deliver
from resilience_assets.assets import monitoring
from resilience_assets.automation import jobs
from resilience_assets_tests.assets.deploying import NOW, TODAY, Scratch, figures, records, small_set


class Hurried:
    """The time module as the executor sees it: waiting costs nothing, and is noted."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waits: list[float] = []

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.waits.append(round(seconds))
        self.now += seconds


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> Hurried:
    """Retries that do not make a test wait."""
    clock = Hurried()
    monkeypatch.setattr(active, "time", clock)
    return clock


def fails(times: int, error: Exception, then: Any) -> Any:
    """A function that raises the first `times` times and then does what it is to do."""
    left = [times]

    def function(*arguments: Any, **options: Any) -> Any:
        if left[0]:
            left[0] -= 1
            raise error
        return then(*arguments, **options)

    return function


def log_of(scratch: Scratch, result: dg.ExecuteInProcessResult) -> list[str]:
    """What the job's own op logged."""
    return [entry.user_message for entry in scratch.instance.all_logs(result.run_id) if not entry.is_dagster_event]


def failure_of(result: dg.ExecuteInProcessResult) -> str:
    """The description of the failed step."""
    (event,) = [one for one in result.all_events if one.event_type_value == "STEP_FAILURE"]
    data: Any = event.event_specific_data
    return str(data.user_failure_data.description if data.user_failure_data else data.error.message)


LOCKED = OperationalError("BEGIN IMMEDIATE", (), sqlite3.OperationalError("database is locked"))


def test_a_locked_database_is_tried_three_times_more_a_minute_apart(
    small: Scratch, hurried: Hurried, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "deliver_pending", fails(99, LOCKED, deliver.deliver_pending))
    assert not small.job("deliver_alerts").success
    assert hurried.waits == [60, 60, 60]


def test_a_lock_that_passes_is_no_failure(small: Scratch, hurried: Hurried, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitoring, "check_health", fails(2, LOCKED, monitoring.check_health))
    result = small.check()
    assert hurried.waits == [60, 60]
    assert figures(result, "system_health")["programs_healthy"] == 1


def test_a_mistake_is_tried_once(small: Scratch, hurried: Hurried, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitoring, "check_health", fails(99, ValueError("a bug"), None))
    result = small.job("periodic_health_check")
    assert not result.success
    assert hurried.waits == []
    assert failure_of(result) == "ValueError: a bug"


def absent(scratch: Scratch, **config: Any) -> dg.ExecuteInProcessResult:
    return scratch.job("report_absence", run_config={"ops": {"record_absence": {"config": config}}})


def test_somebody_is_ill_and_is_back(small: Scratch) -> None:
    small.measure()
    small.clock.at = NOW + dt.timedelta(seconds=20)
    result = absent(small, person="A-03")
    assert result.success
    said = log_of(small, result)
    assert said[0] == f"A-03 (north) is away (sick): {TODAY}."
    assert any(f"{TODAY} PM: att on clinic - 0 of 1 seated, minimum 1: below the minimum" in line for line in said)
    assert said[-1].startswith("Coverage 1.000 -> 0.958")

    checked = small.measure()
    assert figures(checked, "system_health")["worst_coverage"] == pytest.approx(23 / 24, abs=1e-4)
    assert figures(checked, "system_health")["open_seats"] == 1
    (clinic,) = [row for row in records(checked, "service_redundancy", "services_by_spare") if row["service"] == "clinic"]
    assert clinic["redundancy"] == "BELOW"

    back = absent(small, person="A-03", undo=True)
    assert back.success
    assert log_of(small, back)[0] == f"A-03 (north) is back: {TODAY}."
    assert figures(small.measure(), "system_health")["open_seats"] == 0
    assert [row[0] for row in small.rows("reported_absence", "state")] == ["undone"]


def test_a_run_finds_nobody_by_name_and_repeats_none(small: Scratch) -> None:
    result = absent(small, person="Ines Calder")
    assert not result.success
    assert failure_of(result).endswith("nobody in any program has this id; give the readable id, a name has no place in a run")
    assert small.rows("reported_absence", "state") == []


def test_what_opens_is_the_result_of_the_run(small: Scratch) -> None:
    result = absent(small, person="A-03")
    noted = [event.step_output_data.metadata["report"].value for event in result.all_events if event.is_successful_output]
    assert noted == ["\n".join(log_of(small, result))]


def test_an_absence_of_some_days_says_how_it_came_here(small: Scratch) -> None:
    first, last = TODAY + dt.timedelta(days=1), TODAY + dt.timedelta(days=3)
    assert absent(small, person="A-01", program="north", first=str(first), last=str(last), kind="leave").success
    ((kind, state, by),) = small.rows("reported_absence", "kind", "state", "reported_by")
    assert (kind, state) == ("leave", "open")
    assert by.startswith("job report_absence (")


def test_the_same_absence_twice_is_one(small: Scratch) -> None:
    for _ in range(2):
        assert absent(small, person="A-01").success
    assert len(small.rows("reported_absence")) == 1


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"person": "A-09"}, "did you mean"),
        ({"person": "A-01", "program": "south"}, "program south"),
        ({"person": "A-01", "first": "tomorrow"}, "tomorrow"),
        ({"person": "A-01", "first": str(TODAY), "last": str(TODAY - dt.timedelta(days=1))}, "is not a stretch"),
        ({"person": "A-01", "undo": True}, "no absence reported here"),
    ],
)
def test_an_absence_that_makes_no_sense_fails_once_and_changes_nothing(
    small: Scratch, hurried: Hurried, config: dict[str, Any], said: str
) -> None:
    before = small.everything()
    result = absent(small, **config)
    assert not result.success
    assert said in failure_of(result)
    assert hurried.waits == []
    assert small.everything() == before


def test_two_deliveries_write_each_message_once(scratch: Scratch) -> None:
    short = "\n".join(line for line in small_set()["assignments"].splitlines() if not line.startswith("A-02")) + "\n"
    scratch.bring(small_set(assignments=short))
    scratch.measure()
    for expected in (len(scratch.rows("notice")), 0):
        result = scratch.job("deliver_alerts")
        (event,) = [one for one in result.all_events if one.event_type_value == "STEP_OUTPUT"]
        data: Any = event.event_specific_data
        assert data.metadata["written"].value == data.metadata["pending"].value == expected
    assert len(scratch.rows("inbox_message")) == len(scratch.rows("notice"))


def test_upkeep_removes_old_runs_and_headlines_and_keeps_the_newest(small: Scratch) -> None:
    with freeze_time(NOW - dt.timedelta(days=40)):
        old = small.check().run_id
    small.check()
    with closing(sqlite3.connect(small.file)) as connection, connection:
        connection.execute("UPDATE health_check SET as_of = ? WHERE id = 1", (f"{NOW - dt.timedelta(days=500):%Y-%m-%d %H:%M:%S}.000000",))
    kept = {run.run_id for run in small.instance.get_runs()} - {old}
    result = small.job("maintenance")
    assert result.success
    (event,) = [one for one in result.all_events if one.event_type_value == "STEP_OUTPUT"]
    data: Any = event.event_specific_data
    assert {name: one.value for name, one in data.metadata.items()} == {"headlines": 1, "results": 0, "versions": 0, "runs": 1}
    assert {run.run_id for run in small.instance.get_runs()} == kept | {result.run_id}
    assert [row[0] for row in small.rows("health_check", "id")] == [2]


def test_upkeep_leaves_alone_what_still_runs(small: Scratch) -> None:
    with freeze_time(NOW - dt.timedelta(days=40)):
        old = small.check().run_id
    running = small.instance.get_run_by_id(old)
    assert running is not None
    small.instance.delete_run(old)
    with freeze_time(NOW - dt.timedelta(days=40)):
        small.instance.add_run(running.with_status(dg.DagsterRunStatus.STARTED))
    assert small.job("maintenance").success
    assert small.instance.get_run_by_id(old) is not None


def test_a_click_in_the_minute_of_an_absence_speaks_of_it_and_closes_no_alert(small: Scratch) -> None:
    """A run is as of the minute in which it was made, and so is what an absence freezes and measures."""
    with freeze_time(NOW + dt.timedelta(seconds=5)):
        small.measure()
    small.clock.at = NOW + dt.timedelta(seconds=20)
    assert absent(small, person="A-03").success
    opened = small.rows("incident WHERE closed_at IS NULL", "id")
    assert opened
    with freeze_time(NOW + dt.timedelta(seconds=40)):
        after = small.measure()
    assert figures(after, "system_health")["open_seats"] == 1
    assert small.rows("incident WHERE closed_at IS NULL", "id") == opened
    assert small.rows("program", "revision", "checked_revision") == [(2, 2)]
