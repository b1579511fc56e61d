"""The clock: which job runs when, in which time zone.

Belongs here: names and crons. The health check runs in UTC, which has no gap and no repeated hour;
nightly work in the deployment's time zone, outside the hours that a clock change moves.
"""

import datetime as dt

import dagster as dg

from resilience_assets.automation.jobs import maintenance, periodic_health_check, run_contingency_analysis
from resilience_assets.resources.as_of import TAG


@dg.schedule(
    name="resilience_health_check",
    job=periodic_health_check,
    cron_schedule="*/15 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every 15 minutes: how close to the edge is every program?",
)
def resilience_health_check(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """One run a tick, as of the tick's own time."""
    tick = context.scheduled_execution_time.astimezone(dt.UTC)
    return dg.RunRequest(run_key=tick.isoformat(), tags={TAG: tick.isoformat()})


def contingency_analysis(time_zone: str) -> dg.ScheduleDefinition:
    """The contingency analysis at 02:00 in the deployment's time zone, once a date also when clocks change."""

    @dg.schedule(
        name="resilience_contingency_analysis",
        job=run_contingency_analysis,
        cron_schedule="0 2 * * *",
        execution_timezone=time_zone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Every night: whose loss breaks the roster of the coming 90 days, and what helps?",
    )
    def analyse(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        tick = context.scheduled_execution_time.astimezone(dt.UTC)
        return dg.RunRequest(run_key=tick.isoformat(), tags={TAG: tick.isoformat()})

    return analyse


def nightly(time_zone: str) -> dg.ScheduleDefinition:
    """Upkeep at 04:30 in the deployment's time zone."""
    return dg.ScheduleDefinition(
        name="resilience_maintenance",
        job=maintenance,
        cron_schedule="30 4 * * *",
        execution_timezone=time_zone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Nightly: purge expired results and old runs.",
    )


def schedules(time_zone: str) -> list[dg.ScheduleDefinition]:
    """All schedules of a deployment."""
    return [resilience_health_check, contingency_analysis(time_zone), nightly(time_zone)]
