"""Purging: old headlines and details go, the roster and its last figures stay."""

import datetime as dt

from sqlalchemy import func, select

from resilience_assets.actions.maintenance import purge
from resilience_assets.storage import tables
from resilience_assets_tests.actions.building import NOW, POLICIES, check, load, program, shown, source, works
from resilience_assets_tests.storage.dumping import dump


def test_after_a_year_what_is_left_is_the_newest(database):
    load(database, program(), "one")
    check(database)
    load(database, source(program=None, assignments=[works("C", 3, "PM")]), "two", program="fm")
    check(database, 1)
    check(database, 2)
    later = NOW + dt.timedelta(days=401)
    done = purge(database, POLICIES, later)
    assert (done.headlines, done.results, done.versions) == (2, 3, 1)
    assert (shown(database).coverage, shown(database).utilization_id is not None) == (14 / 16, True)
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(tables.Assignment)).scalar_one() == 81  # facts stay, closed ones too
    before = dump(database)
    assert purge(database, POLICIES, later) == type(done)(0, 0, 0)
    assert dump(database) == before


def test_a_purged_past_is_still_looked_at_without_harm(database):
    load(database, program(), "one")
    check(database)
    load(database, source(program=None, assignments=[works("C", 3, "PM")]), "two", program="fm")
    check(database, 4)
    purge(database, POLICIES, NOW + dt.timedelta(days=401))
    found = check(database, 1, live=False)
    assert (found.headlines[0]["status"], found.headlines[0]["coverage"]) == ("unknown", None)


def test_nothing_young_is_purged(database):
    load(database, program(), "one")
    check(database)
    before = dump(database)
    purge(database, POLICIES, NOW + dt.timedelta(days=89))
    assert dump(database) == before
