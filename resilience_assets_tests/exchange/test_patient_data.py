"""Columns about patients are recognised; columns of a roster are not."""

from __future__ import annotations

import pytest

from resilience_assets.exchange.csv_kinds import KIND_COLUMNS
from resilience_assets.exchange.csv_program import PROGRAM_COLUMNS
from resilience_assets.exchange.patient_data import patient_data_reason

SUSPECT = [
    "MRN", "mrn", "patient", "Patient Name", "patient_id", "PatientID", "ssn", "SSN #", "DOB", "date_of_birth",
    "DateOfBirth", "Diagnosis", "primary_diagnosis", "ICD-10", "icd10", "NHS number", "medical record no", "encounter",
    "PESEL", "Geburtsdatum", "social security number",
]  # fmt: skip
HARMLESS = [
    "notes",
    "pager",
    "email",
    "phone",
    "block",
    "rotation",
    "shift hours",
    "credit",
    "colour",
    "ward",
    "dobra",
    "",
]


@pytest.mark.parametrize("header", SUSPECT)
def test_suspect(header: str) -> None:
    reason = patient_data_reason(header)
    assert reason
    assert "patients" in reason


@pytest.mark.parametrize("header", HARMLESS)
def test_harmless(header: str) -> None:
    assert patient_data_reason(header) is None


def test_none_of_our_own_columns_is_suspect() -> None:
    ours = {column.header for columns in [*KIND_COLUMNS.values(), *PROGRAM_COLUMNS.values()] for column in columns}
    assert [header for header in ours if patient_data_reason(header)] == []
