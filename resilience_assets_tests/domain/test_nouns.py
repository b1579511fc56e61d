"""Small records refuse what makes no sense, and speak of themselves in words for people."""

import pytest

from resilience_assets.domain.findings import Finding, Severity
from resilience_assets.domain.nouns import Person, Tier
from resilience_assets.domain.scales import DefenseLevel, LoadShedding, Redundancy, Status, UtilizationLevel


@pytest.mark.parametrize(
    ("values", "said"),
    [({"id": ""}, "needs an id"), ({"fte": 0.0}, "full-time share 0.0"), ({"fte": 1.01}, "at most 1"), ({"starts": 5, "ends": 4}, "ends before")],
)
def test_a_person_that_cannot_be_is_refused(values, said):
    with pytest.raises(ValueError, match=said):
        Person(**({"id": "P1", "role": "MD"} | values))


def test_words_for_people():
    assert Tier.CONTINUITY_OF_CARE.text == "continuity of care"
    assert Tier.ACGME_REQUIREMENTS.text == "ACGME requirements"
    assert DefenseLevel.SAFETY_SYSTEMS.text == "safety systems"
    assert [step.text for step in Redundancy] == ["N+2", "N+1", "N+0", "BELOW", "UNKNOWN"]
    assert Status.HEALTHY.text == "healthy"
    assert (UtilizationLevel.RED.text, LoadShedding.NORMAL.text) == ("RED", "NORMAL")


def test_unknown_is_never_good():
    assert max(Status) is Status.UNKNOWN
    assert max(UtilizationLevel) is UtilizationLevel.UNKNOWN


def test_a_finding_says_where_what_and_why():
    finding = Finding(Severity.ERROR, "bad_date", "write 2026-03-01", "people.csv", 7, "starts", "soon")
    assert str(finding) == "error: people.csv, row 7, starts: bad_date: 'soon' write 2026-03-01"
    assert str(Finding(Severity.NOTE, "rule", "because")) == "note: rule: because"
