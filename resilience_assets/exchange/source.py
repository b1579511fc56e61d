"""What an importer hands over, and the one error it may raise.

Belongs here: the result of reading one source, its content hash, the text of one file's bytes. Does
not belong here: opening folders and zips (open_files.py), any one format (read_csv.py, read_inrc2.py,
workbook.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from resilience_assets.domain.findings import Finding, Severity
from resilience_assets.domain.tables import RosterTables

Progress = Callable[[str, int, int], None]
"""Told what is being read, and how much of how much is done (bytes; files where there are many small ones)."""


@dataclass(frozen=True)
class SourceFile:
    """One file of a source: its name without folders, and all its bytes."""

    name: str
    content: bytes


@dataclass(frozen=True)
class SourceRead:
    """One source read.

    `tables` holds the rows that could be understood, `findings` what is wrong with the others;
    `content_hash` is the same for the same content in a folder, a zip or a single file, whatever
    the order; `files` are the names read; `kind` is csv, xlsx or inrc2; `counts` are rows a kind.
    """

    tables: RosterTables
    findings: list[Finding]
    content_hash: str
    files: tuple[str, ...]
    kind: str
    counts: dict[str, int]

    def refused(self, allow_unknown: bool = False) -> bool:
        """True when this may not be imported: an error, or an unreadable cell that is not allowed."""
        severities = {finding.severity for finding in self.findings}
        return Severity.ERROR in severities or (Severity.UNREADABLE in severities and not allow_unknown)


class SourceError(ValueError):
    """Nothing could be read at all. `findings` says why, in the same words as a refused import."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = list(findings)
        super().__init__("; ".join(str(finding) for finding in self.findings))


def source_error(
    rule: str, reason: str, *, file: str = "", row: int | None = None, column: str = "", value: str = ""
) -> SourceError:
    """A SourceError of one finding."""
    return SourceError([Finding(Severity.ERROR, rule, reason, file, row, column, value)])


def content_hash(files: Iterable[SourceFile], *, salt: str = "") -> str:
    """SHA-256 over names and bytes, in order of name; `salt` is whatever else decides the meaning (a start date)."""
    total = hashlib.sha256(salt.encode())
    for file in sorted(files, key=lambda one: one.name):
        total.update(f"\0{file.name}\0{len(file.content)}\0".encode("utf-8", "surrogateescape"))
        total.update(file.content)
    return total.hexdigest()


def text_of(file: SourceFile) -> tuple[str, Finding | None]:
    """The text of a file in UTF-8 (a byte order mark is dropped) with all line ends as \\n, or why not.

    The finding names the row (line) of the first byte that is wrong; the text is then empty.
    """
    content = file.content.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if not content.strip():
        return "", Finding(
            Severity.ERROR,
            "empty_file",
            "the file is empty; write at least its header row, or leave the file out",
            file.name,
        )
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        reason = "the file is UTF-16 (Excel calls it Unicode text); save it again as 'CSV UTF-8'"
        return "", Finding(Severity.ERROR, "bad_encoding", reason, file.name, 1)
    at = content.find(b"\0")
    if at >= 0:
        reason = "the file holds zero bytes, which no text has; it is damaged or not a text file"
        return "", Finding(Severity.ERROR, "zero_bytes", reason, file.name, content.count(b"\n", 0, at) + 1)
    try:
        return content.decode("utf-8"), None
    except UnicodeDecodeError as error:
        byte = f"byte 0x{content[error.start]:02X}"
        reason = f"{byte} is not UTF-8; save the file again as 'CSV UTF-8' (Windows-1252 and Latin-1 are not read)"
        return "", Finding(Severity.ERROR, "bad_encoding", reason, file.name, content.count(b"\n", 0, error.start) + 1)
