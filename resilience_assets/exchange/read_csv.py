"""Our own documented CSV set (docs/csv-format.md), as a folder, a zip or one file of it.

Belongs here: putting the files of a set together. Does not belong here: opening them
(open_files.py), the columns of each (csv_kinds.py, csv_program.py).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from resilience_assets.domain.findings import Severity
from resilience_assets.domain.tables import COLUMNS, RosterTables
from resilience_assets.exchange.csv_kinds import KIND_COLUMNS, read_kind
from resilience_assets.exchange.csv_program import PROGRAM_COLUMNS, read_program
from resilience_assets.exchange.csv_text import read_text_table
from resilience_assets.exchange.finding_log import FindingLog
from resilience_assets.exchange.open_files import DEFAULT_LIMITS, Limits, open_files
from resilience_assets.exchange.references import check_references, defined_ids
from resilience_assets.exchange.source import Progress, SourceFile, SourceRead, content_hash, source_error

FILE_KINDS = (*PROGRAM_COLUMNS, *KIND_COLUMNS)
"""Names that the files of a set may have, without .csv."""


def kind_of_file(name: str) -> str | None:
    """'people' for people.csv, in whatever letters; None for a name that is not one of the set's."""
    stem, dot, suffix = name.lower().rpartition(".")
    return stem if dot and suffix == "csv" and stem in FILE_KINDS else None


def read_csv_set(
    path: Path, *, program: str | None = None, limits: Limits = DEFAULT_LIMITS, progress: Progress | None = None
) -> SourceRead:
    """Read a folder, a zip or a single file of the CSV set.

    `program` names the program that the files are for; a program.csv that says otherwise is an
    error. Raises SourceError when nothing can be read at all; whatever is wrong with single files,
    rows and cells is in the findings.
    """
    log = FindingLog()
    opened = open_files(path, lambda name: name.lower().endswith(".csv") and not name.startswith("."), limits)
    files = {kind: file for file in opened if (kind := kind_of_file(file.name)) is not None}
    _check_names(path, opened, files, log)
    tables: dict[str, tuple[str, pd.DataFrame]] = {}
    total = sum(len(file.content) for file in files.values())
    done = 0
    for kind, file in files.items():
        if progress:
            progress(file.name, done, total)
        table = read_text_table(file, log)
        if table is not None:
            tables[kind] = (file.name, table)
        done += len(file.content)
    if progress:
        progress("checking", total, total)
    read = _roster_tables(tables, program, log)
    counts = {kind: len(part) for kind, part in read.kinds().items()}
    return SourceRead(
        read,
        log.findings(),
        content_hash(files.values()),
        tuple(sorted(file.name for file in files.values())),
        "csv",
        counts,
    )


def _check_names(path: Path, opened: list[SourceFile], files: dict[str, SourceFile], log: FindingLog) -> None:
    """Nothing of ours is an error, a file twice too (People.csv and people.csv); other CSV files are mentioned."""
    known = ", ".join(f"{kind}.csv" for kind in FILE_KINDS)
    if not files:
        raise source_error("no_known_file", f"no file of the CSV set is here; its files are {known}", file=path.name)
    for file in opened:
        kind = kind_of_file(file.name)
        if kind is None:
            log.add(
                Severity.WARNING,
                "unknown_file",
                f"not one of the set's files and not read; those are {known}",
                file.name,
            )
        elif files[kind] is not file:
            raise source_error(
                "file_twice", f"the set holds {kind}.csv twice in different letters; leave one", file=file.name
            )


def _roster_tables(tables: dict[str, tuple[str, pd.DataFrame]], program: str | None, log: FindingLog) -> RosterTables:
    """Frames of all kinds and the findings between them."""
    said = read_program({kind: tables[kind] for kind in PROGRAM_COLUMNS if kind in tables}, program, log)
    parts: dict[str, Any] = {
        kind: read_kind(kind, tables[kind][1], tables[kind][0], log) for kind in COLUMNS if kind in tables
    }
    read = RosterTables(program=said, **parts)
    known = defined_ids(read)
    # a row left out for a bad cell still defines its id: one mistake is to be told once
    for kind, noun in (("people", "person"), ("services", "service"), ("posts", "post")):
        if noun in known and noun in tables[kind][1]:
            known[noun] |= {str(text).strip() for text in tables[kind][1][noun].cat.categories}
    log.extend(check_references(read, known))
    return read
