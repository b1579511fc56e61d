"""Who is told of what: the decision for an event and a reader, the steps of the chain, what the morning still says."""

import datetime as dt
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resilience_assets.alerting.telling import (
    ENDS,
    HOLD,
    REASONS,
    TELL,
    Heard,
    HeldItem,
    Silence,
    decide,
    digest,
    due_steps,
)
from resilience_assets.domain.scales import AlertSeverity
from resilience_assets.policy import Recipient, load_policies
from resilience_assets.policy.routes import QuietHours

TELLING = load_policies().telling
SLEEPER = Recipient(id="chief", channel="email", address="chief@example.org", time_zone="America/New_York", quiet_hours=QuietHours(begin="22:00", end="07:00"))
NIGHT = dt.datetime(2026, 3, 10, 6, 0, tzinfo=dt.UTC)  # 02:00 in New York
DAY = dt.datetime(2026, 3, 10, 15, 0, tzinfo=dt.UTC)
WARNING, CRITICAL = AlertSeverity.WARNING, AlertSeverity.CRITICAL
NOTHING = Heard()
KINDS = ("opened", "raised", "flapping", "off", "on", "calm", "closed", "superseded", "reminder", "escalated", "still open")


def verdict(kind="opened", severity=WARNING, now=DAY, heard=NOTHING, silenced=False, muted=False, who=SLEEPER):  # type: ignore[no-untyped-def]
    return decide(kind, severity, who, now, heard, silenced=silenced, muted=muted)


def test_by_day_everything_is_told_and_at_night_what_is_critical():
    assert verdict() == TELL
    assert verdict(now=NIGHT) == HOLD
    assert verdict(now=NIGHT, severity=AlertSeverity.INFO) == HOLD
    assert verdict(now=NIGHT, severity=CRITICAL) == TELL
    assert verdict(now=NIGHT, severity=AlertSeverity.EMERGENCY) == TELL
    assert verdict(now=NIGHT, who=None) == TELL, "the inbox never sleeps"


def test_a_reminder_is_not_kept_for_the_morning():
    assert verdict("reminder", now=NIGHT) == "quiet hours"
    assert verdict("escalated", now=NIGHT) == HOLD


def test_who_was_told_is_told_that_it_is_over_and_nobody_else():
    for kind in ENDS:
        assert verdict(kind, heard=Heard(told=True), silenced=True, muted=True) == TELL
        assert verdict(kind, heard=Heard(told=True), now=NIGHT) == HOLD
        assert verdict(kind, heard=Heard(told=True), now=NIGHT, severity=CRITICAL) == TELL
        assert verdict(kind, heard=Heard(held=True)) == HOLD, "one line of the digest says both"
        assert verdict(kind) == "not told"


def test_a_silence_goes_before_a_mute_and_single_changes_of_what_flaps_are_never_told():
    assert verdict(silenced=True, muted=True) == "silence"
    assert verdict(muted=True) == "inhibition"
    assert verdict("on") == verdict("off", severity=CRITICAL) == "flapping"


@given(
    st.sampled_from(KINDS), st.sampled_from(list(AlertSeverity)), st.sampled_from([DAY, NIGHT]), st.booleans(), st.booleans(), st.booleans(),
    st.booleans(), st.sampled_from([None, SLEEPER]),
)
def test_every_event_and_reader_ends_in_exactly_one_way(kind, severity, now, told, held, silenced, muted, who):
    found = decide(kind, severity, who, now, Heard(told, held), silenced=silenced, muted=muted)
    assert found in {TELL, HOLD, *REASONS}
    if who is None:
        assert found != HOLD or held, "the inbox is never made to wait"
    if severity >= CRITICAL and not held:
        assert found != HOLD
    if kind in ENDS and told and not held:
        assert found in (TELL, HOLD)


@pytest.mark.parametrize(
    ("begin", "end", "quiet"),
    [
        ("22:00", "07:00", ["22:00", "23:59", "00:00", "05:59", "06:00", "06:59"]), ("07:00", "22:00", ["07:00", "21:59"]),
        ("00:00", "06:00", ["00:00", "05:59"]),
    ],
)  # fmt: skip
def test_quiet_hours_work_across_midnight_in_the_readers_zone(begin, end, quiet):
    hours, honolulu = QuietHours(begin=begin, end=end), dt.timezone(dt.timedelta(hours=-10))
    times = ["07:00", "21:59", "22:00", "23:59", "00:00", "05:59", "06:00", "06:59"]
    local = [dt.datetime.fromisoformat(f"2026-07-01T{text}").replace(tzinfo=honolulu) for text in times]
    assert [text for text, at in zip(times, local, strict=True) if hours.quiet(at.astimezone(dt.UTC), "Pacific/Honolulu")] == quiet


