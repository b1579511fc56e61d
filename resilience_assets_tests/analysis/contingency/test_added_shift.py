"""What an added shift does to the duty rules, against the rules judged on the changed roster."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from resilience_assets.analysis.contingency.added_shift import AddedShifts, added_shifts, sentence
from resilience_assets.analysis.contingency.bits import bits_of, members_of
from resilience_assets.analysis.contingency.judging import BROKEN, FINE, STRETCHED
from resilience_assets.analysis.contingency.masks import Masks, masks_of
from resilience_assets.analysis.duty_hours import Breach, breaches, windows
from resilience_assets.analysis.work import absent_days, hours_by_day, work_periods, worked_shifts
from resilience_assets.domain.roster import Roster
from resilience_assets.policy import load_policies
from resilience_assets.policy.duty import DutyPolicy, ForbiddenPattern, RollingWindow
from resilience_assets_tests.analysis.building import FIRST, SHIFT_INDEX, SHIFTS, build
from resilience_assets_tests.analysis.contingency.changed import with_shift

RULE = {
    "text": "a rule",
    "source": "here",
    "force": "local rule",
    "first": dt.date(2000, 1, 1),
    "roles": ("PGY*",),
}
CAP = {"kind": "rolling_window", **RULE}
NEVER = {"kind": "forbidden_pattern", **RULE}
DUTY = DutyPolicy(
    break_hours=1,
    rules=(
        RollingWindow(id="hours", measure="hours", limit=60, per_days=7, window_days=7, leave_excluded=True, **CAP),
        RollingWindow(id="hours14", measure="hours", limit=50, per_days=7, window_days=14, **CAP),
        RollingWindow(id="dates", measure="worked_days", limit=5, per_days=7, window_days=7, **CAP),
        RollingWindow(id="nights", measure="nights", limit=2, per_days=7, window_days=7, **CAP),
        RollingWindow(id="calls", measure="calls", limit=1, per_days=7, window_days=7, **CAP),
        RollingWindow(id="free", measure="free_days", bound="at_least", limit=2, per_days=7, window_days=7, **CAP),
        RollingWindow(id="capacity", measure="hours", limit=44, per_days=7, window_days=7, judged=False, **CAP),
        ForbiddenPattern(id="between", pattern="rest_between", hours=10, **NEVER),
        ForbiddenPattern(id="after", pattern="rest_after", hours=14, after_hours=24, **NEVER),
        ForbiddenPattern(id="long", pattern="max_continuous", hours=24, transition_hours=4, **NEVER),
        ForbiddenPattern(id="order", pattern="succession", **NEVER),
        ForbiddenPattern(id="row", pattern="consecutive_days", days=4, **NEVER),
        ForbiddenPattern(id="night_row", pattern="consecutive_nights", days=2, **NEVER),
    ),
)
FORBIDDEN = (("N", "D"), ("N", "H"), ("C", "P"))
DAYS = 14


def with_a_post_for_each_shift(words: list[str], **options: object) -> Roster:
    """A roster in which A works `words` and the post of each shift is held by somebody whom no rule binds."""
    others = {f"Z{code}": " ".join([code] * len(words)) for code in "DNHPC"}
    return build(
        {"A": " ".join(words), **others},
        posts={"own": "W", **{f"post{code}": "W" for code in "DNHPC"}},
        holds={"A": "own", **{f"Z{code}": f"post{code}" for code in "DNHPC"}},
        roles={"A": "PGY2", **dict.fromkeys(others, "other")},
        forbidden=FORBIDDEN,
        **options,  # type: ignore[arg-type]
    )


def judged(roster: Roster, duty: DutyPolicy = DUTY) -> AddedShifts:
    """Everything judged: everybody may hold every post in every slot."""
    added = added_shifts(roster, duty, roster.first_day, roster.last_day)
    people, posts = len(roster.people), len(roster.posts)
    may = bits_of(np.ones((roster.slots * people, posts), dtype=np.bool_)).reshape(roster.slots, people, 1)
    added.judge(Masks(np.zeros((roster.slots, people), dtype=np.uint8), may), np.arange(roster.slots))
    return added


def verdict(added: AddedShifts, code: str, day: int) -> int:
    """What the shift of that code on a date does to A."""
    slot = day * 3 + added.roster.program.slots_of(SHIFTS[SHIFT_INDEX[code]])[0]
    post = [one.id for one in added.roster.posts].index(f"post{code}")
    return int(added.duty.judged.verdict[added.span[slot, post], 0])


def rules_of(added: AddedShifts, code: str, day: int) -> dict[str, str]:
    """The rules that it stretches, with the sentence."""
    slot = day * 3 + added.roster.program.slots_of(SHIFTS[SHIFT_INDEX[code]])[0]
    return dict(added.stretches(0, slot, [one.id for one in added.roster.posts].index(f"post{code}")))


def broken(roster: Roster) -> set[Breach]:
    """The breaches of A."""
    return {one for one in breaches(roster, DUTY, roster.first_day, roster.last_day) if one.person == "A"}


def near_limit(before: Roster, after: Roster, code: str) -> set[str]:
    """Caps in which A then has more and no room for one more such shift, or more than capacity."""
    out, length = set(), (SHIFTS[SHIFT_INDEX[code]].end - SHIFTS[SHIFT_INDEX[code]].start) / 60
    figures = []
    for roster in (before, after):
        shifts = worked_shifts(roster)
        periods, hours, absent = work_periods(shifts, 60), hours_by_day(roster, shifts), absent_days(roster)
        figures.append(
            [
                windows(roster, shifts, periods, hours, absent, rule, 0, roster.days - 1)
                for rule in DUTY.rules
                if isinstance(rule, RollingWindow)
            ]
        )
    for n, rule in enumerate(rule for rule in DUTY.rules if isinstance(rule, RollingWindow)):
        (then, limit), (now, _) = figures[1][n], figures[0][n]
        for e in range(after.days):
            room = length if rule.measure == "hours" else 1.0
            if rule.measure == "free_days":
                close = e >= rule.window_days - 1 and then[0, e] < now[0, e] and then[0, e] - room < limit[0, e]
            elif rule.judged:
                close = then[0, e] > now[0, e] + 1e-6 and then[0, e] + room > limit[0, e] + 1e-6
            else:
                close = then[0, e] > now[0, e] + 1e-6 and then[0, e] > limit[0, e] + 1e-6
            if close:
                out.add(rule.id)
    return out


@pytest.mark.parametrize("seed", range(10))
def test_beside_the_rules_judged_on_the_changed_roster(seed: int) -> None:
    random = np.random.default_rng(seed)
    counted = {FINE: 0, STRETCHED: 0, BROKEN: 0}
    for _ in range(12):
        words = random.choice([*"......-", "D", "N", "H", "P", "C", "a"], DAYS).tolist()
        away = [("A", d, d, True, False) for d, word in enumerate(words) if word == "a"]
        roster = with_a_post_for_each_shift(words, absences=away)
        before, added = broken(roster), judged(roster)
        for day in range(DAYS):
            for code in "DNHPC":
                if words[day] == "a":
                    continue
                changed = with_shift(roster, 0, day, SHIFT_INDEX[code], 0)
                after, found = broken(changed), verdict(added, code, day)
                counted[found] += 1
                if found != BROKEN:
                    assert after <= before, (words, day, code)
                    caps = {rule for rule in rules_of(added, code, day) if rule not in ("long", "row", "night_row")}
                    assert caps == near_limit(roster, changed, code), (words, day, code)
                elif not before:
                    assert after, (words, day, code)
    assert min(counted.values()) > 20


def test_what_is_worked_anyway_changes_nothing_and_what_is_inside_is_replaced() -> None:
    added = judged(with_a_post_for_each_shift(["C", ".", ".", "H", ".", "D", "."]))
    assert [verdict(added, code, 0) for code in "DNHPC"] == [FINE] * 5
    # six hours more on the date of the half day, not twelve
    assert rules_of(added, "D", 3)["capacity"] == "48 h a week, limit 44"


def test_sentences_say_what_would_be_worked_and_the_limit() -> None:
    duty = load_policies().default.duty
    rules = {rule.id: rule for rule in duty.rules if isinstance(rule, RollingWindow | ForbiddenPattern)}
    assert sentence(rules["acgme.weekly_hours"], 78.25) == "78.2 h a week on average over 28 days, limit 80"
    assert sentence(rules["acgme.call_frequency"], 0.96) == "0.96 calls in 3 days on average over 28 days, limit 1"
    assert sentence(rules["capacity.nurses"], 55, 0.5) == "55 h a week, limit 24"
    assert (
        sentence(rules["acgme.continuous_hours"], 26) == "26 h of work without a break, limit 24 and 4 for transitions"
    )
    assert sentence(rules["local.night_float_length"], 6) == "6 nights in a row, limit 6"
    free = judged(with_a_post_for_each_shift((["D", "H", "H", "H", "H", "H", "."]) * 4), duty)
    assert rules_of(free, "H", 27) == {
        "acgme.one_day_in_seven": "0.75 free days a week on average over 28 days, at least 1"
    }
    assert verdict(free, "H", 27) == BROKEN


def test_a_full_time_share_counts_in_limits_of_capacity_only() -> None:
    duty = load_policies().default.duty
    half = judged(with_a_post_for_each_shift(["D", "D", "D", ".", ".", ".", "."], fte={"A": 0.5}), duty)
    assert rules_of(half, "H", 4) == {"capacity.residents": "42 h a week, limit 40"}


def test_hours_of_the_last_28_dates_as_published() -> None:
    roster = with_a_post_for_each_shift(["D"] * 40)
    added = added_shifts(roster, DUTY, FIRST + 30, FIRST + 39)
    assert added.hours_28[0].tolist() == [28 * 12.0] * 10
    early = added_shifts(roster, DUTY, FIRST, FIRST + 2)
    assert early.hours_28[0].tolist() == [12.0, 24.0, 36.0]


def test_masks_within_the_rules_drop_what_breaks_one_and_keep_the_post_held() -> None:
    words = ["D", "D", "D", "D", "H", ".", "-", "N", ".", ".", "C", ".", ".", "P"]
    roster = with_a_post_for_each_shift(words)
    masks = masks_of(roster, DUTY, roster.first_day, roster.last_day)
    added = added_shifts(roster, DUTY, roster.first_day, roster.last_day)
    before, after = (members_of(one.may, len(roster.posts)) for one in (masks, added.within_rules(masks)))
    broken_shift = (
        added.duty.judged.verdict[added.span[:, None, :], np.arange(len(roster.people))[None, :, None]] == BROKEN
    )
    held = masks.place[:, :, None] == np.arange(len(roster.posts))
    assert (after == before & (held | ~broken_shift)).all()
    assert (before & ~after).any()
    assert (after[:, 0] & ~held[:, 0]).any()
