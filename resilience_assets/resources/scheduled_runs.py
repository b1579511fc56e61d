"""How the scheduled jobs stand, read off Dagster's own record: the newest finished run of each, the newest tick.

Belongs here: looking at runs and ticks. Does not belong here: what is an alert of it (policy, alerting). Nothing
depends on a failure having been noticed when it happened: whatever is on record is found at the next look.
"""

from __future__ import annotations

import dagster as dg

from resilience_assets.actions.alert_readings import ObservedRun

FINISHED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE]
SCHEDULE_TAG = "dagster/schedule_name"


def scheduled_runs(instance: dg.DagsterInstance) -> list[ObservedRun]:
    """One observation for each schedule that is switched on; none before the daemon has ever run."""
    if instance.schedule_storage is None:
        return []  # an instance in memory has no schedules
    out = []
    for state in instance.all_instigator_state():
        if state.instigator_type.value != "SCHEDULE" or not state.is_running:
            continue
        runs = instance.get_run_records(dg.RunsFilter(tags={SCHEDULE_TAG: state.name}, statuses=FINISHED), limit=1)
        ticks = instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=1)
        failed = runs[0].dagster_run.status is dg.DagsterRunStatus.FAILURE if runs else None
        missed = ticks[0].is_failure if ticks else None
        reason = ""
        if failed:
            reason = f"run {runs[0].dagster_run.run_id[:8]} of {runs[0].dagster_run.job_name}"
        elif missed:
            reason = "its tick failed before a run was made; the schedule's page in the Dagster UI says why"
        out.append(ObservedRun(state.name, failed, missed, reason))
    return out
