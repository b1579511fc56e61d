"""What has outlived its keep goes; the newest of everything stays, and figures outlive their details."""

import datetime as dt

from sqlalchemy import func, inspect, select

from resilience_assets.storage import results, retention, tables
from resilience_assets.storage.columns import pack
from resilience_assets.storage.results import ResultKey
from resilience_assets_tests.storage.headlines import add_program, add_result, add_version, headline
from resilience_assets_tests.storage.test_results import add_report

NOW = dt.datetime(2026, 9, 4, 6, 0, tzinfo=dt.UTC)


def ago(days: float) -> dt.datetime:
    return NOW - dt.timedelta(days=days)


def count(connection, model):  # type: ignore[no-untyped-def]
    return connection.execute(select(func.count()).select_from(model)).scalar_one()


def build(database):  # type: ignore[no-untyped-def]
    """A program checked 500, 401, 399, 91, 89 and 1 days ago, each check of a version of its own; another checked once, 500 days ago."""
    for code, days in (("fm", (500, 401, 399, 91, 89, 1)), ("old", (500,))):
        program = add_program(database, code)
        for revision, day in enumerate(days, start=1):
            version = add_version(database, program, f"{day}", ago(day))
            result = add_result(database, ResultKey(program, version, "p", "1", day), ago(day), coverage=day / 1000)
            row = headline(program, ago(day), version_id=version, utilization_id=result, coverage=day / 1000)
            freeze = {
                "program_id": program, "revision": revision, "frozen_at": ago(day), "accepted": True, "version_id": version,
                "content_hash": f"{day}", "findings": [],
            }  # fmt: skip
            with database.write() as connection:
                results.store_headlines(connection, [row])
                connection.execute(tables.Freeze.__table__.insert(), freeze)


def purge(database):  # type: ignore[no-untyped-def]
    with database.write() as connection:
        headlines = retention.purge_headlines(connection, ago(400))
        rows = retention.purge_results(connection, ago(90))
        return headlines, rows, retention.purge_versions(connection, ago(90))


def test_headlines_stay_400_days_and_details_90_and_the_newest_always(database):
    build(database)
    assert purge(database) == (2, 4, 4)
    with database.read() as connection:
        kept = connection.execute(select(tables.HealthCheck).order_by(tables.HealthCheck.id)).all()
        assert [round(row.coverage * 1000) for row in kept] == [399, 91, 89, 1, 500]
        assert [row.utilization_id is not None for row in kept] == [False, False, True, True, True]
        assert [row.version_id is not None for row in kept] == [False, False, True, True, True]
        assert count(connection, tables.UtilizationRow) == 2 * 3
        freezes = connection.execute(select(tables.Freeze).order_by(tables.Freeze.id)).all()
        assert [row.version_id is not None for row in freezes] == [False] * 4 + [True] * 3
        assert all(row.content_hash for row in freezes)  # what was frozen is still on record


def test_purging_twice_removes_nothing_more(database):
    build(database)
    purge(database)
    assert purge(database) == (0, 0, 0)


def test_a_look_at_the_past_does_not_make_the_true_newest_old(database):
    program = add_program(database, "fm")
    with database.write() as connection:
        results.store_headlines(connection, [headline(program, ago(410), coverage=0.4), headline(program, ago(420), coverage=0.3)])
    with database.write() as connection:
        assert retention.purge_headlines(connection, ago(400)) == 1
    with database.read() as connection:
        assert [row.coverage for row in results.newest_headlines(connection)] == [0.4]


def test_the_version_that_holds_stays_however_old(database):
    """A roster that came back to what it was: its version is old, and it is the newest accepted one."""
    program = add_program(database, "fm")
    first = add_version(database, program, "a", ago(300))
    second = add_version(database, program, "b", ago(200))
    for revision, version in enumerate((first, second, first), start=1):
        row = {
            "program_id": program, "revision": revision, "frozen_at": ago(300 - revision), "accepted": True, "version_id": version,
            "content_hash": "", "findings": [],
        }  # fmt: skip
        with database.write() as connection:
            connection.execute(tables.Freeze.__table__.insert(), row)
    with database.write() as connection:
        assert retention.purge_versions(connection, ago(90)) == 1
    with database.read() as connection:
        assert connection.execute(select(tables.RosterVersion.id)).scalars().all() == [first]
        assert [row.version_id for row in connection.execute(select(tables.Freeze).order_by(tables.Freeze.id))] == [first, None, first]


def add_dive(database, key, now, days=90):  # type: ignore[no-untyped-def]
    rows = {results.DEEP_DIVE: {"days": [days], "phase_risk": ["low"], "findings": [{}]}, results.DETAIL: {"blob": [pack({}, {})]}}
    with database.write() as connection:
        return results.store_results(connection, results.over(results.DEEP_DIVE, days), [(key, rows)], now)[key]


def test_every_table_whose_rows_belong_to_a_result_is_purged_with_it(database):
    """A new table that is forgotten here would keep its rows for ever, and the result with them."""
    with database.read() as connection:
        owned = {
            name for name in inspect(connection).get_table_names()
            if any(key["referred_table"] == "result" and key["constrained_columns"] == ["result_id"] for key in inspect(connection).get_foreign_keys(name))
        }  # fmt: skip
    assert {model.__tablename__ for model in retention.RESULT_ROWS} == owned


def test_reports_and_deep_dives_go_with_all_their_rows_and_the_newest_stay(database):
    """Reports 200 and 100 days old, the second in the newest headline; deep dives 300, 200 and 150 days old; nobody's newer."""
    program, other = add_program(database, "fm"), add_program(database, "other")
    version = add_version(database, program, "a", ago(300))
    reports = [add_report(database, ResultKey(program, version, "p", "1", day), ago(day)) for day in (200, 100)]
    dives = [add_dive(database, ResultKey(program, version, "p", "1", day), ago(day)) for day in (300, 200)]
    dives.append(add_dive(database, ResultKey(program, version, "p", "1", 200), ago(150), days=8))
    others = add_dive(database, ResultKey(other, add_version(database, other, "b", ago(400)), "p", "1", 400), ago(400))
    with database.write() as connection:
        results.store_headlines(connection, [headline(program, ago(day), contingency_id=id) for day, id in zip((200, 100), reports, strict=True)])
        assert retention.purge_results(connection, ago(90)) == 3
    with database.read() as connection:
        assert connection.execute(select(tables.Result.id).order_by(tables.Result.id)).scalars().all() == sorted([reports[1], dives[2], others])
        assert list(results.whole_rows(connection, results.CONTINGENCY, reports)) == [reports[1]]
        assert results.rows_of(connection, results.CONTINGENCY_PERSON, reports)["result_id"].tolist() == [reports[1]] * 2
        assert sorted(results.whole_rows(connection, results.DEEP_DIVE, [*dives, others])) == [dives[2], others]
        assert [results.detail_of(connection, id) is not None for id in [*reports, *dives, others]] == [False, True, False, False, True, True]
        rows = connection.execute(select(tables.HealthCheck.contingency_id).order_by(tables.HealthCheck.id)).scalars().all()
        assert rows == [None, reports[1]], "an old headline keeps its figures and loses the pointer"
        assert retention.purge_versions(connection, ago(90)) == 0, "the versions of what stayed stay"
    with database.write() as connection:
        assert retention.purge_results(connection, ago(90)) == 0
