"""Permanent and transient failures, told apart in one place.

Belongs here: which exceptions are worth another try. Dagster has three retry mechanisms that do not
know of each other: the retry policy of an op (ours: transient failures only), run retries (ours:
crashed workers only, see dagster.yaml) and automation conditions (not used).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, StatementError

from resilience_assets.policy import PolicyError
from resilience_assets.storage.database import DatabaseError

TRANSIENT: tuple[type[Exception], ...] = (OperationalError, InterfaceError, ConnectionError, TimeoutError)
"""A lock, a lost connection, a server that starts: the same call may go through later."""

PERMANENT: tuple[type[Exception], ...] = (PolicyError, DatabaseError, ValueError, TypeError, KeyError, DBAPIError)
"""Wrong input, wrong schema or a bug: the same call fails the same way again."""


def is_transient(error: BaseException) -> bool:
    """True when the same call may succeed later; unknown exceptions are taken for permanent."""
    return isinstance(error, TRANSIENT)


@contextmanager
def told_apart() -> Iterator[None]:
    """Let transient failures pass (they are retried) and end the step at once for all others.

    The values of a failed statement stay out of the message: they may be names of people, and logs are not
    for names.
    """
    try:
        yield
    except dg.Failure:
        raise
    except Exception as error:
        if isinstance(error, StatementError):
            error.hide_parameters = True
        if is_transient(error):
            raise
        raise dg.Failure(f"{type(error).__name__}: {error}", allow_retries=False) from error
