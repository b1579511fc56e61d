"""An import is all of it or nothing, and does not undo what was reported here."""

import json

import pytest
from sqlalchemy import select

from resilience_assets.actions.import_roster import ImportRefused, import_path
from resilience_assets.actions.report_absence import report_absence
from resilience_assets.domain import states
from resilience_assets.domain.findings import Finding, Severity
from resilience_assets.domain.tables import RosterTables, frame
from resilience_assets.storage import bulk, imports, overlay, tables
from resilience_assets.storage.programs import all_programs
from resilience_assets_tests.actions.building import (
    FIRST,
    NOW,
    POLICIES,
    QUARTER,
    away,
    load,
    person,
    program,
    source,
    works,
)
from resilience_assets_tests.storage.dumping import differences, dump
from resilience_assets_tests.storage.writing import read


def row(database, code="fm"):  # type: ignore[no-untyped-def]
    with database.read() as connection:
        return all_programs(connection, [code])[0]


def absent(database, code="A", first=1, last=2, now=NOW):  # type: ignore[no-untyped-def]
    return report_absence(database, POLICIES, code, first=FIRST + first, last=FIRST + last, kind="sick", now=now, by="chief")


def open_now(database):  # type: ignore[no-untyped-def]
    with database.read() as connection:
        return overlay.open_absences(connection)


def refusal(database, *args, **options):  # type: ignore[no-untyped-def]
    """The report of an import that must be refused, and must leave the database as it was."""
    before = dump(database)
    with pytest.raises(ImportRefused) as caught:
        load(database, *args, **options)
    assert differences(before, dump(database)) == []
    assert caught.value.report.refused
    assert (caught.value.report.batch, caught.value.report.revision, caught.value.report.kinds) == (None, None, {})
    return caught.value.report


def test_an_import_says_what_it_did_and_keeps_it_beside_the_batch(database):
    report = load(database, program(), "one")
    assert (report.program, report.outcome, report.batch, report.revision) == ("fm", "imported", 1, 1)
    assert {kind: count.added for kind, count in report.kinds.items()} == {
        "people": 5, "services": 2, "posts": 2, "qualifications": 10, "demand": 80, "assignments": 80, "absences": 0,
    }  # fmt: skip
    with database.read() as connection:
        batch = connection.execute(select(tables.ImportBatch)).one()
    assert batch.report == json.loads(json.dumps(report.as_json()))
    assert (batch.imported_by, batch.name, batch.content_hash) == ("tester", "one.zip", "one")


def test_the_same_content_again_is_already_imported_and_only_starts_its_age_anew(database):
    load(database, program(), "one")
    before = dump(database, ["program.imported_at"])
    report = load(database, program(), "one", now=NOW + QUARTER)
    assert (report.outcome, report.batch) == ("already", 1)
    assert dump(database, ["program.imported_at"]) == before
    assert row(database).imported_at == NOW + QUARTER


def test_other_content_that_says_the_same_changes_nothing_either(database):
    load(database, program(), "one")
    before = dump(database, ["program.imported_at"])
    assert load(database, program(), "two").outcome == "unchanged"
    assert dump(database, ["program.imported_at"]) == before


def test_coming_back_to_older_content_is_an_import_like_any_other(database):
    load(database, program(), "one")
    load(database, source(assignments=[works("C", 3)], program=None), "two", program="fm")
    report = load(database, program(), "one")
    assert (report.outcome, report.batch, report.revision) == ("imported", 3, 3)
    assert read(database).planned[2, 9] == states.OFF


def test_a_dry_run_says_the_same_and_leaves_every_table_as_it_was(database):
    load(database, program(), "one")
    absent(database)
    before = dump(database)
    change = source(assignments=[works("C", 3), works("A", 4)], absences=[away("A", 1, 2, "sick")])
    report = load(database, change, "two", dry_run=True)
    assert differences(before, dump(database)) == []
    assert (report.outcome, report.batch, report.revision) == ("dry-run", None, None)
    assert [one.person for one in report.confirmed] == ["A"]
    done = load(database, change, "two")
    assert {kind: vars(count) for kind, count in done.kinds.items()} == {kind: vars(count) for kind, count in report.kinds.items()}


def test_a_dry_run_of_a_new_program_leaves_no_program(database):
    before = dump(database)
    assert load(database, program("new"), "one", dry_run=True).kinds["people"].added == 5
    assert dump(database) == before


@pytest.mark.parametrize("failing", ["replace_kind", "raise_revision", "close_report", "insert_columns"])
def test_an_import_that_fails_in_the_middle_leaves_nothing(database, monkeypatch, failing):
    load(database, program(), "one")
    before = dump(database)
    where = bulk if failing == "insert_columns" else imports
    whole, calls = getattr(where, failing), []

    def fail(*args, **options):  # type: ignore[no-untyped-def]
        calls.append(args)
        if failing == "insert_columns" and len(calls) < 2:  # people are in, assignments are not
            return whole(*args, **options)
        if failing == "replace_kind" and args[2] != "assignments":
            return whole(*args, **options)
        raise OSError("disk full")

    monkeypatch.setattr(where, failing, fail)
    changed = program(people=[person(one, role="NP") for one in "ABCDE"], assignments=[works("C", day) for day in range(40)])
    with pytest.raises(OSError, match="disk full"):
        load(database, changed, "two")
    assert differences(before, dump(database)) == []


