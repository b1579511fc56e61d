"""Rules on supervision after people change places, against the ratios judged on the changed roster."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from resilience_assets.analysis.contingency.supervision import ratios_hold, ratios_of
from resilience_assets.analysis.duty_hours import breaches
from resilience_assets.domain import states
from resilience_assets.domain.roster import Roster
from resilience_assets.policy import load_policies
from resilience_assets.policy.duty import DutyPolicy, SlotRatio, Supervised
from resilience_assets_tests.analysis.building import FIRST, build

RULE = SlotRatio(
    id="ratio", kind="slot_ratio", text="a rule", source="here", force="local rule", first=dt.date(2000, 1, 1),
    supervisors=("attending",),
    supervised=(Supervised(roles=("PGY1",), share=0.5), Supervised(roles=("PGY*",), share=0.25)),
)  # fmt: skip
DUTY = DutyPolicy(break_hours=1, rules=(RULE,))
ROLES = {"A": "attending", "B": "attending", "C": "PGY1", "D": "PGY1", "E": "PGY2", "F": "PGY3", "G": "nurse"}
POSTS = {"icu": "ICU", "icu2": "ICU", "ward": "WARD"}


def lacking(roster: Roster) -> dict[str, float]:
    """Supervisors that each service lacks in the first slot, by the duty rules."""
    found = breaches(roster, DUTY, FIRST, FIRST)
    return {one.service: one.limit - one.measured for one in found if one.slot == "AM"}


@pytest.mark.parametrize("seed", range(4))
def test_beside_the_duty_rules(seed: int) -> None:
    random = np.random.default_rng(seed)
    verdicts = []
    for _ in range(100):
        roster = build(
            {p: str(random.choice(["D", "D", "-", "."])) for p in ROLES},
            roles=ROLES,
            posts=POSTS,
            holds={p: str(random.choice(sorted(POSTS))) for p in ROLES},
        )
        away = random.random(len(ROLES)) < 0.1
        state = roster.state.copy()
        state[away] = states.ABSENT
        left = replace(roster, state=state)
        people = random.choice(np.flatnonzero(~away), int(random.integers(1, 3)), replace=False)
        posts = random.integers(0, 3, people.size)
        changed = state.copy()
        changed[people, 0] = posts
        before, after = lacking(left), lacking(replace(left, state=changed))
        expected = all(lack <= before.get(service, 0.0) for service, lack in after.items())
        assert ratios_hold(ratios_of(roster, DUTY), 0, away, people, posts) == expected
        verdicts.append(expected)
    assert 5 < sum(verdicts) < 95


def test_rules_that_are_not_active_or_not_in_force_bar_nothing() -> None:
    roster = build({"A": "-", "C": "D"}, roles=ROLES)
    assert ratios_of(roster, load_policies().default.duty) == ()
    late = DutyPolicy(break_hours=1, rules=(RULE.model_copy(update={"first": dt.date(2030, 1, 1)}),))
    people, posts, nobody = np.array([1]), np.array([0]), np.zeros(2, dtype=np.bool_)
    assert ratios_hold(ratios_of(roster, late), 1, nobody, people, posts)
