"""Days simulated in seconds: between these instants exactly these notices, and a reason for each that was not sent."""

from __future__ import annotations

import datetime as dt

import pytest

from resilience_assets.actions.acknowledge import acknowledge
from resilience_assets.actions.alert_readings import ObservedRun
from resilience_assets.actions.silence import silence
from resilience_assets.policy import load_policies
from resilience_assets_tests.actions.alert_days import MORNING, QUARTER, TO_CHIEF, Day

HOUR = dt.timedelta(hours=1)
GOOD = {"utilization": 0.70}
FULL = {"utilization": 0.82}
GREY = {
    "utilization": None, "coverage": None, "open_seats": None, "status": "unknown", "raw_status": "unknown", "utilization_level": "UNKNOWN",
    "defense_level": "unknown", "immediate_actions": ["The roster was last imported 9 days ago: import the newest one"],
}  # fmt: skip


@pytest.fixture
def day(database):  # type: ignore[no-untyped-def]
    return Day(database)


def test_a_day_on_which_utilization_walks_across_the_limit_and_back_flaps_and_goes_missing(day):
    day.play([GOOD, GOOD, {"utilization": 0.79}])  # 12:00 to 12:30: nothing
    day.play([FULL, GOOD, FULL])  # one reading beyond is not two in a row
    assert (day.inbox(), day.sent()) == ([], [])
    day.play([FULL, FULL])  # 13:30 the second in a row
    day.play([{"utilization": 0.78}] * 3)  # between the limits nothing changes
    day.play([GOOD, GOOD, GOOD])  # 14:45, 15:00, 15:15: the third in a row
    walked = [
        ("13:30", "[warning] fm: utilization 0.82, above the safe load of 0.8"), ("15:15", "[over] fm: utilization is 0.7"),
    ]  # fmt: skip
    assert day.inbox() == day.sent() == walked
    day.play([GREY, GREY])  # 15:30: the figures are gone
    stale = ("15:30", "[warning] fm: The roster was last imported 9 days ago: import the newest one")
    assert day.inbox() == day.sent() == [*walked, stale]
    assert day.open() == [("data_stale", "", "warning")]
    day.play([GOOD])  # 16:00: they are back
    back = ("16:00", "[over] fm: The roster was last imported 9 days ago: import the newest one")
    assert day.inbox() == day.sent() == [*walked, stale, back]
    assert day.open() == []


def test_what_goes_missing_while_it_is_open_neither_closes_nor_is_told_again(day):
    low = {"coverage": 0.9, "open_seats": 3}
    day.play([{}, low, GREY, GREY, low, {}])
    assert [(at, subject.split(":")[0]) for at, subject in day.inbox()] == [
        ("12:15", "[warning] fm"), ("12:30", "[warning] fm"), ("13:00", "[over] fm"), ("13:15", "[over] fm"),
    ]  # fmt: skip
    assert day.inbox()[0] == ("12:15", "[warning] fm: coverage 0.9, below 0.95; open seats: 3")
    assert day.inbox()[3] == ("13:15", "[over] fm: coverage is 1")


def test_a_day_of_flapping_is_told_thrice_and_not_twenty_times(day):
    low = {"coverage": 0.9, "open_seats": 3}
    day.play([low, {}] * 10)  # 12:00 to 16:45, each quarter of an hour another way
    day.wait(QUARTER, 25)
    flapping = "[warning] comes and goes: fm: coverage 0.9, below 0.95; open seats: 3"
    assert day.sent() == [
        ("12:00", "[warning] fm: coverage 0.9, below 0.95; open seats: 3"), ("12:15", "[over] fm: coverage is 1"),
        ("12:30", flapping), ("16:30", "[warning] still open: fm: coverage 0.9, below 0.95; open seats: 3"),
        ("21:30", "[over] fm: coverage is 1"),  # at 20:30 it is gone for the moment: nothing to remind of
    ]  # fmt: skip
    reasons = [reason for kind, reason in day.tellings() if kind in ("on", "off")]
    assert len(reasons) == 17
    assert set(reasons) == {"flapping"}
    assert day.open() == []


