"""The demo: three invented programs around a day, and what to try first with them.

Belongs here: which programs there are, the stretch of dates, the example of a thin service. Does
not belong here: what one program looks like (family_medicine.py, ward.py, department.py).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from resilience_assets.demo.department import department
from resilience_assets.demo.family_medicine import PROGRAM as FAMILY_MEDICINE
from resilience_assets.demo.family_medicine import family_medicine
from resilience_assets.demo.ward import ward
from resilience_assets.domain.tables import RosterTables

HISTORY_DAYS = 28
"""Least number of days on file before the day that the demo is made for."""
DAYS_AHEAD = 90
HEALTH_CHECK_DAYS = 8
THIN_SERVICE = "procedures"
DEFAULT_SEED = 7


def demo_programs(today: int, seed: int = DEFAULT_SEED) -> list[RosterTables]:
    """Family medicine, a ward and a department, every kind of record, up to 90 days after `today`.

    `today` is an epoch day. They begin on a Monday 28 to 34 days earlier. The same arguments give
    the same frames. Takes about three seconds.
    """
    first_day = today - HISTORY_DAYS - (today - HISTORY_DAYS + 3) % 7  # epoch day 0 was a Thursday
    days = today + DAYS_AHEAD - first_day + 1
    makers = (family_medicine, ward, department)
    return [make(today, first_day, days, np.random.default_rng([seed, n])) for n, make in enumerate(makers)]


def thin_service_example(tables: Sequence[RosterTables], today: int) -> tuple[str, str, int]:
    """Whose absence opens the thin service, and when: (person id, service id, epoch day).

    The first day from `today` on, within the eight days of a health check, on which a person works
    there. Raises ValueError when `tables` do not hold the demo around `today`.
    """
    for one in tables:
        if one.program is None or one.program.id != FAMILY_MEDICINE.id or one.posts is None or one.assignments is None:
            continue
        posts = one.posts.loc[one.posts["service"] == THIN_SERVICE, "post"]
        held = one.assignments
        held = held[held["post"].isin(posts) & held["day"].between(today, today + HEALTH_CHECK_DAYS - 1)]
        if len(held):
            first = held.sort_values(["day", "person"], kind="stable").iloc[0]
            return str(first["person"]), THIN_SERVICE, int(first["day"])
    raise ValueError(
        f"no one works at {THIN_SERVICE} in the {HEALTH_CHECK_DAYS} days from epoch day {today}: make the demo for that day"
    )
