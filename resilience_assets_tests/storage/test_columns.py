"""A blob of columns gives back what was put in, bit for bit, and the same columns give the same bytes."""

from __future__ import annotations

import json
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from resilience_assets.storage.columns import pack, unpack

TYPES = st.sampled_from([np.bool_, np.uint8, np.int8, np.int16, np.int32, np.int64, np.uint64, np.float64])
SHAPES = arrays.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4)
COLUMNS = st.dictionaries(st.text(max_size=8), TYPES.flatmap(lambda kind: arrays.arrays(kind, SHAPES)), max_size=4)
VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
HEADERS = st.dictionaries(st.text(max_size=8).filter(lambda name: name != "columns"), VALUES | st.lists(VALUES), max_size=4)


@given(HEADERS, COLUMNS)
def test_what_was_put_in_comes_out(header: dict[str, Any], columns: dict[str, Any]) -> None:
    read_header, read = unpack(pack(header, columns))
    assert read_header == header
    assert list(read) == list(columns)
    for name, column in columns.items():
        assert (read[name].dtype, read[name].shape) == (column.dtype, column.shape)
        assert read[name].tobytes() == column.tobytes(), "NaN and -0.0 too"


@given(HEADERS, COLUMNS)
def test_the_same_columns_are_the_same_bytes_however_they_lie_in_memory(header: dict[str, Any], columns: dict[str, Any]) -> None:
    turned = {name: np.asfortranarray(column) for name, column in columns.items()}
    assert pack(header, turned) == pack(header, columns)


def test_another_value_type_or_shape_is_another_blob() -> None:
    one = np.arange(6, dtype=np.int16)
    others = [one + 1, one.astype(np.int32), one.reshape(2, 3), one.view(np.uint16)]
    blobs = [pack({}, {"a": column}) for column in [one, *others]] + [pack({}, {"b": one}), pack({"x": 1}, {"a": one})]
    assert len(set(blobs)) == len(blobs)


def test_the_layout_is_a_length_a_header_and_the_bytes_one_after_the_other() -> None:
    """A reader in another language needs no more than this."""
    data = zlib.decompress(pack({"first_day": 3}, {"a": np.array([1, -2], dtype="<i2"), "b": np.array([[True], [False]])}))
    size = int.from_bytes(data[:8], "little")
    assert json.loads(data[8 : 8 + size]) == {"first_day": 3, "columns": [["a", "<i2", [2]], ["b", "|b1", [2, 1]]]}
    assert data[8 + size :] == b"\x01\x00\xfe\xff\x01\x00"


def test_what_was_read_cannot_be_written_to() -> None:
    _, read = unpack(pack({}, {"a": np.arange(3)}))
    with pytest.raises(ValueError, match="read-only"):
        read["a"][0] = 9


def test_columns_of_nothing_are_columns() -> None:
    assert unpack(pack({}, {})) == ({}, {})
    assert unpack(pack({}, {"label": np.zeros((0, 5), dtype=np.uint8)}))[1]["label"].shape == (0, 5)


def test_a_roster_of_repeated_shifts_shrinks() -> None:
    label = np.tile(np.arange(50, dtype=np.uint8) % 3, (270, 1))
    assert len(pack({}, {"label": label})) < label.nbytes / 20


def test_objects_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="columns who hold objects"):
        pack({}, {"who": np.array(["A", None], dtype=object)})
