"""The instant of which a run speaks, and whether it may freeze."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import dagster as dg
import pytest
from dagster_shared.record import copy

from resilience_assets.resources.as_of import AHEAD, LIVE_WITHIN, TAG, AsOf, as_of

SECOND = dt.timedelta(seconds=1)


class Seen:
    """An op that notes what `as_of` says of its run, and how often it was tried."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance = instance
        self.found: list[AsOf] = []
        self.tries = 0

        @dg.op(retry_policy=dg.RetryPolicy(max_retries=3))
        def look(context: dg.OpExecutionContext) -> None:
            self.tries += 1
            self.found.append(as_of(context))

        @dg.job
        def looking() -> None:
            look()

        self.job = looking

    def run(self, tags: Mapping[str, str] | None = None, **options: Any) -> dg.ExecuteInProcessResult:
        return self.job.execute_in_process(instance=self.instance, tags=dict(tags or {}), raise_on_error=False, **options)

    def at(self, tag: str) -> AsOf:
        assert self.run({TAG: tag}).success
        return self.found[-1]


@pytest.fixture
def seen() -> Any:
    with dg.DagsterInstance.ephemeral() as instance:
        yield Seen(instance)


def created(seen: Seen, run: dg.ExecuteInProcessResult) -> dt.datetime:
    record = seen.instance.get_run_record_by_id(run.run_id)
    assert record is not None
    return record.create_timestamp


def test_without_a_tag_it_is_the_minute_in_which_the_run_was_made(seen: Seen) -> None:
    made = created(seen, seen.run()).astimezone(dt.UTC)
    (found,) = seen.found
    assert found == AsOf(made.replace(second=0, microsecond=0), live=True)
    assert found.instant.tzinfo is dt.UTC


def test_the_tag_of_a_schedule_is_taken_as_it_is(seen: Seen) -> None:
    tick = dt.datetime.now(dt.UTC).replace(microsecond=0) - dt.timedelta(minutes=3)
    assert seen.at(tick.isoformat()) == AsOf(tick, live=True)


def test_an_instant_in_another_zone_is_the_same_instant(seen: Seen) -> None:
    found = seen.at("2026-03-08T03:30:00-04:00")
    assert found == AsOf(dt.datetime(2026, 3, 8, 7, 30, tzinfo=dt.UTC), live=False)
    assert found.instant.tzinfo is dt.UTC


@pytest.mark.parametrize(
    ("ago", "live"),
    [
        (LIVE_WITHIN - 20 * SECOND, True),
        (LIVE_WITHIN + SECOND, False),
        (dt.timedelta(0), True),
        (SECOND - AHEAD, True),
        (-AHEAD - 20 * SECOND, False),
    ],
    ids=["a tick caught up", "the past", "now", "a clock that is ahead", "the future"],
)
def test_only_a_run_that_speaks_of_now_is_live(seen: Seen, ago: dt.timedelta, live: bool) -> None:
    assert seen.at((dt.datetime.now(dt.UTC) - ago).isoformat()).live is live


@pytest.mark.parametrize("text", ["", "yesterday", "2026-03-10", "2026-03-10T06:45:00", "2026-13-10T06:45:00+00:00"])
def test_a_tag_that_is_no_instant_fails_at_once_and_says_what_to_write(seen: Seen, text: str) -> None:
    result = seen.run({TAG: text})
    assert not result.success
    assert seen.tries == 1, "another try would read the same tag"
    (failure,) = [event for event in result.all_events if event.event_type_value == "STEP_FAILURE"]
    error: Any = failure.event_specific_data
    assert repr(text) in error.user_failure_data.description
    assert "2026-03-10T06:45:00+00:00" in error.user_failure_data.description


@pytest.mark.parametrize(("days", "live"), [(0, True), (1, False)])
def test_a_run_made_again_speaks_of_the_first_one_and_is_live_only_while_that_is_now(
    seen: Seen, monkeypatch: pytest.MonkeyPatch, days: int, live: bool
) -> None:
    """As a click on 're-execute' does: the new run names the first as its root."""
    first = seen.run()
    made = created(seen, first) - dt.timedelta(days=days)
    real = dg.DagsterInstance.get_run_record_by_id

    def long_ago(self: dg.DagsterInstance, run_id: str) -> Any:
        record: Any = real(self, run_id)
        return copy(record, create_timestamp=made) if run_id == first.run_id else record

    monkeypatch.setattr(dg.DagsterInstance, "get_run_record_by_id", long_ago)
    again = dg.ReexecutionOptions(parent_run_id=first.run_id)
    with dg.execute_job(dg.reconstructable(looking_again), instance=seen.instance, reexecution_options=again) as result:
        assert result.success
        assert result.dagster_run.root_run_id == first.run_id
    assert AGAIN.pop() == AsOf(made.astimezone(dt.UTC).replace(second=0, microsecond=0), live)


AGAIN: list[AsOf] = []


@dg.op
def look(context: dg.OpExecutionContext) -> None:
    AGAIN.append(as_of(context))


@dg.job(name="looking", executor_def=dg.in_process_executor)
def looking_again() -> None:
    look()
