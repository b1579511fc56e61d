"""Results are written once under what made them; headlines are the newest of the latest instant."""

import datetime as dt
from dataclasses import replace

import pytest
from sqlalchemy import func, select, text

from resilience_assets.storage import results, tables
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