def test_quiet_hours_follow_the_clock_of_the_wall_through_its_changes():
    hours = QuietHours(begin="22:00", end="07:00")
    assert hours.quiet(dt.datetime(2026, 3, 8, 10, 59, tzinfo=dt.UTC), "America/New_York")  # 06:59 EDT, the first day of summer time
    assert not hours.quiet(dt.datetime(2026, 3, 8, 11, 0, tzinfo=dt.UTC), "America/New_York")
    assert hours.quiet(dt.datetime(2026, 11, 1, 11, 59, tzinfo=dt.UTC), "America/New_York")  # 06:59 EST
    assert not hours.quiet(dt.datetime(2026, 11, 1, 12, 0, tzinfo=dt.UTC), "America/New_York")


# --- the chain -------------------------------------------------------------------------------------


def numbers(minutes, severity=CRITICAL, last=0):  # type: ignore[no-untyped-def]
    return [(step.number, step.level) for step in due_steps(DAY, severity, last, DAY + dt.timedelta(minutes=minutes), TELLING)]


def test_the_chain_of_what_is_critical_minute_by_minute():
    told, last = [], 0
    for minute in range(6 * 60):
        for number, level in numbers(minute, last=last):
            told.append((minute, level))
            last = number
    assert told == [(60 * turn + after, level) for turn, (after, level) in itertools.product(range(5), ((0, 1), (15, 2), (30, 3))) if (turn, after) != (0, 0)]


def test_the_chain_of_a_warning_goes_by_four_hours_and_of_an_info_does_not_go_round():
    assert numbers(4 * 60 - 1, WARNING, last=2) == []
    assert numbers(4 * 60, WARNING, last=2) == [(3, 1)]
    assert numbers(10_000, AlertSeverity.INFO, last=2) == []
    assert numbers(10_000, AlertSeverity.INFO) == [(1, 2), (2, 3)]


def test_after_an_outage_one_reminder_of_each_level_is_enough():
    assert numbers(24 * 60) == [(12, 1), (13, 2), (14, 3)]


@given(st.lists(st.integers(0, 120), max_size=30), st.sampled_from(list(AlertSeverity)))
def test_however_often_it_is_looked_at_no_step_is_taken_twice_and_rounds_end(gaps, severity):
    last, at, taken = 0, 0, []
    for gap in gaps:
        at += gap
        for number, _ in numbers(at, severity, last):
            taken.append(number)
            last = max(last, number)
    assert taken == sorted(set(taken))
    assert max(taken, default=0) < 3 * TELLING.escalation.rounds


# --- silences and mornings -------------------------------------------------------------------------


def test_a_silence_covers_what_fits_all_that_it_names_from_its_start_up_to_its_end():
    silence = Silence("fm", "", "icu", DAY, DAY + dt.timedelta(hours=1))
    assert silence.covers("fm", "coverage", "icu", DAY)
    assert not silence.covers("fm", "coverage", "icu", DAY + dt.timedelta(hours=1))
    assert not silence.covers("fm", "coverage", "icu", DAY - dt.timedelta(seconds=1))
    assert not silence.covers("fm", "coverage", "", DAY)
    assert not silence.covers("ward", "coverage", "icu", DAY)
    assert Silence("", "", "", DAY, DAY + dt.timedelta(hours=1)).covers("any", "thing", "", DAY)


def item(id, incident=1, kind="opened", open=True, acknowledged=False, told=False):  # type: ignore[no-untyped-def]
    return HeldItem(id, incident, kind, open, acknowledged, told)


def test_the_morning_tells_what_is_open_and_what_was_and_drops_what_is_in_hand():
    assert digest([item(1), item(2, 2, open=False), item(3, 2, "closed", open=False)]) == ([1, 2, 3], {})
    assert digest([item(1, acknowledged=True), item(2, kind="raised", acknowledged=True)]) == ([], {1: "acknowledged", 2: "acknowledged"})
    assert digest([item(1, kind="closed", open=False, told=True)]) == ([1], {})
    assert digest([item(1, kind="escalated", open=False), item(2, kind="closed", open=False)]) == ([], {1: "over", 2: "over"})
    assert digest([item(1, kind="escalated")]) == ([1], {})


@given(st.lists(st.tuples(st.integers(1, 4), st.sampled_from(KINDS), st.booleans(), st.booleans(), st.booleans()), max_size=12))
@settings(max_examples=200)
def test_every_held_item_is_told_or_dropped_and_never_both(rows):
    state = {incident: (open_, ack, told) for incident, _, open_, ack, told in rows}
    items = [HeldItem(i, incident, kind, *state[incident]) for i, (incident, kind, *_) in enumerate(rows)]
    tell, drop = digest(items)
    assert sorted([*tell, *drop]) == list(range(len(items)))
    assert set(drop.values()) <= set(REASONS)
