"""The parts of a deployment, made from its settings.

Belongs here: the database brought to its schema, the merged policy, the clock. The clock of the
house is read here, in `Clock`, and nowhere below.
"""

from __future__ import annotations

import datetime as dt
import getpass
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from resilience_assets.delivery.channels import Channels
from resilience_assets.policy import Policies, load_policies
from resilience_assets.resources.channels import channels, with_environment
from resilience_assets.settings import Settings, environment
from resilience_assets.storage.database import Database


class Clock:
    """The time of day; tests give one that they set."""

    def now(self) -> dt.datetime:
        """This instant, in UTC."""
        return dt.datetime.now(dt.UTC)


@dataclass(frozen=True)
class Deployment:
    """One deployment: its settings and, made when first asked for, the parts that a run talks to."""

    settings: Settings
    clock: Clock

    @cached_property
    def database(self) -> Database:
        """The database, with its schema brought up to date."""
        database = Database(self.settings.database_url.get_secret_value())
        database.migrate()
        return database

    def policies(self) -> Policies:
        """The merged policy, read anew, so that an edited overlay holds from the next run on. Raises PolicyError."""
        settings = self.settings
        overlay = settings.policy_path.read_text(encoding="utf-8") if settings.policy_path else None
        thresholds = {
            "RESILIENCE_WARNING_THRESHOLD": settings.warning_threshold,
            "RESILIENCE_MAX_UTILIZATION": settings.max_utilization,
            "RESILIENCE_CRITICAL_THRESHOLD": settings.critical_threshold,
            "RESILIENCE_EMERGENCY_THRESHOLD": settings.emergency_threshold,
        }
        given = {name: str(value) for name, value in thresholds.items() if value is not None}
        given["RESILIENCE_ALERT_RECIPIENTS"] = ",".join(settings.alert_recipients)
        policies = load_policies(overlay, settings.preset or "moderate", given)
        return replace(policies, telling=with_environment(policies.telling, settings))

    def channels(self) -> Channels:
        """What alerts are sent over, read anew with the policy that names their readers. Raises PolicyError."""
        return channels(self.settings, self.policies().telling, environment(Path.cwd()))


def who() -> str:
    """The account that runs this process, for the audit columns; 'unknown' where the system cannot say."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


def deployment(settings: Settings | None = None, clock: Clock | None = None) -> Deployment:
    """The deployment of these settings (default: of the environment)."""
    return Deployment(settings or Settings.from_environment(), clock or Clock())
