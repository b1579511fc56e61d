"""The frames that importers hand over."""

import pandas as pd
import pytest

from resilience_assets.domain.tables import COLUMNS, PROVENANCE, RosterTables, frame


@pytest.mark.parametrize("kind", list(COLUMNS))
def test_an_empty_frame_of_every_kind_has_its_columns_and_types(kind):
    part = frame(kind, [])
    assert list(part.columns) == [*COLUMNS[kind], *PROVENANCE]
    for column, dtype in (COLUMNS[kind] | PROVENANCE).items():
        assert str(part[column].dtype) == ("object" if dtype == "str" else dtype)


def test_missing_provenance_is_filled_in_and_a_missing_column_is_not():
    part = frame("services", [{"service": "s", "name": "S", "tier": 1}])
    assert part.loc[0, ["file", "row", "column"]].tolist() == ["", 0, ""]
    with pytest.raises(KeyError, match="needs a column 'tier'"):
        frame("services", [{"service": "s", "name": "S"}])


def test_kinds_come_in_an_order_in_which_references_come_first():
    tables = RosterTables(assignments=frame("assignments", []), people=frame("people", []), posts=frame("posts", pd.DataFrame()))
    assert list(tables.kinds()) == ["people", "posts", "assignments"]
