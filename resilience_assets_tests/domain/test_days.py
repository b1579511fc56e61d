"""Days are whole numbers, and a local time becomes one instant, also around a clock change."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resilience_assets.domain.days import OPEN_END, OPEN_START, date_of, day_of, day_text, local_day, utc_minutes

SPRING_NEW_YORK, AUTUMN_NEW_YORK = dt.date(2026, 3, 8), dt.date(2026, 11, 1)
SPRING_LONDON, AUTUMN_LONDON = dt.date(2026, 3, 29), dt.date(2026, 10, 25)


def hours_of_date(zone: str, date: dt.date) -> float:
    """Hours from one local midnight to the next."""
    low, high = utc_minutes(zone, day_of(date), 2, 0)
    return float(high - low) / 60


@given(st.dates())
def test_a_date_and_its_number_are_the_same_thing(date):
    assert date_of(day_of(date)) == date
    assert day_text(day_of(date)) == date.isoformat()


def test_an_open_end_has_no_text():
    assert day_text(OPEN_START) == day_text(OPEN_END) == ""


def test_the_local_date_of_an_instant_depends_on_the_zone():
    instant = dt.datetime(2026, 3, 10, 2, 30, tzinfo=dt.UTC)
    assert date_of(local_day(instant, "America/New_York")) == dt.date(2026, 3, 9)
    assert date_of(local_day(instant, "Europe/London")) == dt.date(2026, 3, 10)
    with pytest.raises(ValueError, match="no time zone"):
        local_day(dt.datetime(2026, 3, 10), "UTC")


@pytest.mark.parametrize(
    ("zone", "date", "hours"),
    [
        ("America/New_York", SPRING_NEW_YORK, 23), ("America/New_York", AUTUMN_NEW_YORK, 25),
        ("Europe/London", SPRING_LONDON, 23), ("Europe/London", AUTUMN_LONDON, 25),
        ("Europe/London", SPRING_NEW_YORK, 24), ("America/New_York", SPRING_LONDON, 24),
    ],
)  # fmt: skip
def test_days_around_a_clock_change_have_23_or_25_hours(zone, date, hours):
    assert hours_of_date(zone, date) == hours


def test_a_time_past_midnight_belongs_to_the_next_date():
    day = day_of(dt.date(2026, 6, 1))
    assert utc_minutes("Europe/London", day, 3, 1800).tolist() == utc_minutes("Europe/London", day + 1, 3, 360).tolist()


def test_a_skipped_time_has_the_offset_before_the_change_and_a_repeated_one_is_its_first():
    # 02:30 does not exist on this date: with EST (-5) it is 07:30 UTC, which the clocks call 03:30
    skipped = int(utc_minutes("America/New_York", day_of(SPRING_NEW_YORK), 1, 150)[0])
    assert skipped == int(dt.datetime(2026, 3, 8, 7, 30, tzinfo=dt.UTC).timestamp()) // 60
    # 01:30 happens twice: the first is with EDT (-4)
    repeated = int(utc_minutes("America/New_York", day_of(AUTUMN_NEW_YORK), 1, 90)[0])
    assert repeated == int(dt.datetime(2026, 11, 1, 5, 30, tzinfo=dt.UTC).timestamp()) // 60


@given(
    zone=st.sampled_from(["America/New_York", "Europe/London", "Asia/Kolkata", "Pacific/Chatham"]),
    first=st.integers(19_000, 22_000), days=st.integers(0, 5), minute=st.integers(0, 4320),
)  # fmt: skip
def test_every_wall_clock_time_reads_the_same_when_it_is_turned_back(zone, first, days, minute):
    found = utc_minutes(zone, first, days, minute)
    assert found.shape == (days,)
    for i, value in enumerate(found.tolist()):
        wall = dt.datetime.fromtimestamp(value * 60, ZoneInfo(zone)).replace(tzinfo=None)
        wanted = dt.datetime.combine(date_of(first + i), dt.time()) + dt.timedelta(minutes=minute)
        assert wall - wanted in (dt.timedelta(0), dt.timedelta(hours=1))  # an hour later where it was skipped


def test_what_is_cached_cannot_be_written():
    with pytest.raises(ValueError, match="read-only"):
        utc_minutes("UTC", 0, 3, 0)[0] = 1
