"""Risk: how likely each person is away, times what the loss opens, so that lists can be ordered by both.

Belongs here: rates of absence from a role's prior and a person's own record, expected seats lost by person and by
pair. Does not belong here: the priors (policy/absence.py), what a loss opens (labels.py), the forecast.

A rate is the mean of a beta distribution after the person's own record: with a prior of rate r worth n dates, and a
dates away of d on record, (r n + a) / (n + d). (A. Gelman and others, Bayesian Data Analysis, 3rd ed. 2013,
section 2.4: the beta prior of a binomial proportion.) Two people are taken to be away independently; groups with a
common cause are asked about as groups (groups.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from resilience_assets.analysis.contingency.compiled import compiled
from resilience_assets.analysis.contingency.dominators import ESSENTIAL, NEITHER
from resilience_assets.analysis.contingency.labels import Counts, Labels
from resilience_assets.analysis.contingency.seating import Octets
from resilience_assets.domain.roster import BoolArray, Roster
from resilience_assets.policy.absence import AbsencePolicy

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class AbsenceRates:
    """How often each person is away unannounced, all [P].

    `rate` is `prior` after the record: `away` of `days` dates.
    """

    rate: Floats
    prior: Floats
    days: Counts
    away: Counts


def absence_rates(roster: Roster, policy: AbsencePolicy, before: int) -> AbsenceRates:
    """Rates from the roles of people and their record on the dates of the roster before epoch day `before`.

    On record are dates on which a person belongs to the program and is not on an absence known beforehand. Absences
    that are only asked for do not count.
    """
    unplanned = np.array([policy.is_unplanned(kind) for kind in roster.absences.kind], dtype=np.bool_)
    approved = roster.absences.approved
    past = max(0, min(before - roster.first_day, roster.days))
    away = _dates(roster, approved & unplanned)[:, :past] & _belongs(roster)[:, :past]
    on_record = _belongs(roster)[:, :past] & (away | ~_dates(roster, approved & ~unplanned)[:, :past])
    prior = np.array([policy.rate_for(person.role).rate for person in roster.people], dtype=np.float64)
    days, lost = on_record.sum(axis=1, dtype=np.int64), away.sum(axis=1, dtype=np.int64)
    return AbsenceRates((prior * policy.prior_days + lost) / (policy.prior_days + days), prior, days, lost)


def absent_on(window: Roster, rate: Floats) -> Floats:
    """P(away) of each person on each date of a window, [P, days]: the rate [P], and 1 where it is known already."""
    return np.where(_known(window), 1.0, rate[:, None])


def unannounced_on(window: Roster, rate: Floats) -> Floats:
    """P(away unannounced) of each person on each date of a window, [P, days]: 0 where it is known already."""
    return np.where(_known(window), 0.0, rate[:, None])


def _known(window: Roster) -> BoolArray:
    return np.asarray(_dates(window, window.absences.approved) | ~_belongs(window), dtype=np.bool_)


def _dates(roster: Roster, which: BoolArray) -> BoolArray:
    """Dates covered by the chosen absences, [P, days]."""
    out = np.zeros((len(roster.people), roster.days), dtype=np.bool_)
    away = roster.absences
    for n in np.flatnonzero(which):
        low, high = max(0, int(away.first[n]) - roster.first_day), int(away.last[n]) - roster.first_day + 1
        out[away.person[n], low : max(low, high)] = True
    return out


def _belongs(roster: Roster) -> BoolArray:
    """Dates on which each person belongs to the program, [P, days]."""
    day = np.arange(roster.first_day, roster.first_day + roster.days)[None, :]
    starts = np.array([person.starts for person in roster.people], dtype=np.int64)[:, None]
    ends = np.array([person.ends for person in roster.people], dtype=np.int64)[:, None]
    return np.asarray((starts <= day) & (day <= ends), dtype=np.bool_)


def expected_seats(chance: Floats, found: Labels) -> Floats:
    """Seats that each person is expected to leave open by being away unannounced, with nobody else so away, [P].

    `chance` [P, days] (`unannounced_on`) is for the dates of the labels; ValueError if slots do not divide into them.
    """
    essential = (found.label == ESSENTIAL).T
    return np.asarray((_by_slot(chance, found) * essential).sum(axis=1), dtype=np.float64)


def expected_seats_of_pair(chance: Floats, found: Labels, p: int, q: int) -> float:
    """Seats expected to open while p and q are both away unannounced: P(both) x seats that the pair opens, summed."""
    one, other = found.label[:, p], found.label[:, q]
    same = (one == other) & (one != NEITHER) & (one != ESSENTIAL)
    seats = (one == ESSENTIAL).astype(np.int64) + (other == ESSENTIAL) + same
    both = _by_slot(chance[[p]], found)[0] * _by_slot(chance[[q]], found)[0]
    return float((both * seats).sum())


def riskiest_pairs(chance: Floats, found: Labels, most: int = 20) -> tuple[Counts, Floats]:
    """The `most` pairs [N, 2] (first < second) with the most seats expected as above, of all pairs, and those seats [N].

    Pairs that are expected to open none are left out; of equals the first comes first.
    """
    rows, others, essential = _rows(found)
    pairs, seats = np.zeros((most + 1, 2), dtype=np.int64), np.zeros(most + 1, dtype=np.float64)
    by_slot = np.ascontiguousarray(_by_slot(chance, found))
    rank_pairs(rows, others, essential, by_slot, _most_with_anybody(rows, essential, by_slot), pairs, seats)
    some = seats[:most] > 0
    return pairs[:most][some], seats[:most][some]


def risk_columns(rates: AbsenceRates, chance: Floats, found: Labels, people: list[str]) -> dict[str, list[Any]]:
    """Each person in flat form, the most expected seats first: `rate`, its `prior`, the record, `slots_lost`."""
    expected = expected_seats(chance, found)
    order = np.lexsort([np.arange(len(people)), -found.slots_lost, -expected])
    return {
        "person": [people[p] for p in order],
        "expected_seats": expected[order].tolist(),
        "rate": rates.rate[order].tolist(),
        "prior": rates.prior[order].tolist(),
        "days_on_record": rates.days[order].tolist(),
        "days_away": rates.away[order].tolist(),
        "slots_lost": found.slots_lost[order].tolist(),
    }


def _by_slot(by_date: Floats, found: Labels) -> Floats:
    """A figure by date [N, days] as one by slot, [N, T]."""
    slots, days = len(found.label), by_date.shape[1]
    if slots == 0:
        return np.zeros((len(by_date), 0), dtype=np.float64)
    if days == 0 or slots % days:
        raise ValueError(f"{slots} slots do not divide into {days} dates; give the chances for the dates of the labels")
    return np.repeat(by_date, slots // days, axis=1)


def _rows(found: Labels) -> tuple[Octets, Octets, Floats]:
    """Classes of each person by slot twice, without a class NEITHER and ESSENTIAL, and where essential; [P, T]."""
    label = np.ascontiguousarray(found.label.T)
    none = (label == NEITHER) | (label == ESSENTIAL)
    rows = np.where(none, label.dtype.type(NEITHER), label)
    others = np.where(none, label.dtype.type(ESSENTIAL), label)
    return rows, others, (label == ESSENTIAL).astype(np.float64)


def _most_with_anybody(rows: Octets, essential: Floats, chance: Floats) -> Floats:
    """What each person adds at most to the expectation of a pair, [P]; the sum of two bounds that of their pair."""
    # the other is as likely away as anybody is; of a slot in which both are of one class each bears half
    likeliest = chance.max(axis=0, initial=0.0)
    return np.asarray((chance * likeliest * (essential + 0.5 * (rows != NEITHER))).sum(axis=1), dtype=np.float64)


@compiled
def rank_pairs(
    rows: Octets, others: Octets, essential: Floats, chance: Floats, bound: Floats, pairs: Counts, seats: Floats
) -> None:
    """The body of `riskiest_pairs`; the last two are written, their last row is below the list."""
    last = seats.size - 2
    for p in range(len(rows)):
        for q in range(p + 1, len(rows)):
            most = bound[p] + bound[q]
            if most <= 0 or most < seats[last]:
                continue
            expected = expect(rows[p], others[q], essential[p], essential[q], chance[p], chance[q])
            if expected <= seats[last]:
                continue
            i = last + 1
            while i > 0 and seats[i - 1] < expected:
                pairs[i, 0], pairs[i, 1], seats[i] = pairs[i - 1, 0], pairs[i - 1, 1], seats[i - 1]
                i -= 1
            pairs[i, 0], pairs[i, 1], seats[i] = p, q, expected


@compiled
def expect(one: Octets, other: Octets, alone: Floats, beside: Floats, chance: Floats, also: Floats) -> float:
    """The sum over slots of P(both away) times the seats that the pair opens."""
    total = 0.0
    for t in range(one.size):
        total += chance[t] * also[t] * (alone[t] + beside[t] + (one[t] == other[t]))
    return total
