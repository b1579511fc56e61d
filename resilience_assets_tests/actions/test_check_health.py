"""One headline a program and check: the same for the same inputs, grey where nothing is known."""

import shutil
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from resilience_assets.actions import check_health
from resilience_assets.policy import load_policies
from resilience_assets.storage import imports, overlay, results, tables
from resilience_assets.storage.database import Database
from resilience_assets_tests.actions.building import (
    FIRST,
    NOW,
    POLICIES,
    QUARTER,
    check,
    load,
    person,
    program,
    shown,
    source,
    works,
)
from resilience_assets_tests.storage.dumping import differences, dump

DAY = 96  # quarters of an hour
DOUBLE = [works("A", 3), works("A", 3, "DAY", row=77)]


def ill(database, code="A", first=1, last=2):  # type: ignore[no-untyped-def]
    """Put an absence into the overlay without a check; returns its id."""
    with database.write() as connection:
        person_id = imports.identities(connection, 1)["person"][code]
        id = overlay.report_absence(connection, 1, person_id, FIRST + first, FIRST + last, "sick", NOW, "chief")
        imports.raise_revision(connection, 1)
    return id


def well(database, id):  # type: ignore[no-untyped-def]
    with database.write() as connection:
        overlay.end_absences(connection, [id], "undone", NOW, "chief")
        imports.raise_revision(connection, 1)


def series(database, code="fm"):  # type: ignore[no-untyped-def]
    """(raw, shown) status of every stored check of a program."""
    with database.read() as connection:
        query = select(tables.HealthCheck.raw_status, tables.HealthCheck.status).join(tables.Program)
        rows = connection.execute(query.where(tables.Program.code == code).order_by(tables.HealthCheck.id))
        return [tuple(row) for row in rows]


def test_the_same_check_twice_changes_no_row(database):
    for code in ("a", "b"):
        load(database, program(code), code)
    first = check(database)
    before = dump(database)
    again = check(database)
    assert differences(before, dump(database)) == []
    assert again.headlines == first.headlines


def test_figures_are_those_counted_by_hand(database):
    """Eight dates with one seat at the ICU and one in the clinic, both filled; A is ill on two of them."""
    load(database, program(), "one")
    check(database)
    assert (shown(database).coverage, shown(database).open_seats) == (1.0, 0)
    ill(database)
    check(database, 1)
    row = shown(database)
    assert (row.coverage, row.open_seats, row.defense_level) == (14 / 16, 2, "safety systems")
    assert row.immediate_actions[0] == "ICU: 1 more MD needed on Sat 2026-09-05 AM (0 of 1 seated, safe minimum 1)"
    assert "Name of" not in str(row.immediate_actions) + str(row.watch_items)


def test_a_check_of_unchanged_rosters_judges_nothing_anew(database):
    for code in ("a", "b"):
        load(database, program(code), code)
    assert check(database).judged == 2
    assert check(database, 1).judged == 0
    load(database, source(program=None, assignments=[works("C", 3, "PM")]), "a2", program="a")
    assert check(database, 2).judged == 1
    assert check(database, 2 + DAY).judged == 2  # another date, another window


@pytest.mark.parametrize("judge_always", [False, True])
def test_status_rises_after_two_readings_and_falls_after_three(database, monkeypatch, judge_always):
    if judge_always:
        monkeypatch.setattr(check_health, "_same_inputs", lambda earlier, base: None)
    load(database, program(), "one")
    check(database)
    id = ill(database)
    for quarter in (1, 2, 3):
        check(database, quarter)
    well(database, id)
    for quarter in (4, 5, 6, 7):
        check(database, quarter)
    good, bad = "healthy", "degraded"
    assert series(database) == [
        (good, good), (bad, good), (bad, bad), (bad, bad), (good, bad), (good, bad), (good, good), (good, good),
    ]  # fmt: skip


def test_a_status_rises_at_once_when_coverage_is_very_low(database):
    load(database, program(), "one")
    check(database)
    ill(database, "A", 0, 7)
    ill(database, "B", 0, 3)
    check(database, 1)
    assert shown(database).coverage == 4 / 16
    assert series(database) == [("healthy", "healthy"), ("emergency", "emergency")]


def test_readings_up_may_be_more_than_readings_down(database):
    policies = load_policies("health: {readings_up: 4, readings_down: 1}")
    load(database, program(), "one")
    check_health.run_check(database, policies, NOW)
    ill(database)
    for quarter in range(1, 6):
        check_health.run_check(database, policies, NOW + quarter * QUARTER)
    assert [status for _, status in series(database)] == ["healthy"] * 4 + ["degraded"] * 2


