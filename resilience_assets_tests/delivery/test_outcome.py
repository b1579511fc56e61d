"""When to try again, and when not."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resilience_assets.delivery.outcome import RETRIES, next_pause, of_http, of_smtp, parse_retry_after
from resilience_assets_tests.delivery.rows import NOW

SECOND = dt.timedelta(seconds=1)


def test_ten_retries_in_about_28_hours():
    assert len(RETRIES) == 10
    assert sum(RETRIES, dt.timedelta()) == dt.timedelta(hours=27, minutes=42, seconds=35)
    assert next_pause(11, "key") is None


@given(st.integers(1, 10), st.text(), st.none() | st.timedeltas(dt.timedelta(), dt.timedelta(hours=24)))
def test_a_pause_is_that_of_the_table_give_or_take_a_fifth_and_no_shorter_than_wished(tries, key, wish):  # type: ignore[no-untyped-def]
    pause = next_pause(tries, key, wish)
    assert pause is not None
    assert pause == next_pause(tries, key, wish), "the same row waits the same everywhere"
    assert pause >= (wish or dt.timedelta())
    if wish is None or wish < RETRIES[tries - 1] * 0.8:
        assert RETRIES[tries - 1] * 0.8 <= pause <= RETRIES[tries - 1] * 1.2


def test_pauses_of_many_rows_are_spread_evenly():
    drawn = sorted((next_pause(1, str(number)) or SECOND) / RETRIES[0] for number in range(2000))
    assert abs(drawn[1000] - 1.0) < 0.02
    assert drawn[0] < 0.81
    assert drawn[-1] > 1.19


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("7", 7), (" 120 ", 120), ("Fri, 04 Sep 2026 06:00:30 GMT", 30), ("Fri, 04 Sep 2026 05:00:00 GMT", None), ("0", None),
     ("-5", None), ("soon", None), ("", None), ("9" * 400, 24 * 3600), ("1e9", None), ("٣", None)],
)  # fmt: skip
def test_retry_after_is_seconds_or_a_date_and_at_most_a_day(text: str, seconds: int | None):
    assert parse_retry_after(text, NOW) == (None if seconds is None else dt.timedelta(seconds=seconds))


@given(st.integers(200, 599))
def test_every_status_has_one_class(status: int):
    outcome = of_http(status, None, NOW)
    expected = "sent" if status < 300 else "temporary" if status >= 500 or status in (408, 425, 429) else "permanent"
    assert outcome.kind == expected
    assert outcome.gone == (status == 410)


@given(st.integers(-1, 599), st.booleans())
def test_every_reply_has_one_class(code: int, whole: bool):
    outcome = of_smtp(code, whole=whole)
    expected = "sent" if 200 <= code < 400 else "permanent" if code >= 500 else "temporary"
    assert outcome.kind == expected
