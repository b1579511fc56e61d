"""What people do about alerts: each act does what it says, refuses what makes no sense, and is on record."""

import datetime as dt

import pytest
from sqlalchemy import select

from resilience_assets.actions.acknowledge import acknowledge, open_alerts
from resilience_assets.actions.declare_gap import declare_gap, end_gap, gaps
from resilience_assets.actions.evaluate_alerts import evaluate_alerts
from resilience_assets.actions.redeliver import given_up, redeliver
from resilience_assets.actions.silence import end_silence, silence, silences
from resilience_assets.storage import audit, tables
from resilience_assets_tests.actions.alert_days import MORNING, Day
from resilience_assets_tests.actions.building import FIRST, NOW, POLICIES, QUARTER, check, load, program, shown
from resilience_assets_tests.actions.test_check_health import ill

HOUR = dt.timedelta(hours=1)


def trail(database):  # type: ignore[no-untyped-def]
    """(who, what, subject), oldest first; the chain holds."""
    with database.read() as connection:
        assert audit.verify(connection).broken is None
        return [(row.who, row.what, row.subject) for row in reversed(audit.newest(connection))]


def low(database):  # type: ignore[no-untyped-def]
    day = Day(database)
    day.play([{"coverage": 0.9, "open_seats": 3}])
    return day


def test_acknowledging_is_on_record_and_done_once(database):
    day = low(database)
    done = acknowledge(database, [1, 99], now=day.now, by="chief", note="called ATT-03")
    assert ([row.id for row in done.taken], done.refused) == ([1], {99: "there is no such alert"})
    assert acknowledge(database, [1], now=day.now, by="dean").refused == {1: "it is in hand already"}
    assert open_alerts(database)[0].acknowledged_at == day.now
    day.play([{}])
    assert acknowledge(database, [1], now=day.now, by="dean").refused == {1: "it is over"}
    assert trail(database) == [("chief", "acknowledge", "incident 1")]
    with pytest.raises(ValueError, match="by number"):
        acknowledge(database, [], now=day.now, by="chief")


def test_a_whole_program_may_be_acknowledged(database):
    day = low(database)
    day.play([{"program": "ward", "coverage": 0.9, "open_seats": 1}])
    assert [row.program for row in acknowledge(database, [], now=day.now, by="chief", program="ward").taken] == ["ward"]
    assert [row.acknowledged_at is None for row in open_alerts(database)] == [True, False]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"program": ""}, "say what is to be silent"),
        ({"reason": " "}, "needs a reason"),
        ({"ends": MORNING}, "must end after it starts"),
        ({"ends": MORNING + dt.timedelta(days=32)}, "within 31 days"),
        ({"rule": "coverag"}, "known are coverage"),
        ({"program": "nowhere"}, "is not known (known: fm)"),
    ],
)
def test_a_silence_that_makes_no_sense_is_refused(database, wrong, said):
    day = low(database)
    values = {"now": MORNING, "ends": MORNING + HOUR, "by": "chief", "reason": "moving", "program": "fm"} | wrong
    with pytest.raises(ValueError, match=said.replace("(", r"\(").replace(")", r"\)")):
        silence(database, day.policies, **values)
    assert (silences(database, MORNING), trail(database)) == ([], [])


def test_a_silence_is_ended_before_its_time(database):
    day = low(database)
    id = silence(database, day.policies, now=day.now, ends=day.now + HOUR, by="chief", reason="moving", rule="coverage")
    assert [row.reason for row in silences(database, day.now)] == ["moving"]
    end_silence(database, id, now=day.now, by="chief")
    assert silences(database, day.now) == []
    with pytest.raises(ValueError, match="no silence"):
        end_silence(database, id, now=day.now, by="chief")
    assert [what for _, what, _ in trail(database)] == ["silence", "end silence"]


# --- declared gaps ---------------------------------------------------------------------------------


def stand(database):  # type: ignore[no-untyped-def]
    return [(row.rule, row.scope_key) for row in evaluate_alerts(database, POLICIES).open]


def test_a_declared_gap_leaves_the_alarm_and_not_the_figure(database):
    load(database, program(), "one")
    ill(database, "A", 1, 2)
    check(database)
    assert stand(database) == [("coverage", ""), ("tier_1_seats", ""), ("coverage", "icu")]
    assert declare_gap(database, program="fm", service="icu", first=FIRST, last=FIRST + 9, now=NOW, by="chief", reason="no locum until Monday") == (1, 1)
    check(database, 1)
    assert stand(database) == [], "from the next check on"
    assert shown(database).coverage == 14 / 16
    ill(database, "B", 3, 3)
    check(database, 2)
    assert stand(database) == [("coverage", ""), ("coverage", "clinic")], "the clinic is no part of the gap"
    end_gap(database, 1, now=NOW + 2 * QUARTER, by="chief")
    check(database, 3)
    assert ("tier_1_seats", "") in stand(database)
    assert trail(database) == [("chief", "declare gap", "gap 1"), ("chief", "end gap", "gap 1")]


def test_one_seat_more_than_declared_is_an_alarm(database):
    load(database, program(), "one")
    declare_gap(database, program="fm", service="icu", first=FIRST + 1, last=FIRST + 1, seats=1, now=NOW, by="chief", reason="known")
    ill(database, "A", 1, 2)
    check(database)
    found = evaluate_alerts(database, POLICIES).open
    assert {(row.rule, row.scope_key): row.value for row in found} == {
        ("coverage", ""): 15 / 16, ("tier_1_seats", ""): 1.0, ("coverage", "icu"): 7 / 8,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"reason": ""}, "needs a reason"),
        ({"last": FIRST - 1}, "is not a stretch"),
        ({"seats": 0}, "is no gap"),
        ({"program": "nowhere"}, "known: fm"),
        ({"service": "icuu"}, "known are clinic, icu"),
        ({"service": "clinic"}, "say how many with --seats"),
    ],
)
def test_a_gap_that_makes_no_sense_is_refused(database, wrong, said):
    load(database, program(), "one")
    check(database)
    values = {"program": "fm", "service": "icu", "first": FIRST, "last": FIRST, "now": NOW, "by": "chief", "reason": "known"} | wrong
    with pytest.raises(ValueError, match=said):
        declare_gap(database, **values)
    assert (gaps(database), trail(database)) == ([], [])


# --- redelivery ------------------------------------------------------------------------------------


def test_what_was_given_up_is_due_again_and_on_record(database):
    day = low(database)
    with database.write() as connection:
        connection.execute(tables.OutboxRow.__table__.update().values(state="dead", reason="550"))
        letter = {"outbox_id": 1, "incident_id": 1, "channel": "email", "severity": "warning", "reason": "550", "died_at": day.now}
        connection.execute(tables.DeadLetter.__table__.insert(), letter)
    assert [row.outbox_id for row in given_up(database)] == [1]
    with pytest.raises(ValueError, match="no message 7"):
        redeliver(database, [7], now=day.now, by="chief")
    assert redeliver(database, [], now=day.now, by="chief") == [1]
    assert redeliver(database, [], now=day.now, by="chief") == []
    with database.read() as connection:
        assert connection.execute(select(tables.OutboxRow.state)).scalars().all() == ["pending"]
    assert trail(database) == [("chief", "redeliver", "message 1")]
