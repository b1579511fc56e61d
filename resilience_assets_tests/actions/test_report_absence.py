"""Somebody is ill: one row on record, a check at once, what opens is said; and taken back it closes."""

import pytest
from sqlalchemy import select

from resilience_assets.actions.deliver import deliver_pending, inbox
from resilience_assets.actions.evaluate_alerts import evaluate_alerts
from resilience_assets.actions.people import UnknownPersonError
from resilience_assets.actions.report_absence import report_absence, undo_absence
from resilience_assets.demo.programs import THIN_SERVICE, demo_programs, thin_service_example
from resilience_assets.storage import incidents, overlay, tables
from resilience_assets_tests.actions.building import (
    FIRST,
    NOW,
    POLICIES,
    QUARTER,
    away,
    check,
    load,
    person,
    program,
    shown,
    source,
    works,
)
from resilience_assets_tests.actions.test_check_health import DOUBLE
from resilience_assets_tests.storage.dumping import dump
from resilience_assets_tests.storage.writing import may


@pytest.fixture(scope="module")
def demo():  # type: ignore[no-untyped-def]
    return demo_programs(FIRST)


def absent(database, code="A", first=None, last=None, quarters=1, **more):  # type: ignore[no-untyped-def]
    days = {"first": None if first is None else FIRST + first, "last": None if last is None else FIRST + last}
    return report_absence(database, POLICIES, code, **days, kind="sick", now=NOW + quarters * QUARTER, by="chief", **more)


def back(database, code="A", first=None, last=None, quarters=2):  # type: ignore[no-untyped-def]
    days = {"first": None if first is None else FIRST + first, "last": None if last is None else FIRST + last}
    return undo_absence(database, POLICIES, code, **days, kind="sick", now=NOW + quarters * QUARTER, by="chief")


def open_now(database):  # type: ignore[no-untyped-def]
    with database.read() as connection:
        return [(row.program, row.rule, row.scope_key) for row in incidents.open_incidents(connection)]


def states(database):  # type: ignore[no-untyped-def]
    with database.read() as connection:
        return connection.execute(select(tables.ReportedAbsence.state).order_by(tables.ReportedAbsence.id)).scalars().all()


def test_the_thin_service_of_the_demo_from_call_to_inbox_and_back(database, demo):
    """The first thing that somebody tries."""
    for one in demo:
        if one.program.id == "family-medicine":
            load(database, one, "demo")
    check(database)
    evaluate_alerts(database, POLICIES)
    before = shown(database, "family-medicine")
    already = open_now(database)
    who, service, day = thin_service_example(demo, FIRST)
    report = report_absence(database, POLICIES, who, first=day, last=day, kind="sick", now=NOW + QUARTER, by="chief")
    assert report.after["coverage"] < before.coverage
    assert report.after["utilization"] > before.utilization
    assert {cell.service for cell in report.cells} == {THIN_SERVICE}
    assert {cell.verdict for cell in report.cells} == {"below the minimum"}
    assert set(open_now(database)) - set(already) == {("family-medicine", "coverage", service)}
    assert deliver_pending(database, NOW + QUARTER).written >= 1
    assert inbox(database)[0].subject.startswith(f"[warning] family-medicine, {THIN_SERVICE}: coverage")
    undone = back(database, who, day - FIRST)
    assert undone.after["coverage"] == before.coverage
    assert open_now(database) == already
    deliver_pending(database, NOW + 2 * QUARTER)
    assert inbox(database)[0].subject.startswith(f"[over] family-medicine, {THIN_SERVICE}")


def test_the_report_says_in_lines_what_opens(database):
    load(database, program(), "one")
    check(database)
    report = absent(database, "A", 1, 2)
    covers = [f"    may cover: {one} (off) to icu/MD; 0 h in 28 days" for one in "CDE"]
    assert report.lines() == [
        "A (fm) is away (sick): 2026-09-05 to 2026-09-06.",
        "  Sat 2026-09-05 AM: MD on icu - 0 of 1 seated, minimum 1: below the minimum",
        *covers,
        "  Sun 2026-09-06 AM: MD on icu - 0 of 1 seated, minimum 1: below the minimum",
        *covers,
        "Coverage 1.000 -> 0.875, utilization 0.229 -> 0.235, status healthy.",
    ]
    assert "Name of" not in str(report.lines()) + str(report.as_json())
    assert report.as_json()["opens"][0] == {
        "date": "2026-09-05", "slot": "AM", "service": "icu", "role": "MD", "filled": 0, "required": 1, "minimum": 1, "verdict": "below the minimum",
        "covers": [f"{one} (off) to icu/MD; 0 h in 28 days" for one in "CDE"],
    }  # fmt: skip


