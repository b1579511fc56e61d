"""One door: the kind of a source is guessed from its path."""

from __future__ import annotations

from pathlib import Path

import pytest

from resilience_assets.exchange.read_any import guess_kind, read_source
from resilience_assets.exchange.source import SourceError

SET = Path(__file__).resolve().parents[1] / "data" / "csv_set"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("set.zip", "csv"),
        ("people.csv", "csv"),
        ("Absences.CSV", "csv"),
        ("roster.xlsx", "xlsx"),
        ("old.xls", "xlsx"),
        ("Solution_H_0-WD_1-2", "inrc2"),
    ],
)
def test_kind_by_name(tmp_path: Path, name: str, kind: str) -> None:
    assert guess_kind(tmp_path / name) == kind
    assert guess_kind(tmp_path) == "csv"


def test_what_could_be_nothing_of_ours_is_refused_with_the_kinds_there_are(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(SourceError, match=r"notes\.txt: unknown_kind.*people\.csv.*xlsx.*INRC-II"):
        read_source(tmp_path / "notes.txt")
    with pytest.raises(SourceError, match="unknown_kind"):
        read_source(SET, "pdf")
    with pytest.raises(SourceError, match="not_found"):
        read_source(tmp_path / "none")
    with pytest.raises(SourceError, match="not_found"):
        read_source(tmp_path / "none.csv", "csv")


def test_a_folder_is_read_as_a_csv_set() -> None:
    read = read_source(SET)
    assert (read.kind, read.findings) == ("csv", [])


def test_a_solution_without_a_start_says_how_to_give_one(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="--start"):
        read_source(tmp_path / "Solution_H_0-WD_1")
