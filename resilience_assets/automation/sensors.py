"""What is watched between the ticks of the clock.

Belongs here: sensors; each looks at the state of things and requests at most one run a tick. Does
not belong here: doing the work in the sensor. All are level-triggered: what still holds at the next
tick is seen again, so a lost request loses nothing.
"""

import datetime as dt
import hashlib
import json

import dagster as dg

from resilience_assets.actions.watch import (
    DropFile,
    drop_files,
    programs_without_deep_dive,
    threshold_watch,
    unchecked_programs,
)
from resilience_assets.automation.jobs import (
    deliver_alerts,
    import_roster,
    periodic_health_check,
    run_contingency_analysis,
)
from resilience_assets.resources.deployment import Deployment

EVERY_SECONDS = 15
PAUSE = dt.timedelta(minutes=5)
"""After a run that failed, so that a failure which repeats itself is not repeated every 15 seconds."""
AFTER_ANY = dt.timedelta(hours=1)
"""Between contingency analyses that this module requests: a program that cannot be analysed is not tried for ever."""
MOST_ATTEMPTS = 3
"""Imports of one dropped file that is still there afterwards: a crash is tried again, a bug not for ever."""
FILE_TAG = "resilience/file"
ACTIVE = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]


def _under_way(context: dg.SensorEvaluationContext, job: str) -> bool:
    """A run of the job that will still see what holds now: queued, or started and not yet done."""
    return bool(context.instance.get_runs(dg.RunsFilter(job_name=job, statuses=ACTIVE), limit=1))


def _hold(context: dg.SensorEvaluationContext, job: str, deployment: Deployment, after_any: dt.timedelta = dt.timedelta(0)) -> str:
    """Why no further run of a job is requested now; '' when one may be. `after_any` is the pause after a run that went through."""
    if _under_way(context, job):
        return "a run is under way"
    last = context.instance.get_run_records(dg.RunsFilter(job_name=job), limit=1)
    if last and after_any and last[0].create_timestamp + after_any > deployment.clock.now():
        return f"the last run of {job} left it so (see its checks); the next is requested at {last[0].create_timestamp + after_any:%H:%M} UTC"
    if last and last[0].dagster_run.status is dg.DagsterRunStatus.FAILURE:
        again = last[0].create_timestamp + PAUSE
        if deployment.clock.now() < again:
            return f"the last run of {job} failed (see its log); the next is requested at {again:%H:%M} UTC"
    return ""


@dg.sensor(
    job=deliver_alerts,
    minimum_interval_seconds=EVERY_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="A threshold was crossed: have the alert delivered.",
)
def threshold_sensor(context: dg.SensorEvaluationContext, deployment: dg.ResourceParam[Deployment]) -> dg.RunRequest | dg.SkipReason:
    """Request one delivery while notices are pending; otherwise say what is watched and how it stands."""
    watch = threshold_watch(deployment.database, deployment.policies(), deployment.clock.now())
    if not watch.pending and not watch.due:
        return dg.SkipReason(watch.sentence)
    if hold := _hold(context, deliver_alerts.name, deployment):
        return dg.SkipReason(f"{len(watch.pending)} notices pending, {watch.due} messages due; {hold}")
    if not watch.pending:
        return dg.RunRequest(tags={"resilience/due": str(watch.due)})
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
    if hold := _hold(context, periodic_health_check.name, deployment):
        return dg.SkipReason(f"{', '.join(waiting[:5])} changed; {hold}")
    return dg.RunRequest(tags={"resilience/because": f"changed: {', '.join(waiting[:5])}"[:250]})


@dg.sensor(
    job=run_contingency_analysis,
    minimum_interval_seconds=EVERY_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="A program has no deep dive, or last night's did not run: catch up.",
)
def deep_dive_sensor(context: dg.SensorEvaluationContext, deployment: dg.ResourceParam[Deployment]) -> dg.RunRequest | dg.SkipReason:
    """Request one contingency analysis while a program has no deep dive of the last day; the night's is on a schedule."""
    waiting = programs_without_deep_dive(deployment.database, deployment.clock.now())
    if not waiting:
        return dg.SkipReason("every program has a deep dive of the last day")
    if hold := _hold(context, run_contingency_analysis.name, deployment, AFTER_ANY):
        return dg.SkipReason(f"{', '.join(waiting[:5])} without a deep dive; {hold}")
    return dg.RunRequest(tags={"resilience/because": f"no deep dive: {', '.join(waiting[:5])}"[:250]})


@dg.sensor(
    job=import_roster,
    minimum_interval_seconds=EVERY_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="A file was put into DROP/PROGRAM/: import it once its size has stopped changing.",
)
def drop_folder_sensor(context: dg.SensorEvaluationContext, deployment: dg.ResourceParam[Deployment]) -> dg.SensorResult | dg.SkipReason:
    """Request one import a tick, of the oldest file that looks the same as at the tick before."""
    before = json.loads(context.cursor) if context.cursor else {}
    found = [file for file in drop_files(deployment.settings.drop_dir) if _takable(file)]
    # the cursor only remembers how files looked; losing it costs one more tick
    cursor = json.dumps({file.key: file.look for file in found})
    settled = [file for file in found if before.get(file.key) == file.look]
    if _under_way(context, import_roster.name):
        return dg.SensorResult(skip_reason=f"{_files(len(found))}; an import is under way", cursor=cursor)
    left = [file for file in settled if _attempts(context, file) < MOST_ATTEMPTS]
    if not left:
        stuck = f", {len(settled)} tried {MOST_ATTEMPTS} times: see the runs of {import_roster.name}" if settled else ""
        return dg.SensorResult(skip_reason=f"{_files(len(found))}, none to import{stuck}", cursor=cursor)
    file = left[0]
    config = {"path": str(file.path), "program": file.program, "put_away": True}
    mapping = deployment.settings.drop_dir / file.program / "mapping.yaml"
    if mapping.is_file() and not mapping.is_symlink():
        config["mapping"] = str(mapping)
    request = dg.RunRequest(
        run_config={"ops": {"import_file": {"config": config}}},
        tags={"resilience/program": file.program, FILE_TAG: _file_tag(file)},
    )
    return dg.SensorResult(run_requests=[request], cursor=cursor)


def _takable(file: DropFile) -> bool:
    """Whether it can be named in a run's config and log (no line ends, no bytes that are no text) and leads nowhere else."""
    plain = file.key.isprintable() and not file.program.startswith((".", "-"))
    return plain and not any(inner.is_symlink() for inner in file.path.rglob("*"))


def _files(count: int) -> str:
    return f"{count} file{'' if count == 1 else 's'} in the drop folder" if count else "the drop folder is empty"


def _file_tag(file: DropFile) -> str:
    """One file in one state, as short as a tag must be."""
    return hashlib.sha256(f"{file.key}:{file.look}".encode("utf-8", "surrogateescape")).hexdigest()[:32]


def _attempts(context: dg.SensorEvaluationContext, file: DropFile) -> int:
    """Runs that this very file had since it came here; not a run key, which would forbid a second try for ever."""
    came = dt.datetime.fromtimestamp(file.path.stat().st_ctime, dt.UTC)
    return context.instance.get_runs_count(dg.RunsFilter(tags={FILE_TAG: _file_tag(file)}, created_after=came))


SENSORS = [threshold_sensor, roster_change_sensor, deep_dive_sensor, drop_folder_sensor]
