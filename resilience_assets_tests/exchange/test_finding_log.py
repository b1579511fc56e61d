"""A file with a million errors stays readable."""

from __future__ import annotations

from resilience_assets.domain.findings import Severity
from resilience_assets.exchange.finding_log import LONGEST_VALUE, FindingLog


def test_keeps_the_first_of_a_rule_and_counts_the_rest() -> None:
    log = FindingLog(shown=3)
    log.add_rows(Severity.ERROR, "bad_date", "no date", "a.csv", list(range(2, 5014)), "date", ["x"] * 5012)
    log.add(Severity.ERROR, "bad_date", "no date", "b.csv", 2)
    assert [(one.file, one.row) for one in log.findings()] == [
        ("a.csv", 2),
        ("a.csv", 3),
        ("a.csv", 4),
        ("b.csv", 2),
        ("a.csv", None),
    ]
    assert log.findings()[-1].reason == "and 5,009 more of this rule in this file"
    assert log.findings()[-1].severity == Severity.ERROR


def test_a_reason_may_depend_on_the_value_and_long_values_are_cut() -> None:
    log = FindingLog()
    log.add_rows(Severity.WARNING, "odd", lambda value: f"{len(value)} letters", "a.csv", [2], "name", ["y" * 300])
    (finding,) = log.findings()
    assert finding.reason == "300 letters"
    assert len(finding.value) == LONGEST_VALUE
    assert not log.refused


def test_findings_made_elsewhere_are_kept_with_their_count() -> None:
    inner = FindingLog(shown=2)
    inner.add_rows(Severity.ERROR, "rule", "reason", "f", [1, 2, 3], "c", ["a", "b", "c"])
    outer = FindingLog(shown=1)
    assert not outer.refused
    outer.extend(inner.findings())
    assert [finding.row for finding in outer.findings()] == [1, 2, None]
    assert outer.findings()[-1].reason == "and 1 more of this rule in this file"
    assert outer.refused
