"""Rates of absence and expected seats, against counting by hand, closed forms and simulation."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from scipy.stats import beta

from resilience_assets.analysis.contingency.labels import Labels, deficits, labels
from resilience_assets.analysis.contingency.masks import Masks, Moves, masks_of
from resilience_assets.analysis.contingency.probability import (
    absence_rates,
    absent_on,
    expected_seats,
    expected_seats_of_pair,
    risk_columns,
    riskiest_pairs,
    unannounced_on,
)
from resilience_assets.analysis.contingency.seating import AWAY
from resilience_assets.policy import load_policies
from resilience_assets.policy.absence import shipped_absence
from resilience_assets_tests.analysis.building import FIRST, build
from resilience_assets_tests.analysis.contingency.blocks import Demand
from resilience_assets_tests.analysis.contingency.programs import drops_of_all_sets, random_program

POLICY = shipped_absence()


def program_of_days(seed: int) -> tuple[Masks, Demand, Labels, np.ndarray]:
    """A random program of one slot a date, its labels, and a chance for each person and date."""
    random = np.random.default_rng(seed)
    masks, demand = random_program(random)
    chance = random.random((masks.place.shape[1], len(demand))) * 0.3
    return masks, demand, labels(masks, Moves.FULL, demand), chance


def test_the_record_moves_the_rate_of_the_role() -> None:
    week = " ".join(["D"] * 40)
    roster = build(
        {"A": week, "B": week, "C": week}, roles={"A": "PGY2", "B": "RN", "C": "Faculty"},
        absences=[("A", 0, 9, True, False), ("B", 30, 39, True, False), ("C", 0, 9, False, False)],
    )  # fmt: skip
    found = absence_rates(roster, POLICY, FIRST + 30)
    assert found.prior.tolist() == [0.011, 0.055, 0.019]
    assert found.days.tolist() == [30, 30, 30]
    assert found.away.tolist() == [10, 0, 0]  # B's is still to come, C's is only asked for
    prior = POLICY.prior_days
    expected = [(0.011 * prior + 10) / (prior + 30), 0.055 * prior / (prior + 30), 0.019 * prior / (prior + 30)]
    assert found.rate == pytest.approx(expected)
    # the mean of the beta distribution after the record
    assert found.rate[0] == pytest.approx(beta(0.011 * prior + 10, 0.989 * prior + 20).mean())


def test_known_leave_is_no_record_and_illness_within_it_is() -> None:
    roster = build({"A": " ".join(["D"] * 20)}, absences=[("A", 0, 9, True, False), ("A", 8, 11, True, False)])
    roster = replace(roster, absences=replace(roster.absences, kind=("vacation", "sick")))
    found = absence_rates(roster, POLICY, FIRST + 20)
    assert (found.days[0], found.away[0]) == (12, 4)


def test_without_a_record_the_rate_is_that_of_the_role() -> None:
    roster = build({"A": "D"}, roles={"A": "Attending"})
    for before in (FIRST, FIRST - 100):
        found = absence_rates(roster, POLICY, before)
        assert (found.rate.tolist(), found.days.tolist()) == ([0.019], [0])


def test_known_absences_are_certain_and_surprise_nobody() -> None:
    roster = build({"A": "D D D", "B": "D D D"}, absences=[("A", 1, 1, True, False), ("B", 0, 2, False, False)])
    roster = replace(roster, people=(roster.people[0], replace(roster.people[1], ends=FIRST + 1)))
    rate = np.array([0.1, 0.2])
    assert absent_on(roster, rate).tolist() == [[0.1, 1.0, 0.1], [0.2, 0.2, 1.0]]
    assert unannounced_on(roster, rate).tolist() == [[0.1, 0.0, 0.1], [0.2, 0.2, 0.0]]


def test_expected_seats_are_the_sum_of_chance_and_harm() -> None:
    harmful = 0
    for seed in range(100):
        masks, demand, found, chance = program_of_days(seed)
        people = masks.place.shape[1]
        drops = drops_of_all_sets(masks, Moves.FULL, demand)
        singles = drops[:, 1 << np.arange(people)].T
        assert expected_seats(chance, found) == pytest.approx((chance * singles).sum(axis=1))
        for p, q in combinations(range(people), 2):
            expected = (chance[p] * chance[q] * drops[:, 1 << p | 1 << q]).sum()
            assert expected_seats_of_pair(chance, found, p, q) == pytest.approx(expected)
            harmful += expected > 0
    assert harmful > 300


def test_the_riskiest_pairs_are_found_among_all() -> None:
    listed = 0
    for seed in range(100):
        masks, _, found, chance = program_of_days(seed)
        every = {
            (p, q): expected_seats_of_pair(chance, found, p, q) for p, q in combinations(range(masks.place.shape[1]), 2)
        }
        pairs, seats = riskiest_pairs(chance, found, 5)
        assert seats == pytest.approx(sorted((one for one in every.values() if one > 0), reverse=True)[:5])
        assert seats == pytest.approx([every[p, q] for p, q in pairs.tolist()])
        listed += len(pairs)
    assert listed > 150


def test_expected_seats_against_a_simulation() -> None:
    masks, demand, found, chance = program_of_days(7)
    now = deficits(masks, Moves.FULL, demand)
    random = np.random.default_rng(8)
    p = int(expected_seats(chance, found).argmax())
    draws = 4_000
    away = random.random((draws, len(demand))) < chance[p]
    total = 0
    for day in range(len(demand)):
        place = masks.place[[day]].copy()
        place[:, p] = AWAY
        opened = int(deficits(Masks(place, masks.may[[day]]), Moves.FULL, demand[[day]])[0] - now[day])
        total += int(away[:, day].sum()) * opened
    expected = expected_seats(chance, found)[p]
    assert expected > 0
    assert total / draws == pytest.approx(expected, rel=0.1)


def test_people_in_order_of_risk_and_not_of_damage() -> None:
    need = {("icu", day, "AM"): 1 for day in range(2)} | {("clinic", 0, "PM"): 1}
    roster = build(
        {"A": "D D", "B": "D D"}, posts={"icu": "ICU", "clinic": "CLINIC"}, holds={"A": "icu", "B": "clinic"},
        qualified=[("A", "icu"), ("B", "clinic")], minimum=need, required=need, roles={"A": "PGY2", "B": "RN"},
    )  # fmt: skip
    masks = masks_of(roster, load_policies().default.duty, FIRST, FIRST + 1)
    found = labels(masks, Moves.FULL, np.ascontiguousarray(roster.minimum.T))
    rates = absence_rates(roster, POLICY, FIRST)
    columns = risk_columns(rates, unannounced_on(roster, rates.rate), found, [one.id for one in roster.people])
    assert columns["person"] == ["B", "A"]
    assert columns["slots_lost"] == [1, 2]
    assert columns["expected_seats"] == pytest.approx([0.055, 0.022])


def test_dates_that_do_not_fit_are_refused() -> None:
    _, demand, found, chance = program_of_days(3)
    with pytest.raises(ValueError, match="do not divide"):
        expected_seats(np.zeros((len(chance), len(demand) + 1)), found)
