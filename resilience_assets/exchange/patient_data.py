"""Recognises columns that look like data about patients, so that they never come in.

Belongs here: the words. Does not belong here: what an importer does about a match.
"""

from __future__ import annotations

import re

PATIENT_WORDS = frozenset({
    "patient", "patients", "pacjent", "patiente", "mrn", "ssn", "dob", "pesel", "mbi", "hicn", "phi",
    "birth", "birthday", "birthdate", "geburtsdatum",
    "diagnosis", "diagnoses", "icd", "icd9", "icd10", "encounter", "admission", "discharge",
    "medication", "medications", "prescription", "allergy", "allergies", "insurance", "beneficiary",
})  # fmt: skip
"""Words that make a column suspect when its header has them as a whole word."""

PATIENT_PHRASES = (
    "dateofbirth", "birthdate", "medicalrecord", "socialsecurity", "nhsnumber", "nhsno", "healthrecord",
    "chiefcomplaint", "patientid", "patientname", "hospitalnumber", "caseid", "accountnumber",
)  # fmt: skip
"""Runs of letters that make a column suspect wherever they stand, after blanks and marks are taken out."""


def patient_data_reason(header: str) -> str | None:
    """Why a column header looks like data about patients, or None."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", header)
    words = [word for word in re.split(r"[^0-9a-z]+", spaced.lower()) if word]
    found = next((word for word in words if word in PATIENT_WORDS), None)
    if found is None:
        joined = "".join(words)
        found = next((phrase for phrase in PATIENT_PHRASES if phrase in joined), None)
    if found is None:
        return None
    return f"looks like data about patients ({found!r}), which is never taken in; remove the column and send it again"