def test_what_changes_together_is_one_notice_a_program_and_rule(day):
    low = [("icu", 0.5), ("clinic", 0.6), ("ward", 1.0)]
    day.play([{"services": [("icu", 1.0), ("clinic", 1.0), ("ward", 1.0)]}, {"services": low, "coverage": 0.7, "open_seats": 9}])
    assert day.inbox() == day.sent() == [("12:15", "[critical] fm: coverage 0.7, below 0.8; open seats: 9 (and 2 more)")]
    assert {(rule, scope) for rule, scope, _ in day.open()} == {("coverage", ""), ("coverage", "icu"), ("coverage", "clinic"), ("defense_level", "")}
    day.play([{"services": [("icu", 1.0), ("clinic", 0.6), ("ward", 1.0)], "coverage": 0.99}])
    assert day.sent()[1:] == [("12:30", "[over] fm: coverage is 0.99 (and 1 more)")]
    day.play([{"services": [("icu", 1.0), ("clinic", 1.0), ("ward", 1.0)]}])
    assert day.sent()[2:] == [("12:45", "[over] fm, clinic: coverage is 1")]
    assert day.open() == []


def test_defence_says_what_coverage_says_and_is_not_told_beside_it(day):
    day.play([{"coverage": 0.75, "open_seats": 9}])
    assert [rule for rule, _, _ in day.open()] == ["coverage", "defense_level"]
    assert day.tellings() == [("opened", "told"), ("opened", "inhibition")]


def test_an_alert_that_nobody_acknowledges_is_repeated_and_escalated_until_somebody_does(day):
    day.policies = load_policies("""
telling:
  recipients:
    - {id: chief, channel: email, address: chief@example.org}
    - {id: director, channel: email, address: director@example.org}
    - {id: dean, channel: email, address: dean@example.org}
  routes:
    - {id: first, to: [chief]}
    - {id: second, to: [director], severity: critical, level: 2}
    - {id: third, to: [dean], severity: critical, level: 3}
""")
    day.wait(QUARTER, 6, coverage=0.75, open_seats=9)  # 12:00 to 13:15
    what = "fm: coverage 0.75, below 0.8; open seats: 9"
    assert day.sent() == [("12:00", f"[critical] {what}"), ("13:00", f"[critical] still open: {what}")]
    assert day.sent("director@example.org") == [("12:15", f"[critical] nobody has acknowledged: {what}"), ("13:15", f"[critical] nobody has acknowledged: {what}")]
    assert day.sent("dean@example.org") == [("12:30", f"[critical] nobody has acknowledged: {what}")]
    assert acknowledge(day.database, [1], now=day.now, by="chief").refused == {}
    day.wait(HOUR, 5, coverage=0.75, open_seats=9)
    assert len(day.sent()) == 2
    day.play([{}])
    over = ("18:30", "[over] fm: coverage is 1")
    assert [day.sent(f"{who}@example.org")[-1] for who in ("chief", "director", "dean")] == [over] * 3


def test_at_most_five_rounds_then_silence(day):
    day.wait(HOUR, 12, coverage=0.75, open_seats=9)
    assert [at for at, _ in day.sent()] == ["12:00", "13:00", "14:00", "15:00", "16:00"]


def test_a_raise_undoes_the_acknowledgement_and_begins_the_rounds_anew(day):
    day.play([{"coverage": 0.9, "open_seats": 3}])
    acknowledge(day.database, [1], now=day.now, by="chief")
    day.wait(HOUR, 6, coverage=0.9, open_seats=3)
    assert [at for at, _ in day.sent()] == ["12:00"]
    day.wait(HOUR, 2, coverage=0.75, open_seats=9)
    assert [at for at, _ in day.sent()] == ["12:00", "18:15", "19:15"]


NIGHT = """
telling:
  recipients:
    - {id: chief, channel: email, address: chief@example.org, time_zone: America/New_York, quiet_hours: {begin: "22:00", end: "07:00"}}
  routes: [{id: r, to: [chief], severity: info}]
"""


