"""Bugs that were planted into the search for the worst people and into trainings are found."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from resilience_assets_tests.analysis.contingency import planted_worst


@pytest.mark.slow
def test_planted_bugs_are_found() -> None:
    done = subprocess.run(
        [sys.executable, "-m", planted_worst.__name__],
        env=os.environ
        | {"NUMBA_DISABLE_JIT": "1", "PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = dict(line.split("\t") for line in done.stdout.splitlines())
    assert set(found) == set(planted_worst.BUGS)
    right = {bug for bug in planted_worst.BUGS if bug == "none" or bug.endswith("(the same answer)")}
    assert {bug for bug, by in found.items() if not by} == right
