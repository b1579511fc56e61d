"""A source replaces only its program, its kinds and its dates; superseded rows are closed; provenance stays."""

from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import select

from resilience_assets.domain.assembly import roster_from_tables
from resilience_assets.domain.days import OPEN_END
from resilience_assets.domain.fingerprint import fingerprint
from resilience_assets.domain.program import Program, Shift, SlotType
from resilience_assets.domain.tables import COLUMNS
from resilience_assets.storage import imports, tables
from resilience_assets.storage.facts import read_facts
from resilience_assets.storage.programs import all_programs
from resilience_assets_tests.storage.dumping import dump
from resilience_assets_tests.storage.writing import (
    FIRST,
    NOW,
    PROGRAM,
    away,
    may,
    needs,
    only,
    person,
    read,
    sample,
    source,
    works,
    write,
)


def seats(database, code="fm"):  # type: ignore[no-untyped-def]
    """(person, date, shift, post) of the open assignments, by readable id."""
    roster = read(database, code)
    person_, slot = np.nonzero(roster.starts)
    return sorted(
        (roster.people[p].id, int(t) // roster.per_day + roster.first_day - FIRST, roster.program.shifts[roster.shift[p, t]].code,
         roster.posts[roster.planned[p, t]].id if roster.planned[p, t] >= 0 else int(roster.planned[p, t]))
        for p, t in zip(person_, slot, strict=True)
    )  # fmt: skip


def touched(counts):  # type: ignore[no-untyped-def]
    return {kind: (c.added, c.changed, c.closed) for kind, c in counts.items() if c.touched}


def test_what_is_written_is_the_roster_that_the_frames_describe(database):
    counts = write(database, sample())
    assert {kind: (c.read, c.added) for kind, c in counts.items()} == {
        "people": (3, 3), "services": (2, 2), "posts": (2, 2), "qualifications": (4, 4), "demand": (5, 5), "demand_rules": (1, 1),
        "assignments": (5, 5), "absences": (1, 1),
    }  # fmt: skip
    # shifts are stored in order of code, and the order is part of the roster
    ordered = replace(PROGRAM, shifts=tuple(sorted(PROGRAM.shifts, key=lambda shift: shift.code)))
    direct, _ = roster_from_tables(replace(sample(), program=ordered))
    assert fingerprint(read(database)) == fingerprint(direct)


def test_the_same_again_changes_no_row(database):
    write(database, sample())
    before = dump(database, ["import_batch", "import_file", "program.revision"])
    counts = write(database, sample())
    assert touched(counts) == {}
    assert all(count.unchanged == count.read for count in counts.values())
    assert dump(database, ["import_batch", "import_file", "program.revision"]) == before


def test_a_kind_that_is_not_in_the_source_stays(database):
    write(database, sample())
    write(database, only(sample(), "people"))
    assert len(seats(database)) == 5
    assert write(database, source(absences=[])) | {} == {"absences": imports.KindCount()}
    assert len(read(database).absences.person) == 1  # an empty file names no dates, so it replaces none


def test_dates_outside_the_source_stay(database):
    write(database, sample())
    counts = write(database, source(assignments=[works("B", 2), works("B", 3, "PM")]))
    assert touched(counts) == {"assignments": (2, 0, 2)}
    assert seats(database) == [
        ("A", 0, "AM", "icu/MD"), ("A", 1, "AM", "icu/MD"), ("A", 4, "AM", "icu/MD"), ("B", 2, "AM", "icu/MD"), ("B", 3, "PM", "icu/MD"),
    ]  # fmt: skip


def test_the_dates_that_a_source_says_itself_are_replaced_even_where_it_has_no_row(database):
    write(database, sample())
    write(database, source(assignments=[works("A", 2)], dates=(FIRST + 1, FIRST + 3)))
    assert [seat[1] for seat in seats(database)] == [0, 2, 4]


def test_nothing_before_the_first_date_of_a_source_is_touched(database):
    write(database, sample())
    write(database, source(assignments=[works("B", 9)], demand=[needs(9)], absences=[away("C", 9, 9)]))
    assert [seat[:2] for seat in seats(database)] == [*(("A", day) for day in range(5)), ("B", 9)]
    roster = read(database)
    assert roster.required.sum() > 6
    assert sorted(roster.absences.first.tolist()) == [FIRST + 1, FIRST + 9]


def test_an_absence_without_an_end_says_nothing_of_later_leave_of_others(database):
    write(database, source(people=[person("A"), person("B")], absences=[away("B", 2, 3), away("B", 20, 24)]))
    counts = write(database, source(absences=[away("A", 1, 4), {**away("A", 5, 5, "deployment"), "last": OPEN_END}]))
    assert touched(counts) == {"absences": (2, 0, 1)}
    found = read(database).absences
    rows = sorted(zip(found.person.tolist(), (found.first - FIRST).tolist(), strict=True))
    assert rows == [(0, 1), (0, 5), (1, 20)]