def test_a_night_ends_in_one_digest_and_is_broken_by_what_is_critical_alone(day):
    """22:00 to 07:00 in New York is 02:00 to 11:00 UTC (daylight saving time)."""
    day.policies = load_policies(NIGHT)
    day.now = MORNING.replace(hour=4, minute=0)
    day.play([{"program": "a", "coverage": 0.9, "open_seats": 3}], HOUR)  # 04:00 held, still open at dawn
    day.play([{"program": "b", "coverage": 0.9, "open_seats": 3}], HOUR)  # 05:00 held, over by six
    day.play([{"program": "b"}], HOUR)
    day.play([{"program": "c", "coverage": 0.75, "open_seats": 9}], HOUR)  # 07:00 critical
    day.play([{"program": "c"}], HOUR)  # 08:00 over
    assert [at for at, _ in day.inbox()] == ["04:00", "05:00", "06:00", "07:00", "08:00"], "the inbox never sleeps"
    assert day.sent() == [("07:00", "[critical] c: coverage 0.75, below 0.8; open seats: 9"), ("08:00", "[over] c: coverage is 1")]
    day.play([{"program": "c"}] * 3, HOUR)  # 09:00, 10:00 and 11:00
    assert day.sent()[2:] == [("11:00", "[warning] 2 alerts while you were not to be disturbed: 1 still open")]
    assert day.body("morning")[1:] == [
        "open: a: coverage 0.9, below 0.95; open seats: 3; since Tue 2026-03-10 00:00 EDT; warning",
        "over: b: coverage is 1; Tue 2026-03-10 01:00 EDT to Tue 2026-03-10 02:00 EDT",
        "To do: resilience status --program a, then fill what is open first.",
        "In hand? resilience ack 1",
    ]
    day.play([{"program": "a"}])
    assert day.sent()[3:] == [("12:00", "[over] a: coverage is 1")]
    assert {reason for _, reason in day.tellings()} == {"told", "inhibition", "not told", "quiet hours"}
    assert ("reminder", "quiet hours") in day.tellings(), "a reminder is not kept for the morning: the digest says that it is open"


def test_what_gets_critical_at_night_is_told_at_once_and_not_again_in_the_morning(day):
    day.policies = load_policies(NIGHT)
    day.now = MORNING.replace(hour=4)
    day.play([{"coverage": 0.9, "open_seats": 3}, {"coverage": 0.75, "open_seats": 9}])
    assert [at for at, _ in day.sent()] == ["04:15"]
    acknowledge(day.database, [1], now=day.now, by="chief")
    day.now = MORNING
    day.evaluate(source="health_check")
    assert [at for at, _ in day.sent()] == ["04:15"]


def test_what_is_in_hand_by_the_morning_is_left_out_of_the_digest(day):
    day.policies = load_policies(NIGHT)
    day.now = MORNING.replace(hour=4)
    day.play([{"coverage": 0.9, "open_seats": 3}])
    acknowledge(day.database, [1], now=day.now, by="chief")
    day.now = MORNING
    day.evaluate(source="health_check")
    assert (day.sent(), day.tellings()) == ([], [("opened", "acknowledged")])


def test_a_silence_keeps_it_on_record_and_what_outlasts_it_is_told(day):
    day.play([{}], dt.timedelta(minutes=1))
    silence(day.database, day.policies, now=day.now, ends=day.now + HOUR, by="chief", reason="moving day", program="fm")
    day.play([{"coverage": 0.9, "open_seats": 3}, {}, {"coverage": 0.9, "open_seats": 3}])
    assert (day.inbox(), day.sent()) == ([], [])
    assert day.tellings() == [("opened", "silence"), ("closed", "not told"), ("opened", "silence"), ("flapping", "silence")]
    day.now = MORNING + HOUR
    day.evaluate(source="clock")
    assert day.sent() == [], "until 13:01"
    day.now += dt.timedelta(minutes=1)
    day.evaluate(source="clock")
    assert day.sent() == [("13:01", "[warning] still open: fm: coverage 0.9, below 0.95; open seats: 3")]
    day.wait(QUARTER, 22)
    assert [subject for _, subject in day.sent()[1:]] == ["[over] fm: coverage is 1"]


