"""The incident state machine: readings in, transitions out, against a slow reading of the rules in words."""

import datetime as dt
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resilience_assets.alerting import incidents
from resilience_assets.alerting.incidents import (
    DEPLOYMENT,
    History,
    Memory,
    OpenIncident,
    Reading,
    RuleCount,
    count,
    evaluate,
    unwatched,
)
from resilience_assets.domain.scales import AlertSeverity
from resilience_assets.policy import AlertRule, load_policies
from resilience_assets.policy.routes import Flapping

START = dt.datetime(2026, 9, 4, 6, 0, tzinfo=dt.UTC)
QUARTER = dt.timedelta(minutes=15)
LEVELS = ("info", "warning", "critical", "emergency")
STEADY = Flapping(readings=60, high=1.0, low=0.0, source="test")
"""Nothing ever flaps by these marks: two readings in three would have to change."""


def rule(id="c.warning", trigger=0.95, clear=0.97, severity="warning", up=1, down=1, **more):  # type: ignore[no-untyped-def]
    values = {
        "id": id, "family": "coverage", "measure": "coverage", "scope": "program", "direction": "below", "trigger": trigger, "clear": clear,
        "severity": severity, "message": "{program}: {value}", "source": "test", "readings_up": up, "readings_down": down,
    }  # fmt: skip
    return AlertRule(**(values | more))


WARNING, CRITICAL = rule(), rule("c.critical", 0.8, 0.83, "critical")


def reading(number: int, key: str = "", program_id: int = 1, **values):  # type: ignore[no-untyped-def]
    return Reading(number, program_id, f"p{program_id}", "service" if key else "program", key, START + number * QUARTER, values)


def run(values, *rules, memory=None, open_now=(), flapping=STEADY):  # type: ignore[no-untyped-def]
    """(number of the reading, kind, severity) of each transition, and what is remembered."""
    readings = [reading(i, coverage=value) for i, value in enumerate(values)]
    transitions, changed = evaluate(readings, {1: rules or (WARNING, CRITICAL)}, memory or Memory(), open_now, flapping)
    return [(one.reading.reading_id, one.kind, one.severity.text) for one in transitions], changed


@pytest.mark.parametrize(
    ("values", "transitions"),
    [
        ([1.0, 0.95, 0.97], []),  # the trigger itself is still good
        ([0.94], [(0, "opened", "warning")]),
        ([0.94, 0.94, 0.94], [(0, "opened", "warning")]),  # told once
        ([0.94, 0.96, 0.94], [(0, "opened", "warning")]),  # between the limits nothing changes
        ([0.94, 0.97], [(0, "opened", "warning"), (1, "closed", "warning")]),
        ([0.94, 0.97, 0.94], [(0, "opened", "warning"), (1, "closed", "warning"), (2, "opened", "warning")]),
        ([0.75], [(0, "opened", "critical")]),  # one incident, as grave as the gravest
        ([0.94, 0.75], [(0, "opened", "warning"), (1, "raised", "critical")]),
        ([0.75, 0.82], [(0, "opened", "critical")]),
        ([0.75, 0.85], [(0, "opened", "critical")]),  # severity falls by closing only
        ([0.75, 0.85, 0.79], [(0, "opened", "critical")]),
        ([0.94, 0.75, 0.85, 0.99], [(0, "opened", "warning"), (1, "raised", "critical"), (3, "closed", "critical")]),
        ([0.94, None, 0.94], [(0, "opened", "warning")]),
        ([0.94, None, None, None], [(0, "opened", "warning")]),  # no data never resolves
        ([None, None], []),
        ([0.0], [(0, "opened", "critical")]),
    ],
)
def test_readings_and_what_comes_of_them(values, transitions):
    assert run(values)[0] == transitions


@pytest.mark.parametrize(
    ("values", "transitions"),
    [
        ([0.9], []),
        ([0.9, 0.9], [(1, "opened", "warning")]),
        ([0.9, 0.96, 0.9], []),  # in a row, or they count from the start
        ([0.9, None, 0.9], [(2, "opened", "warning")]),  # what is not measured does not break a row
        ([0.9, 0.9, 0.99, 0.99], [(1, "opened", "warning")]),
        ([0.9, 0.9, 0.99, 0.99, 0.99], [(1, "opened", "warning"), (4, "closed", "warning")]),
        ([0.9, 0.9, 0.99, 0.99, 0.96, 0.99], [(1, "opened", "warning")]),  # between the limits: the row begins anew
        ([0.9, 0.9, 0.99, 0.99, 0.9, 0.99, 0.99], [(1, "opened", "warning")]),
        ([0.9, 0.9, 0.99, None, 0.99, None, 0.99], [(1, "opened", "warning"), (6, "closed", "warning")]),
    ],
)
def test_two_readings_up_and_three_down(values, transitions):
    assert run(values, rule(up=2, down=3))[0] == transitions


