"""What a notice says: what, where, since when, how bad, what to do; no names."""

import datetime as dt

import pytest

from resilience_assets.alerting.incidents import Reading, Transition
from resilience_assets.alerting.notice import TOLD, local_time, notice_text
from resilience_assets.domain.scales import AlertSeverity
from resilience_assets.policy import load_policies

AT = dt.datetime(2026, 3, 10, 10, 45, tzinfo=dt.UTC)
RULES = {rule.id: rule for rule in load_policies().default.alert_rules}


def transition(kind="opened", rule="coverage.program.warning", value=0.91, key="", severity=None, where=""):  # type: ignore[no-untyped-def]
    one = RULES[rule]
    reading = Reading(7, 1, "family-medicine", one.scope, key, AT, {}, 2, where)
    return Transition(kind, (one.family, 1, key), severity or one.level, one, reading, value)


def test_an_opening_says_what_where_when_and_what_to_do():
    text = notice_text(transition(where="ICU: 1 more resident needed on Wed 2026-03-11 AM"), "America/New_York")
    assert text.subject == "[warning] family-medicine: coverage 0.91, below 0.95; open seats: 2"
    assert text.body.split("\n") == [
        "family-medicine: coverage 0.91, below 0.95; open seats: 2",
        "As of Tue 2026-03-10 06:45 EDT.",
        "ICU: 1 more resident needed on Wed 2026-03-11 AM",
        "To do: resilience status --program family-medicine, then fill what is open first.",
    ]


def test_a_raise_says_since_when_and_how_bad_now():
    text = notice_text(transition("raised", "coverage.program.critical", 0.7), "UTC", AT - dt.timedelta(hours=1))
    assert text.subject.startswith("[critical] family-medicine: coverage 0.7, below 0.8")
    assert "Open since Tue 2026-03-10 09:45 UTC; now critical." in text.body


def test_a_closing_says_that_it_is_over_and_asks_for_nothing():
    text = notice_text(transition("closed", "coverage.service.warning", 1.0, "icu"), "UTC", AT - dt.timedelta(days=1))
    assert text.subject == "[over] family-medicine, icu: coverage is 1"
    assert "over as of Tue 2026-03-10 10:45 UTC, open since Mon 2026-03-09 10:45 UTC" in text.body
    assert text.body.endswith("Nothing to do.")


@pytest.mark.parametrize("value", [0.9499, 0.94999, 0.9451, 0.001])
def test_a_figure_just_beyond_its_limit_is_not_rounded_to_the_limit(value):
    subject = notice_text(transition(value=value), "UTC").subject
    shown = float(subject.split("coverage ")[1].split(",")[0])
    assert shown < 0.95


@pytest.mark.parametrize("rule", sorted(RULES))
@pytest.mark.parametrize("kind", TOLD)
def test_every_shipped_rule_has_a_text_that_fits_and_names_nobody(rule, kind):
    key = "icu" if RULES[rule].scope == "service" else ""
    text = notice_text(transition(kind, rule, 0.5, key), "Europe/London", AT)
    assert len(text.subject) <= 300
    assert "\n" not in text.subject
    assert "family-medicine" in text.subject
    assert "{" not in text.subject + text.body
    if key:
        assert "icu" in text.subject


def test_that_it_is_less_grave_than_before_is_not_worth_a_message():
    assert TOLD == ("opened", "raised", "closed")
    assert AlertSeverity.EMERGENCY > AlertSeverity.CRITICAL > AlertSeverity.WARNING > AlertSeverity.INFO


def test_times_are_shown_in_the_zone_of_the_program():
    assert local_time(AT, "Asia/Kolkata") == "Tue 2026-03-10 16:15 IST"
    assert local_time(dt.datetime(2026, 11, 1, 5, 30, tzinfo=dt.UTC), "America/New_York") == "Sun 2026-11-01 01:30 EDT"
