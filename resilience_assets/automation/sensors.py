"""What is watched between the ticks of the clock.

Belongs here: sensors; each looks at the state of things and requests at most one run a tick. Does
not belong here: doing the work in the sensor. All are level-triggered: what still holds at the next
tick is seen again, so a lost request loses nothing.
"""

import json
from pathlib import Path

import dagster as dg

from resilience_assets.actions.watch import drop_files, threshold_watch, unchecked_programs
from resilience_assets.automation.jobs import deliver_alerts, import_roster, periodic_health_check
from resilience_assets.resources.deployment import Deployment

EVERY_SECONDS = 15
ACTIVE = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]


def _under_way(context: dg.SensorEvaluationContext, job: str) -> bool:
    """A run of the job that will still see what holds now: queued, or started and not yet done."""
    return bool(context.instance.get_runs(dg.RunsFilter(job_name=job, statuses=ACTIVE), limit=1))


@dg.sensor(
    job=deliver_alerts,
    minimum_interval_seconds=EVERY_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="A threshold was crossed: have the alert delivered.",
)
def threshold_sensor(context: dg.SensorEvaluationContext, deployment: dg.ResourceParam[Deployment]) -> dg.RunRequest | dg.SkipReason:
    """Request one delivery while notices are pending; otherwise say what is watched and how it stands."""
    watch = threshold_watch(deployment.database, deployment.policies())
    if not watch.pending:
        return dg.SkipReason(watch.sentence)
    if _under_way(context, deliver_alerts.name):
        return dg.SkipReason(f"{len(watch.pending)} notices pending; a delivery is under way")
    first = watch.pending[0]
    return dg.RunRequest(
        tags={
            "resilience/rule": first.rule,
            "resilience/scope": f"{first.program}/{first.scope_key}".rstrip("/"),
            "resilience/incident": str(first.incident_id),
            "resilience/pending": str(len(watch.pending)),
        }
    )


@dg.sensor(
    job=periodic_health_check,
    minimum_interval_seconds=EVERY_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="A roster changed (an import, an absence reported): check at once, not at the next quarter of an hour.",
)
def roster_change_sensor(context: dg.SensorEvaluationContext, deployment: dg.ResourceParam[Deployment]) -> dg.RunRequest | dg.SkipReason:
    """Request one health check while a program has a revision that no check has seen."""
    waiting = unchecked_programs(deployment.database)
    if not waiting:
        return dg.SkipReason("every program's newest revision is checked")
    if _under_way(context, periodic_health_check.name):
        return dg.SkipReason(f"{', '.join(waiting[:5])} changed; a check is under way")
    return dg.RunRequest(tags={"resilience/because": f"changed: {', '.join(waiting[:5])}"[:250]})


@dg.sensor(
    job=import_roster,
    minimum_interval_seconds=EVERY_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="A file was put into DROP/PROGRAM/: import it once its size has stopped changing.",
)
def drop_folder_sensor(context: dg.SensorEvaluationContext, deployment: dg.ResourceParam[Deployment]) -> dg.SensorResult | dg.SkipReason:
    """Request one import a tick, of the oldest file that looks the same as at the tick before."""
    before = json.loads(context.cursor) if context.cursor else {}
    found = drop_files(deployment.settings.drop_dir)
    # the cursor only remembers how files looked; losing it costs one more tick
    cursor = json.dumps({file.key: file.look for file in found})
    settled = [file for file in found if before.get(file.key) == file.look]
    if not settled or _under_way(context, import_roster.name):
        reason = f"{len(found)} files in the drop folder, {len(settled)} settled" if found else "the drop folder is empty"
        return dg.SensorResult(skip_reason=reason, cursor=cursor)
    file = settled[0]
    config = {"path": str(file.path), "program": file.program, "put_away": True}
    mapping = Path(deployment.settings.drop_dir) / file.program / "mapping.yaml"
    if mapping.exists():
        config["mapping"] = str(mapping)
    request = dg.RunRequest(
        run_key=f"{file.key}:{file.look}",
        run_config={"ops": {"import_file": {"config": config}}},
        tags={"resilience/program": file.program},
    )
    return dg.SensorResult(run_requests=[request], cursor=cursor)


SENSORS = [threshold_sensor, roster_change_sensor, drop_folder_sensor]