def test_a_rule_above_fires_at_its_trigger_and_is_over_below_its_clear_limit():
    above = rule(trigger=0.8, clear=0.77, direction="above")
    assert run([0.79, 0.8, 0.77, 0.769], above)[0] == [(1, "opened", "warning"), (3, "closed", "warning")]


def test_what_was_counted_is_taken_up_where_it_was_left():
    three = rule(up=3)
    _, kept = run([0.9, 0.9], three)
    assert kept.counts == {("c.warning", 1, ""): RuleCount(2, 0, False)}
    assert run([0.9], three, memory=kept)[0] == [(0, "opened", "warning")]
    assert run([0.96], three, memory=kept)[1].counts == {("c.warning", 1, ""): RuleCount()}


def test_scopes_and_programs_are_counted_apart():
    service = rule(scope="service")
    rules = {1: (service,), 2: (service,)}
    readings = [reading(1, "icu", 1, coverage=0.5), reading(1, "clinic", 1, coverage=0.99), reading(2, "icu", 2, coverage=0.5)]
    transitions, _ = evaluate([*readings, reading(3, "", 1, coverage=0.1), reading(4, "icu", 3, coverage=0.1)], rules, Memory(), [], STEADY)
    assert [(one.scope, one.kind) for one in transitions] == [(("coverage", 1, "icu"), "opened"), (("coverage", 2, "icu"), "opened")]


def test_a_rule_that_is_switched_off_says_nothing():
    assert run([0.1], rule(active=False)) == ([], Memory())


def test_a_rule_takes_readings_of_its_own_source_only():
    clock = rule("h", 45, 20, "critical", reads="clock", measure="health_check_age_minutes", scope="deployment", direction="above", family="h")
    both = [
        Reading(i, DEPLOYMENT, "", "deployment", "", START, {"health_check_age_minutes": 50.0}, source=source)
        for i, source in enumerate(("run", "clock"))
    ]
    transitions, _ = evaluate(both, {DEPLOYMENT: (clock,)}, Memory(), [], STEADY)
    assert [(one.reading.source, one.scope) for one in transitions] == [("clock", ("h", 0, ""))]


def test_a_rule_that_fires_holds_its_incident_while_it_is_not_measured():
    """Two measures of one family: one is fine again, the other cannot be measured."""
    seats = rule("c.seats", 1, 1, "critical", measure="open_tier_1_seats", direction="above")
    rules = {1: (WARNING, seats)}
    both = [reading(1, coverage=0.9, open_tier_1_seats=1), reading(2, coverage=1.0, open_tier_1_seats=None)]
    transitions, _ = evaluate(both, rules, Memory(), [], STEADY)
    assert [(one.kind, one.severity.text) for one in transitions] == [("opened", "critical")]
    transitions, _ = evaluate([*both, reading(3, coverage=1.0, open_tier_1_seats=0)], rules, Memory(), [], STEADY)
    assert [one.kind for one in transitions] == ["opened", "closed"]


# --- flapping --------------------------------------------------------------------------------------

MARKS = load_policies().telling.flapping
BAD, GOOD = 0.9, 0.99


def test_the_score_is_the_share_of_changes_among_the_last_readings():
    assert MARKS.score("0" * 21) == 0
    assert MARKS.score("010") == pytest.approx(2 / 20)
    assert MARKS.score("01" * 10 + "0") == 1.0


def test_what_comes_and_goes_becomes_one_incident_that_stays_open_until_calm():
    values = [BAD, GOOD, BAD, GOOD, BAD, GOOD, *[GOOD] * 25]
    found, _ = run(values, WARNING, flapping=MARKS)
    assert found[:3] == [(0, "opened", "warning"), (1, "closed", "warning"), (2, "opened", "warning")]
    assert found[3:7] == [(2, "flapping", "warning"), (3, "off", "warning"), (4, "on", "warning"), (5, "off", "warning")]
    assert [kind for _, kind, _ in found[7:]] == ["closed"]
    # the last change but one has left the window of 21 readings: one change is at most the low mark
    assert found[-1][0] == 4 + 20


