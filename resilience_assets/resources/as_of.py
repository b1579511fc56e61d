"""The instant of which a run speaks, and whether it may freeze what stands in the tables now.

Belongs here: reading it off a run. Does not belong here: the clock (a run's creation is on record).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import dagster as dg

TAG = "resilience/as_of"
LIVE_WITHIN = dt.timedelta(minutes=15)
"""A run created this much after its as-of (a tick that was caught up) still speaks of now."""
AHEAD = dt.timedelta(minutes=1)
"""How far a clock elsewhere may be ahead; a run for a later as-of than this freezes nothing, for a version
frozen in the future would be seen by no run until then."""


@dataclass(frozen=True, slots=True)
class AsOf:
    """The instant, and `live`: false for a look at the past or the future, which freezes nothing."""

    instant: dt.datetime
    live: bool


def as_of(context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext | dg.OpExecutionContext) -> AsOf:
    """A run's as-of: its tag `resilience/as_of`, else the minute in which its root run was created.

    Live is decided by the run itself: what is run again the day after speaks of the same instant and
    freezes nothing. Raises dg.Failure (not retried) for a tag that is not an ISO instant with a zone.
    """
    run = context.run
    record = context.instance.get_run_record_by_id(run.run_id)
    if record is None:
        raise dg.Failure(f"run {run.run_id} is not on record", allow_retries=False)
    created = record.create_timestamp.astimezone(dt.UTC)
    text = run.tags.get(TAG)
    if text is None:
        root = context.instance.get_run_record_by_id(run.root_run_id) if run.root_run_id else None
        first = (root or record).create_timestamp.astimezone(dt.UTC)
        return _at(first.replace(second=0, microsecond=0), created)
    try:
        instant = dt.datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise dg.Failure(f"tag {TAG} holds {text!r}; write an instant such as 2026-03-10T06:45:00+00:00", allow_retries=False)
    return _at(instant.astimezone(dt.UTC), created)


def _at(instant: dt.datetime, created: dt.datetime) -> AsOf:
    return AsOf(instant, -AHEAD <= created - instant <= LIVE_WITHIN)