def test_an_error_refuses_and_an_unreadable_cell_does_unless_it_is_allowed(database):
    wrong = Finding(Severity.ERROR, "bad_date", "write 2026-03-01", "people.csv", 3)
    grey = Finding(Severity.UNREADABLE, "unknown_code", "not in the legend", "grid.xlsx", 5, "F5", "??")
    assert refusal(database, program(), "one", findings=(wrong,)).findings == [wrong]
    assert refusal(database, program(), "one", findings=(grey,)).findings == [grey]
    report = load(database, program(assignments=[works("A", 0, post="UNKNOWN")]), "one", findings=(grey,), allow_unknown=True)
    assert report.outcome == "imported"
    assert read(database).state[0, 0] == states.UNKNOWN


def test_ids_that_nobody_defined_are_refused_with_file_and_row(database):
    load(database, program(), "one")
    report = refusal(database, source(assignments=[works("Z", 3)]), "two")
    assert [(one.rule, one.file, one.row, one.value) for one in report.findings] == [("unknown_person", "assignments.csv", 5, "Z")]
    # with replace, what the source leaves out is as unknown as what was never there
    report = refusal(database, source(people=[person("A")], assignments=[works("B", 3)]), "three", replace=True)
    assert [one.value for one in report.findings] == ["B"]


def test_a_source_that_does_not_say_its_program_needs_one_that_is_known(database):
    nameless = source(program=None, assignments=[works("A", 0)])
    assert "does not say which program" in refusal(database, nameless, "one").findings[0].reason
    load(database, program(), "one")
    reason = refusal(database, nameless, "two", program="fx").findings[0].reason
    assert "program 'fx' is not known" in reason
    assert "known: fm" in reason
    assert load(database, source(program=None, assignments=[works("C", 0)]), "two", program="fm").program == "fm"


def test_a_source_may_be_imported_under_another_name(database):
    assert load(database, program(), "one", program="copy").program == "copy"
    assert load(database, program(), "one").batch == 2
    assert [one.program.id for one in (read(database, "copy"), read(database, "fm"))] == ["copy", "fm"]


def test_another_division_of_the_day_is_refused(database):
    from dataclasses import replace

    load(database, program(), "one")
    given = program()
    half = replace(given, program=replace(given.program, slot_types=given.program.slot_types[:2], shifts=given.program.shifts[:2], forbidden_successions=()))
    assert refusal(database, half, "two").findings[0].rule == "slots_changed"


def test_a_source_that_has_somebody_at_work_who_was_reported_away_is_refused_and_lists_it(database):
    load(database, program(), "one")
    absent(database)
    report = refusal(database, program(assignments=[works("A", day) for day in range(40)]), "two")
    assert [(one.absence.person, one.day - FIRST, one.file, one.row) for one in report.contradictions] == [
        ("A", 1, "assignments.csv", 3), ("A", 2, "assignments.csv", 4),
    ]  # fmt: skip
    assert report.as_json()["contradictions"][0] == {
        "person": "A", "reported_from": "2026-09-05", "reported_to": "2026-09-06", "kind": "sick", "date": "2026-09-05", "shift": "AM",
        "post": "icu/MD", "file": "assignments.csv", "row": 3, "column": "",
    }  # fmt: skip


def test_keeping_the_changes_leaves_the_report_on_top(database):
    load(database, program(), "one")
    absent(database)
    load(database, program(assignments=[works("A", day) for day in range(40)]), "two", contradicted="keep-changes")
    assert [one.person for one in open_now(database)] == ["A"]
    assert (read(database).state[0, 3:9] == states.ABSENT).all()


def test_accepting_the_source_ends_the_report(database):
    load(database, program(), "one")
    absent(database)
    report = load(database, program(), "one", contradicted="accept-source")  # even the very same file
    assert (report.outcome, open_now(database)) == ("imported", [])
    assert read(database).state[0, 3] >= 0
    with database.read() as connection:
        assert connection.execute(select(tables.ReportedAbsence.state, tables.ReportedAbsence.ended_batch_id)).one() == ("overruled", report.batch)


def test_a_source_that_has_the_absence_closes_the_report(database):
    load(database, program(), "one")
    absent(database)
    free = [works("A", day) for day in range(40) if day not in (1, 2)]
    report = load(database, program(assignments=free, absences=[away("A", 1, 3, "leave")]), "two")
    assert ([one.person for one in report.confirmed], open_now(database)) == (["A"], [])
    assert report.as_json()["now_in_the_source"] == [{"person": "A", "from": "2026-09-05", "to": "2026-09-06", "kind": "sick"}]


def test_a_file_of_other_dates_does_not_contradict(database):
    load(database, program(), "one")
    absent(database)
    assert load(database, source(assignments=[works("A", 20), works("C", 20, "PM")]), "two").outcome == "imported"
    assert len(open_now(database)) == 1


def test_what_cannot_be_read_is_refused_in_the_same_words(database, tmp_path):
    before = dump(database)
    with pytest.raises(ImportRefused) as caught:
        import_path(database, tmp_path / "nothing.csv", now=NOW, by="tester", kind="csv")
    assert caught.value.report.findings
    assert caught.value.report.source == "nothing.csv"
    assert dump(database) == before


def test_a_header_alone_ends_no_weekly_rule(database):
    rule = {"post": "icu/MD", "weekday": 0, "slot": "AM", "required": 1, "minimum": 1, "first": FIRST, "last": FIRST + 99}
    load(database, program(demand_rules=[rule]), "first")
    empty = RosterTables(demand_rules=frame("demand_rules", []))
    report = load(database, empty, "header alone", program="fm")
    assert [finding.rule for finding in report.findings] == ["no_rules"]
    assert report.outcome == "unchanged"
    assert load(database, empty, "again", program="fm", replace=True).kinds["demand_rules"].closed == 1
