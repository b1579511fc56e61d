"""What has outlived its keep goes; the newest of everything stays, and figures outlive their details."""

import datetime as dt

from sqlalchemy import func, select

from resilience_assets.storage import results, retention, tables
from resilience_assets.storage.results import ResultKey
from resilience_assets_tests.storage.headlines import add_program, add_result, add_version, headline

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
