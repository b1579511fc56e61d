"""Coverage: seats filled by qualified, present people against seats required, and against the minimum.

Belongs here: seats, shares of them, the open ones one by one. Does not belong here: who could fill an
open seat (contingency), how full people are (utilization.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from resilience_assets.analysis.scopes import Scopes, by_scope, scopes_of, share
from resilience_assets.domain.days import IntArray
from resilience_assets.domain.roster import Roster

Counts = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class OpenCells:
    """Cells (post, slot) with an open seat, in order of time and then post. Columns of length N.

    `post` is an index of `Roster.posts`, `slot` the position of the slot in its date, `day` the
    epoch day; `open_seats` counts against required, `open_below_minimum` against the safe minimum.
    """

    post: IntArray
    day: IntArray
    slot: IntArray
    required: Counts
    minimum: Counts
    filled: Counts

    @property
    def open_seats(self) -> Counts:
        """Seats required and not filled."""
        return self.required - self.filled

    @property
    def open_below_minimum(self) -> Counts:
        """Seats of the safe minimum that are not filled."""
        return np.asarray(np.maximum(0, self.minimum - self.filled), dtype=np.int64)

    def __len__(self) -> int:
        return int(self.post.size)


@dataclass(frozen=True, eq=False)
class Coverage:
    """Seats by scope and day. Arrays [N, 1 + D]: column 0 is the whole horizon, then each date on file.

    `seated` counts a seat at most once (min of filled and required; heads beyond are no cover), so
    seated / required is the coverage; `coverage` and `coverage_minimum` are NaN where nothing is
    required. `assigned` counts all heads, those beyond too. `missing_days` is how many dates of the
    horizon are not on file: nothing is known of them. `window` is the roster cut to the horizon.
    """

    window: Roster
    missing_days: int
    scopes: Scopes
    required: Counts
    seated: Counts
    minimum: Counts
    seated_minimum: Counts
    assigned: Counts
    cells: OpenCells

    @property
    def first_day(self) -> int:
        """First epoch day of the horizon that is on file."""
        return self.window.first_day

    @property
    def days(self) -> int:
        """Number D of dates of the horizon that are on file."""
        return self.window.days

    @property
    def coverage(self) -> FloatArray:
        """Seats filled / seats required, NaN where none is required."""
        return share(self.seated, self.required)

    @property
    def coverage_minimum(self) -> FloatArray:
        """Seats of the minimum filled / seats of the minimum, NaN where there is no minimum."""
        return share(self.seated_minimum, self.minimum)

    @property
    def open_seats(self) -> Counts:
        """Seats required and not filled."""
        return self.required - self.seated

    @property
    def open_below_minimum(self) -> Counts:
        """Seats of the safe minimum not filled."""
        return self.minimum - self.seated_minimum

    def of_program(self) -> float | None:
        """Coverage of the whole program over the whole horizon; None when nothing is required."""
        value = float(self.coverage[0, 0])
        return None if np.isnan(value) else value


def coverage(roster: Roster, first_day: int, last_day: int) -> Coverage:
    """Coverage of a roster on epoch days first_day..last_day (inclusive)."""
    window = roster.window(first_day, last_day)
    required, minimum = window.required.astype(np.int64), window.minimum.astype(np.int64)
    filled = window.filled().astype(np.int64)
    scopes = scopes_of(window)
    return Coverage(
        window=window,
        missing_days=last_day - first_day + 1 - window.days,
        scopes=scopes,
        required=by_scope(scopes, required, window.days),
        seated=by_scope(scopes, np.minimum(filled, required), window.days),
        minimum=by_scope(scopes, minimum, window.days),
        seated_minimum=by_scope(scopes, np.minimum(filled, minimum), window.days),
        assigned=by_scope(scopes, filled, window.days),
        cells=_open_cells(window, required, minimum, filled),
    )


def _open_cells(window: Roster, required: Counts, minimum: Counts, filled: Counts) -> OpenCells:
    # the transpose puts the earliest slot first
    slot, post = np.nonzero((filled < required).T)
    return OpenCells(
        post=post.astype(np.int64),
        day=window.first_day + slot // window.per_day,
        slot=(slot % window.per_day).astype(np.int64),
        required=required[post, slot],
        minimum=minimum[post, slot],
        filled=filled[post, slot],
    )
