"""Everything Dagster sees, assembled in one place.

Belongs here: putting assets, checks, jobs, schedules, sensors and resources together, with places to
put other resources in. Does not belong here: anything that does work. Nothing happens on import.
"""

from __future__ import annotations

from typing import Any

import dagster as dg

from resilience_assets import assets
from resilience_assets.automation.jobs import JOBS
from resilience_assets.automation.schedules import schedules
from resilience_assets.automation.sensors import SENSORS
from resilience_assets.checks import contingency, monitoring, roster
from resilience_assets.resources.deployment import deployment
from resilience_assets.settings import Settings


def build_definitions(settings: Settings | None = None, **resource_overrides: Any) -> dg.Definitions:
    """The definitions of a deployment; `resource_overrides` take the place of resources of the same name."""
    settings = settings or Settings.from_environment()
    return dg.Definitions(
        assets=dg.load_assets_from_package_module(assets),
        asset_checks=[*roster.checks(), *contingency.checks(), *monitoring.checks()],
        jobs=JOBS,
        schedules=schedules(settings.time_zone),
        sensors=SENSORS,
        resources={"deployment": deployment(settings)} | resource_overrides,
        # a step in a process of its own costs two seconds and more, one in the run's process 0.15
        executor=dg.in_process_executor,
    )


@dg.definitions
def defs() -> dg.Definitions:
    """The definitions of the environment's deployment."""
    return build_definitions()
