"""Names that are defined nowhere are found, in files and against ids known elsewhere."""

from __future__ import annotations

from resilience_assets.domain.tables import RosterTables, frame
from resilience_assets.exchange.references import check_references, defined_ids


def assignments(*rows: tuple[str, str, str], column: str = "") -> RosterTables:
    return RosterTables(
        assignments=frame("assignments", [
            {"person": person, "day": 1, "shift": shift, "post": post, "file": "a.csv", "row": i, "column": column}
            for i, (person, shift, post) in enumerate(rows, start=2)
        ])
    )  # fmt: skip


KNOWN = {"person": {"ATT-01", "ATT-02"}, "shift": {"D"}, "post": {"ICU/att"}}


def test_each_row_that_names_something_unknown_is_found() -> None:
    tables = assignments(
        ("ATT-01", "D", "ICU/att"), ("ATT-1", "D", "ICU/att"), ("ATT-02", "X", "ICU"), ("ATT-1", "D", "FREE")
    )
    found = check_references(tables, KNOWN)
    assert [(one.rule, one.file, one.row, one.column, one.value) for one in found] == [
        ("unknown_person", "a.csv", 3, "person", "ATT-1"),
        ("unknown_person", "a.csv", 5, "person", "ATT-1"),
        ("unknown_shift", "a.csv", 4, "shift", "X"),
        ("unknown_post", "a.csv", 4, "post", "ICU"),
    ]
    assert found[0].reason == "no such person is defined; did you mean 'ATT-01'?"


def test_reserved_words_are_posts_of_assignments_only() -> None:
    assert (
        check_references(
            assignments(*(("ATT-01", "D", word) for word in ("FREE", "REST", "ELSEWHERE", "UNKNOWN"))), KNOWN
        )
        == []
    )
    held = RosterTables(
        qualifications=frame(
            "qualifications", [{"person": "ATT-01", "post": "FREE", "first": 0, "last": 1, "file": "q.csv", "row": 2}]
        )
    )
    assert [one.rule for one in check_references(held, KNOWN)] == ["unknown_post"]


def test_a_noun_that_is_not_known_is_not_checked() -> None:
    assert check_references(assignments(("nobody", "?", "?")), {}) == []


def test_a_cell_address_stands_in_place_of_the_column_name() -> None:
    (found,) = check_references(assignments(("nobody", "D", "FREE"), column="F14"), {"person": {"ATT-01"}})
    assert found.column == "F14"


def test_what_a_source_defines() -> None:
    tables = RosterTables(
        services=frame("services", [{"service": "ICU", "name": "ICU", "tier": 1}]), people=frame("people", [])
    )
    assert defined_ids(tables) == {"person": set(), "service": {"ICU"}}
