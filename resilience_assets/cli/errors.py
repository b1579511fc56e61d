"""Errors as people read them: one clear line and an exit code.

Belongs here: which exception means which exit code, the --debug switch. Does not belong here: the messages
themselves; they are written where an error is raised.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

DEBUG = "resilience_assets.cli.debug"
"""Key in click's shared context under which --debug is noted."""

Command = TypeVar("Command", bound=Callable[..., Any])


class Refused(click.ClickException):
    """Nothing was done: the input, a setting or the policy is wrong."""

    exit_code = 2


class Failed(click.ClickException):
    """It was tried and did not work."""

    exit_code = 1


def debug_option(command: Command) -> Command:
    """Give a command the switch --debug; it may stand before or after the command's name."""

    def note(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
        if value:
            ctx.meta[DEBUG] = True

    option = click.option(
        "--debug", is_flag=True, expose_value=False, is_eager=True, callback=note, help="Show tracebacks."
    )
    return option(command)


def in_one_line(error: Exception) -> click.ClickException:
    """The exception that click shows instead: exit code 2 for wrong input, 1 for everything else."""
    import filelock
    from sqlalchemy.exc import ArgumentError, DBAPIError

    from resilience_assets.storage.database import DatabaseError
    from resilience_assets.supervisor import CannotStart

    if isinstance(error, DBAPIError):
        reason = " ".join(str(error.orig).split()) or type(error.orig).__name__
        return Failed(f"the database cannot be used: {reason}; check RESILIENCE_DATABASE_URL and the state folder")
    if isinstance(error, ArgumentError):
        return Refused("RESILIENCE_DATABASE_URL is not an address that SQLAlchemy reads; see .env.example")
    if isinstance(error, (ValueError, DatabaseError, CannotStart)):
        return Refused(str(error))
    if isinstance(error, (OSError, filelock.Timeout)):
        where = f"{error.filename}: " if getattr(error, "filename", None) else ""
        return Refused(f"{where}{getattr(error, 'strerror', None) or error}")
    return Failed(f"{type(error).__name__}: {error} (run it again with --debug for the traceback)")