def test_what_grows_steady_while_it_fires_is_told_as_steady_and_stays_open():
    values = [BAD, GOOD, BAD, *[BAD] * 25]
    found, _ = run(values, WARNING, flapping=MARKS)
    assert [kind for _, kind, _ in found] == ["opened", "closed", "opened", "flapping", "calm"]


def test_a_graver_turn_is_told_even_while_it_flaps():
    found, _ = run([BAD, GOOD, BAD, GOOD, 0.7], flapping=MARKS)
    assert found[-3:] == [(3, "off", "warning"), (4, "raised", "critical"), (4, "on", "critical")]


def test_a_flapping_scope_is_remembered_and_a_calm_one_forgotten():
    _, memory = run([BAD, GOOD, BAD], WARNING, flapping=MARKS)
    assert memory.histories == {("coverage", 1, ""): History("101", True)}
    assert History("").at_rest
    assert History("000").at_rest
    _, memory = run([GOOD] * 30, WARNING, flapping=MARKS)
    assert memory == Memory()


# --- what nobody watches any more ------------------------------------------------------------------


def test_what_nobody_watches_any_more_is_named():
    service = rule("c.service", scope="service")
    rules = {1: (WARNING, service), 2: (rule(active=False),)}
    scopes = [("coverage", 1, ""), ("coverage", 1, "icu"), ("coverage", 1, "gone"), ("coverage", 2, ""), ("other", 1, "")]
    keys = {(1, "health_check"): {"", "icu"}}
    assert unwatched(scopes, rules, keys) == [("coverage", 1, "gone"), ("coverage", 2, ""), ("other", 1, "")]
    assert unwatched(scopes, rules, {}) == [("coverage", 2, ""), ("other", 1, "")], "without a reading nothing is said of services"


# --- laws ------------------------------------------------------------------------------------------

values = st.one_of(st.none(), st.sampled_from([0.0, 0.3, 0.4, 0.45, 0.5, 0.55, 0.6, 0.7, 1.0]))
marks = st.sampled_from([STEADY, MARKS, Flapping(readings=5, high=0.5, low=0.25, source="t"), Flapping(readings=4, high=0.3, low=0.0, source="t")])


@st.composite
def families(draw: st.DrawFn) -> tuple[AlertRule, ...]:
    """One to three rules of one family, of one or two measures, above or below."""
    rules = []
    for i in range(draw(st.integers(1, 3))):
        direction = draw(st.sampled_from(["above", "below"]))
        limits = sorted(draw(st.lists(st.sampled_from([0.3, 0.4, 0.5, 0.6]), min_size=2, max_size=2)), reverse=direction == "above")
        rules.append(rule(
            f"r{i}", limits[0], limits[1], draw(st.sampled_from(LEVELS)), draw(st.integers(1, 3)), draw(st.integers(1, 3)), direction=direction,
            measure=draw(st.sampled_from(["coverage", "utilization"])), active=draw(st.booleans()) or i == 0,
        ))  # fmt: skip
    return tuple(rules)


def fires_after(one, seen):  # type: ignore[no-untyped-def]
    """Whether a rule fires after these values, by looking back over all of them for the last full row either way."""
    bad = ["b" if one.fires(v) else "g" if one.is_over(v) else "-" for v in seen]
    firing, since = False, 0
    for end in range(1, len(bad) + 1):
        row_up, row_down = bad[max(since, end - one.readings_up) : end], bad[max(since, end - one.readings_down) : end]
        if not firing and row_up == ["b"] * one.readings_up:
            firing, since = True, end
        elif firing and row_down == ["g"] * one.readings_down:
            firing, since = False, end
    return firing


