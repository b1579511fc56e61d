"""The wheel works in a clean environment and from another directory than the repository.

The environment is a new one; a .pth file lends it the third-party packages of the environment that runs the tests, so
that only this product comes from the wheel and nothing is downloaded. The repository is not importable from it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy of the sources: a build folder in the repository would leave old modules in the wheel."""
    place = tmp_path_factory.mktemp("wheel")
    source = place / "source"
    leave_out = shutil.ignore_patterns("__pycache__")
    shutil.copytree(REPOSITORY / "resilience_assets", source / "resilience_assets", ignore=leave_out)
    for name in ("setup.py", "pyproject.toml", "MANIFEST.in", "LICENSE", "README.md"):
        if (REPOSITORY / name).exists():
            shutil.copy(REPOSITORY / name, source / name)
    run([sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(place), str(source)], cwd=place)
    (built,) = place.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def clean(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the programs of an environment that has this product from the wheel and nothing of it besides."""
    place = tmp_path_factory.mktemp("clean")
    run([sys.executable, "-m", "venv", "--without-pip", str(place)], cwd=place)
    site = next(place.glob("lib/python*/site-packages"))
    pip = [sys.executable, "-m", "pip", "--python", str(place / "bin" / "python"), "--disable-pip-version-check"]
    run([*pip, "install", "--no-deps", "--no-index", "--quiet", str(wheel)], cwd=place)
    # Plain paths only: .pth files of the lent folder (an editable install of this very product) are not read.
    (site / "lent.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return place / "bin"


def run(command: Sequence[str], cwd: Path) -> str:
    env = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("RESILIENCE_", "DAGSTER_", "PYTHON", "VIRTUAL_ENV"))
    }
    done = subprocess.run(list(command), cwd=cwd, env=env, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


def test_the_wheel_holds_every_module_and_data_file(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if name.startswith("resilience_assets/")}
    source = REPOSITORY / "resilience_assets"
    written = {
        str(path.relative_to(REPOSITORY))
        for path in source.rglob("*")
        if path.is_file() and path.suffix in {".py", ".yaml", ".mako", ".typed"} and "__pycache__" not in path.parts
    }
    assert written - packed == set(), "not in the wheel: a folder without __init__.py, or a data file not in setup.py"
    assert packed - written == set()


def test_the_package_comes_from_the_wheel(clean: Path, tmp_path: Path) -> None:
    said = run([str(clean / "python"), "-c", "import resilience_assets as r; print(r.__file__)"], cwd=tmp_path)
    assert said.strip().startswith(str(clean.parent))


def test_the_shipped_files_are_found(clean: Path, tmp_path: Path) -> None:
    ask = (
        "from resilience_assets.settings import Settings; from resilience_assets.supervisor import *;"
        "print(shipped_file('workspace.yaml').read_text(), dagster_home(Settings.from_environment()))"
    )
    said = run([str(clean / "python"), "-c", ask], cwd=tmp_path)
    assert "resilience_assets.definitions" in said
    assert (tmp_path / ".resilience" / "dagster" / "dagster.yaml").exists()


def test_the_command_answers(clean: Path, tmp_path: Path) -> None:
    said = run([str(clean / "resilience"), "--help"], cwd=tmp_path)
    assert "import" in said


def test_the_definitions_load(clean: Path, tmp_path: Path) -> None:
    validate = [
        str(clean / "python"),
        "-m",
        "dagster",
        "definitions",
        "validate",
        "-m",
        "resilience_assets.definitions",
    ]
    assert "successful" in run(validate, cwd=tmp_path)