def test_rows_of_a_month_grid_outside_its_month_are_not_doubled(database):
    """A workbook says its dates and may list a leave that began before: importing it again adds nothing."""
    listed = source(absences=[away("B", -40, -30), away("B", 1, 2)], dates=(FIRST, FIRST + 9))
    write(database, sample())
    assert touched(write(database, listed)) == {"absences": (1, 0, 0)}
    assert touched(write(database, listed)) == {}
    write(database, source(absences=[away("A", -35, -33)]))
    longer = source(absences=[away("B", -40, -20), away("B", 1, 2)], dates=(FIRST, FIRST + 9))
    assert touched(write(database, longer)) == {"absences": (0, 1, 0)}
    assert len(read(database).absences.person) == 3  # what lay between and was not named stays


def test_other_programs_are_not_touched(database):
    write(database, sample())
    write(database, sample(), code="other")
    before = seats(database, "fm")
    write(database, source(assignments=[], dates=(FIRST, FIRST + 4)), code="other")
    assert seats(database, "fm") == before
    assert seats(database, "other") == []


def test_superseded_rows_are_closed_not_deleted(database):
    write(database, sample())
    counts = write(database, source(assignments=[works("A", day, post="clinic/MD") for day in range(5)]))
    assert touched(counts) == {"assignments": (0, 5, 0)}
    with database.read() as connection:
        rows = connection.execute(select(tables.Assignment.batch_id, tables.Assignment.closed_batch_id).order_by(tables.Assignment.id)).all()
    assert [tuple(row) for row in rows] == [(1, 2)] * 5 + [(2, None)] * 5


def test_missing_people_are_told_and_stay(database):
    write(database, sample())
    counts = write(database, source(people=[person("A", role="NP")]))
    assert counts["people"].missing == ["B", "C"]
    assert touched(counts) == {"people": (0, 1, 0)}
    assert [(one.id, one.role) for one in read(database).people] == [("A", "NP"), ("B", "MD"), ("C", "MD")]


def test_with_replace_missing_people_go_with_all_that_hangs_on_them(database):
    write(database, sample())
    counts = write(database, source(people=[person("B"), person("C")]), remove=True)
    assert (counts["people"].missing, counts["people"].closed) == ([], 1)
    assert counts["people"].hanging == {"assignments": 5, "qualifications": 1}, "what goes with somebody is told"
    roster = read(database)
    assert [one.id for one in roster.people] == ["B", "C"]
    assert seats(database) == []
    assert roster.qualifications.person.tolist() == [0, 1, 1]
    with database.read() as connection:
        found = read_facts(connection, [all_programs(connection)[0].id])
    assert [one.findings for one in found.values()] == [[]]


def test_with_replace_a_missing_service_goes_with_its_posts_and_their_seats(database):
    write(database, sample())
    counts = write(database, source(services=[{"service": "clinic", "name": "Clinic", "tier": 3}]), remove=True)
    assert counts["services"].hanging == {"posts": 1, "qualifications": 3, "demand": 5, "assignments": 5}
    roster = read(database)
    assert [post.id for post in roster.posts] == ["clinic/MD"]
    assert seats(database) == []
    assert roster.qualifications.post.tolist() == [0]


def test_somebody_who_left_may_come_back(database):
    write(database, sample())
    write(database, source(people=[person("B")]), remove=True)
    write(database, source(people=[person("A"), person("B")], qualifications=[may("A")], assignments=[works("A", 0)]))
    assert seats(database) == [("A", 0, "AM", "icu/MD")]
    with database.read() as connection:
        assert len(connection.execute(select(tables.Person.id).where(tables.Person.code == "A")).all()) == 1


def test_qualifications_replace_those_of_the_people_named(database):
    write(database, sample())
    write(database, source(qualifications=[may("C", "icu/MD", FIRST, FIRST + 9)]))
    held = read(database).qualifications
    rows = sorted(zip(held.person.tolist(), held.post.tolist(), held.last.tolist(), strict=True))
    assert rows == [(0, 1, OPEN_END), (1, 1, OPEN_END), (2, 1, FIRST + 9)]
    write(database, source(qualifications=[may("C")]), remove=True)
    assert read(database).qualifications.person.tolist() == [2]


def test_two_posts_at_once_are_both_kept_for_the_checks_to_see(database):
    write(database, sample())
    twice = source(assignments=[works("C", 7), works("C", 7, post="clinic/MD", row=99)])
    assert touched(write(database, twice)) == {"assignments": (2, 0, 0)}
    assert touched(write(database, twice)) == {}
    with database.read() as connection:
        row = all_programs(connection)[0]
        cells = read_facts(connection, [row.id])[row.id].facts.assignments
    assert (cells["day"] == FIRST + 7).sum() == 2


