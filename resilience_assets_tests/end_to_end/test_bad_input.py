"""Bad input through the command line: exit code 2, a message with file, row and rule, the database as it was."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from resilience_assets.cli import resilience
from resilience_assets.storage.database import Database
from resilience_assets_tests.storage.dumping import differences, dump

GOOD = Path(__file__).resolve().parents[1] / "data" / "csv_set"

Spoil = Callable[[Path], Path]


def put(name: str, old: str, new: str) -> Spoil:
    """Replace one text in one file of the good set."""

    def spoil(folder: Path) -> Path:
        text = (folder / name).read_text(encoding="utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")
        return folder

    return spoil


def add(name: str, row: str) -> Spoil:
    """Add a row to one file of the good set."""

    def spoil(folder: Path) -> Path:
        with (folder / name).open("a", encoding="utf-8") as file:
            file.write(row + "\n")
        return folder

    return spoil


def not_a_zip(folder: Path) -> Path:
    path = folder.parent / "roster.zip"
    path.write_bytes(b"this is no archive")
    return path


def zeros(folder: Path) -> Path:
    """200 MB of zeros, in a zip of 200 kB."""
    path = folder.parent / "zeros.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("people.csv", "w") as member:
        for _ in range(200):
            member.write(bytes(1_000_000))
    return path


def latin(folder: Path) -> Path:
    (folder / "people.csv").write_bytes("person,name,role\nATT-01,Zoé Exemple,attending\n".encode("latin-1"))
    return folder


def empty(folder: Path) -> Path:
    (folder / "people.csv").write_bytes(b"")
    return folder


def half(folder: Path) -> Path:
    """A zip of the set, cut in half."""
    whole = Path(shutil.make_archive(str(folder.parent / "whole"), "zip", folder))
    path = folder.parent / "half.zip"
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    return path


def half_a_file(folder: Path) -> Path:
    """A file whose last row breaks off."""
    text = (folder / "assignments.csv").read_text(encoding="utf-8").rstrip("\n")
    (folder / "assignments.csv").write_text(text[: text.rindex(",") - 3], encoding="utf-8")
    return folder


BAD: dict[str, tuple[Spoil, str, str, int | None]] = {
    # what is done to the good set, the rule that refuses it, the file that is named, the row that is named
    "not a zip": (not_a_zip, "not_a_zip", "roster.zip", None),
    "200 MB of zeros": (zeros, "too_big", "zeros.zip", None),
    "wrong encoding": (latin, "bad_encoding", "people.csv", 2),
    "missing column": (put("people.csv", "person,name,role", "person,name,rank"), "missing_column", "people.csv", 1),
    "duplicate id": (add("people.csv", "ATT-01,Alma Again,attending,1,,,,"), "duplicate_id", "people.csv", 6),
    "a date in year 9999": (add("assignments.csv", "ATT-01,9999-01-01,AM,ICU/attending"), "bad_date", "assignments.csv", 9),
    "negative demand": (put("demand.csv", "AM,1,1", "AM,-1,0"), "negative_demand", "demand.csv", 2),
    "minimum above required": (put("demand.csv", "AM,1,1", "AM,1,2"), "minimum_above_required", "demand.csv", 2),
    "assignment to an unknown person": (
        add("assignments.csv", "NOBODY,2026-02-03,AM,ICU/attending"), "unknown_person", "assignments.csv", 9,
    ),
    "formula text in a name": (put("people.csv", "Alma Example", "=cmd(1)"), "formula_text", "people.csv", 2),
    "an empty file": (empty, "empty_file", "people.csv", None),
    "an archive cut in half": (half, "cut_off", "half.zip", None),
    "a file cut in half": (half_a_file, "cut_off", "assignments.csv", 8),
}  # fmt: skip


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state folder into which the good set was imported."""
    state = tmp_path_factory.mktemp("bad-input") / ".resilience"
    done = CliRunner().invoke(resilience, ["import", str(GOOD), "--json"], env={"RESILIENCE_STATE_DIR": str(state)})
    assert done.exit_code == 0, done.output
    return state


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused_and_leaves_the_database_as_it_was(name: str, imported: Path, tmp_path: Path) -> None:
    spoil, rule, file, row = BAD[name]
    path = spoil(Path(shutil.copytree(GOOD, tmp_path / "set")))
    database = Database(f"sqlite:///{imported / 'resilience.db'}")
    before = dump(database)
    environment = {"RESILIENCE_STATE_DIR": str(imported), "COLUMNS": "200"}

    said = CliRunner().invoke(resilience, ["import", str(path), "--json"], env=environment)
    assert said.exit_code == 2
    found = [(one["rule"], one["file"], one["row"]) for one in json.loads(said.stdout)["findings"] if one["severity"] == "error"]
    assert (rule, file, row) in found

    shown = CliRunner().invoke(resilience, ["import", str(path)], env=environment)
    assert shown.exit_code == 2
    for word in (rule, file) if row is None else (rule, file, f"row {row}"):
        assert word in shown.output
    assert "nothing was changed" in shown.output
    assert differences(before, dump(database)) == []


def test_the_good_set_itself_is_imported_already(imported: Path) -> None:
    said = CliRunner().invoke(resilience, ["import", str(GOOD)], env={"RESILIENCE_STATE_DIR": str(imported), "COLUMNS": "200"})
    assert said.exit_code == 0
    assert "already imported as batch 1" in said.output
