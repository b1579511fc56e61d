"""Opens folders, zips and single files that nobody vouches for, without trusting their size or names.

Belongs here: limits, links, damaged zips. Does not belong here: what the bytes mean (the readers).
Nothing is ever unpacked to disk, so that a name in a zip can reach no path.
"""

from __future__ import annotations

import lzma
import os
import stat
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from resilience_assets.exchange.source import SourceError, SourceFile, source_error

CHUNK = 1 << 20
_ZIP_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OverflowError,
)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a source may hold: bytes in all (after unpacking), files, and bytes unpacked for one packed.

    The ratio counts only past `ratio_from` bytes: short, even texts pack very well.
    """

    total_bytes: int = 128 << 20
    members: int = 1000
    ratio: int = 200
    ratio_from: int = 8 << 20


DEFAULT_LIMITS = Limits()


def open_files(path: Path, wanted: Callable[[str], bool], limits: Limits = DEFAULT_LIMITS) -> list[SourceFile]:
    """The files of a folder, a zip or a single file whose name (without folders) is wanted, by name.

    Folders inside are not entered, except that a zip may hold its files in folders. Links are not
    followed. Raises SourceError for what is missing, too big, damaged, encrypted, not a plain file,
    or there twice under one name.
    """
    mode = _mode(path)
    if stat.S_ISDIR(mode):
        return _open_folder(path, wanted, limits)
    if path.suffix.lower() == ".zip":
        return _open_zip(path, wanted, limits)
    return [read_plain(path, limits)]


def names_in(path: Path) -> list[str]:
    """Names directly in a folder, sorted; SourceError when it cannot be listed."""
    try:
        return sorted(os.listdir(path))
    except OSError as error:
        raise source_error(
            "not_readable", f"the folder cannot be listed ({error.strerror}); check its rights", file=path.name
        ) from error


def read_plain(path: Path, limits: Limits = DEFAULT_LIMITS, already: int = 0) -> SourceFile:
    """All bytes of one plain file, `already` bytes of the limit being used up; SourceError otherwise."""
    if not stat.S_ISREG(_mode(path)):
        raise source_error("not_a_file", "this is not a plain file; copy the file itself here", file=path.name)
    try:
        # opened without following a link or waiting for a pipe that took its place in between
        handle = os.open(
            path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        )
        with os.fdopen(handle, "rb") as stream:
            if os.fstat(stream.fileno()).st_size + already > limits.total_bytes:
                raise _too_big(path.name, limits)
            return SourceFile(path.name, _read_at_most(stream, limits.total_bytes - already, path.name, limits))
    except OSError as error:
        raise source_error(
            "not_readable", f"the file cannot be read ({error.strerror}); check its rights", file=path.name
        ) from error


def _mode(path: Path) -> int:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError as error:
        raise source_error("not_found", "there is no such file or folder; check the path", file=str(path)) from error
    except (OSError, ValueError) as error:
        raise source_error(
            "not_readable", f"the path cannot be read ({error}); check it and its rights", file=path.name
        ) from error
    if stat.S_ISLNK(mode):
        raise source_error(
            "link", "this is a link, and links are not followed; give the file or folder itself", file=path.name
        )
    return mode


def _open_folder(path: Path, wanted: Callable[[str], bool], limits: Limits) -> list[SourceFile]:
    found: list[SourceFile] = []
    total = 0
    for name in names_in(path):
        if wanted(name):
            if len(found) == limits.members:
                raise source_error(
                    "too_many_files", f"more than {limits.members} files; is this the right folder?", file=path.name
                )
            found.append(read_plain(path / name, limits, total))
            total += len(found[-1].content)
    return found


def _open_zip(path: Path, wanted: Callable[[str], bool], limits: Limits) -> list[SourceFile]:
    with_head = read_plain(path, limits)  # also refuses links, pipes and zips that are themselves too big
    try:
        archive = zipfile.ZipFile(path)
    except _ZIP_ERRORS as error:
        if with_head.content.startswith(b"PK\x03\x04"):
            raise source_error(
                "cut_off", "the zip has no end: it looks cut off in transfer; send it again", file=path.name
            ) from error
        raise source_error("not_a_zip", "the name ends in .zip, but this is not a zip file", file=path.name) from error
    with archive:
        members = _members(path.name, archive, wanted, limits)
        found: list[SourceFile] = []
        total = 0
        for info in members:
            found.append(_read_member(path.name, archive, info, total, limits))
            total += len(found[-1].content)
    return sorted(found, key=lambda file: file.name)


def _members(
    zip_name: str, archive: zipfile.ZipFile, wanted: Callable[[str], bool], limits: Limits
) -> list[zipfile.ZipInfo]:
    """The wanted members, after every name in the zip has been looked at."""
    infos = archive.infolist()
    if len(infos) > limits.members:
        raise source_error(
            "too_many_files", f"{len(infos):,} files in one zip, more than {limits.members}", file=zip_name
        )
    chosen: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        parts = PurePosixPath(info.filename.replace("\\", "/")).parts
        if ".." in parts or info.filename.startswith(("/", "\\")) or ":" in info.filename:
            raise source_error(
                "unsafe_name",
                "a file in the zip has a path that leads out of it; pack the files anew",
                file=zip_name,
                value=info.filename,
            )
        if info.is_dir() or not parts or parts[0] == "__MACOSX" or not wanted(parts[-1]):
            continue
        if stat.S_ISLNK(info.external_attr >> 16):
            raise source_error(
                "link", "a file in the zip is a link, and links are not followed", file=zip_name, value=info.filename
            )
        if info.flag_bits & 1:
            raise source_error(
                "encrypted",
                "the zip has a password; send it without one, by a safe way",
                file=zip_name,
                value=info.filename,
            )
        if parts[-1] in chosen:
            reason = f"the zip holds {parts[-1]} twice; leave one set of files in it"
            raise source_error("file_twice", reason, file=zip_name, value=info.filename)
        chosen[parts[-1]] = info
    if sum(info.file_size for info in chosen.values()) > limits.total_bytes:
        raise _too_big(zip_name, limits)
    return list(chosen.values())


def _read_member(
    zip_name: str, archive: zipfile.ZipFile, info: zipfile.ZipInfo, already: int, limits: Limits
) -> SourceFile:
    name = PurePosixPath(info.filename.replace("\\", "/")).name
    try:
        # the sizes that a zip declares are not believed: bytes are counted as they come
        with archive.open(info) as stream:
            content = _read_at_most(
                stream, limits.total_bytes - already, f"{zip_name}/{name}", limits, packed=info.compress_size
            )
    except SourceError:
        raise
    except _ZIP_ERRORS as error:
        reason = f"{name} in the zip is damaged ({error}); pack and send it again"
        raise source_error("damaged_zip", reason, file=zip_name, value=info.filename) from error
    return SourceFile(name, content)


def _read_at_most(stream: IO[bytes], most: int, name: str, limits: Limits, packed: int | None = None) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while chunk := stream.read(CHUNK):
        chunks.append(chunk)
        size += len(chunk)
        if size > most:
            raise _too_big(name, limits)
        if packed is not None and size > limits.ratio_from and size > packed * limits.ratio:
            reason = (
                f"unpacks to more than {limits.ratio} times its size, as no roster does; it was not unpacked further"
            )
            raise source_error("zip_bomb", reason, file=name)
    return b"".join(chunks)


def _too_big(name: str, limits: Limits) -> SourceError:
    return source_error("too_big", f"more than {limits.total_bytes >> 20} MB in all; split it by dates", file=name)
