"""Permanent and transient failures, told apart: seen from how often Dagster tries."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

import dagster as dg
import pytest
from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError

from resilience_assets.policy import PolicyError
from resilience_assets.resources.failures import PERMANENT, TRANSIENT, is_transient, told_apart
from resilience_assets.storage.database import DatabaseError

SOMEBODY = "Quetzalina Tester"


def statement_error(kind: Any, said: str) -> Exception:
    """An error of the database driver as SQLAlchemy raises it, with a name among the values."""
    error: Exception = kind("UPDATE person_record SET name = ?", (SOMEBODY,), sqlite3.OperationalError(said))
    return error


@dataclass
class Tried:
    times: int
    success: bool
    message: str


def tried(error: Exception, *, failing: int = 99) -> Tried:
    """A run of an op with three retries that raises `error` the first `failing` times."""
    times = 0

    @dg.op(retry_policy=dg.RetryPolicy(max_retries=3))
    def work() -> None:
        nonlocal times
        times += 1
        with told_apart():
            if times <= failing:
                raise error

    @dg.job
    def working() -> None:
        work()

    with dg.DagsterInstance.ephemeral() as instance:
        result = working.execute_in_process(instance=instance, raise_on_error=False)
        log = "\n".join(str(entry.to_json()) for entry in instance.all_logs(result.run_id))
    return Tried(times, result.success, log)


@pytest.mark.parametrize(
    "error",
    [
        statement_error(OperationalError, "database is locked"), statement_error(InterfaceError, "gone"),
        ConnectionResetError("by peer"), TimeoutError("slow"),
    ],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
def test_a_transient_failure_is_tried_once_and_three_times_more(error: Exception) -> None:
    assert is_transient(error)
    found = tried(error)
    assert (found.times, found.success) == (4, False)


def test_a_transient_failure_that_passes_is_no_failure() -> None:
    found = tried(statement_error(OperationalError, "database is locked"), failing=2)
    assert (found.times, found.success) == (3, True)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("a date that makes no sense"), KeyError("ICU"), TypeError("None"), ZeroDivisionError("nobody"),
        PolicyError(["red must rise"]), DatabaseError("newer schema"), statement_error(IntegrityError, "UNIQUE constraint failed"),
    ],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
def test_a_permanent_failure_is_tried_once_and_says_what_it_was(error: Exception) -> None:
    assert not is_transient(error)
    found = tried(error)
    assert (found.times, found.success) == (1, False)
    assert type(error).__name__ in found.message


def test_a_failure_that_was_judged_already_passes_as_it_is() -> None:
    assert tried(dg.Failure("the tag is no instant", allow_retries=False)).times == 1
    assert tried(dg.Failure("come back later", allow_retries=True)).times == 4


@pytest.mark.parametrize("kind", [OperationalError, IntegrityError])
def test_values_of_a_failed_statement_stay_out_of_the_log(kind: Any) -> None:
    found = tried(statement_error(kind, "no such table"))
    assert "no such table" in found.message
    assert SOMEBODY not in found.message


def test_what_is_listed_is_either_the_one_or_the_other() -> None:
    assert not set(TRANSIENT) & set(PERMANENT)
    assert not [kind for kind in PERMANENT if issubclass(kind, TRANSIENT)]