def test_covers_are_of_the_roster_without_the_person_and_who_is_away_too_is_none(database):
    rights = [may(one, "clinic/MD") for one in "ABCDE"] + [may("A"), may("B"), may("E")]
    load(database, program(qualifications=rights, absences=[away("E", 2, 2)]), "one")
    first, second = absent(database, "A", 1, 2).cells
    assert first.covers == ("E (off) to icu/MD; 0 h in 28 days", "B from clinic/MD to icu/MD; 12 h in 28 days")
    assert second.covers == ("B from clinic/MD to icu/MD; 18 h in 28 days",), "the clinic asks for nobody at least"
    (cell,) = absent(database, "B", 2, quarters=2).cells
    assert (cell.verdict, cell.service) == ("open", "clinic")
    assert cell.covers == tuple(f"{one} (off) to clinic/MD; 0 h in 28 days" for one in "CD"), "neither A, who is away, nor E"


def test_where_nobody_may_cover_it_says_so_and_where_nobody_need_it_says_nothing(database):
    rights = [may(one, "clinic/MD") for one in "ABCDE"] + [may("A")]
    load(database, program(qualifications=rights, assignments=[works("A", 0), works("B", 1), works("C", 0, post="clinic/MD")]), "one")
    report = absent(database, "A", 0)
    assert report.cells[0].covers == ()
    assert report.lines()[2] == "    nobody may cover within the rules"
    assert report.as_json()["opens"][0]["covers"] == []
    undone = back(database, "A")
    assert [cell.cover_lines() for cell in undone.cells] == [[]]
    assert not any("cover" in line for line in undone.lines())


def test_a_person_who_is_seated_where_too_many_are_leaves_no_seat_to_cover(database):
    load(database, program(assignments=[works("A", 0), works("C", 0)]), "one")
    report = absent(database, "C", 0)
    assert [(cell.verdict, cell.covers, cell.cover_lines()) for cell in report.cells] == [("still full", (), [])]


def test_verdicts_tell_below_the_minimum_from_open_from_still_full(database):
    extra = [works("C", 0), works("B", 0, post="clinic/MD"), works("A", 0)]
    load(database, program(assignments=extra), "one")
    assert [cell.verdict for cell in absent(database, "C", 0).cells] == ["still full"]
    assert [cell.verdict for cell in absent(database, "B", 0, quarters=2).cells] == ["open"]
    assert [cell.verdict for cell in absent(database, "A", 0, quarters=3).cells] == ["below the minimum"]


def test_today_in_the_zone_of_the_program_is_meant_when_no_date_is_given(database):
    load(database, program(), "one")
    report = absent(database)
    assert (report.first, report.last) == (FIRST, FIRST)
    assert absent(database, "B", 3).last == FIRST + 3


def test_somebody_off_leaves_no_seat(database):
    load(database, program(), "one")
    assert absent(database, "E").lines()[1] == "Not rostered on these dates: no seat opens."


def test_the_same_report_again_changes_only_the_check(database):
    load(database, program(), "one")
    absent(database, "A", 1)
    leave_out = ["health_check"]
    before = dump(database, leave_out)
    absent(database, "A", 1, quarters=1)
    assert dump(database, leave_out) == before
    assert states(database) == ["open"]


