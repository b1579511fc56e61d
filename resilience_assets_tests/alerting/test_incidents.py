"""The incident state machine: readings in, transitions out, against a slow reading of the rules in words."""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resilience_assets.alerting import incidents
from resilience_assets.alerting.incidents import OpenIncident, Reading, RuleCount, count, evaluate
from resilience_assets.domain.scales import AlertSeverity
from resilience_assets.policy import AlertRule

START = dt.datetime(2026, 9, 4, 6, 0, tzinfo=dt.UTC)
QUARTER = dt.timedelta(minutes=15)
LEVELS = ("info", "warning", "critical", "emergency")


def rule(id="c.warning", trigger=0.95, clear=0.97, severity="warning", *, measure="coverage", scope="program", direction="below", **more):  # type: ignore[no-untyped-def]
    values = {
        "id": id, "family": "coverage", "measure": measure, "scope": scope, "direction": direction, "trigger": trigger, "clear": clear,
        "severity": severity, "message": "{program}: {value}", "source": "test",
    }  # fmt: skip
    return AlertRule(**(values | more))


WARNING, CRITICAL = rule(), rule("c.critical", 0.8, 0.83, "critical")


def reading(number: int, key: str = "", program_id: int = 1, **values):  # type: ignore[no-untyped-def]
    return Reading(number, program_id, f"p{program_id}", "service" if key else "program", key, START + number * QUARTER, values)


def run(values, *rules, counts=None, open_now=(), key=""):  # type: ignore[no-untyped-def]
    """(number of the reading, kind, severity) of each transition."""
    readings = [reading(i, key, coverage=value) for i, value in enumerate(values)]
    transitions, changed = evaluate(readings, {1: rules or (WARNING, CRITICAL)}, counts or {}, open_now)
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
        ([0.75, 0.85], [(0, "opened", "critical"), (1, "eased", "warning")]),
        ([0.75, 0.99], [(0, "opened", "critical"), (1, "closed", "critical")]),
        ([0.75, 0.85, 0.79], [(0, "opened", "critical"), (1, "eased", "warning"), (2, "raised", "critical")]),
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
        ([0.9, 0.9], []),
        ([0.9, 0.9, 0.9], [(2, "opened", "warning")]),
        ([0.9, 0.9, 0.96, 0.9, 0.9], []),  # in a row, or they count from the start
        ([0.9, 0.9, None, 0.9], [(3, "opened", "warning")]),  # what is not measured does not break a row
        ([0.9, 0.9, 0.9, 0.99], [(2, "opened", "warning"), (3, "closed", "warning")]),
    ],
)
def test_a_rule_of_three_readings_waits_for_three(values, transitions):
    assert run(values, rule(readings=3))[0] == transitions


def test_a_rule_above_fires_at_its_trigger_and_is_over_below_its_clear_limit():
    above = rule(trigger=0.8, clear=0.77, direction="above")
    assert run([0.79, 0.8, 0.77, 0.769], above)[0] == [(1, "opened", "warning"), (3, "closed", "warning")]


def test_what_was_counted_is_taken_up_where_it_was_left():
    three = rule(readings=3)
    _, kept = run([0.9, 0.9], three)
    assert kept == {("c.warning", 1, ""): RuleCount(2, False)}
    assert run([0.9], three, counts=kept)[0] == [(0, "opened", "warning")]
    assert run([0.96], three, counts=kept) == ([], {("c.warning", 1, ""): RuleCount(0, False)})


def test_only_counts_that_changed_are_handed_back():
    fired = {("c.warning", 1, ""): RuleCount(1, True)}
    known = [OpenIncident(("coverage", 1, ""), AlertSeverity.WARNING)]
    assert run([0.9], WARNING, counts=fired, open_now=known) == ([], {})


def test_programs_and_services_are_told_apart():
    rules = {1: (rule(scope="service"),), 2: (rule(scope="service"),)}
    readings = [reading(1, "icu", 1, coverage=0.5), reading(1, "clinic", 1, coverage=0.99), reading(2, "icu", 2, coverage=0.5)]
    transitions, _ = evaluate([*readings, reading(3, "", 1, coverage=0.1), reading(4, "icu", 3, coverage=0.1)], rules, {}, [])
    assert [(one.scope, one.kind) for one in transitions] == [(("coverage", 1, "icu"), "opened"), (("coverage", 2, "icu"), "opened")]


def test_a_rule_that_is_switched_off_says_nothing():
    assert run([0.1], rule(active=False)) == ([], {})


def test_a_rule_that_fires_holds_its_incident_while_it_is_not_measured():
    """Two measures of one family: one is fine again, the other cannot be measured."""
    minimum = rule("c.minimum", 1.0, 1.0, "critical", measure="coverage_minimum")
    rules = {1: (WARNING, minimum)}
    both = [reading(1, coverage=0.9, coverage_minimum=0.5), reading(2, coverage=1.0, coverage_minimum=None)]
    transitions, _ = evaluate(both, rules, {}, [])
    assert [(one.kind, one.severity.text) for one in transitions] == [("opened", "critical")]
    transitions, _ = evaluate([*both, reading(3, coverage=1.0, coverage_minimum=1.0)], rules, {}, [])
    assert [one.kind for one in transitions] == ["opened", "closed"]