def test_a_look_at_the_past_sees_what_was_there_then(database):
    load(database, program(), "one")
    check(database)
    ill(database)
    check(database, 4)
    check(database, 2, live=False)
    with database.read() as connection:
        (then,) = results.newest_headlines(connection, ["fm"], NOW + 2 * QUARTER)
    assert then.coverage == 1.0
    assert shown(database).coverage == 14 / 16


def test_a_refused_roster_is_grey_with_its_last_figures_and_their_age(database):
    load(database, program(), "one")
    check(database)
    load(database, program(assignments=DOUBLE), "two")
    check(database, 1)
    row = shown(database)
    assert (row.status, row.raw_status, row.coverage) == ("unknown", "unknown", 1.0)
    assert "refused: 1 cells are claimed by two assignments, first A on 2026-09-07 AM" in row.immediate_actions[0]
    assert "accepted 2026-09-04 06:00 UTC" in row.immediate_actions[0]
    load(database, program(), "three")
    check(database, 2)
    assert (shown(database).status, shown(database).raw_status) == ("healthy", "healthy")


def test_a_roster_that_was_only_ever_refused_has_no_figures(database):
    load(database, program(assignments=DOUBLE), "one")
    check(database)
    row = shown(database)
    assert (row.status, row.coverage, row.utilization, row.open_seats, row.utilization_level) == ("unknown", None, None, None, "UNKNOWN")
    assert (row.version_id, row.utilization_id) == (None, None)


def test_an_old_import_is_grey_until_the_source_was_looked_at_again(database):
    load(database, program(), "one")
    week = 7 * DAY
    check(database, week)
    assert shown(database).status == "healthy"  # a week to the minute is not too old
    check(database, week + 1)
    row = shown(database)
    assert (row.status, row.coverage) == ("unknown", 1.0)
    assert row.immediate_actions[0] == "The roster was last imported 7 days ago: import the newest one"
    load(database, program(), "one", now=NOW + (week + 1) * QUARTER)  # already imported, and still so
    check(database, week + 2)
    assert shown(database).status == "healthy"


def test_a_program_that_was_never_frozen_says_what_to_do(database):
    load(database, program(), "one")
    check(database, live=False)
    assert shown(database).immediate_actions == ["No roster: run `resilience import` or `resilience demo`"]
    assert shown(database).status == "unknown"


def test_a_roster_without_dates_is_unknown_not_healthy(database):
    load(database, program(demand=[], assignments=[]), "one")
    check(database)
    row = shown(database)
    assert (row.status, row.coverage, row.open_seats) == ("unknown", None, None)
    assert "No date of this horizon is on file" in row.immediate_actions[0]


def test_a_program_whose_figures_fail_is_unknown_and_the_others_go_on(database, monkeypatch):
    for code in ("a", "b"):
        load(database, program(code), code)

    def fail_for_a(roster, *rest):  # type: ignore[no-untyped-def]
        if roster.program.id == "a":
            raise ZeroDivisionError("nobody")
        return whole(roster, *rest)

    whole = check_health.utilization
    monkeypatch.setattr(check_health, "utilization", fail_for_a)
    found = check(database)
    assert found.failed == {"a": "ZeroDivisionError: nobody"}
    assert (shown(database, "a").status, shown(database, "b").status) == ("unknown", "healthy")


def test_the_policy_behind_every_headline_is_on_record(database):
    load(database, program(), "one")
    check(database)
    load(database, program("refused", assignments=DOUBLE), "two")
    stricter = load_policies("utilization: {yellow: 0.1}")
    check_health.run_check(database, stricter, NOW + QUARTER)
    with database.read() as connection:
        cited = set(connection.execute(select(tables.HealthCheck.policy_hash)).scalars())
        kept = dict(connection.execute(select(tables.PolicyVersion.hash, tables.PolicyVersion.text)).all())
    assert set(kept) >= cited
    assert len(cited) == 2
    assert kept[stricter.version_for("fm")] == stricter.text_for("fm")


def test_another_policy_is_judged_by_anew_and_leaves_what_was(database):
    load(database, program(), "one")
    check(database)
    assert shown(database).utilization_level == "GREEN"
    stricter = load_policies("utilization: {yellow: 0.1, orange: 0.2}")
    assert check_health.run_check(database, stricter, NOW + QUARTER).judged == 1
    assert shown(database).utilization_level == "ORANGE"
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(tables.Result)).scalar_one() == 6


