"""`make` on a machine without a suitable Python says so in one line and leaves nothing behind."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]

TOO_OLD = """#!/bin/sh
[ "$1" = --version ] && echo "Python 3.9.2" && exit 0
exit 1
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder with the Makefile and programs that pass for an old Python, named as a real one would be."""
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    for name in ("Makefile", "setup.py"):
        shutil.copy(REPOSITORY / name, tmp_path / name)
    programs = tmp_path / "old"
    programs.mkdir()
    for name in ("python3", "python3.11", "python3.12", "python3.13", "python3.14"):
        (programs / name).write_text(TOO_OLD)
        (programs / name).chmod(0o755)
    return tmp_path


def make(clone: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": f"{clone / 'old'}:{os.environ['PATH']}", "HOME": str(clone)}
    return subprocess.run(
        ["make", "--no-print-directory", *arguments], cwd=clone, env=env, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("target", ["dev", "test"])
def test_an_unsuitable_python_gets_one_clear_line(clone: Path, target: str) -> None:
    done = make(clone, target)
    assert done.returncode != 0
    said = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    assert len(said) == 1, done.stderr
    for part in ("3.11 to 3.14", "Python 3.9.2", f"make {target} PYTHON="):
        assert part in said[0]
    assert not (clone / ".venv").exists()


@pytest.mark.parametrize("named", ["old/python3.11", "/no/such/python"])
def test_a_named_python_that_does_not_suit_is_not_used(clone: Path, named: str) -> None:
    done = make(clone, "dev", f"PYTHON={named}")
    assert done.returncode != 0
    assert named in done.stderr
    assert not (clone / ".venv").exists()
