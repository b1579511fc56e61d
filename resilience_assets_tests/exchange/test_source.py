"""What a source is: its hash, its text, when it is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resilience_assets.domain.findings import Finding, Severity
from resilience_assets.domain.tables import RosterTables
from resilience_assets.exchange.source import SourceFile, SourceRead, content_hash, source_error, text_of


@pytest.mark.parametrize(
    ("severity", "strict", "lenient"),
    [
        (Severity.ERROR, True, True),
        (Severity.UNREADABLE, True, False),
        (Severity.WARNING, False, False),
        (Severity.NOTE, False, False),
    ],
)
def test_refused_by_severity(severity: Severity, strict: bool, lenient: bool) -> None:
    read = SourceRead(RosterTables(), [Finding(severity, "rule", "reason")], "", (), "csv", {})
    assert read.refused() is strict
    assert read.refused(allow_unknown=True) is lenient


def test_hash_is_of_names_and_bytes_whatever_the_order() -> None:
    one, two = SourceFile("a.csv", b"x"), SourceFile("b.csv", b"y")
    assert content_hash([one, two]) == content_hash([two, one])
    assert content_hash([one, two]) != content_hash([SourceFile("a.csv", b"y"), SourceFile("b.csv", b"x")])
    assert content_hash([one]) != content_hash([one], salt="start 3")
    # where one file ends and the next begins matters
    assert content_hash([SourceFile("a", b"xb"), SourceFile("c", b"")]) != content_hash(
        [SourceFile("a", b"x"), SourceFile("bc", b"")]
    )


def test_text_takes_a_mark_and_every_kind_of_line_end() -> None:
    assert text_of(SourceFile("a.csv", b"\xef\xbb\xbfa,b\r\n1,\xc3\xa9\r2,3\n")) == ("a,b\n1,é\n2,3\n", None)


@pytest.mark.parametrize(
    ("content", "rule", "row"),
    [
        (b"", "empty_file", None),
        (b" \r\n\r\n", "empty_file", None),
        ("a,b\n1,2\nJosé,3\n".encode("latin-1"), "bad_encoding", 3),
        (b"\xef\xbb\xbfa\r\n\xff", "bad_encoding", 2),
        ("a,b\n".encode("utf-16"), "bad_encoding", 1),
        (b"a,b\n1,\x00\n", "zero_bytes", 2),
    ],
)
def test_what_is_no_text_is_named_with_its_row(content: bytes, rule: str, row: int | None) -> None:
    text, finding = text_of(SourceFile("people.csv", content))
    assert text == ""
    assert finding is not None
    assert (finding.rule, finding.file, finding.row) == (rule, "people.csv", row)


@given(st.binary(max_size=200))
def test_any_bytes_are_text_or_a_finding(content: bytes) -> None:
    text, finding = text_of(SourceFile("f", content))
    assert (finding is None) == bool(text)


def test_the_error_reads_like_a_finding() -> None:
    assert str(source_error("not_a_zip", "no zip", file="a.zip")) == "error: a.zip: not_a_zip: no zip"
