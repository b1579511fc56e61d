"""Saves a workbook so that the same content gives the same bytes.

Belongs here: taking out the time of writing, which openpyxl and the zip format put in. Does not
belong here: what is written (template.py, refused_copy.py).
"""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from pathlib import Path

import openpyxl

_WRITTEN = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*(</dcterms:)")
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)


def save_settled(book: openpyxl.Workbook, path: Path, day: dt.date) -> None:
    """Write a workbook to `path`, dated `day` at midnight. OSError when the path cannot be written."""
    written = io.BytesIO()
    book.save(written)
    stamp = f"{day.isoformat()}T00:00:00Z".encode()
    settled = io.BytesIO()
    with zipfile.ZipFile(written) as source, zipfile.ZipFile(settled, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "docProps/core.xml":
                content = _WRITTEN.sub(rb"\g<1>" + stamp + rb"\g<2>", content)
            target.writestr(zipfile.ZipInfo(name, _ZIP_DATE), content, zipfile.ZIP_DEFLATED)
    path.write_bytes(settled.getvalue())