def in_words(rules, readings, flapping):  # type: ignore[no-untyped-def]
    """The same by looking back over all readings anew after each of them; returns (number, kind, severity)."""
    out, shown, was_flapping, states = [], None, False, []
    active = [one for one in rules if one.active]
    for now in range(1, len(readings) + 1):
        if all(readings[now - 1][one.measure] is None for one in active):
            continue
        firing = [
            LEVELS.index(one.severity) for one in active
            if fires_after(one, [taken[one.measure] for taken in readings[:now] if taken[one.measure] is not None])
        ]  # fmt: skip
        before = bool(states and states[-1])
        states.append(bool(firing))
        padded = [False] * flapping.readings + states
        recent = padded[-flapping.readings :]
        share = sum(a != b for a, b in pairwise(recent)) / (flapping.readings - 1)
        flaps = share > flapping.low if was_flapping else share >= flapping.high
        grave = max([*firing, *([] if shown is None else [shown])], default=None)
        here = []
        if shown is None and firing:
            here.append("opened")
        if shown is not None and firing and max(firing) > shown:
            here.append("raised")
        if flaps and not was_flapping and (shown is not None or firing):
            here.append("flapping")
        elif shown is not None and flaps and bool(firing) != before:
            here.append("on" if firing else "off")
        if shown is not None and not flaps:
            if not firing:
                here.append("closed")
            elif was_flapping:
                here.append("calm")
        out += [(now - 1, kind, LEVELS[grave]) for kind in here]
        shown = None if "closed" in here else grave
        was_flapping = flaps
    return out


readings_of = st.lists(st.fixed_dictionaries({"coverage": values, "utilization": values}), max_size=16)


def agree(rules, taken, flapping=STEADY):  # type: ignore[no-untyped-def]
    transitions, _ = evaluate([reading(i, **one) for i, one in enumerate(taken)], {1: rules}, Memory(), [], flapping)
    assert [(one.reading.reading_id, one.kind, one.severity.text) for one in transitions] == in_words(rules, taken, flapping)


@given(families(), readings_of, marks)
@settings(max_examples=400, deadline=None)
def test_any_rules_and_readings_give_what_the_words_say(rules, taken, flapping):
    agree(rules, taken, flapping)


@given(families(), readings_of, marks, st.integers(0, 16))
@settings(max_examples=200, deadline=None)
def test_taking_readings_in_two_goes_is_the_same_as_in_one(rules, taken, flapping, cut):
    every = [reading(i, **one) for i, one in enumerate(taken)]
    whole, _ = evaluate(every, {1: rules}, Memory(), [], flapping)
    first, memory = evaluate(every[:cut], {1: rules}, Memory(), [], flapping)
    open_now = [OpenIncident(first[-1].scope, first[-1].severity)] if first and first[-1].kind != "closed" else []
    second, _ = evaluate(every[cut:], {1: rules}, memory, open_now, flapping)
    assert [*first, *second] == whole


@given(families(), readings_of, marks)
@settings(max_examples=150, deadline=None)
def test_an_incident_opens_before_anything_else_never_twice_and_severity_only_rises(rules, taken, flapping):
    transitions, _ = evaluate([reading(i, **one) for i, one in enumerate(taken)], {1: rules}, Memory(), [], flapping)
    shown = None
    for one in transitions:
        assert (one.kind == "opened") == (shown is None)
        assert shown is None or one.severity >= shown
        assert (one.kind == "raised") == (shown is not None and one.severity > shown)
        shown = None if one.kind == "closed" else one.severity


def test_the_oracle_notices_a_rule_that_forgets_that_it_fires_between_its_limits(monkeypatch):
    """A planted bug."""

    def forgetful(one, before, value):  # type: ignore[no-untyped-def]
        return count(one, before, value) if one.fires(value) else RuleCount()

    taken = [{"coverage": value, "utilization": None} for value in (0.9, 0.96)]
    agree((WARNING,), taken)
    monkeypatch.setattr(incidents, "count", forgetful)
    with pytest.raises(AssertionError):
        agree((WARNING,), taken)


def test_the_oracle_notices_a_row_that_is_not_in_a_row(monkeypatch):
    """A planted bug: readings between the limits do not break a row."""

    def lenient(one, before, value):  # type: ignore[no-untyped-def]
        after = count(one, before, value)
        return after if one.fires(value) or one.is_over(value) else before

    taken = [{"coverage": value, "utilization": None} for value in (0.9, 0.96, 0.9)]
    two = rule(up=2)
    agree((two,), taken)
    monkeypatch.setattr(incidents, "count", lenient)
    with pytest.raises(AssertionError):
        agree((two,), taken)


def test_missing_data_never_resolves():
    known = [OpenIncident(("coverage", 1, ""), AlertSeverity.CRITICAL)]
    fired = Memory({("c.warning", 1, ""): RuleCount(1, 0, True), ("c.critical", 1, ""): RuleCount(1, 0, True)})
    assert run([None] * 50, memory=fired, open_now=known) == ([], Memory())
