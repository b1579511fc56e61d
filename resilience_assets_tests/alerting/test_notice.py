"""What a notice says: what, where, since when, how bad, who may cover, what to do; no names but for who may see them."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resilience_assets.alerting.html import notice_html
from resilience_assets.alerting.incidents import Reading
from resilience_assets.alerting.notice import (
    NoticeText,
    Story,
    digest_text,
    local_time,
    measured_of,
    notice_text,
    summary_of,
    to_do_of,
    with_names,
)
from resilience_assets.alerting.plain import lines_of, one_line
from resilience_assets.domain.scales import AlertSeverity
from resilience_assets.policy import load_policies

AT = dt.datetime(2026, 3, 10, 10, 45, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
RULES = {rule.id: rule for rule in load_policies().default.alert_rules}
NEW_YORK = "America/New_York"


def reading(rule, key="", program="family-medicine"):  # type: ignore[no-untyped-def]
    return Reading(7, 1, program, rule.scope, key, AT, {}, 2, reasons={rule.measure: "why it is so"})


def story(kind="opened", rule="coverage.program.warning", value=0.91, key="", opened=AT, closed=None, **more):  # type: ignore[no-untyped-def]
    one = RULES[rule]
    seen = reading(one, key)
    values = {
        "incident_id": 17, "kind": kind, "program": seen.program, "key": key, "family": one.family, "severity": one.level,
        "summary": summary_of(one, seen, value), "opened_at": opened, "as_of": AT, "closed_at": closed,
        "measured": measured_of(one, value), "to_do": to_do_of(one, seen, value),
    }  # fmt: skip
    return Story(**(values | more))


def test_an_opening_says_what_where_when_who_may_cover_and_what_to_do():
    text = notice_text([story(place="ICU: 1 more resident needed on Wed 2026-03-11 AM")], NEW_YORK, ["Wed 2026-03-11 AM: ATT-03 (free, 41 h in 28 days)"])
    assert text.subject == "[warning] family-medicine: coverage 0.91, below 0.95; open seats: 2"
    assert text.body.split("\n") == [
        "family-medicine: coverage 0.91, below 0.95; open seats: 2",
        "As of Tue 2026-03-10 06:45 EDT.",
        "ICU: 1 more resident needed on Wed 2026-03-11 AM",
        "Who may cover:",
        "  Wed 2026-03-11 AM: ATT-03 (free, 41 h in 28 days)",
        "To do: resilience status --program family-medicine, then fill what is open first.",
        "In hand? resilience ack 17",
    ]


def test_a_raise_says_since_when_and_how_bad_now():
    text = notice_text([story("raised", "coverage.program.critical", 0.7, opened=AT - HOUR)], "UTC")
    assert text.subject.startswith("[critical] family-medicine: coverage 0.7, below 0.8")
    assert "Open since Tue 2026-03-10 09:45 UTC; now critical." in text.body


def test_a_closing_says_that_it_is_over_and_asks_for_nothing():
    text = notice_text([story("closed", "coverage.service.warning", 1.0, "icu", AT - 24 * HOUR, AT)], "UTC")
    assert text.subject == "[over] family-medicine, icu: coverage is 1"
    assert "over as of Tue 2026-03-10 10:45 UTC, open since Mon 2026-03-09 10:45 UTC" in text.body
    assert text.body.endswith("Nothing to do.")
    assert "ack" not in text.body


def test_several_incidents_are_one_notice_led_by_the_gravest_that_is_open():
    stories = [
        story("closed", "coverage.service.warning", 1.0, "clinic", AT - HOUR, AT, incident_id=3), story("opened", "coverage.service.warning", 0.5, "icu", incident_id=2),
        story("raised", "coverage.program.critical", 0.7, incident_id=1),
    ]  # fmt: skip
    text = notice_text(stories, "UTC")
    assert text.subject == "[critical] family-medicine: coverage 0.7, below 0.8; open seats: 2 (and 2 more)"
    assert "family-medicine, icu: coverage 0.5, below 0.9; open seats: 2; open since Tue 2026-03-10 10:45 UTC" in text.points
    assert "family-medicine, clinic: coverage is 1: over" in text.points
    assert text.to_do[-1] == "In hand? resilience ack 1 2"


def test_a_storm_is_cut_off_with_a_count():
    text = notice_text([story(key=f"s{i:03}", rule="coverage.service.warning", incident_id=i) for i in range(500)], "UTC")
    assert text.subject.endswith("(and 499 more)")
    assert "479 more: resilience inbox" in text.points
    assert len(text.body) < 10_000


def test_a_reminder_an_escalation_and_a_flapping_say_so_in_the_subject():
    for kind, words in (("reminder", "still open: "), ("escalated", "nobody has acknowledged: "), ("flapping", "comes and goes: "), ("still open", "still open: ")):
        assert notice_text([story(kind)], "UTC").subject.startswith(f"[warning] {words}family-medicine")
    superseded = notice_text([story("superseded", closed=AT)], "UTC")
    assert superseded.subject.startswith("[over] family-medicine: no longer watched")


@pytest.mark.parametrize("value", [0.9499, 0.94999, 0.9451, 0.001])
def test_a_figure_just_beyond_its_limit_is_not_rounded_to_the_limit(value):
    shown = float(notice_text([story(value=value)], "UTC").subject.split("coverage ")[1].split(",")[0])
    assert shown < 0.95


@pytest.mark.parametrize("rule", sorted(RULES))
@pytest.mark.parametrize("kind", ["opened", "raised", "closed", "reminder", "escalated", "flapping", "superseded"])
def test_every_shipped_rule_has_a_text_that_fits_and_says_what_to_do(rule, kind):
    key = "icu" if RULES[rule].scope != "program" else ""
    closed = AT if kind in ("closed", "superseded") else None
    text = notice_text([story(kind, rule, 3, key, closed=closed)], "Europe/London")
    assert len(text.subject) <= 300
    assert "\n" not in text.subject
    assert "{" not in text.subject + text.body
    assert closed or text.to_do[0].startswith("To do: ")
    assert "None" not in text.body
    assert notice_html(text).count("<p") >= 2


def test_times_are_shown_in_the_zone_of_the_program():
    assert local_time(AT, "Asia/Kolkata") == "Tue 2026-03-10 16:15 IST"
    assert local_time(dt.datetime(2026, 11, 1, 5, 30, tzinfo=dt.UTC), NEW_YORK) == "Sun 2026-11-01 01:30 EDT"


# --- the morning digest ----------------------------------------------------------------------------


def test_a_digest_lists_what_is_still_open_first_and_what_was():
    text = digest_text([story("closed", closed=AT, value=0.99, opened=AT - HOUR), story("still open", "coverage.program.critical", 0.7, incident_id=4)], "UTC")
    assert text.subject == "[critical] 2 alerts while you were not to be disturbed: 1 still open"
    assert text.points[0].startswith("open: family-medicine: coverage 0.7")
    assert text.points[1] == "over: family-medicine: coverage is 0.99; Tue 2026-03-10 09:45 UTC to Tue 2026-03-10 10:45 UTC"
    assert text.to_do[-1] == "In hand? resilience ack 4"
    over = digest_text([story("closed", closed=AT)], "UTC")
    assert over.subject == "[over] 1 alert while you were not to be disturbed: 0 still open"
    assert over.to_do == ("Nothing to do.",)


# --- names, characters, HTML -----------------------------------------------------------------------


def test_names_stand_beside_ids_for_who_may_see_them_and_never_in_the_subject():
    text = NoticeText("[warning] ATT-1 is away", AlertSeverity.WARNING, "ATT-1", ("ATT-12 and ATT-1, not XATT-1 or ATT-1-B",), ("PGY2-05 (free)",))
    named = with_names(text, {"ATT-1": "Ada Okafor", "ATT-12": "Bo\r\nLund", "PGY2-05": "Cy\u202eRay"})
    assert named.subject == text.subject
    assert named.points == ("ATT-12 (Bo Lund) and ATT-1 (Ada Okafor), not XATT-1 or ATT-1-B",)
    assert named.covers == ("PGY2-05 (CyRay) (free)",)
    assert with_names(text, {}) is text


HOSTILE = ["a\r\nBcc: x@example.org", "a\u202eb", "a\u200bb", "a\x00b\x1b[31m", "a\u2028b", "\ufeffa", "a\x85b", "x" * 1_000_000]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_neither_break_a_line_nor_hide_anything(name):
    rule = RULES["coverage.service.warning"]
    seen = reading(rule, name, name)
    text = notice_text([story(key=name, program=name, summary=summary_of(rule, seen, 0.5), rule="coverage.service.warning")], "UTC", [name])
    for line in (text.subject, text.headline, *text.points, *text.covers, *text.to_do):
        assert line.isprintable(), repr(line)
    assert len(text.subject) <= 300
    assert len(text.body) < 8_000


@given(st.text(max_size=400))
def test_one_line_is_printable_short_and_stays_as_it_is_when_done_again(text):
    line = one_line(text, 100)
    assert line.isprintable()
    assert len(line) <= 100
    assert one_line(line, 100) == line
    assert lines_of("a\tb\nc\u200bd") == "a b\ncd"


def test_html_escapes_everything_that_came_from_data():
    nasty = "<script>alert(1)</script>{{ 7 * 7 }}&\"'"
    text = notice_text([story(program=nasty, place=nasty, summary=nasty, to_do=nasty)], "UTC", [nasty])
    page = notice_html(text)
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "{{ 7 * 7 }}" in page, "a text is never a template"
    assert page.startswith("<!doctype html>")
    assert "http" not in page, "nothing to fetch"
    assert ">over<" in notice_html(notice_text([story("closed", closed=AT)], "UTC"))
