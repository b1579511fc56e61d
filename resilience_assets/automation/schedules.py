"""The clock: which job runs when, in which time zone.

Belongs here: names and crons. The health check runs in UTC, which has no gap and no repeated hour;
nightly work in the deployment's time zone, outside the hours that a clock change moves.
"""

import datetime as dt

import dagster as dg

from resilience_assets.actions.morning_brief import due_briefs
from resilience_assets.automation.jobs import (
    alert_canary,
    maintenance,
    morning_brief,
    periodic_health_check,
    run_contingency_analysis,
)
from resilience_assets.resources.as_of import TAG
from resilience_assets.resources.deployment import Deployment


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


@dg.schedule(
    name="resilience_morning_brief",
    job=morning_brief,
    cron_schedule="15,45 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="At 06:45 of each program's own clock: today's open seats and who may cover them.",
)
def resilience_morning_brief(
    context: dg.ScheduleEvaluationContext, deployment: dg.ResourceParam[Deployment]
) -> dg.RunRequest | dg.SkipReason:
    """A run when the morning of a program has come and it has no brief of today; no run at any other tick.

    Programs have zones that nobody knows when schedules are defined, so the clock asks every half hour: that meets
    06:45 in every zone that is whole or half hours from UTC (in those of three quarters it is 07:00).
    """
    tick = context.scheduled_execution_time.astimezone(dt.UTC)
    due = due_briefs(deployment.database, tick)
    if not due:
        return dg.SkipReason("no program's morning, or all have their brief of today")
    config = {"ops": {"brief_programs": {"config": {"morning_only": True}}}}
    return dg.RunRequest(run_key=tick.isoformat(), run_config=config, tags={TAG: tick.isoformat(), "resilience/due": str(len(due))})


def weekly_canary(time_zone: str) -> dg.ScheduleDefinition:
    """The test of every channel, on Monday at 08:00 in the deployment's time zone."""
    return dg.ScheduleDefinition(
        name="resilience_alert_canary",
        job=alert_canary,
        cron_schedule="0 8 * * 1",
        execution_timezone=time_zone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Every Monday: does each channel still reach somebody?",
    )


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
    return [
        resilience_health_check, contingency_analysis(time_zone), resilience_morning_brief, weekly_canary(time_zone), nightly(time_zone),
    ]  # fmt: skip