@pytest.mark.parametrize(
    ("first", "last", "left"),
    [
        (None, None, []), (2, None, [(1, 1), (4, 6), (9, 9)]), (3, None, "none"), (2, 5, [(1, 1), (6, 6), (9, 9)]),
        (None, 4, [(5, 6), (9, 9)]), (6, 9, [(1, 2), (4, 5)]), (5, None, [(1, 2), (4, 4), (6, 6), (9, 9)]),
    ],
)  # fmt: skip
def test_only_what_was_reported_on_these_dates_is_taken_back(sqlite_database, first, last, left):
    load(sqlite_database, program(), "one")
    for low, high in ((1, 2), (4, 6), (9, 9)):
        absent(sqlite_database, "A", low, high)
    if left == "none":
        with pytest.raises(ValueError, match="A has no absence reported here that could be taken back"):
            back(sqlite_database, "A", first, last)
        return
    back(sqlite_database, "A", first, last)
    with sqlite_database.read() as connection:
        assert sorted((one.first - FIRST, one.last - FIRST) for one in overlay.open_absences(connection)) == left


def test_somebody_whom_the_roster_has_no_more_can_be_taken_back(database):
    load(database, program(), "one")
    absent(database, "E", 1)
    load(database, source(program=program().program, people=[person(one) for one in "ABCD"]), "two", replace=True)
    assert back(database, "E").cells == ()
    assert states(database) == ["undone"]


def test_somebody_back_who_is_also_away_in_the_source_is_said_to_be_away(database):
    load(database, program(absences=[away("A", 2, 4)]), "one")
    absent(database, "A", 1, 2)
    undone = back(database, "A")
    assert "Still away on some of these dates, by the roster or by another report." in undone.lines()
    absent(database, "B", 1, quarters=3)
    assert not back(database, "B", quarters=4).still_away


def test_an_undo_speaks_of_no_dates_between_those_taken_back(database):
    load(database, program(), "one")
    absent(database, "A", 1)
    absent(database, "A", 10, 11)
    absent(database, "A", 11, 12)
    undone = back(database, "A")
    assert undone.lines()[0] == "A (fm) is back: 2026-09-05, 2026-09-14 to 2026-09-16."
    assert [cell.day - FIRST for cell in undone.cells] == [1, 10, 11, 12]


def test_dates_that_are_not_on_file_are_said_to_be_unknown(database):
    load(database, program(), "one")
    said = absent(database, "A", 40).lines()[1]
    assert said == "The roster on file runs from 2026-09-04 to 2026-10-13: which seats open cannot be said."


def test_an_empty_kind_is_sick(database):
    load(database, program(), "one")
    report = report_absence(database, POLICIES, "A", first=None, last=None, kind=" ", now=NOW, by="chief")
    assert report.kind == "sick"
    assert "is away (sick)" in report.lines()[0]


def test_where_names_have_no_place_a_name_finds_nobody_and_is_not_repeated(database):
    load(database, program(people=[person(one, name=f"Ines {one}") for one in "ABCDE"]), "one")
    with pytest.raises(UnknownPersonError) as caught:
        absent(database, "Ines A", names=False)
    assert "Ines" not in str(caught.value)
    assert absent(database, "a", names=False).person.code == "A"


def test_dates_that_make_no_sense_are_refused_and_nothing_is_recorded(database):
    load(database, program(), "one")
    before = dump(database)
    with pytest.raises(ValueError, match="from 2026-09-09 to 2026-09-08 is not a stretch of 1 to 366 days"):
        absent(database, "A", 5, 4)
    with pytest.raises(ValueError, match="not a stretch"):
        absent(database, "A", 0, 366)
    with pytest.raises(UnknownPersonError):
        absent(database, "Z")
    assert dump(database) == before


def test_a_report_on_a_refused_roster_is_kept_and_says_that_figures_are_old(database):
    load(database, program(), "one")
    check(database)
    newer = [person(one) for one in "ABCDEF"]
    load(database, program(people=newer, assignments=DOUBLE), "two")
    report = absent(database, "A", 1)
    assert states(database) == ["open"]
    assert any(line.startswith("Not to be relied on: The newest roster was refused") for line in report.lines())
    # F is not in the roster that was accepted last
    assert absent(database, "F", 1, quarters=2).cells == ()


def test_other_programs_are_not_checked(database):
    load(database, program("a"), "a")
    load(database, source(program=program("b").program, people=[person("X")]), "b")
    check(database)
    absent(database, "A", 1, program="a")
    with database.read() as connection:
        rows = connection.execute(select(tables.Program.code).join(tables.HealthCheck).order_by(tables.HealthCheck.id))
        assert rows.scalars().all() == ["a", "b", "a"]