def test_easing_to_a_rule_that_is_not_measured_speaks_of_one_that_is():
    minimum = rule("c.minimum", 1.0, 1.0, "info", measure="coverage_minimum")
    readings = [reading(1, coverage=0.9, coverage_minimum=0.5), reading(2, coverage=1.0, coverage_minimum=None)]
    transitions, _ = evaluate(readings, {1: (WARNING, minimum)}, {}, [])
    assert [(one.kind, one.severity.text, one.rule.id, one.value) for one in transitions] == [
        ("opened", "warning", "c.warning", 0.9), ("eased", "info", "c.warning", 1.0),
    ]  # fmt: skip


values = st.one_of(st.none(), st.sampled_from([0.0, 0.3, 0.4, 0.45, 0.5, 0.55, 0.6, 0.7, 1.0]))


@st.composite
def families(draw: st.DrawFn) -> tuple[AlertRule, ...]:
    """One to three rules of one family, of one or two measures, above or below."""
    rules = []
    for i in range(draw(st.integers(1, 3))):
        direction = draw(st.sampled_from(["above", "below"]))
        limits = sorted(draw(st.lists(st.sampled_from([0.3, 0.4, 0.5, 0.6]), min_size=2, max_size=2)), reverse=direction == "above")
        rules.append(rule(
            f"r{i}", limits[0], limits[1], draw(st.sampled_from(LEVELS)), direction=direction, readings=draw(st.integers(1, 3)),
            measure=draw(st.sampled_from(["coverage", "utilization"])), active=draw(st.booleans()) or i == 0,
        ))  # fmt: skip
    return tuple(rules)


def in_words(rules, readings):  # type: ignore[no-untyped-def]
    """The same by looking back over all readings anew after each of them; returns (number, kind, severity)."""
    out, shown = [], None
    for now in range(1, len(readings) + 1):
        firing, measured = [], False
        for one in rules:
            if not one.active:
                continue
            measured |= readings[now - 1][one.measure] is not None
            seen = [values[one.measure] for values in readings[:now] if values[one.measure] is not None]
            if _fires_after(one, seen):
                firing.append(LEVELS.index(one.severity))
        if not measured:
            continue
        grave = max(firing, default=None)
        if grave != shown:
            kind = "opened" if shown is None else "closed" if grave is None else "raised" if grave > shown else "eased"
            out.append((now - 1, kind, LEVELS[shown if grave is None else grave]))
            shown = grave
    return out


def _fires_after(one, seen):  # type: ignore[no-untyped-def]
    """Fires if, since the last reading on the good side of the clear limit, a full row beyond the trigger was seen."""
    bad = [(v >= one.trigger) if one.direction == "above" else (v < one.trigger) for v in seen]
    good = [(v < one.clear) if one.direction == "above" else (v >= one.clear) for v in seen]
    over = [g and not b for g, b in zip(good, bad, strict=True)]
    since = max((i + 1 for i, g in enumerate(over) if g), default=0)
    return any(all(bad[i : i + one.readings]) for i in range(since, len(seen) - one.readings + 1))


readings_of = st.lists(st.fixed_dictionaries({"coverage": values, "utilization": values}), max_size=12)


def agree(rules, taken):  # type: ignore[no-untyped-def]
    transitions, _ = evaluate([reading(i, **one) for i, one in enumerate(taken)], {1: rules}, {}, [])
    assert [(one.reading.reading_id, one.kind, one.severity.text) for one in transitions] == in_words(rules, taken)


@given(families(), readings_of)
@settings(max_examples=300, deadline=None)
def test_any_rules_and_readings_give_what_the_words_say(rules, taken):
    agree(rules, taken)


@given(families(), readings_of, st.integers(0, 12))
@settings(max_examples=150, deadline=None)
def test_taking_readings_in_two_goes_is_the_same_as_in_one(rules, taken, cut):
    every = [reading(i, **one) for i, one in enumerate(taken)]
    whole, _ = evaluate(every, {1: rules}, {}, [])
    first, counts = evaluate(every[:cut], {1: rules}, {}, [])
    open_now = [OpenIncident(first[-1].scope, first[-1].severity)] if first and first[-1].kind != "closed" else []
    second, _ = evaluate(every[cut:], {1: rules}, counts, open_now)
    assert [*first, *second] == whole


@given(families(), readings_of)
@settings(max_examples=100, deadline=None)
def test_an_incident_opens_before_anything_else_and_never_twice(rules, taken):
    transitions, _ = evaluate([reading(i, **one) for i, one in enumerate(taken)], {1: rules}, {}, [])
    is_open = False
    for one in transitions:
        assert (one.kind == "opened") != is_open
        is_open = one.kind != "closed"


def test_the_oracle_notices_a_wrong_comparison(monkeypatch):
    """A planted bug: a rule that forgets that it fires between its limits."""

    def forgetful(one, before, value):  # type: ignore[no-untyped-def]
        after = count(one, before, value)
        return after if one.fires(value) else RuleCount(0, False)

    taken = [{"coverage": value, "utilization": None} for value in (0.9, 0.96)]
    agree((WARNING,), taken)
    monkeypatch.setattr(incidents, "count", forgetful)
    with pytest.raises(AssertionError):
        agree((WARNING,), taken)


def test_missing_data_never_resolves():
    known = [OpenIncident(("coverage", 1, ""), AlertSeverity.CRITICAL)]
    fired = {("c.warning", 1, ""): RuleCount(1, True), ("c.critical", 1, ""): RuleCount(1, True)}
    assert run([None] * 50, counts=fired, open_now=known) == ([], {})
