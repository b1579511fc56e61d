"""Bugs that were planted into the kernel are found by what the other tests of this room check."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from resilience_assets_tests.analysis.contingency import planted


@pytest.mark.slow
def test_planted_bugs_are_found() -> None:
    done = subprocess.run(
        [sys.executable, "-m", planted.__name__],
        env=os.environ
        | {"NUMBA_DISABLE_JIT": "1", "PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = dict(line.split("\t") for line in done.stdout.splitlines())
    assert set(found) == set(planted.BUGS)
    right = {bug for bug in planted.BUGS if bug == "none" or bug.endswith("(the same answer)")}
    assert {bug for bug, by in found.items() if not by} == right
    assert found["prune of the margin off by one"] == "margins"