def test_who_was_told_before_a_silence_is_told_that_it_is_over(day):
    day.play([{"coverage": 0.9, "open_seats": 3}])
    silence(day.database, day.policies, now=day.now, ends=day.now + HOUR, by="chief", reason="enough", rule="coverage")
    day.play([{"coverage": 0.75, "open_seats": 9}, {}])
    assert [subject for _, subject in day.sent()] == ["[warning] fm: coverage 0.9, below 0.95; open seats: 3", "[over] fm: coverage is 1"]


def test_a_rule_that_is_switched_off_and_a_service_that_is_gone_close_what_is_open(day):
    day.play([{"services": [("icu", 0.5), ("clinic", 0.5)], "coverage": 0.9, "open_seats": 3}])
    day.play([{"services": [("icu", 0.5)], "coverage": 0.9, "open_seats": 3}])
    assert [scope for _, scope, _ in day.open()] == ["", "icu"]
    assert day.sent()[1:] == [("12:15", "[over] fm, clinic: no longer watched (the rule is off, or what it spoke of is gone): fm, clinic: coverage 0.5, below 0.9; open seats: 0")]
    off = TO_CHIEF + "\nalert_rules: [" + ", ".join(f"{{id: coverage.program.{s}, active: false}}" for s in ("warning", "critical", "emergency")) + "]"
    day.policies = load_policies(off)
    day.evaluate()
    assert [scope for _, scope, _ in day.open()] == ["icu"]
    assert len(day.sent()) == 3


# --- the watching itself ---------------------------------------------------------------------------


def test_a_check_that_does_not_happen_is_told_by_whoever_still_runs(day):
    day.play([{}])
    day.now = MORNING + dt.timedelta(minutes=44)
    assert day.evaluate(source="clock").open == []
    day.now = MORNING + dt.timedelta(minutes=45)
    day.evaluate(source="clock")
    day.evaluate(source="clock")  # the same minute is read once
    assert day.sent() == day.inbox() == [("12:45", "[critical] No health check for 45 minutes: nobody is watching")]
    day.play([{}])
    assert day.sent()[1:] == [], "this minute of the clock was read before the check"
    day.evaluate(source="clock")
    assert day.sent()[1:] == [("13:00", "[over] No health check for 45 minutes: nobody is watching")]
    assert day.open() == []


def test_a_scheduled_run_that_failed_is_told_once_and_is_over_when_one_succeeds(day):
    day.play([{}])
    for failed in (True, True, False):
        day.evaluate(observed=[ObservedRun("maintenance", failed, False, "step purge_expired failed")])
        day.now += QUARTER
        day.play([{}])
    assert day.sent() == [
        ("12:15", "[warning] The scheduled run maintenance failed: step purge_expired failed"),
        ("13:15", "[over] The scheduled run maintenance failed: step purge_expired failed"),
    ]


def test_dead_letters_open_an_alert_of_their_endpoint(day):
    from resilience_assets.storage import tables

    day.play([{"coverage": 0.9, "open_seats": 3}])
    with day.database.write() as connection:
        (row,) = connection.execute(tables.OutboxRow.__table__.select()).all()
        connection.execute(tables.OutboxRow.__table__.update().values(state="dead", reason="gave up"))
        letter = {"outbox_id": row.id, "incident_id": 1, "channel": "email", "severity": "warning", "reason": "550 no such user", "died_at": day.now}
        connection.execute(tables.DeadLetter.__table__.insert(), letter)
    day.evaluate()
    assert day.inbox()[1:] == [("12:15", "[warning] 1 messages to email could not be delivered: 550 no such user")]
    day.now += dt.timedelta(hours=24, minutes=15)
    day.reading(coverage=0.9, open_seats=3)
    day.evaluate()
    assert ("delivery_failed", "email", "warning") not in day.open()


def test_evaluating_again_tells_nothing_again(day):
    from resilience_assets_tests.storage.dumping import differences, dump

    day.play([{"coverage": 0.9, "open_seats": 3}], dt.timedelta(0))
    before = dump(day.database)
    day.evaluate()
    assert differences(before, dump(day.database)) == []
