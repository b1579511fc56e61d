"""Many rows in and out: every value comes back as it went in."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, Float, Integer, MetaData, String, Table, delete, insert, select

from resilience_assets.storage import bulk

TABLE = Table(
    "bulk_test", MetaData(),
    Column("id", Integer, primary_key=True), Column("first", Integer), Column("column", String), Column("share", Float), Column("flag", Integer),
)  # fmt: skip
HARD = ["", " ", "a,b", 'say "no"', "\\N", "\\.", "nan", "NULL", "line\nbreak", "line\r\nbreak", "\\.\n\\.\n", "Łódź 日本 🩺", "'; DROP TABLE x; --", "\ttab", "=1+1", '"', "\\"]


@pytest.fixture
def table(database):  # type: ignore[no-untyped-def]
    with database.write() as connection:
        TABLE.create(connection)
    return TABLE


def back(database, table):  # type: ignore[no-untyped-def]
    with database.read() as connection:
        return [tuple(row) for row in connection.execute(select(table.c.first, table.c.column, table.c.share).order_by(table.c.id))]


def test_text_numbers_and_nothing_come_back_as_they_went_in(database, table):
    texts = [*HARD, None]
    shares = [0.1 + i if i % 3 else None for i in range(len(texts))]
    with database.write() as connection:
        count = bulk.insert_columns(connection, table, {"first": np.arange(len(texts)), "column": texts, "share": shares, "flag": 1})
    assert count == len(texts)
    assert back(database, table) == list(zip(range(len(texts)), texts, shares, strict=True))


@given(st.lists(st.tuples(
    st.one_of(st.none(), st.integers(-(2**31), 2**31 - 1)),
    st.one_of(st.none(), st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)))),
    st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False)),
), max_size=8))  # fmt: skip
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_values_come_back_as_they_went_in(database, rows):
    with database.write() as connection:
        TABLE.create(connection, checkfirst=True)
        connection.execute(delete(TABLE))
        columns = [list(column) for column in zip(*rows, strict=True)] or [[], [], []]
        assert bulk.insert_columns(connection, TABLE, dict(zip(("first", "column", "share"), columns, strict=True))) == len(rows)
    assert back(database, TABLE) == rows


def test_rows_go_over_in_parts(database, table, monkeypatch):
    monkeypatch.setattr(bulk, "CHUNK", 7)
    with database.write() as connection:
        assert bulk.insert_columns(connection, table, {"first": np.arange(23), "column": "same"}) == 23
    assert back(database, table) == [(i, "same", None) for i in range(23)]


def test_columns_of_different_length_are_refused(database, table):
    with pytest.raises(ValueError, match=r"bulk_test differ in length: \[1, 2\]"), database.write() as connection:
        bulk.insert_columns(connection, table, {"first": [1], "column": ["a", "b"]})


def test_no_rows_are_no_work(database, table):
    with database.write() as connection:
        assert bulk.insert_columns(connection, table, {"first": [], "column": []}) == 0
        assert {name: column.tolist() for name, column in bulk.read_integers(connection, select(table.c.id, table.c.first)).items()} == {"id": [], "first": []}


def test_integer_columns_come_as_arrays_by_name(database, table):
    with database.write() as connection:
        connection.execute(insert(table), [{"id": i, "first": -i, "flag": 2**31 - 1} for i in range(1, 6)])
    with database.read() as connection:
        found = bulk.read_integers(connection, select(table.c.id.label("source"), table.c.first, table.c.flag).order_by(table.c.id))
    assert {name: (column.dtype, column.tolist()) for name, column in found.items()} == {
        "source": (np.int64, [1, 2, 3, 4, 5]), "first": (np.int64, [-1, -2, -3, -4, -5]), "flag": (np.int64, [2**31 - 1] * 5),
    }  # fmt: skip
