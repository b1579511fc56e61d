"""Fixtures that several rooms share: where real data lies, if it does; an environment without our variables."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SHARED_DATA = Path(os.environ.get("RESILIENCE_SHARED_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real rosters kept outside this repository; the test skips where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip(
            f"real data not here: set RESILIENCE_SHARED_DATA (looked in {SHARED_DATA.name}/ beside the project)"
        )
    return SHARED_DATA


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own variables must not decide what a test sees."""
    for name in list(os.environ):
        if name.startswith(("RESILIENCE_", "SMTP_", "CELERY_", "DAGSTER_HOME")) or name == "REDIS_URL":
            monkeypatch.delenv(name)
