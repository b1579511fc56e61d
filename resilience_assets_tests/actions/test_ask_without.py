"""A question about people who are out: the answer of the analysis on the roster that holds, and nothing recorded."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from resilience_assets.actions.ask_without import Answer, ask_without
from resilience_assets.actions.people import UnknownPersonError
from resilience_assets.analysis.contingency.masks import Moves
from resilience_assets.analysis.contingency.without import without
from resilience_assets.storage.database import Database
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
from resilience_assets_tests.actions.test_contingency import frozen, thin
from resilience_assets_tests.actions.test_report_absence import absent
from resilience_assets_tests.storage.dumping import differences, dump

FACTS = ("freeze", "roster_version")
"""All that a question may write: the roster that it speaks of, as a check would."""


def ask(database: Database, *people: str, first: int | None = None, last: int | None = None, moves: Moves = Moves.FULL, **more: Any) -> Answer:
    days = {"first": None if first is None else FIRST + first, "last": None if last is None else FIRST + last}
    now = NOW + more.pop("quarters", 0) * QUARTER
    return ask_without(database, POLICIES, people, **days, moves=moves, now=now, **more)


def test_it_says_what_the_analysis_says_of_the_roster_that_holds(database):
    load(database, thin(), "one")
    check(database)
    for people in (["A"], ["A", "E"], ["b"]):
        for moves in Moves:
            answer = ask(database, *people, first=1, last=3, moves=moves)
            expected = without(frozen(database), POLICIES.default, ["ABCDE".index(one.upper()) for one in people], FIRST + 1, FIRST + 3, moves)
            assert answer.found.document() == expected.document()
            assert [one.code for one in answer.people] == [one.upper() for one in people]
            assert answer.stale == ""


def test_two_people_together_open_what_neither_opens_alone(database):
    load(database, thin(), "one")
    alone = {one: ask(database, one, first=0, last=4).found.totals()["minimum"] for one in "AE"}
    assert alone["A"] == {"open_now": 0, "open_as_rostered": 5, "open_after": 0}
    assert alone["E"] == {"open_now": 0, "open_as_rostered": 0, "open_after": 0}
    assert ask(database, "A", "E", first=0, last=4).found.totals()["minimum"]["open_after"] == 5
    assert ask(database, "A", "A", first=0, last=0).found.people == (0,), "named twice is out once"


def test_a_question_records_nothing(database):
    load(database, thin(), "one")
    check(database)
    before = dump(database)
    ask(database, "A")
    ask(database, "A", "E", first=3, quarters=1)
    assert differences(before, dump(database)) == []


def test_what_was_reported_a_moment_ago_counts(database):
    load(database, thin(), "one")
    check(database)
    absent(database, "E", 0, 1)
    assert ask(database, "A", first=0, last=3, quarters=1).found.totals()["minimum"]["open_after"] == 2


def test_an_import_a_moment_ago_counts_without_a_check(database):
    load(database, thin(), "one")
    check(database)
    load(database, thin(absences=[away("E", 0, 1)]), "two", now=NOW + QUARTER)
    before = dump(database, FACTS)
    assert ask(database, "A", first=0, last=3, quarters=1).found.totals()["minimum"]["open_after"] == 2
    assert dump(database, FACTS) == before


def test_a_check_of_the_same_minute_speaks_of_the_roster_that_was_asked_about(database):
    load(database, thin(), "one")
    check(database)
    load(database, thin(absences=[away("A", 0, 1)]), "two", now=NOW + QUARTER)
    ask_without(database, POLICIES, ["E"], first=None, last=None, moves=Moves.FULL, now=NOW + QUARTER + dt.timedelta(seconds=50))
    check(database, 1)
    assert shown(database).open_seats == 2


def test_without_dates_it_is_the_health_checks_horizon_from_today_in_the_programs_zone(database):
    load(database, thin(), "one", now=NOW - dt.timedelta(days=1))
    night = NOW - dt.timedelta(hours=3)
    asked = ask_without(database, POLICIES, ["A"], first=None, last=None, moves=Moves.FULL, now=night)
    assert (asked.first, asked.last) == (FIRST - 1, FIRST + 6), "03:00 UTC is yesterday in New York"
    for first, begins in ((None, FIRST), (4, FIRST + 4)):
        answer = ask(database, "A", first=first)
        assert (answer.first, answer.last) == (begins, begins + 7)


def test_dates_that_are_not_on_file_are_left_out_and_can_be_told(database):
    load(database, thin(), "one")
    assert ask(database, "A", first=38, last=50).found.window.days == 2
    assert ask(database, "A", first=60, last=70).found.document()["seats"] == []


def test_a_question_that_makes_no_sense_is_refused(database):
    load(database, thin(), "one")
    load(database, source(program=program("other").program, people=[person("X")]), "two")
    for first, last in ((3, 2), (0, 366)):
        with pytest.raises(ValueError, match="is not a stretch of 1 to 366 days"):
            ask(database, "A", first=first, last=last)
    with pytest.raises(ValueError, match=r"people of 2 programs \(fm, other\): ask about one program at a time"):
        ask(database, "A", "X")
    with pytest.raises(UnknownPersonError):
        ask(database, "Nobody")
    with pytest.raises(UnknownPersonError):
        ask(database, "B", program="other")


def test_without_an_accepted_roster_it_says_what_to_do(database):
    load(database, program(assignments=DOUBLE), "one")
    with pytest.raises(ValueError, match="program fm has no accepted roster: run `resilience import` or `resilience demo`"):
        ask(database, "A")


def test_a_refused_roster_is_answered_from_the_last_one_that_was_accepted(database):
    load(database, thin(), "one")
    check(database)
    load(database, thin(people=[person(one) for one in "ABCDEF"], assignments=[*DOUBLE, works("F", 3)]), "two")
    answer = ask(database, "A", first=0, last=0, quarters=1)
    assert answer.stale == "The newest roster was refused; this is of the last one that was accepted."
    assert answer.found.totals()["minimum"]["open_as_rostered"] == 1
    with pytest.raises(ValueError, match="the roster that holds now has nobody called F"):
        ask(database, "F", quarters=1)
