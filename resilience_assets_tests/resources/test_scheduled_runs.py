"""How scheduled jobs stand, off Dagster's own record."""

import dagster as dg

from resilience_assets.resources.scheduled_runs import scheduled_runs


@dg.job
def nightly() -> None:
    """Nothing to do."""


SCHEDULE = dg.ScheduleDefinition(name="nightly_schedule", job=nightly, cron_schedule="0 2 * * *")


def test_without_a_daemon_nothing_is_said(tmp_path):
    with dg.DagsterInstance.ephemeral() as instance:
        assert scheduled_runs(instance) == []


def test_a_failed_run_is_observed_until_one_succeeds(tmp_path):
    from dagster._core.test_utils import create_run_for_test

    class State:
        name, is_running, instigator_origin_id, selector_id = "nightly_schedule", True, "o", "s"

        class instigator_type:  # noqa: N801
            value = "SCHEDULE"

    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        instance.all_instigator_state = lambda *a, **k: [State()]  # type: ignore[method-assign]
        assert [(one.job, one.failed, one.missed) for one in scheduled_runs(instance)] == [("nightly_schedule", None, None)]
        for status, failed in ((dg.DagsterRunStatus.FAILURE, True), (dg.DagsterRunStatus.SUCCESS, False)):
            create_run_for_test(instance, job_name="nightly", status=status, tags={"dagster/schedule_name": "nightly_schedule"})
            (found,) = scheduled_runs(instance)
            assert found.failed is failed
            assert ("of nightly" in found.reason) is failed
