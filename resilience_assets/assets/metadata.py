"""Metadata as the UI shows it: figures over all programs under stable names, and one table.

Belongs here: turning rows into metadata values. Does not belong here: choosing what is measured. A
figure that is unknown is left out: a plot has a gap there, never a zero.
"""

import datetime as dt
import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import dagster as dg
import numpy as np

from resilience_assets.policy import load_policies

OWNERS = ["team:scheduling-data"]
MOST_ROWS = 200
"""Rows of a metadata table: enough for every program of a department, small enough for an event log."""

_HEALTH = load_policies().default.health

FRESH = dg.FreshnessPolicy.time_window(
    fail_window=dt.timedelta(minutes=_HEALTH.failed_after_minutes), warn_window=dt.timedelta(minutes=_HEALTH.late_after_minutes)
)
"""What runs every 15 minutes: late and failed as the shipped policy says (one definition serves all programs)."""


def figures(values: Mapping[str, float | int | None]) -> dict[str, Any]:
    """Only the figures that are known and finite, to four digits after the point."""
    return {name: round(value, 4) for name, value in values.items() if value is not None and math.isfinite(value)}


def table(rows: Sequence[Mapping[Any, Any]]) -> dg.TableMetadataValue | dg.TextMetadataValue:
    """A table of at most MOST_ROWS rows with the columns of all of them; a sentence where there is no row."""
    if not rows:
        return dg.MetadataValue.text("nothing to show")
    shown = rows[:MOST_ROWS]
    names = list(dict.fromkeys(name for row in shown for name in row))
    records = [dg.TableRecord({name: _cell(row.get(name)) for name in names}) for row in shown]
    columns = [dg.TableColumn(name, _type(shown, name)) for name in names]
    return dg.MetadataValue.table(records, schema=dg.TableSchema(columns))


def data_version(parts: Iterable[object]) -> dg.DataVersion:
    """A data version that changes with any part, whatever their order."""
    digest = hashlib.sha256("\n".join(sorted(map(str, parts))).encode())
    return dg.DataVersion(digest.hexdigest()[:32])


def _cell(value: Any) -> str | int | float | bool:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return "unbounded" if math.isinf(value) else round(value, 4)
    return value if isinstance(value, str | int | bool) else str(value)


def _type(rows: Sequence[Mapping[str, Any]], name: str) -> str:
    kinds = {type(_cell(row.get(name))) for row in rows}
    return {frozenset({int}): "int", frozenset({float}): "float", frozenset({int, float}): "float", frozenset({bool}): "bool"}.get(
        frozenset(kinds), "string"
    )
