"""The status of a program: its rules, its inertia, its advice."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resilience_assets.analysis.duty_hours import Breach, breaches
from resilience_assets.analysis.health import (
    Health,
    advised_load_shedding,
    assess,
    next_status,
    raw_status,
    unknown_health,
)
from resilience_assets.analysis.redundancy import redundancy
from resilience_assets.analysis.utilization import utilization
from resilience_assets.domain.roster import Roster
from resilience_assets.domain.scales import DefenseLevel, LoadShedding, Status, UtilizationLevel
from resilience_assets.policy import load_policies
from resilience_assets_tests.analysis.building import FIRST, build

POLICY = load_policies().default
H, W, D, C, E, U = (Status[name] for name in ("HEALTHY", "WARNING", "DEGRADED", "CRITICAL", "EMERGENCY", "UNKNOWN"))


def check(roster: Roster, last: int = 0, **more: object) -> Health:
    used = utilization(roster, POLICY, FIRST, FIRST + last)
    services = redundancy(roster, POLICY, FIRST, FIRST + last)
    return assess(roster, POLICY, used, services, **more)  # type: ignore[arg-type]


# --- one reading -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("level", "defense", "n1", "n2", "status"),
    [
        ("GREEN", 1, True, True, H),
        ("YELLOW", 1, True, True, W),
        ("GREEN", 1, True, False, W),
        ("ORANGE", 1, True, True, D),
        ("GREEN", 2, True, True, D),
        ("GREEN", 3, True, True, D),
        ("GREEN", 1, False, True, D),
        ("RED", 1, True, True, C),
        ("GREEN", 4, True, True, C),
        ("BLACK", 1, True, True, E),
        ("GREEN", 5, True, True, E),
        ("RED", 5, False, False, E),
        ("YELLOW", 4, False, False, C),
        ("GREEN", 1, None, None, H),
        ("UNKNOWN", 1, True, True, U),
        ("BLACK", 9, True, True, U),
    ],
)
def test_the_first_rule_that_holds(level: str, defense: int, n1: bool | None, n2: bool | None, status: Status) -> None:
    assert raw_status(UtilizationLevel[level], DefenseLevel(defense), n1, n2) == status


def test_a_reading_never_improves_when_a_figure_gets_worse() -> None:
    levels = [UtilizationLevel[name] for name in ("GREEN", "YELLOW", "ORANGE", "RED", "BLACK")]
    lines = [DefenseLevel(n) for n in range(1, 6)]
    for (i, level), (j, line), n1, n2 in product(enumerate(levels), enumerate(lines), (True, False), (True, False)):
        here = raw_status(level, line, n1, n2)
        assert raw_status(levels[min(4, i + 1)], line, n1, n2) >= here
        assert raw_status(level, lines[min(4, j + 1)], n1, n2) >= here
        assert raw_status(level, line, False, n2) >= here
        assert raw_status(level, line, n1, False) >= here


def test_unknown_contingency_neither_passes_nor_fails() -> None:
    assert raw_status(UtilizationLevel.YELLOW, DefenseLevel.PREVENTION, None, None) == W


# --- inertia ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("previous", "readings", "coverage", "shown"),
    [
        (None, [D], 0.9, D),  # nothing shown yet
        (H, [D], 0.9, H),  # one worse reading is not enough
        (H, [D, D], 0.9, D),
        (H, [C, D], 0.9, D),  # to the mildest of both
        (H, [D, H], 0.9, H),
        (H, [D, H, D], 0.9, H),
        (D, [H], 1.0, D),
        (D, [H, H], 1.0, D),
        (D, [H, H, H], 1.0, H),
        (D, [H, W, H], 1.0, W),  # to the worst of the three
        (D, [H, D, H, H], 1.0, D),
        (H, [E], 0.6999, E),  # at once
        (H, [C], 0.70, H),  # on the limit it waits
        (E, [C], 0.5, E),  # at once is for worse only
        (H, [U], None, U),  # grey never waits
        (U, [H], 1.0, H),
        (W, [D, U, D], 0.9, W),
        (H, [H, H], 1.0, H),
    ],
)
def test_steps_of_the_status(
    previous: Status | None, readings: list[Status], coverage: float | None, shown: Status
) -> None:
    assert next_status(previous, readings, coverage, POLICY) == shown


def test_a_reading_is_needed() -> None:
    with pytest.raises(ValueError, match="reading of now"):
        next_status(H, [], 1.0, POLICY)


@given(st.sampled_from([H, W, D, C, E]), st.lists(st.sampled_from([H, W, D, C, E]), min_size=1, max_size=6))
def test_the_status_stays_between_what_was_shown_and_what_was_read(previous: Status, readings: list[Status]) -> None:
    shown = next_status(previous, readings, 0.9, POLICY)
    assert min(previous, *readings) <= shown <= max(previous, *readings)


@given(st.lists(st.sampled_from([H, W, D, C, E]), min_size=3, max_size=20))
def test_a_steady_reading_is_shown_in_the_end(readings: list[Status]) -> None:
    shown: Status | None = None
    history: list[Status] = []
    for reading in [*readings, *[readings[-1]] * 3]:
        history.append(reading)
        shown = next_status(shown, history, 0.9, POLICY)
    assert shown == readings[-1]


# --- load shedding ---------------------------------------------------------------------------


def tiered(available: int, by_tier: dict[int, int]) -> Roster:
    """`available` people at work in one morning; so many heads required in each tier."""
    posts = {f"t{tier}": f"T{tier}" for tier in by_tier}
    roster = build(
        {f"P{i:02d}": "H" for i in range(available)}, posts=posts, tiers={f"T{tier}": tier for tier in by_tier},
        required={(f"t{tier}", 0, "AM"): count for tier, count in by_tier.items()}, roles=dict.fromkeys([f"P{i:02d}" for i in range(available)], "x"),
    )  # fmt: skip
    roster.state[:, 1:] = -3
    return roster


@pytest.mark.parametrize(
    ("available", "level"),
    [(12, "NORMAL"), (11, "YELLOW"), (10, "YELLOW"), (9, "ORANGE"), (7, "ORANGE"), (6, "RED"), (5, "BLACK"), (4, "BLACK"),
     (3, "CRITICAL"), (1, "CRITICAL")],
)  # fmt: skip
def test_the_lowest_level_at_which_the_rest_fits(available: int, level: str) -> None:
    # 12 in all; 10 without tier 7, 7 without 6 and 5, 6 without 4 ..., 4 without 3, 2 without 2
    used = utilization(tiered(available, {1: 2, 2: 2, 3: 2, 4: 1, 5: 1, 6: 2, 7: 2}), POLICY, FIRST, FIRST)
    expected = {"RED": 6, "BLACK": 4}
    assert advised_load_shedding(used, POLICY) == LoadShedding[level]
    assert expected["RED"] > expected["BLACK"]


def test_patient_safety_is_not_paused_however_large() -> None:
    found = check(tiered(1, {1: 50, 7: 1}))
    assert found.load_shedding == LoadShedding.CRITICAL
    assert not any("patient safety" in action for action in found.immediate_actions if action.startswith("Pause"))


# --- the whole check -------------------------------------------------------------------------


def test_a_full_roster_is_healthy_and_says_what_it_does_not_know() -> None:
    need = {("ward", 0, "AM"): 1}
    found = check(build({f"P{i}": "D" for i in range(4)}, required=need, minimum=need))
    assert found.status == found.raw_status == H
    assert (found.utilization_level, found.defense_level) == (UtilizationLevel.GREEN, DefenseLevel.PREVENTION)
    assert (found.n1_pass, found.n2_pass) == (None, None)
    assert found.immediate_actions == ()
    assert [item[:16] for item in found.watch_items] == ["N-1 is not known", "N-2 is not known"]


def test_an_empty_schedule_is_an_emergency_and_not_a_pass() -> None:
    need = {("ward", 0, "AM"): 1, ("ward", 0, "NIGHT"): 2}
    found = check(build({f"P{i}": "." for i in range(9)}, required=need, minimum=need))
    assert found.raw_status == E
    assert found.coverage == 0
    assert found.immediate_actions[:2] == (
        "WARD: 1 more role needed on Mon 2025-09-01 AM (0 of 1 seated, safe minimum 1)",
        "WARD: 2 more role needed on Mon 2025-09-01 NIGHT (0 of 2 seated, safe minimum 2)",
    )


def test_low_utilization_does_not_make_an_emergency() -> None:
    # a third of three people is asked for: green, and fully covered
    need = {("ward", 0, "AM"): 1, ("ward", 0, "PM"): 1, ("ward", 0, "NIGHT"): 1}
    found = check(build({"A": "D", "B": "N", "C": "."}, required=need, minimum=need))
    assert found.status == H


def test_no_demand_or_no_dates_is_unknown() -> None:
    assert check(build({"P": "D"})).status == U
    roster = build({"P": "D"}, required={("ward", 0, "AM"): 1})
    used = utilization(roster, POLICY, FIRST + 9, FIRST + 10)
    found = assess(roster, POLICY, used, redundancy(roster, POLICY, FIRST + 9, FIRST + 10))
    assert (found.status, found.load_shedding, found.coverage) == (U, None, None)
    assert "import the roster" in found.immediate_actions[0]
    assert "import the demand" in check(build({"P": "D"})).immediate_actions[0]


def test_dates_missing_from_the_horizon_are_a_warning() -> None:
    need = {("ward", 0, "AM"): 1}
    roster = build({f"P{i}": "D" for i in range(4)}, required=need)
    found = check(roster, last=7)
    assert found.raw_status == W
    assert found.watch_items[0].startswith("7 dates of this horizon are not on file")


def test_many_open_cells_are_counted_not_listed() -> None:
    need = {("ward", d, slot): 1 for d in range(4) for slot in ("AM", "PM")}
    found = check(build({"P": ". . . ."}, required=need, minimum=need), last=3)
    assert (
        len([action for action in found.immediate_actions if "more role needed" in action]) == POLICY.health.sentences
    )
    assert "3 more cells are below their minimum in these 4 days" in found.immediate_actions


def test_as_many_open_cells_as_are_listed_leave_none_to_count() -> None:
    cells = [("ward", d, slot) for d in range(3) for slot in ("AM", "PM")][: POLICY.health.sentences]
    need = dict.fromkeys(cells, 1)
    found = check(build({"P": ". . ."}, required=need, minimum=need), last=2)
    assert not any("more cells" in action for action in found.immediate_actions)
    assert not any("above the minimum" in item for item in found.watch_items)


@pytest.mark.parametrize(("services", "more"), [(5, False), (6, True)])
def test_as_many_services_as_are_listed_leave_none_to_count(services: int, more: bool) -> None:
    assert POLICY.health.sentences == 5
    posts = {f"q{i}": f"S{i}" for i in range(services)}
    found = check(build({"P": "."}, posts=posts, required={(post, 0, "AM"): 1 for post in posts}))
    assert any("more services have open seats" in item for item in found.watch_items) is more


@pytest.mark.parametrize(("required", "told"), [(14, False), (15, True)])
def test_a_buffer_under_its_limit_is_watched(required: int, told: bool) -> None:
    roster = tiered(20, {1: required})
    roster.minimum[:] = 0
    used = utilization(roster, POLICY, FIRST, FIRST)
    assert used.available[0, 0] == 20
    found = check(roster)
    assert any("left below the safe load" in item for item in found.watch_items) is told


def test_what_is_paused_is_named_by_service() -> None:
    found = check(tiered(2, {1: 2, 7: 1}))
    assert any(
        a == "Pause optional education (T7): 3 person-slots are required and 2 available"
        for a in found.immediate_actions
    )


def test_seats_above_the_minimum_thin_services_and_unreadable_cells_are_watched() -> None:
    need = {("ward", 0, "AM"): 3}
    roster = build({"A": "D", "B": "?", "C": "."}, required=need, minimum={("ward", 0, "AM"): 1})
    found = check(roster)
    assert not any("needed" in action for action in found.immediate_actions)
    items = "\n".join(found.watch_items)
    assert "WARD: 2 seats open above the minimum, first on Mon 2025-09-01 AM" in items
    assert "WARD is N+0 on Mon 2025-09-01 AM: 1 present, minimum 1; with call-in N+1" in items
    assert "3 cells of the roster could not be read" in items


def test_breaches_are_told_by_rule_and_section() -> None:
    roster = build({"P": "T . "}, required={("ward", 0, "AM"): 1})
    found: list[Breach] = breaches(roster, POLICY.duty, FIRST, FIRST + 1)
    items = check(roster, last=1, breaches=found).watch_items
    assert "P breaks acgme.continuous_hours 6.22 (Core): 30 against 24, 2025-09-01 to 2025-09-01" in items
    many = check(roster, last=1, breaches=found * 8).watch_items
    assert "3 more breaches of acgme.continuous_hours" in many


def test_failing_contingency_lowers_the_status_and_is_said() -> None:
    need = {("ward", 0, "AM"): 1}
    roster = build({f"P{i}": "D" for i in range(4)}, required=need, minimum=need)
    found = check(roster, n1_pass=False, n2_pass=True)
    assert found.raw_status == D
    assert found.watch_items == ("N-1 fails: a loss of one person opens a seat of a minimum",)


def test_the_shown_status_has_inertia() -> None:
    need = {("ward", 0, "AM"): 1}
    roster = build({f"P{i}": "D" for i in range(4)}, required=need, minimum=need)
    assert check(roster, previous=D, recent=[D, H]).status == D
    assert check(roster, previous=D, recent=[H, H]).status == H


def test_a_refused_roster_is_unknown_with_its_reason() -> None:
    found = unknown_health("The import of yesterday was refused", active_fallbacks=["f1"])
    assert (found.status, found.utilization, found.load_shedding) == (U, None, None)
    assert found.immediate_actions == ("The import of yesterday was refused",)
    assert found.active_fallbacks == ("f1",)