@pytest.mark.parametrize("kind", list(COLUMNS))
def test_every_kind_remembers_where_its_rows_came_from(database, kind):
    given = sample()
    part = getattr(given, kind)
    part["file"], part["row"], part["column"] = "assignments.csv", np.arange(len(part)) + 40, "F7"
    write(database, given)
    model = imports.KINDS[kind].model
    with database.read() as connection:
        ids = [row.id for row in connection.execute(select(model.id).order_by(model.id))]
        found = imports.provenance(connection, kind, ids)
    assert [found[id] for id in ids] == [("assignments.csv", 40 + i, "F7", 1) for i in range(len(part))]


def test_arrays_lead_back_to_the_rows_of_the_file(database):
    write(database, sample())
    roster = read(database)
    source_id = int(roster.source[0, 3 * 3])  # A's morning on the fourth date
    demand_id = int(roster.demand_source[1, 3 * 3])
    with database.read() as connection:
        assert imports.provenance(connection, "assignments", [source_id])[source_id] == ("assignments.csv", 5, "", 1)
        assert imports.provenance(connection, "demand", [demand_id])[demand_id] == ("demand.csv", 5, "", 1)


def test_odd_names_come_back_as_they_are(database):
    odd = 'O\'Neil, "Łódź" \\N 日本'
    given = sample()
    given.people.loc[0, ["name", "team"]] = [odd, "\\N"]
    write(database, given)
    assert touched(write(database, given)) == {}
    with database.read() as connection:
        assert connection.execute(select(tables.PersonRecord.name).order_by(tables.PersonRecord.id)).scalars().first() == odd
    assert read(database).people[0].team == "\\N"


def test_a_program_comes_back_as_it_was_defined(database):
    write(database, sample())
    assert read(database).program == replace(PROGRAM, shifts=tuple(sorted(PROGRAM.shifts, key=lambda shift: shift.code)))


def define(database, program):  # type: ignore[no-untyped-def]
    with database.write() as connection:
        return imports.define_program(connection, program, NOW)[1]


def test_a_program_is_brought_up_to_date_and_says_whether_anything_changed(database):
    assert define(database, PROGRAM) is True
    assert define(database, PROGRAM) is False
    assert define(database, replace(PROGRAM, name="Renamed")) is True
    longer = replace(PROGRAM, name="Renamed", shifts=(*PROGRAM.shifts, Shift("EVE", 1020, 1320)), forbidden_successions=())
    assert define(database, longer) is True
    assert define(database, longer) is False
    assert define(database, replace(longer, shifts=PROGRAM.shifts)) is True
    assert define(database, replace(longer, shifts=PROGRAM.shifts)) is False


def test_a_shift_goes_when_no_row_ever_named_it(database):
    write(database, sample())
    define(database, replace(PROGRAM, shifts=(Shift("NIGHT", 1140, 1860),), forbidden_successions=()))
    assert [shift.code for shift in read(database).program.shifts] == ["AM", "NIGHT"]


def test_slots_may_change_until_rows_use_them(database):
    other = Program("fm", "F", "UTC", (SlotType("DAY", 0, 1440),), (Shift("AM", 420, 780),))
    define(database, replace(other, forbidden_successions=()))
    define(database, PROGRAM)
    write(database, sample())
    with pytest.raises(ValueError, match="divides its day into AM, PM, NIGHT; the source says DAY"):
        define(database, other)
    assert define(database, replace(PROGRAM, slot_types=(SlotType("AM", 430, 780), *PROGRAM.slot_types[1:]))) is True


def test_the_newest_batch_with_a_content_is_found(database):
    with database.write() as connection:
        program_id, _ = imports.define_program(connection, PROGRAM, NOW)
        batches = [imports.open_batch(connection, program_id, "csv", "x", content, NOW, "t", ())[0] for content in "aba"]
        assert imports.newest_batch(connection, program_id, "a") == (batches[2], True)
        assert imports.newest_batch(connection, program_id, "b") == (batches[1], False)
        assert imports.newest_batch(connection, program_id, "z") == (None, False)


def test_revisions_rise_and_an_import_notes_its_instant(database):
    with database.write() as connection:
        program_id, _ = imports.define_program(connection, PROGRAM, NOW)
        assert imports.raise_revision(connection, program_id) == 1
        assert all_programs(connection)[0].imported_at is None
        assert imports.raise_revision(connection, program_id, NOW) == 2
        assert all_programs(connection)[0].imported_at == NOW


def test_a_batch_of_programs_is_read_with_as_many_queries_as_one(database):
    from sqlalchemy import event

    for code in ("p1", "p2", "p3"):
        write(database, sample(), code=code)
    statements: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    counts = []
    for codes in (["p1"], ["p1", "p2", "p3"]):
        with database.read() as connection:
            ids = [row.id for row in all_programs(connection, codes)]
            statements.clear()
            found = read_facts(connection, ids)
            counts.append(len(statements))
            assert sorted(found) == ids
    assert counts[0] == counts[1]
