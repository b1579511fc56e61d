"""The line that a benchmark prints for a figure."""

from __future__ import annotations

import json

import pytest

from benchmarks.report import at_most, beside, show


def test_a_figure_is_one_json_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    show(at_most("load", 0.05, "s", 0.1, "small"), as_json=True)
    show(beside("import", 50.0, "rows/s", 100.0, "plain", 0.5), as_json=True)
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert first == {
        "name": "load", "value": 0.05, "unit": "s", "target": 0.1, "ok": True, "against": None, "ratio": None, "note": "small",
    }  # fmt: skip
    assert (second["against"], second["ratio"], second["ok"]) == ("plain", 0.5, True)


def test_a_missed_target_is_printed_as_missed(capsys: pytest.CaptureFixture[str]) -> None:
    show(at_most("load", 0.1, "s", 0.1), as_json=False)
    show(beside("import", 49.0, "rows/s", 100.0, "plain", 0.5), as_json=False)
    assert [line.count("MISSED") for line in capsys.readouterr().out.splitlines()] == [1, 1]
