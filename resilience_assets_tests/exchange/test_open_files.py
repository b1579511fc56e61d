"""Folders, zips and files are opened without trusting them."""

from __future__ import annotations

import contextlib
import io
import os
import stat
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resilience_assets.exchange.open_files import Limits, open_files, read_plain
from resilience_assets.exchange.source import SourceError

SMALL = Limits(total_bytes=1000, members=3, ratio=20, ratio_from=100)


def any_csv(name: str) -> bool:
    return name.endswith(".csv")


def make_zip(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def rule_of(path: Path, limits: Limits = SMALL) -> str:
    with pytest.raises(SourceError) as caught:
        open_files(path, any_csv, limits)
    (finding,) = caught.value.findings
    assert finding.reason
    assert (
        path.name in finding.file
        or finding.file in path.name
        or finding.file.endswith(".csv")
        or finding.file == str(path)
    )
    return finding.rule


def test_a_folder_and_its_zip_hold_the_same_files(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    content = {"b.csv": b"1", "a.csv": b"2"}
    for name, data in content.items():
        (folder / name).write_bytes(data)
    (folder / "readme.txt").write_bytes(b"x")
    plain = make_zip(tmp_path / "plain.zip", content)
    nested = make_zip(
        tmp_path / "nested.zip",
        {"set/": b"", **{f"set/{name}": data for name, data in content.items()}, "__MACOSX/._a.csv": b"z"},
    )
    files = open_files(folder, any_csv)
    assert [(file.name, file.content) for file in files] == [("a.csv", b"2"), ("b.csv", b"1")]
    assert open_files(plain, any_csv) == files == open_files(nested, any_csv)
    assert open_files(folder / "a.csv", any_csv) == files[:1]


def test_missing(tmp_path: Path) -> None:
    assert rule_of(tmp_path / "none.csv") == "not_found"
    assert rule_of(tmp_path / "nul\0byte.csv") == "not_readable"


def test_not_a_zip_and_a_zip_cut_in_half(tmp_path: Path) -> None:
    fake = tmp_path / "fake.zip"
    fake.write_bytes(b"hello, I am not a zip")
    assert rule_of(fake) == "not_a_zip"
    whole = make_zip(tmp_path / "whole.zip", {"a.csv": os.urandom(400)}).read_bytes()
    half = tmp_path / "half.zip"
    half.write_bytes(whole[: len(whole) // 2])
    assert rule_of(half) == "cut_off"


def test_a_damaged_byte_in_a_zip_is_noticed(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", {"a.csv": os.urandom(400)})
    content = bytearray(path.read_bytes())
    content[200] ^= 0xFF
    path.write_bytes(content)
    assert rule_of(path) == "damaged_zip"


def test_zeros_200_mb_packed_are_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "zeros.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("people.csv", "w") as member:
        for _ in range(200):
            member.write(bytes(1 << 20))
    assert rule_of(path, Limits()) == "too_big"
    assert rule_of(path, Limits(total_bytes=1 << 30)) == "zip_bomb"


def test_zeros_200_mb_plain_are_refused_by_size_before_reading(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    with path.open("wb") as stream:
        stream.truncate(200 << 20)
    assert rule_of(path, Limits()) == "too_big"


def test_a_zip_that_lies_about_its_sizes_is_still_bounded(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", {"a.csv": bytes(100_000)})
    content = path.read_bytes()
    declared = (100_000).to_bytes(4, "little")
    assert content.count(declared) == 2
    path.write_bytes(content.replace(declared, (50).to_bytes(4, "little")))
    assert rule_of(path) in ("damaged_zip", "too_big", "zip_bomb")


def test_the_limit_is_over_all_files(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_bytes(bytes(600))
    assert rule_of(tmp_path) == "too_big"
    assert (
        rule_of(
            make_zip(
                tmp_path / "two.zip", {"a.csv": os.urandom(600), "b.csv": os.urandom(300), "c.csv": os.urandom(300)}
            )
        )
        == "too_big"
    )
    assert len(read_plain(tmp_path / "a.csv", SMALL).content) == 600


def test_too_many_files(tmp_path: Path) -> None:
    names = {f"{i}.csv": b"x" for i in range(4)}
    assert rule_of(make_zip(tmp_path / "many.zip", names)) == "too_many_files"
    for name, data in names.items():
        (tmp_path / name).write_bytes(data)
    assert rule_of(tmp_path) == "too_many_files"


@pytest.mark.parametrize("name", ["../a.csv", "/etc/a.csv", "x/../../a.csv", "..\\a.csv", "C:\\a.csv"])
def test_names_that_lead_out_of_a_zip(tmp_path: Path, name: str) -> None:
    assert rule_of(make_zip(tmp_path / "a.zip", {name: b"x"})) == "unsafe_name"


def test_links_are_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_bytes(b"x")
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "people.csv").symlink_to(secret)
    assert rule_of(folder) == "link"
    assert rule_of(folder / "people.csv") == "link"
    info = zipfile.ZipInfo("people.csv")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "link.zip", "w") as archive:
        archive.writestr(info, "/etc/passwd")
    assert rule_of(tmp_path / "link.zip") == "link"


def test_a_pipe_does_not_make_us_wait(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "people.csv")
    assert rule_of(tmp_path) == "not_a_file"
    assert rule_of(tmp_path / "people.csv") == "not_a_file"


def test_the_same_name_twice_in_a_zip(tmp_path: Path) -> None:
    assert rule_of(make_zip(tmp_path / "a.zip", {"one/a.csv": b"x", "two/a.csv": b"y"})) == "file_twice"


def test_a_password(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", {"a.csv": b"x"})
    content = bytearray(path.read_bytes())
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    assert rule_of(path) == "encrypted"


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_zip_with_any_bytes_changed_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", "person,role\nA,x\n" * 5)
        archive.writestr("b.csv", "b")
    content = bytearray(buffer.getvalue())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("zip") / "a.zip"
    path.write_bytes(content)
    with contextlib.suppress(SourceError):
        open_files(path, any_csv, SMALL)
