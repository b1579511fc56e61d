"""Frozen rosters: bit for bit, stored once, and the right one at every instant."""

import datetime as dt
import json
import zlib
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from resilience_assets.domain.assembly import roster_from_tables
from resilience_assets.domain.fingerprint import fingerprint
from resilience_assets.domain.roster import same_roster
from resilience_assets.storage import tables, versions
from resilience_assets.storage.versions import decode_roster, encode_roster, frozen_rosters, load_rosters
from resilience_assets_tests.domain.strategies import FIRST as ANY_FIRST
from resilience_assets_tests.domain.strategies import roster_tables
from resilience_assets_tests.storage.writing import FIRST, NOW, freeze, read, sample, source, works, write

HOUR = dt.timedelta(hours=1)


@given(roster_tables())
@settings(max_examples=40, deadline=None)
def test_a_roster_comes_back_bit_for_bit(given_tables):
    roster, _ = roster_from_tables(given_tables)
    print_ = fingerprint(roster)
    back, found = decode_roster(encode_roster(roster, print_))
    assert same_roster(back, roster)
    assert found == print_ == fingerprint(back)


@given(roster_tables(), st.integers(-2, 9), st.integers(-2, 9))
@settings(max_examples=30, deadline=None)
def test_a_window_cut_from_a_loaded_roster_is_that_of_the_roster(given_tables, low, high):
    roster, _ = roster_from_tables(given_tables)
    back, _ = decode_roster(encode_roster(roster, fingerprint(roster)))
    first, last = ANY_FIRST + low, ANY_FIRST + high
    assert same_roster(back.window(first, last), roster.window(first, last))


def header_of(blob: bytes) -> dict[str, Any]:
    """The header, read by hand as the module describes it."""
    data = zlib.decompress(blob)
    return json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])


def test_a_blob_holds_no_pickle_and_says_its_format():
    roster, _ = roster_from_tables(sample())
    header = header_of(encode_roster(roster, fingerprint(roster)))
    assert header["format"] == versions.FORMAT
    assert not any(np.dtype(dtype).hasobject for _, dtype, _ in header["columns"])


def test_a_blob_of_a_newer_format_is_refused(monkeypatch):
    roster, _ = roster_from_tables(sample())
    blob = encode_roster(roster, fingerprint(roster))
    monkeypatch.setattr(versions, "FORMAT", 0)
    with pytest.raises(ValueError, match="roster blob has format 1, this program reads 0"):
        decode_roster(blob)


def test_names_of_people_are_not_in_a_version():
    given = sample()
    roster, _ = roster_from_tables(given)
    data = zlib.decompress(encode_roster(roster, fingerprint(roster)))
    assert not any(name.encode() in data for name in given.people["name"])


def test_a_stored_version_comes_back_bit_for_bit(database):
    write(database, sample())
    roster = read(database)
    version_id = freeze(database, NOW)
    with database.read() as connection:
        found = load_rosters(connection, [version_id, 999])
    assert list(found) == [version_id]
    assert same_roster(found[version_id][0], roster)
    assert found[version_id][1] == fingerprint(roster)


def stored(database):  # type: ignore[no-untyped-def]
    with database.read() as connection:
        return connection.execute(select(func.count()).select_from(tables.RosterVersion)).scalar_one()


def test_the_same_roster_is_stored_once_and_coming_back_to_it_finds_it(database):
    write(database, sample())
    one = freeze(database, NOW)
    write(database, source(assignments=[works("B", 2)]))
    other = freeze(database, NOW + HOUR)
    write(database, source(assignments=[works("A", 2)]))
    again = freeze(database, NOW + 2 * HOUR)
    assert (again, other != one, stored(database)) == (one, True, 2)


def at(database, instant):  # type: ignore[no-untyped-def]
    with database.read() as connection:
        return frozen_rosters(connection, instant)


def test_an_earlier_instant_sees_the_version_that_held_then(database):
    write(database, sample())
    one = freeze(database, NOW)
    write(database, source(assignments=[works("B", 2)]))
    other = freeze(database, NOW + HOUR)
    assert at(database, NOW - HOUR) == []
    assert [(f.version_id, f.revision) for f in at(database, NOW)] == [(one, 1)]
    assert [(f.version_id, f.revision) for f in at(database, NOW + HOUR - dt.timedelta(seconds=1))] == [(one, 1)]
    assert [(f.version_id, f.revision) for f in at(database, NOW + HOUR)] == [(other, 2)]


def test_a_refused_revision_leaves_the_last_accepted_version(database):
    write(database, sample())
    one = freeze(database, NOW)
    write(database, source(assignments=[works("B", 2)]))
    freeze(database, NOW + HOUR, accept=False)
    (found,) = at(database, NOW + HOUR)
    assert (found.accepted, found.version_id, found.accepted_at, found.revision) == (False, one, NOW, 2)
    assert found.findings == [{"rule": "r"}]


def test_a_program_that_was_only_ever_refused_has_no_version(database):
    write(database, sample())
    freeze(database, NOW, accept=False)
    (found,) = at(database, NOW)
    assert (found.version_id, found.accepted_at, found.content_hash) == (None, None, "")


def test_programs_are_told_apart_and_may_be_chosen(database):
    for code in ("b", "a"):
        write(database, sample(), code=code)
        freeze(database, NOW, code=code)
    found = at(database, NOW)
    assert [one.program for one in found] == ["a", "b"]
    assert found[0].version_id != found[1].version_id
    with database.read() as connection:
        assert [one.program for one in frozen_rosters(connection, NOW, [found[1].program_id])] == ["b"]
        assert versions.frozen_revisions(connection) == {1: 1, 2: 1}


def test_the_revision_that_was_looked_at_counts_whatever_the_instant(database):
    write(database, sample())
    freeze(database, NOW + HOUR)
    with database.read() as connection:
        assert frozen_rosters(connection, NOW) == []
        assert versions.frozen_revisions(connection) == {1: 1}
        assert versions.frozen_revisions(connection, []) == {}


def test_a_blob_is_small():
    big = source(assignments=[works("A", day, row=day) for day in range(365)])
    roster, _ = roster_from_tables(replace(sample(), assignments=big.assignments))
    assert roster.first_day == FIRST
    blob = encode_roster(roster, fingerprint(roster))
    cells = 2 * roster.planned.nbytes + roster.shift.nbytes + roster.source.nbytes
    assert len(blob) < cells + 80 * 365  # cells shrink, and each date brings its hash