def test_only_checks_that_the_ui_shows_mark_a_revision_as_checked(database):
    from resilience_assets.actions import measure
    from resilience_assets.actions.contingency import measure_contingency
    from resilience_assets.actions.freeze import freeze_rosters
    from resilience_assets.actions.watch import unchecked_programs

    load(database, program(), "one")
    check(database)
    assert unchecked_programs(database) == ["fm"]
    states = freeze_rosters(database, POLICIES, NOW)
    used = measure.measure_utilization(database, POLICIES, NOW, states)
    redundant = measure.measure_redundancy(database, POLICIES, NOW, states)
    contingent = measure_contingency(database, POLICIES, NOW, states)
    check_health.check_health(database, POLICIES, NOW, states, used, redundant, contingent, mark_revisions=True)
    assert unchecked_programs(database) == []
    ill(database)
    assert unchecked_programs(database) == ["fm"]


STEPS = st.lists(st.sampled_from(["check", "check", "ill A", "ill B", "well", "refuse", "mend", "rename", "next day", "old"]), min_size=3, max_size=9)


def live_through(database: Database, steps: list[str]) -> None:
    """A history: each step is followed by a check a quarter of an hour later."""
    load(database, program(), "one")
    quarter, ids = 0, []
    for number, step in enumerate(steps):
        match step:
            case "ill A" | "ill B":
                ids.append(ill(database, step[-1], 0, 1 + 5 * (step == "ill A")))
            case "well" if ids:
                well(database, ids.pop())
            case "refuse":
                load(database, source(program=None, assignments=DOUBLE), f"r{number}", program="fm", contradicted="keep-changes", now=NOW + quarter * QUARTER)
            case "mend":
                load(database, source(program=None, assignments=[works("A", 3)]), f"m{number}", program="fm", contradicted="keep-changes", now=NOW + quarter * QUARTER)
            case "rename":
                load(database, source(program=None, people=[person(one, name=f"N{number}") for one in "ABCDE"]), f"n{number}", program="fm", now=NOW + quarter * QUARTER)
            case "next day":
                quarter += DAY
            case "old":
                quarter += 4 * DAY
        quarter += 1
        check(database, quarter)


def after_living_through(migrated, folder, steps, same_inputs=None):  # type: ignore[no-untyped-def]
    """All rows after a history in a fresh database, with another way to tell that inputs are the same."""
    path = folder / "resilience.db"
    shutil.copyfile(migrated, path)
    database = Database(f"sqlite:///{path}")
    with pytest.MonkeyPatch.context() as patch:
        if same_inputs is not None:
            patch.setattr(check_health, "_same_inputs", same_inputs)
        live_through(database, steps)
    return dump(database)


@given(STEPS)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_carrying_a_headline_gives_what_judging_anew_gives(tmp_path_factory, migrated_sqlite, steps):
    """What is found unchanged and is not computed again must be what computing would give."""
    carried = after_living_through(migrated_sqlite, tmp_path_factory.mktemp("carried"), steps)
    anew = after_living_through(migrated_sqlite, tmp_path_factory.mktemp("anew"), steps, lambda earlier, base: None)
    assert differences(carried, anew) == []


def test_the_comparison_notices_a_headline_carried_too_far(tmp_path_factory, migrated_sqlite):
    """A planted bug: carrying over although the roster changed."""
    too_far = after_living_through(
        migrated_sqlite, tmp_path_factory.mktemp("far"), ["check", "ill A"], lambda earlier, base: earlier[-1] if earlier else None
    )
    anew = after_living_through(migrated_sqlite, tmp_path_factory.mktemp("anew"), ["check", "ill A"], lambda earlier, base: None)
    assert [one.split(":")[0] for one in differences(too_far, anew)] == ["health_check"]


def test_every_zone_has_its_own_today(database):
    """At 06:00 UTC it is still yesterday in Honolulu."""
    given = program("hi")
    load(database, replace(given, program=replace(given.program, time_zone="Pacific/Honolulu")), "hi")
    load(database, program("ny"), "ny")
    rows = {one["program"]: one["local_day"] for one in check(database).headlines}
    assert rows == {"hi": FIRST - 1, "ny": FIRST}
    assert "1 dates of this horizon are not on file: nothing is known of them" in shown(database, "hi").watch_items
    assert shown(database, "hi").status == "warning"
