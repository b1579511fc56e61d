"""From headlines to incidents, notices and the inbox, in one transaction each."""

import pytest
from sqlalchemy import func, select

from resilience_assets.actions import evaluate_alerts as module
from resilience_assets.actions.check_health import run_check
from resilience_assets.actions.deliver import deliver_pending, inbox, pending
from resilience_assets.actions.evaluate_alerts import evaluate_alerts
from resilience_assets.policy import load_policies
from resilience_assets.storage import tables
from resilience_assets_tests.actions.building import NOW, POLICIES, check, load, program, works
from resilience_assets_tests.actions.test_check_health import DOUBLE, ill, well
from resilience_assets_tests.storage.dumping import differences, dump


def stand(found):  # type: ignore[no-untyped-def]
    return [(row.rule, row.scope_key, row.severity) for row in found.open]


ILL = [("coverage", "", "warning"), ("tier_1_seats", "", "critical"), ("coverage", "icu", "warning")]
"""What opens when nobody holds the ICU for a day or two: it is of tier 1, with a minimum of one."""


def test_an_incident_opens_is_raised_and_closes_with_a_notice_each(database):
    load(database, program(), "one")
    check(database)
    assert stand(evaluate_alerts(database, POLICIES)) == []
    one = ill(database, "A", 1, 1)
    check(database, 1)
    assert stand(evaluate_alerts(database, POLICIES)) == ILL
    other = ill(database, "B", 0, 5)
    check(database, 2)
    found = evaluate_alerts(database, POLICIES)
    assert (found.transitions, stand(found)[0]) == ({"raised": 1, "opened": 2}, ("coverage", "", "emergency"))
    well(database, one)
    well(database, other)
    check(database, 3)
    found = evaluate_alerts(database, POLICIES)
    assert (found.transitions, found.open) == ({"closed": 5}, [])
    assert [(row.rule, row.scope_key, row.seq, row.kind, row.severity) for row in pending(database)] == [
        ("coverage", "", 1, "opened", "warning"), ("tier_1_seats", "", 1, "opened", "critical"),
        ("coverage", "", 2, "raised", "emergency"),
        ("coverage", "", 3, "closed", "emergency"), ("tier_1_seats", "", 2, "closed", "critical"),
    ]  # fmt: skip
    assert deliver_pending(database, NOW).written == 5
    assert [message.subject.split("]")[0] for message in inbox(database)][:3] == ["[over", "[over", "[emergency"]


def test_evaluating_again_takes_no_reading_twice(database):
    load(database, program(), "one")
    ill(database)
    check(database)
    evaluate_alerts(database, POLICIES)
    before = dump(database)
    found = evaluate_alerts(database, POLICIES)
    assert (found.readings, found.transitions) == (0, {})
    assert differences(before, dump(database)) == []


def test_readings_that_piled_up_give_what_they_give_one_by_one(database):
    load(database, program(), "one")
    check(database)
    id = ill(database)
    check(database, 1)
    well(database, id)
    check(database, 2)
    found = evaluate_alerts(database, POLICIES)
    assert (found.transitions, found.open) == ({"opened": 3, "closed": 3}, [])


def test_grey_figures_resolve_nothing(database):
    load(database, program(), "one")
    id = ill(database)
    check(database)
    assert stand(evaluate_alerts(database, POLICIES)) == ILL
    well(database, id)
    load(database, program(assignments=DOUBLE), "two")
    check(database, 1)
    assert stand(evaluate_alerts(database, POLICIES)) == [*ILL, ("data_stale", "", "warning")]
    load(database, program(), "three")
    check(database, 2)
    assert evaluate_alerts(database, POLICIES).open == []


def test_a_look_at_the_past_neither_opens_nor_closes(database):
    load(database, program(), "one")
    check(database)
    id = ill(database)
    check(database, 4)
    evaluate_alerts(database, POLICIES)
    check(database, 2, live=False)  # then, everybody was well
    found = evaluate_alerts(database, POLICIES)
    assert (found.readings, len(found.open)) == (0, 3)
    well(database, id)
    check(database, 8)
    evaluate_alerts(database, POLICIES)
    check(database, 5, live=False)  # then, somebody was ill
    assert evaluate_alerts(database, POLICIES).open == []


def test_an_evaluation_that_fails_in_the_middle_leaves_nothing_and_can_be_run_again(database, monkeypatch):
    load(database, program(), "one")
    ill(database)
    check(database)
    before = dump(database)

    def fail(*args):  # type: ignore[no-untyped-def]
        raise OSError("lost the connection")

    with monkeypatch.context() as patch:
        patch.setattr(module, "tell_held", fail)
        with pytest.raises(OSError, match="lost"):
            evaluate_alerts(database, POLICIES)
    assert differences(before, dump(database)) == []
    assert evaluate_alerts(database, POLICIES).transitions == {"opened": 3}


def test_a_program_may_have_limits_of_its_own(database):
    policies = load_policies("programs: {calm: {alert_rules: [{id: coverage.program.warning, active: false}]}}")
    most = [works(one, day, post=post) for day in range(1, 8) for one, post in (("A", "icu/MD"), ("B", "clinic/MD"))]
    for code in ("calm", "fm"):
        load(database, program(code, assignments=most), code)
    run_check(database, policies, NOW)
    found = evaluate_alerts(database, policies)
    assert [(row.program, row.scope_key) for row in found.open if (row.rule, row.scope_key) == ("coverage", "")] == [("fm", "")]


def test_a_value_is_kept_with_the_incident(database):
    load(database, program(), "one")
    ill(database)
    check(database)
    evaluate_alerts(database, POLICIES)
    with database.read() as connection:
        row = connection.execute(select(tables.Incident).where(tables.Incident.rule == "coverage", tables.Incident.scope_key == "")).one()
        assert (row.value, row.opened_at, row.closed_at) == (14 / 16, NOW, None)
        assert connection.execute(select(func.count()).select_from(tables.RuleState)).scalar_one() >= 2
