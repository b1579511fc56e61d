"""What a mapping file may say, and how its mistakes are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from resilience_assets.exchange.grid import OFF, Meaning, person_id
from resilience_assets.exchange.mapping import read_mapping
from resilience_assets.exchange.source import SourceError

MAPPINGS = Path(__file__).resolve().parents[1] / "data" / "mappings"
SMALL = """
program: {id: unit, time_zone: Europe/Warsaw}
slots: [{code: DAY, from: "07:00", to: "19:00"}, {code: NIGHT, from: "19:00", to: "07:00"}]
grid: {sheet: plan}
services: [{id: care}]
posts: [{id: CARE, service: care, role: nurse, demand: [{slots: [DAY], days: weekdays, needed: 2}]}]
legend:
  D: {post: CARE, shift: DAY}
  NO: {post: CARE, shift: NIGHT}
  07: {away: sick, approved: no}
  ON: off
  F: {post: FREE, shift: DAY}
"""


def mistakes(text: str) -> list[tuple[str, str]]:
    with pytest.raises(SourceError) as caught:
        read_mapping(text, file="own.yaml")
    assert {one.rule for one in caught.value.findings} == {"bad_mapping"}
    assert {one.file for one in caught.value.findings} == {"own.yaml"}
    return [(one.column, one.reason) for one in caught.value.findings]


@pytest.mark.parametrize("path", sorted(MAPPINGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_mappings_kept_here_are_valid(path: Path) -> None:
    assert read_mapping(path.read_text(encoding="utf-8")).as_program().time_zone == "Europe/Warsaw"


def test_the_example_of_the_manual_is_valid() -> None:
    manual = (Path(__file__).resolve().parents[2] / "docs" / "excel.md").read_text(encoding="utf-8")
    mapping = read_mapping(manual.partition("```yaml\n")[2].partition("```")[0])
    assert person_id("Workers 08", mapping.name_rules()) == person_id("worker8", mapping.name_rules()) == ("W-08", "")


def test_codes_that_yaml_would_take_for_something_else_stay_codes() -> None:
    legend = {code: part.meaning() for code, part in read_mapping(SMALL).legend.items()}
    assert legend == {
        "D": Meaning("CARE", shift="DAY"),
        "NO": Meaning("CARE", shift="NIGHT"),
        "07": Meaning(away="sick", approved=False),
        "ON": OFF,
        "F": Meaning("FREE", shift="DAY"),
    }


def test_what_is_not_said_has_a_default() -> None:
    mapping = read_mapping(SMALL)
    program = mapping.as_program("other")
    assert (program.id, program.name) == ("other", "unit")
    assert [(slot.start, slot.end) for slot in program.slot_types] == [(420, 1140), (1140, 1860)]
    assert [shift.code for shift in program.shifts] == ["DAY", "NIGHT"], "without shifts each slot is one"
    [demand] = mapping.posts[0].demand
    assert demand.days == ("mon", "tue", "wed", "thu", "fri")
    assert demand.minimum is None


@pytest.mark.parametrize(
    ("old", "new", "column", "reason"),
    [
        ("sheet: plan", "sheet: plan, page: 1", "grid.page", "Extra inputs"),
        ("time_zone: Europe/Warsaw", "time_zone: Warsaw", "", "not a time zone"),
        ("needed: 2", "needed: -2", "posts.0.demand.0.needed", "greater than or equal to 0"),
        ("needed: 2", "needed: 2, minimum: 3", "posts.0.demand.0", "minimum 3 is above needed 2"),
        ("service: care,", "service: cure,", "", "posts name the service cure"),
        ("shift: NIGHT", "shift: LATE", "", "legend names the shift LATE"),
        ("post: CARE, shift: DAY", "post: CAER, shift: DAY", "", "legend names the post CAER"),
        ("{away: sick, approved: no}", "{away: sick, post: CARE}", "legend.07", "one of post, away, off"),
        ("{away: sick, approved: no}", "{}", "legend.07", "one of post, away, off"),
        ('to: "19:00"}', 'to: "19.00"}', "slots.0.to", "not a time of the form HH:MM"),
        ("sheet: plan", "sheet: plan, names: '1'", "grid.names", "not a column"),
        ("sheet: plan", "sheet: plan, skip: ['(']", "grid.skip.0", "not a regular expression"),
        ("sheet: plan", "sheet: plan, month: {pattern: 'x'}", "grid.month", "needs the groups"),
        ("sheet: plan", "sheet: plan, month: {is: 2026-13}", "grid.month.is", "pattern"),
        ("days: weekdays", "days: [mon, someday]", "posts.0.demand.0.days.1", "'mon'"),
        ("legend:", "names: [{pattern: 'x', id: 'W-{n}'}]\nlegend:", "names.0", "names the groups"),
        ("  ON: off", "  D: off", "", "line 11: the key 'D' is given twice"),
    ],
)
def test_a_mistake_is_told_with_its_key(old: str, new: str, column: str, reason: str) -> None:
    assert old in SMALL
    [(said_column, said_reason)] = mistakes(SMALL.replace(old, new, 1))
    assert said_column == column
    assert reason in said_reason


@pytest.mark.parametrize(
    "text",
    [
        "",
        "just words",
        "- a\n- b",
        "a: [",
        "a: &x [1]\nb: *x",
        "\tx: 1",
        "x" * 300_000,
        "a: !!python/object:os.system x",
    ],
)
def test_what_is_no_mapping_is_refused(text: str) -> None:
    assert mistakes(text)
