"""What is wrong with an input, said so that somebody can mend it.

Belongs here: one finding and its severities. Does not belong here: the checks that produce them
(exchange, analysis) or how they are shown (cli, checks).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """`error` refuses the input; `unreadable` refuses it unless unknown cells are allowed."""

    ERROR = "error"
    UNREADABLE = "unreadable"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding: which rule, where (file, row, column), which value, and why in a sentence.

    `row` counts as the reader's program does (the header of a CSV file is row 1); `column` is the
    header's name, or the cell address of a workbook ('F14').
    """

    severity: Severity
    rule: str
    reason: str
    file: str = ""
    row: int | None = None
    column: str = ""
    value: str = ""

    def __str__(self) -> str:
        where = self.file
        if self.row is not None:
            where += f", row {self.row}"
        if self.column:
            where += f", {self.column}"
        value = f" {self.value!r}" if self.value else ""
        return f"{self.severity}: {where + ': ' if where else ''}{self.rule}:{value} {self.reason}"
