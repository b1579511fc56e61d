"""The morning brief: one line when all is well, and otherwise what is open, who may cover, ready to send."""

import datetime as dt

from resilience_assets.alerting.brief import OpenSeat, morning_brief
from resilience_assets.domain.scales import AlertSeverity

DATE = dt.date(2026, 3, 10)
ICU = OpenSeat("AM", "icu", "resident", 0, 1, 1, 1, ("ATT-03 (free, 41 h in 28 days)", "ATT-07 (off, 30 h in 28 days)"))
CLINIC = OpenSeat("PM", "clinic", "MD", 1, 2, 1, 3)


def test_all_is_well_in_one_line():
    brief = morning_brief("fm", DATE, [])
    assert brief.body == "fm, Tue 2026-03-10: all is well, every seat is filled."
    assert brief.subject == "[brief] fm, Tue 2026-03-10: all is well, every seat is filled"
    assert brief.severity == AlertSeverity.INFO


def test_the_worst_comes_first_with_who_may_cover_and_text_to_send():
    brief = morning_brief("fm", DATE, [CLINIC, ICU], open_alerts=["fm: utilization 0.82, above the safe load of 0.8"])
    assert brief.body.split("\n") == [
        "fm, Tue 2026-03-10: 2 seats open today, 1 of 2 places below the minimum.",
        "AM: resident on icu - 0 of 1 seated, minimum 1: below the minimum",
        "may cover: ATT-03 (free, 41 h in 28 days)",
        "may cover: ATT-07 (off, 30 h in 28 days)",
        "PM: MD on clinic - 1 of 2 seated, minimum 1: open",
        "nobody who may legally cover is known",
        "Also open: fm: utilization 0.82, above the safe load of 0.8",
        'Ready to send to ATT-03: "Can you take resident on icu, Tue 2026-03-10 AM (fm)? Please answer as soon as you can."',
    ]
    assert brief.severity == AlertSeverity.CRITICAL


def test_what_is_not_known_is_never_well():
    brief = morning_brief("fm", DATE, [], unknown="the roster was last imported 9 days ago")
    assert "well" not in brief.body
    assert brief.headline == "fm, Tue 2026-03-10: not to be relied on: the roster was last imported 9 days ago; what is on file shows no open seat."


def test_a_long_list_is_cut_off_with_a_count():
    brief = morning_brief("fm", DATE, [OpenSeat("AM", f"s{i}", "MD", 0, 1, 0) for i in range(60)])
    assert "20 more places: resilience status --program fm" in brief.points


def test_seats_that_are_not_known_are_never_said_to_be_filled():
    brief = morning_brief("fm", DATE, None, unknown="no roster was ever accepted")
    assert brief.body == "fm, Tue 2026-03-10: today's open seats are not known: no roster was ever accepted."
    assert brief.subject == "[brief] fm, Tue 2026-03-10: no roster was ever accepted"
    assert "filled" not in morning_brief("fm", DATE, None).body
    assert morning_brief("fm", DATE, None).severity.text == "warning"


def test_one_alert_is_one_in_the_subject():
    subjects = [morning_brief("fm", DATE, [], open_alerts=["x"] * count).subject for count in (1, 2)]
    assert [subject.split(": ")[1] for subject in subjects] == ["1 alert open", "2 alerts open"]
