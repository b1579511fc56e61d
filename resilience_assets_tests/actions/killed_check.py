"""A check that is killed on the way: run as a program of its own by test_together.py.

Arguments: database URL, and the number of the write transaction in which the process kills itself,
after its statements and before it is kept (0 = never).
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from resilience_assets.storage.database import Database
from resilience_assets_tests.actions.building import check


def main(url: str, kill_in: int) -> None:
    """Run the check of the tests' instant."""
    database = Database(url)
    whole, count = database.write, 0

    @contextmanager
    def write(*args: Any, **options: Any) -> Iterator[Any]:
        nonlocal count
        count += 1
        with whole(*args, **options) as connection:
            yield connection
            if count == kill_in:
                os.kill(os.getpid(), signal.SIGKILL)

    database.write = write  # type: ignore[method-assign]
    check(database)
    print(count)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
