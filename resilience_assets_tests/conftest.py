"""Fixtures that several rooms share: where real data lies, if it does."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SHARED_DATA = Path(os.environ.get("RESILIENCE_SHARED_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real rosters kept outside this repository; the test skips where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"real data not here: set RESILIENCE_SHARED_DATA (looked in {SHARED_DATA.name}/ beside the project)")
    return SHARED_DATA
