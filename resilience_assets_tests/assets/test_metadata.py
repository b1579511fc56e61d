"""Metadata as the UI shows it."""

from __future__ import annotations

import math

import dagster as dg
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from resilience_assets.assets.metadata import MOST_ROWS, data_version, figures, table


def test_an_unknown_figure_is_left_out_so_that_a_plot_has_a_gap_and_not_a_zero() -> None:
    assert figures({"known": 0.5, "zero": 0, "unknown": None, "nan": math.nan, "unbounded": math.inf}) == {"known": 0.5, "zero": 0}


def test_a_table_of_no_rows_is_a_sentence() -> None:
    assert table([]) == dg.MetadataValue.text("nothing to show")


def test_a_table_has_the_columns_of_all_its_rows() -> None:
    shown = table([{"program": "a", "row": 3}, {"program": "b", "reason": "no cell to point at"}])
    assert isinstance(shown, dg.TableMetadataValue)
    assert [column.name for column in shown.schema.columns] == ["program", "row", "reason"]
    assert [one.data for one in shown.records] == [
        {"program": "a", "row": 3, "reason": ""},
        {"program": "b", "row": "", "reason": "no cell to point at"},
    ]


def test_cells_are_plain_values_whatever_library_they_come_from() -> None:
    shown = table([{"count": np.int64(4), "share": np.float64(1 / 3), "wait": math.inf, "level": None, "grey": float("nan")}])
    assert isinstance(shown, dg.TableMetadataValue)
    assert shown.records[0].data == {"count": 4, "share": 0.3333, "wait": "unbounded", "level": "", "grey": ""}
    assert [column.type for column in shown.schema.columns] == ["int", "float", "string", "string", "string"]


def test_a_long_table_is_cut_so_that_no_event_log_is_flooded() -> None:
    shown = table([{"n": n} for n in range(MOST_ROWS + 50)])
    assert isinstance(shown, dg.TableMetadataValue)
    assert len(shown.records) == MOST_ROWS


@given(st.lists(st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"])), max_size=5), st.randoms())
def test_a_data_version_does_not_depend_on_order_and_changes_with_any_part(parts: list[str], random: object) -> None:
    mixed = parts.copy()
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert data_version(mixed) == data_version(parts)
    assert data_version([*parts, "one more"]) != data_version(parts)
