"""Named arrays with a JSON header as one compressed blob.

Belongs here: the layout of the bytes. Does not belong here: what a blob means (versions.py, results.py).

A blob is zlib over: the length of a JSON header (8 bytes, little endian), the header, whose key `columns` names
each column with its type and shape, and the bytes of the columns one after the other. Never pickle. The same
columns give the same bytes.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

LEVEL = 3
"""Of compression: rosters shrink twentyfold, and more effort gains little."""


def pack(header: Mapping[str, Any], columns: Mapping[str, Any]) -> bytes:
    """Header (anything that JSON takes, without the key `columns`) and columns (arrays of plain types) as one blob.

    ValueError for a column of objects, whose bytes would be addresses.
    """
    objects = [name for name, column in columns.items() if column.dtype.hasobject]
    if objects:
        raise ValueError(f"columns {', '.join(objects)} hold objects; give arrays of numbers or of text of a fixed length")
    head = {**header, "columns": [[name, column.dtype.str, column.shape] for name, column in columns.items()]}
    text = json.dumps(head, separators=(",", ":")).encode()
    parts = [len(text).to_bytes(8, "little"), text, *(np.ascontiguousarray(column).tobytes() for column in columns.values())]
    return zlib.compress(b"".join(parts), level=LEVEL)


def unpack(blob: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and columns out of a blob; the columns cannot be written to."""
    data = zlib.decompress(blob)
    size = int.from_bytes(data[:8], "little")
    header: dict[str, Any] = json.loads(data[8 : 8 + size])
    columns: dict[str, Any] = {}
    at = 8 + size
    for name, dtype, shape in header.pop("columns"):
        count = int(np.prod(shape))
        columns[name] = np.frombuffer(data, dtype=dtype, count=count, offset=at).reshape(shape)
        at += columns[name].nbytes
    return header, columns
