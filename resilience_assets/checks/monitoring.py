"""Checks of the monitoring assets: did every program get a figure, and is it a possible one?

Belongs here: completeness and consistency of stored results. Does not belong here: thresholds of
alarm (policy), which open incidents and fail no check.
"""

import datetime as dt

import dagster as dg

from resilience_assets.actions import completeness
from resilience_assets.assets.monitoring import incidents, service_redundancy, system_health, utilization_snapshot
from resilience_assets.checks.verdict import every_program_has, shown, verdict_check
from resilience_assets.resources.as_of import as_of
from resilience_assets.resources.deployment import Deployment
from resilience_assets.resources.failures import told_apart
from resilience_assets.storage import results


@dg.asset_check(asset=system_health, name="every_program_has_a_headline", description="Every program was judged in this check; none is left out.")
def every_program_has_a_headline(context: dg.AssetCheckExecutionContext, deployment: dg.ResourceParam[Deployment]) -> dg.AssetCheckResult:
    """Fails for a program without a headline as of the newest materialization: this run's, or when run alone the last one's."""
    event = context.instance.get_latest_materialization_event(system_health.key)
    told = event.asset_materialization.metadata.get("as_of") if event and event.asset_materialization else None
    instant = dt.datetime.fromtimestamp(told.value, dt.UTC) if isinstance(told, dg.TimestampMetadataValue) else as_of(context).instant
    with told_apart():
        return shown(completeness.every_program_judged(deployment.database, instant))


@dg.asset_check(asset=incidents, name="every_reading_was_taken", description="No reading of the health check is still waiting for the alert rules.")
def every_reading_was_taken(deployment: dg.ResourceParam[Deployment]) -> dg.AssetCheckResult:
    """Fails when headlines exist that no alert rule has seen."""
    with told_apart():
        return shown(completeness.every_reading_taken(deployment.database))


def checks() -> list[dg.AssetChecksDefinition]:
    """All checks of the monitoring group."""
    return [
        every_program_has(utilization_snapshot, results.UTILIZATION),
        every_program_has(service_redundancy, results.REDUNDANCY),
        verdict_check(
            utilization_snapshot, "figures_add_up",
            "No coverage outside 0 to 1, no more seats open than required, services add up to their program.",
            lambda here, instant: completeness.figures_add_up(here.database, here.policies(), instant),
        ),
        every_program_has_a_headline,
        verdict_check(
            system_health, "unreported_is_unknown", "A program whose contingency report could not be computed has unknown N-1 and N-2.",
            lambda here, instant: completeness.unreported_is_unknown(here.database, instant),
        ),
        every_reading_was_taken,
    ]  # fmt: skip
