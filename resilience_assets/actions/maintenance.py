"""Purge what has outlived its retention.

Belongs here: results and headlines of the product's database. Does not belong here: Dagster's runs
and event logs (automation.maintenance purges those), facts and audit, which are kept.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from resilience_assets.policy import Policies
from resilience_assets.storage import retention
from resilience_assets.storage.database import Database


@dataclass(frozen=True)
class Purged:
    """Rows removed."""

    headlines: int
    results: int
    versions: int


def purge(database: Database, policies: Policies, now: dt.datetime) -> Purged:
    """Remove headlines older than the policy keeps them, and results and versions that nothing kept cites."""
    keep = policies.default.retention
    with database.write() as connection:
        headlines = retention.purge_headlines(connection, now - dt.timedelta(days=keep.headlines_days))
        results = retention.purge_results(connection, now - dt.timedelta(days=keep.detail_days))
        versions = retention.purge_versions(connection, now - dt.timedelta(days=keep.detail_days))
    return Purged(headlines, results, versions)
