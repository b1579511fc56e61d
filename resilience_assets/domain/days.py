"""Local dates as whole numbers, and local wall-clock times as UTC minutes.

Belongs here: the epoch-day coding that every array, frame and table uses, the open-ended sentinels,
and the one place where a local time becomes an instant. Does not belong here: reading a clock.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]

EPOCH = dt.date(1970, 1, 1)
OPEN_START = -(2**20)
"""'Since always': before every date that a roster may hold."""
OPEN_END = 2**20
"""'Until further notice': after every date that a roster may hold."""
MINUTES_A_DAY = 24 * 60


def day_of(date: dt.date) -> int:
    """Epoch day (days since 1970-01-01) of a local date."""
    return (date - EPOCH).days


def date_of(day: int) -> dt.date:
    """Local date of an epoch day; OPEN_START and OPEN_END are refused by `datetime` itself."""
    return EPOCH + dt.timedelta(days=int(day))


def day_text(day: int) -> str:
    """ISO date of an epoch day; '' for an open end."""
    return "" if day in (OPEN_START, OPEN_END) else date_of(day).isoformat()


def local_day(instant: dt.datetime, time_zone: str) -> int:
    """Epoch day of the local date on which an aware instant falls in a time zone."""
    if instant.tzinfo is None:
        raise ValueError(f"instant {instant} has no time zone; pass an aware datetime")
    return day_of(instant.astimezone(ZoneInfo(time_zone)).date())


@lru_cache(maxsize=4096)
def utc_minutes(time_zone: str, first_day: int, days: int, minute: int) -> IntArray:
    """UTC minutes since the epoch of one wall-clock time on each of `days` consecutive local dates.

    `minute` counts from local midnight and may pass 24 h (1800 = 06:00 on the next date). A time
    that a clock change skips is read with the offset before the change, a repeated one as its first
    occurrence (PEP 495, fold=0). Shape [days], int64, read-only because it is cached.
    """
    zone = ZoneInfo(time_zone)
    extra, within = divmod(minute, MINUTES_A_DAY)
    wall = dt.time(within // 60, within % 60)
    out = np.empty(days, dtype=np.int64)
    for i in range(days):
        local = dt.datetime.combine(date_of(first_day + i + extra), wall, tzinfo=zone)
        out[i] = int(local.timestamp()) // 60
    out.flags.writeable = False
    return out
