"""One door for every kind of source: says which kind a path is and has it read.

Belongs here: guessing the kind, dispatch. Does not belong here: any format (read_csv.py,
read_inrc2.py, workbook.py).
"""

from __future__ import annotations

from pathlib import Path

from resilience_assets.exchange.read_csv import FILE_KINDS, kind_of_file, read_csv_set
from resilience_assets.exchange.read_inrc2 import FOLDER, read_inrc2
from resilience_assets.exchange.source import Progress, SourceError, SourceRead, source_error

KINDS = ("csv", "xlsx", "inrc2")
_WORKBOOKS = (".xlsx", ".xlsm", ".xls", ".ods")


def read_source(
    path: Path,
    kind: str | None = None,
    *,
    program: str | None = None,
    mapping: str | None = None,
    start_day: int | None = None,
    progress: Progress | None = None,
) -> SourceRead:
    """Read a roster source of any kind; `kind` is one of KINDS, or None to go by the path.

    `program` names the program that the source is for; `mapping` is the YAML text of a grid
    mapping (workbooks only); `start_day` is the epoch day of the first date where the source does
    not say it. Raises SourceError when nothing can be read at all; what is wrong with parts of it
    is in the findings.
    """
    found = kind or guess_kind(path)
    if found == "csv":
        read = read_csv_set(path, program=program, progress=progress)
    elif found == "inrc2":
        read = read_inrc2(path, start_day=start_day, program=program, progress=progress)
    elif found == "xlsx":
        from resilience_assets.exchange.workbook import read_workbook  # the Excel libraries load slowly

        read = read_workbook(path, program=program, mapping=mapping, start_day=start_day)
    else:
        raise source_error(
            "unknown_kind", f"not a kind of source; those are {', '.join(KINDS)}", file=path.name, value=str(found)
        )
    return read


def guess_kind(path: Path) -> str:
    """csv, xlsx or inrc2, by the name of the path and whether it is a folder; SourceError when it could be none."""
    if FOLDER.match(path.name):
        return "inrc2"
    suffix = path.suffix.lower()
    if path.is_dir() or suffix == ".zip" or kind_of_file(path.name):
        return "csv"
    if suffix in _WORKBOOKS:
        return "xlsx"
    if not path.exists():
        raise _not_found(path)
    names = ", ".join(f"{name}.csv" for name in FILE_KINDS)
    reason = (
        f"not a known kind of source; those are a folder or zip of the CSV set, one of its files ({names}), "
        "an .xlsx workbook, or an INRC-II solution folder"
    )
    raise source_error("unknown_kind", reason, file=path.name)


def _not_found(path: Path) -> SourceError:
    return source_error("not_found", "there is no such file or folder; check the path", file=str(path))
