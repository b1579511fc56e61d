"""What figures are told for: the whole program, each service, each tier; each day and the horizon.

Belongs here: the list of scopes of a roster and adding cells up by them. Does not belong here: any
figure (coverage.py, utilization.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from resilience_assets.domain.roster import BoolArray, Roster

PROGRAM, SERVICE, TIER = "program", "service", "tier"


@dataclass(frozen=True, eq=False)
class Scopes:
    """N scopes: the program first, then services in order of the roster, then tiers in ascending order.

    `kind` is program, service or tier; `key` the program's id, the service's id or the tier's
    number as text; `posts` [N, Q] says which posts belong to each.
    """

    kind: tuple[str, ...]
    key: tuple[str, ...]
    posts: BoolArray

    def __len__(self) -> int:
        return len(self.kind)


def scopes_of(roster: Roster) -> Scopes:
    """The scopes of a roster. A service without a post and a tier without a service are left out."""
    service_of_post = np.array([post.service for post in roster.posts], dtype=np.int64)
    tier_of_post = np.array([roster.services[post.service].tier for post in roster.posts], dtype=np.int64)
    used = [s for s in range(len(roster.services)) if (service_of_post == s).any()]
    tiers = sorted({int(tier) for tier in tier_of_post})
    kind = (PROGRAM, *[SERVICE] * len(used), *[TIER] * len(tiers))
    key = (roster.program.id, *(roster.services[s].id for s in used), *(str(tier) for tier in tiers))
    rows = [np.ones(len(roster.posts), dtype=np.bool_)]
    rows += [service_of_post == s for s in used] + [tier_of_post == tier for tier in tiers]
    return Scopes(kind, key, np.array(rows, dtype=np.bool_))


def by_scope(scopes: Scopes, cells: npt.NDArray[Any], days: int) -> npt.NDArray[np.int64]:
    """Cells [Q, T] added up by scope: [N, 1 + D]; column 0 is the whole horizon, then each day."""
    per_day = cells.shape[1] // days if days else 1
    daily = cells.reshape(cells.shape[0], days, per_day).sum(axis=2, dtype=np.int64)
    sums = scopes.posts.astype(np.int64) @ daily
    return np.concatenate([sums.sum(axis=1, keepdims=True), sums], axis=1)


def share(part: npt.NDArray[Any], whole: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """part / whole, elementwise; NaN where the whole is 0: nothing was asked, so nothing is said."""
    asked = whole > 0
    return np.where(asked, part / np.where(asked, whole, 1), np.nan)


def qualified_by_scope(roster: Roster, scopes: Scopes) -> BoolArray:
    """Who may hold any post of a scope on each day, [N, P, D]."""
    out = np.zeros((len(scopes), len(roster.people), roster.days), dtype=np.bool_)
    members = scopes.posts.T.astype(np.float32)
    for low, high, mask in roster.qualification_periods():
        able = (mask.astype(np.float32) @ members) > 0
        out[:, :, low // roster.per_day : high // roster.per_day] = able.T[:, :, None]
    return out
