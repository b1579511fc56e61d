"""Reads an Excel workbook: ours, or any grid that a mapping describes.

Belongs here: choosing the reader and putting its result together. Does not belong here: opening
(sheets.py), our layout (own_workbook.py), other layouts (mapped_workbook.py).
"""

from __future__ import annotations

from pathlib import Path

from resilience_assets.domain.findings import Severity
from resilience_assets.exchange.finding_log import FindingLog
from resilience_assets.exchange.mapped_workbook import read_mapped_workbook
from resilience_assets.exchange.mapping import read_mapping
from resilience_assets.exchange.own_workbook import read_own_workbook
from resilience_assets.exchange.sheets import open_workbook
from resilience_assets.exchange.source import SourceFile, SourceRead, content_hash


def read_workbook(
    path: Path, *, program: str | None = None, mapping: str | None = None, start_day: int | None = None
) -> SourceRead:
    """What a workbook says.

    `mapping` is the text of a grid mapping in YAML (docs/excel.md), None for our own layout;
    `program` names the program that the import is for; `start_day` is the epoch day of the first
    date column of a grid whose day numbers have no month. Raises SourceError when nothing can be
    read at all; what is wrong with single cells is in the findings, with the address of the cell as
    column and "book.xlsx#Sheet" as file.
    """
    described = None if mapping is None else read_mapping(mapping)
    book = open_workbook(path)
    log = FindingLog()
    if described is None:
        tables = read_own_workbook(book, log, program=program)
    else:
        tables = read_mapped_workbook(book, described, log, program=program, start_day=start_day)
    counts = {kind: len(part) for kind, part in tables.kinds().items()}
    if not log.findings() and not counts.get("assignments"):
        log.add(
            Severity.WARNING,
            "empty_grid",
            "not one cell of the grid has work in it; is this the right sheet?",
            book.name,
        )
    salt = "" if mapping is None else f"{mapping}\0{start_day}\0{program}"
    whole = content_hash([SourceFile(book.name, book.content)], salt=salt)
    return SourceRead(tables, log.findings(), whole, (book.name,), "xlsx", counts)
