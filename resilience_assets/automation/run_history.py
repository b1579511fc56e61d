"""Dagster's own history: removing old runs, which its tick retention leaves alone.

Belongs here: deleting finished runs with their event logs. Does not belong here: the product's own
results (actions.maintenance). Deleting a run forgets its run key; ours are never reused.
"""

from __future__ import annotations

import datetime as dt

import dagster as dg

AT_ONCE = 200
"""Runs fetched at a time."""


def purge_runs(instance: dg.DagsterInstance, now: dt.datetime, days: int) -> int:
    """Delete finished runs created more than `days` ago; returns how many."""
    finished = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
    old = dg.RunsFilter(statuses=finished, created_before=now - dt.timedelta(days=days))
    gone = 0
    while records := instance.get_run_records(old, limit=AT_ONCE):
        for record in records:
            instance.delete_run(record.dagster_run.run_id)
        gone += len(records)
    return gone
