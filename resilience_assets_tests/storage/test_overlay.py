"""Absences reported here: kept on top of what files say until a file says it too, or they are ended."""

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from resilience_assets.domain import states
from resilience_assets.domain.tables import frame
from resilience_assets.storage import imports, overlay, tables
from resilience_assets.storage.overlay import Reported
from resilience_assets_tests.storage.writing import FIRST, NOW, away, read, sample, source, works, write


def report(database, code="A", first=1, last=2, kind="sick"):  # type: ignore[no-untyped-def]
    with database.write() as connection:
        ids = imports.identities(connection, 1)
        return overlay.report_absence(connection, 1, ids["person"][code], FIRST + first, FIRST + last, kind, NOW, "chief")


def open_now(database, **options):  # type: ignore[no-untyped-def]
    with database.read() as connection:
        return overlay.open_absences(connection, **options)


@pytest.fixture
def filled(database):  # type: ignore[no-untyped-def]
    write(database, sample())
    return database


def test_who_is_reported_away_is_away_in_the_roster_at_once(filled):
    id = report(filled)
    roster = read(filled)
    assert (roster.state[0, 3:9] == states.ABSENT).all()
    assert roster.state[0, 0] >= 0
    mine = roster.absences.reported
    assert roster.absences.source[mine].tolist() == [id]
    assert (roster.absences.kind[int(np.flatnonzero(mine)[0])], roster.absences.approved[mine].tolist()) == ("sick", [True])


def test_the_same_report_again_is_found_and_not_doubled(filled):
    assert report(filled) == report(filled)
    assert report(filled, last=3) != report(filled)
    assert [(one.person, one.first - FIRST, one.last - FIRST, one.kind, one.state, one.reported_by) for one in open_now(filled)] == [
        ("A", 1, 2, "sick", "open", "chief"), ("A", 1, 3, "sick", "open", "chief"),
    ]  # fmt: skip
    assert open_now(filled, person_id=2) == []
    assert len(open_now(filled, program_id=1, person_id=1)) == 2


@pytest.mark.parametrize("state", ["in source", "overruled", "undone"])
def test_an_absence_that_ended_no_longer_counts_and_stays_on_record(filled, state):
    id = report(filled)
    later = NOW + dt.timedelta(hours=1)
    with filled.write() as connection:
        overlay.end_absences(connection, [id], state, later, "x" * 300, 1)
    assert open_now(filled) == []
    assert (read(filled).state[0, 3:9] != states.ABSENT).any()
    with filled.write() as connection:
        overlay.end_absences(connection, [id], "undone", later, "somebody else")  # ended once, ended for good
        row = connection.execute(select(tables.ReportedAbsence)).one()
    assert (row.state, row.ended_at, row.ended_by, row.ended_batch_id) == (state, later, "x" * 200, 1)
    assert report(filled) != id  # it may be reported anew


def test_files_do_not_undo_what_was_reported_here(filled):
    report(filled)
    write(filled, sample())
    write(filled, source(absences=[away("B", 1, 2)]))
    assert (read(filled).state[0, 3:9] == states.ABSENT).all()


def reported(code: str, first: int, last: int) -> Reported:
    return Reported(1, "fm", code, FIRST + first, FIRST + last, "sick", "open", NOW, "chief")


@pytest.mark.parametrize(
    ("post", "day", "contradicts"),
    [("icu/MD", 1, True), ("ELSEWHERE", 2, True), ("icu/MD", 0, False), ("icu/MD", 3, False), ("FREE", 1, False), ("REST", 1, False), ("UNKNOWN", 1, False)],
)
def test_a_source_contradicts_where_it_has_the_person_at_work(post, day, contradicts):
    assignments = frame("assignments", [works("A", day, post=post), works("B", 1)])
    found = overlay.contradictions([reported("A", 1, 2)], assignments)
    assert [(one.day - FIRST, one.post, one.file, one.row) for one in found] == ([(day, post, "assignments.csv", 2 + day)] if contradicts else [])


def test_a_source_without_assignments_contradicts_nothing():
    assert overlay.contradictions([reported("A", 1, 2)], None) == []
    assert overlay.contradictions([], frame("assignments", [works("A", 1)])) == []
    assert overlay.confirmed([reported("A", 1, 2)], None) == []
    assert overlay.confirmed([reported("A", 1, 2)], frame("absences", [])) == []


@given(
    st.integers(0, 5), st.integers(0, 5),
    st.lists(st.tuples(st.sampled_from("AB"), st.integers(0, 6), st.integers(0, 6), st.booleans()), max_size=5),
)  # fmt: skip
def test_a_source_confirms_an_absence_when_it_has_every_date_of_it(first, length, rows):
    one = reported("A", first, first + length)
    absences = frame("absences", [away(code, low, low + more, approved=yes) for code, low, more, yes in rows])
    days = {day for code, low, more, yes in rows if code == "A" and yes for day in range(low, low + more + 1)}
    wanted = [one] if set(range(first, first + length + 1)) <= days else []
    assert overlay.confirmed([one], absences) == wanted
