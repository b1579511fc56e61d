"""Rates of absence as data: for whom they are, where they are from; what is refused."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from resilience_assets.policy.absence import AbsencePolicy, shipped_absence


@pytest.mark.parametrize(
    ("role", "rate"),
    [
        ("PGY2", "residents"), ("pgy-1", "residents"), ("Attending", "doctors"), ("faculty", "doctors"), ("RN", "nurses"),
        ("Charge nurse", "nurses"), ("HCA", "support"), ("ward clerk", "everybody"), ("", "everybody"),
    ],
)  # fmt: skip
def test_everybody_has_the_rate_of_the_role(role: str, rate: str) -> None:
    assert shipped_absence().rate_for(role).id == rate


@pytest.mark.parametrize(("kind", "unplanned"), [("sick", True), ("Sick leave", True), ("vacation", False), ("deployed", False)])  # fmt: skip
def test_which_kinds_come_unannounced(kind: str, unplanned: bool) -> None:
    assert shipped_absence().is_unplanned(kind) == unplanned


def test_the_rates_are_those_of_the_published_statistics(shared_data: Path) -> None:
    lost: dict[str, float] = {}
    available: dict[str, float] = {}
    with (shared_data / "absence-nhs-panel" / "panel.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["cluster"] == "Acute":
                group = row["staff_group"]
                lost[group] = lost.get(group, 0) + float(row["fte_days_lost"])
                available[group] = available.get(group, 0) + float(row["fte_days_available"])
    rates = {rate.id: rate.rate for rate in shipped_absence().rates}
    for rate, group in (("everybody", "all"), ("doctors", "doctors"), ("nurses", "nurses"), ("support", "support")):
        assert rates[rate] == round(lost[group] / available[group], 3)


def document() -> dict[str, Any]:
    """The shipped policy as plain data."""
    return shipped_absence().model_dump(mode="json")


def test_what_is_refused() -> None:
    whole = document()
    assert AbsencePolicy.model_validate(whole) == shipped_absence()
    for wrong, message in (
        ({"rates": whole["rates"][1:]}, "must be for everybody"),
        ({"rates": [whole["rates"][0]] * 2}, "given twice"),
        ({"rates": []}, "at least 1"),
        ({"prior_days": 0}, "greater than 0"),
        ({"rates": [whole["rates"][0] | {"rate": 1.0}]}, "less than 1"),
        ({"unplaned": ["sick"]}, "Extra inputs"),
    ):
        with pytest.raises(ValidationError, match=message):
            AbsencePolicy.model_validate(whole | wrong)
