"""Reading a dropped file apart, and putting it away with its report."""

import json
import sys

import pytest

from resilience_assets.actions import import_apart as module
from resilience_assets.actions.import_apart import ApartReport, import_apart, put_away

NOTE = {"severity": "note", "rule": "empty_row", "file": "people.csv", "row": 2, "column": "", "value": "", "reason": "skipped"}
WRONG = NOTE | {"severity": "error", "rule": "bad_date", "row": 3, "value": "Ines Calder", "reason": "write 2026-03-01"}
REFUSED = ApartReport(True, {"outcome": "refused", "findings": [NOTE, WRONG]})
IMPORTED = ApartReport(False, {"outcome": "imported", "findings": []})


@pytest.mark.parametrize(("outcome", "folder"), [(REFUSED, "refused"), (IMPORTED, "done")])
def test_a_file_goes_where_it_belongs_with_its_report_beside_it(tmp_path, outcome, folder):
    path = tmp_path / "roster.xlsx"
    path.write_text("x")
    path.with_name("roster.refused.xlsx").write_text("coloured")
    target = put_away(path, outcome, "20260904T0600")
    assert target == tmp_path / folder / "20260904T0600-roster.xlsx"
    assert target.read_text() == "x"
    assert json.loads((target.parent / (target.name + ".report.json")).read_text()) == outcome.report
    assert (tmp_path / folder / "20260904T0600-roster.refused.xlsx").exists()
    assert sorted(one.name for one in tmp_path.iterdir()) == [folder]


def test_a_folder_is_put_away_whole(tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "people.csv").write_text("x")
    assert (put_away(tmp_path / "set", IMPORTED, "t") / "people.csv").read_text() == "x"


def test_one_sentence_for_the_log():
    assert REFUSED.sentence.startswith("refused (")
    assert "write 2026-03-01" in REFUSED.sentence
    assert "Ines Calder" not in REFUSED.sentence
    assert IMPORTED.sentence == "imported"


def child(monkeypatch, tmp_path, code):  # type: ignore[no-untyped-def]
    """Let a program of ours stand in for the reader."""
    script = tmp_path / "reader.py"
    script.write_text(code)
    run = module.subprocess.run
    monkeypatch.setattr(module.subprocess, "run", lambda command, **options: run([sys.executable, str(script)], **options))
    return import_apart(tmp_path / "roster.csv", program="fm", by="drop folder", options=[], environment={})


def test_the_report_of_the_child_is_taken_over(monkeypatch, tmp_path):
    found = child(monkeypatch, tmp_path, "import sys; print('{\"outcome\": \"refused\"}'); sys.exit(2)")
    assert (found.refused, found.report) == (True, {"outcome": "refused"})


def test_a_child_that_dies_is_a_refusal_that_says_why(monkeypatch, tmp_path):
    found = child(monkeypatch, tmp_path, "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    assert (found.refused, found.report["findings"][0]["rule"]) == (True, "reader_died")
    assert "ended with code -9" in found.sentence


def test_a_child_that_takes_too_long_is_stopped(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "SECONDS", 0.3)
    found = child(monkeypatch, tmp_path, "import time; time.sleep(60)")
    assert (found.refused, found.report["findings"][0]["rule"]) == (True, "too_slow")


def test_a_child_that_takes_too_much_memory_is_a_refusal(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "MEMORY_BYTES", 300 * 1024**2)
    found = child(monkeypatch, tmp_path, "x = bytearray(2 * 1024**3)")
    assert found.refused
    assert "more memory than allowed" in found.sentence
