"""Results are written once under what made them; headlines are the newest of the latest instant."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import func, select, text

from resilience_assets.storage import results, tables
from resilience_assets.storage.columns import pack
from resilience_assets.storage.results import ResultKey
from resilience_assets_tests.storage.dumping import dump
from resilience_assets_tests.storage.headlines import add_program, add_result, add_version, headline, utilization_rows

NOW = dt.datetime(2026, 9, 4, 6, 0, tzinfo=dt.UTC)
QUARTER = dt.timedelta(minutes=15)


@pytest.fixture
def key(database):  # type: ignore[no-untyped-def]
    program_id = add_program(database, "fm")
    return ResultKey(program_id, add_version(database, program_id, "a", NOW), "policy", "1", 20_700)


def test_a_result_is_written_once_under_what_made_it(database, key):
    first = add_result(database, key, NOW)
    before = dump(database)
    assert add_result(database, key, NOW + QUARTER, coverage=0.1) == first
    assert dump(database) == before


@pytest.mark.parametrize("name", ["policy_hash", "code_version", "local_day"])
def test_anything_else_that_makes_it_makes_another(database, key, name):
    other = replace(key, **{name: 20_701 if name == "local_day" else "other"})
    assert add_result(database, key, NOW) != add_result(database, other, NOW)
    with database.read() as connection:
        assert set(results.find_results(connection, results.UTILIZATION, [key, other])) == {key, other}
        assert set(results.find_results(connection, results.UTILIZATION, [other])) == {other}
        assert results.find_results(connection, results.REDUNDANCY, [key, other]) == {}
        assert results.find_results(connection, results.UTILIZATION, []) == {}


def test_rows_come_back_with_their_result_in_order(database, key):
    ids = [add_result(database, replace(key, local_day=day), NOW, coverage=None) for day in (1, 2)]
    with database.read() as connection:
        frame = results.rows_of(connection, results.UTILIZATION, ids)
        assert frame[["result_id", "scope", "key"]].values.tolist() == [[i, s, k] for i in ids for s, k in (("program", ""), ("service", "icu"))]
        assert frame["coverage"].isna().all()
        assert frame["wait_factor"].isna().all()
        assert len(results.rows_of(connection, results.UTILIZATION, [ids[1]])) == 2
        assert len(results.rows_of(connection, results.UTILIZATION, [])) == 0
        assert [(row.result_id, row.key, row.coverage) for row in results.scope_rows(connection, ids, "service")] == [(i, "icu", None) for i in ids]


def test_more_ids_than_a_query_can_name_give_the_same_rows(database, key):
    ids = [add_result(database, replace(key, local_day=day), NOW) for day in range(4)]
    many = [ids[0], ids[2], *range(10_000, 12_000)]
    with database.read() as connection:
        assert results.rows_of(connection, results.UTILIZATION, many)["result_id"].tolist() == [ids[0]] * 2 + [ids[2]] * 2
        assert [row.result_id for row in results.scope_rows(connection, many, "service")] == [ids[0], ids[2]]
        keys = [replace(key, local_day=day) for day in range(2000)]
        assert sorted(results.find_results(connection, results.UTILIZATION, keys).values()) == ids


def test_a_result_without_rows_is_a_result(database, key):
    with database.write() as connection:
        ids = results.store_results(connection, results.UTILIZATION, [(key, {results.UTILIZATION: utilization_rows()})], NOW)
    with database.read() as connection:
        assert results.find_results(connection, results.UTILIZATION, [key]) == ids


def test_a_policy_is_kept_once_with_its_first_use(database):
    for now in (NOW, NOW + QUARTER):
        with database.write() as connection:
            results.store_policy(connection, "hash", "text: é", now)
    with database.read() as connection:
        rows = connection.execute(select(tables.PolicyVersion)).all()
    assert [tuple(row) for row in rows] == [("hash", "text: é", NOW)]


def store(database, *rows):  # type: ignore[no-untyped-def]
    with database.write() as connection:
        results.store_headlines(connection, rows)


def newest(database, **options):  # type: ignore[no-untyped-def]
    with database.read() as connection:
        return [(row.program, row.as_of, row.coverage) for row in results.newest_headlines(connection, **options)]


def test_a_headline_of_the_same_inputs_at_the_same_instant_changes_nothing(database):
    program = add_program(database, "fm")
    store(database, headline(program, NOW))
    before = dump(database)
    store(database, headline(program, NOW, coverage=0.1))
    assert dump(database) == before
    store(database, headline(program, NOW, freeze_id=2, coverage=0.1))
    assert newest(database) == [("fm", NOW, 0.1)]


def test_a_headline_without_figures_stays_without(database):
    program = add_program(database, "fm")
    store(database, headline(program, NOW, coverage=None, utilization=None, open_seats=None, n1_pass=False))
    with database.read() as connection:
        (row,) = results.newest_headlines(connection)
    assert (row.coverage, row.utilization, row.open_seats, row.n1_pass, row.n2_pass) == (None, None, None, False, None)
    assert (row.watch_items, row.name, row.time_zone) == (["é, \\N"], "FM", "UTC")


def test_the_newest_is_of_the_latest_instant_not_the_one_written_last(database):
    one, other = add_program(database, "a"), add_program(database, "b")
    add_program(database, "never-checked")
    store(database, headline(one, NOW, coverage=0.9), headline(other, NOW, coverage=0.8), headline(one, NOW + QUARTER, coverage=0.7))
    store(database, headline(one, NOW - QUARTER, coverage=0.1))  # a look at the past, written last
    assert newest(database) == [("a", NOW + QUARTER, 0.7), ("b", NOW, 0.8)]
    assert newest(database, codes=["b"]) == [("b", NOW, 0.8)]
    assert newest(database, as_of=NOW) == [("a", NOW, 0.9), ("b", NOW, 0.8)]
    assert newest(database, as_of=NOW - 2 * QUARTER) == []


def test_hysteresis_looks_back_in_order_of_the_instants(database):
    one, other = add_program(database, "a"), add_program(database, "b")
    for step in (3, 1, 0, 2):
        store(database, headline(one, NOW + step * QUARTER, coverage=step / 10))
    store(database, headline(other, NOW, coverage=0.5))
    with database.read() as connection:
        found = results.last_headlines(connection, [one, other, 99], NOW + 3 * QUARTER, 2)
        assert {program: [row.coverage for row in rows] for program, rows in found.items()} == {one: [0.1, 0.2], other: [0.5]}
        many = list(range(2000))
        assert results.last_headlines(connection, many, NOW + 3 * QUARTER, 2) == found
        assert results.last_headlines(connection, [other], NOW, 2) == {}


def test_readings_are_those_not_seen_yet_and_never_go_back_in_time(database):
    one, other = add_program(database, "a"), add_program(database, "b")
    store(database, headline(one, NOW), headline(other, NOW))
    store(database, headline(one, NOW + QUARTER))
    store(database, headline(one, NOW + dt.timedelta(minutes=5)), headline(other, NOW + dt.timedelta(minutes=5)))
    with database.read() as connection:
        rows = results.headlines_after(connection, 0)
        assert [(row.program, row.as_of - NOW) for row in rows] == [
            ("a", dt.timedelta(0)), ("b", dt.timedelta(0)), ("a", QUARTER), ("b", dt.timedelta(minutes=5)),
        ]  # fmt: skip
        assert [row.program for row in results.headlines_after(connection, rows[1].id, [other])] == ["b"]
        assert results.headlines_after(connection, rows[-1].id) == []


def test_within_a_minute_the_roster_frozen_last_counts(database):
    program = add_program(database, "a")
    store(database, headline(program, NOW, freeze_id=2, coverage=0.2))
    store(database, headline(program, NOW, freeze_id=1, coverage=0.1))  # a slower run on the roster before
    store(database, headline(program, NOW, freeze_id=3, coverage=0.3))
    assert newest(database) == [("a", NOW, 0.3)]
    with database.read() as connection:
        assert [row.coverage for row in results.headlines_after(connection, 0)] == [0.2, 0.3]


def test_looking_for_the_newest_reads_one_entry_of_an_index_a_program(sqlite_database):
    """However long the history: no scan of the table, and nothing sorted but the few rows of one instant."""
    with sqlite_database.read() as connection:
        query = str(results.newest_ids().compile(compile_kwargs={"literal_binds": True}, dialect=connection.dialect))
        plan = [row[3] for row in connection.execute(text(f"EXPLAIN QUERY PLAN {query}"))]
    assert not any("SCAN" in step and "health" in step for step in plan), plan
    assert not any("TEMP B-TREE FOR ORDER BY" in step for step in plan), plan


def test_revisions_that_were_checked_only_rise(database):
    program = add_program(database, "fm")
    for revision in (2, 1):
        with database.write() as connection:
            results.mark_checked(connection, {program: revision})
    with database.read() as connection:
        assert connection.execute(select(tables.Program.checked_revision)).scalar_one() == 2


def test_no_headlines_are_no_work(database):
    store(database)
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(tables.HealthCheck)).scalar_one() == 0


# --- results of several kinds of rows --------------------------------------------------------


WHOLE = {
    "days": 90, "missing_days": 0, "people": 2, "unqualified": 0, "open_static": 3, "open_direct": 2, "open_call_in": 1, "open_full": 0,
    "open_required_full": 0, "n1_pass": True, "n2_pass": False, "n1_pass_near": None, "n2_pass_near": None, "essential_people": 0,
    "harmful_pairs": 1, "least_losses": None, "phase_risk": "low", "findings": {"new": None, "thinnest": [{"date": "é, \\N", "spare": 0.5}]},
}  # fmt: skip
"""The one row of a contingency report."""
PERSON = {f"slots_lost_{name}": 0 for name in ("static", "direct", "call_in", "full", "required")} | {"sole_slots": 0, "posts_lost": ""}


def add_report(database, key, now=NOW, days=90, people=("A", "B"), **values):  # type: ignore[no-untyped-def]
    """A contingency report with a row for some people, one for no pair, and a blob; returns its id."""
    header = {"people": list(people)}
    rows = {
        results.CONTINGENCY: {name: [value] for name, value in (WHOLE | values).items()},
        results.CONTINGENCY_PERSON: {"person": list(people)} | {name: [value] * len(people) for name, value in PERSON.items()},
        results.CONTINGENCY_PAIR: {"first": [], "second": [], "seats": [], "slots": [], "more": []},
        results.DETAIL: {"blob": [pack(header, {"label": np.zeros((2, len(people)), dtype=np.uint8)})]},
    }
    with database.write() as connection:
        return results.store_results(connection, results.over(results.CONTINGENCY, days), [(key, rows)], now)[key]


def test_a_result_has_rows_of_several_kinds(database, key):
    ids = [add_report(database, replace(key, local_day=day), people=people) for day, people in ((1, "AB"), (2, "C"), (3, ""))]
    with database.read() as connection:
        people = results.rows_of(connection, results.CONTINGENCY_PERSON, ids)
        assert people[["result_id", "person"]].values.tolist() == [[ids[0], "A"], [ids[0], "B"], [ids[1], "C"]]
        assert people["tier_1"].isna().all()
        assert len(results.rows_of(connection, results.CONTINGENCY_PAIR, ids)) == 0
        whole = results.whole_rows(connection, results.CONTINGENCY, ids)
        assert sorted(whole) == ids
        assert whole[ids[0]]._mapping == {"result_id": ids[0]} | WHOLE
        assert [results.detail_of(connection, id)[0] for id in ids] == [{"people": ["A", "B"]}, {"people": ["C"]}, {"people": []}]
        assert results.detail_of(connection, ids[0])[1]["label"].tolist() == [[0, 0], [0, 0]]


def test_several_results_are_stored_at_once_and_each_keeps_its_own_rows(database, key):
    keys = [replace(key, local_day=day) for day in (1, 2)]

    def rows(seats):  # type: ignore[no-untyped-def]
        pair = {"first": ["A"], "second": ["B"], "seats": [seats], "slots": [1], "more": [1], "expected_seats": [None]}
        return {results.CONTINGENCY: {name: [value] for name, value in (WHOLE | {"people": seats}).items()}, results.CONTINGENCY_PAIR: pair}

    with database.write() as connection:
        ids = results.store_results(connection, "contingency/90", [(one, rows(n)) for n, one in enumerate(keys)], NOW)
    with database.read() as connection:
        whole = results.whole_rows(connection, results.CONTINGENCY, list(ids.values()))
        pairs = results.rows_of(connection, results.CONTINGENCY_PAIR, list(ids.values()))
    assert [whole[ids[one]].people for one in keys] == [0, 1]
    assert pairs[["result_id", "seats"]].values.tolist() == [[ids[one], n] for n, one in enumerate(keys)]


def test_one_that_is_there_already_keeps_all_its_rows_beside_a_new_one(database, key):
    first = add_report(database, key)
    before = dump(database)
    assert add_report(database, key, NOW + QUARTER, people="XYZ", open_full=9) == first
    assert dump(database) == before
    other = add_report(database, replace(key, local_day=1), people="XYZ")
    with database.read() as connection:
        assert results.rows_of(connection, results.CONTINGENCY_PERSON, [first, other])["person"].tolist() == ["A", "B", "X", "Y", "Z"]


def test_the_figures_are_read_without_the_findings(database, key):
    id = add_report(database, key)
    with database.read() as connection:
        row = results.whole_rows(connection, results.CONTINGENCY, [id], findings=False)[id]
        assert not hasattr(row, "findings")
        assert (row.n1_pass, row.n2_pass, row.n1_pass_near, row.least_losses) == (True, False, None, None)
        assert results.whole_rows(connection, results.CONTINGENCY, []) == {}
        assert results.whole_rows(connection, results.DEEP_DIVE, [id]) == {}
        assert sorted(results.whole_rows(connection, results.CONTINGENCY, [id, *range(10_000, 12_000)])) == [id]


def test_a_result_without_a_blob_has_no_detail(database, key):
    id = add_result(database, key, NOW)
    with database.read() as connection:
        assert results.detail_of(connection, id) is None


def test_how_far_ahead_a_result_looks_makes_it_another_and_any_is_found_by_its_stem(database, key):
    near, far = add_report(database, key, days=8), add_report(database, key, days=90)
    utilization = add_result(database, key, NOW)
    assert len({near, far, utilization}) == 3
    with database.read() as connection:
        assert results.find_results(connection, "contingency/8", [key]) == {key: near}
        assert results.find_results(connection, "contingency/90", [key]) == {key: far}
        assert results.find_results(connection, "contingency/9", [key]) == {}, "a number is taken whole"
        assert results.find_results(connection, "contingency/", [key]) == {key: far}, "the one written last"
        assert results.find_results(connection, "deep_dive/", [key]) == {}
        assert results.find_results(connection, "contingency", [key]) == {}
    again = add_report(database, key, NOW + QUARTER, days=8)
    assert again == near


def test_the_newest_result_is_that_of_the_program_and_kind_until_a_day(database, key):
    other = add_program(database, "b")
    elsewhere = ResultKey(other, add_version(database, other, "b", NOW), "policy", "1", 20_700)
    ids = {day: add_report(database, replace(key, local_day=day)) for day in (20_698, 20_699, 20_700)}
    add_report(database, elsewhere)
    changed = add_report(database, replace(key, policy_hash="other", local_day=20_699))
    add_report(database, replace(key, local_day=20_699), days=8)
    with database.read() as connection:
        newest = {day: results.newest_result(connection, "contingency/90", key.program_id, day) for day in range(20_697, 20_703)}
        assert results.newest_result(connection, "contingency/90", 99, 20_700) is None
        assert results.newest_result(connection, "deep_dive/90", key.program_id, 20_700) is None
    assert newest.pop(20_697) is None
    assert [row.id for row in newest.values()] == [ids[20_698], changed, changed, changed, changed], "written last, of what came before"
