"""Gathers findings while a source is read, and keeps a file with a million errors readable.

Belongs here: collecting and capping findings. Does not belong here: the rules themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from resilience_assets.domain.findings import Finding, Severity

SHOWN_PER_RULE = 200
"""Findings of one rule in one file that are kept in full; the rest is counted."""
LONGEST_VALUE = 80
"""Characters of a value that a finding shows."""


class FindingLog:
    """Findings in the order in which they were added, at most `shown` in full of each rule and file."""

    def __init__(self, shown: int = SHOWN_PER_RULE) -> None:
        self._shown = shown
        self._kept: list[Finding] = []
        self._counts: dict[tuple[Severity, str, str], int] = {}

    def add(
        self,
        severity: Severity,
        rule: str,
        reason: str,
        file: str = "",
        row: int | None = None,
        column: str = "",
        value: str = "",
    ) -> None:
        """Keep one finding, or only count it when its rule has been said often enough of its file."""
        if len(value) > LONGEST_VALUE:
            value = value[: LONGEST_VALUE - 1] + "…"
        if self.count(severity, rule, file) <= self._shown:
            self._kept.append(Finding(severity, rule, reason, file, row, column, value))

    def count(self, severity: Severity, rule: str, file: str, times: int = 1) -> int:
        """Count occurrences that are not worth a finding each; returns how many there are by now."""
        key = (severity, rule, file)
        self._counts[key] = self._counts.get(key, 0) + times
        return self._counts[key]

    def add_rows(
        self,
        severity: Severity,
        rule: str,
        reason: str | Callable[[str], str],
        file: str,
        rows: Sequence[int],
        column: str,
        values: Sequence[str],
    ) -> None:
        """One finding a row, made only while it would be kept; `reason` may depend on the row's value."""
        room = max(0, self._shown - self._counts.get((severity, rule, file), 0))
        for row, value in zip(rows[:room], values[:room], strict=True):
            self.add(
                severity, rule, reason if isinstance(reason, str) else reason(value), file, int(row), column, value
            )
        if len(rows) > room:
            self.count(severity, rule, file, len(rows) - room)

    def extend(self, findings: Iterable[Finding]) -> None:
        """Add findings made elsewhere as they are: whoever made them has kept to the limit, and counted the rest."""
        self._kept.extend(findings)

    @property
    def refused(self) -> bool:
        """True once there is an error."""
        return any(finding.severity == Severity.ERROR for finding in self._kept)

    def findings(self) -> list[Finding]:
        """All that was kept, then one line for each rule and file of which there was more."""
        out = list(self._kept)
        for (severity, rule, file), count in self._counts.items():
            if count > self._shown:
                out.append(Finding(severity, rule, f"and {count - self._shown:,} more of this rule in this file", file))
        return out
