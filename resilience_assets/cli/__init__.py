"""The `resilience` command: what people type, over the actions.

Belongs here: arguments, calling an action, saying the result to a person or as one JSON document. Does not
belong here: SQL, formulas, decisions. A module a command; each imports its libraries when it is run, so that
`resilience --help` starts at once.

Exit codes: 0 done (also "nothing to do"), 1 it was tried and failed, 2 refused: wrong input, settings or policy.
"""

from __future__ import annotations

import importlib
import warnings
from typing import Any

import click

from resilience_assets.cli.errors import DEBUG, debug_option, in_one_line

COMMANDS = {
    "dev": "resilience_assets.cli.dev:dev",
    "demo": "resilience_assets.cli.demo:demo",
    "import": "resilience_assets.cli.importing:import_",
    "template": "resilience_assets.cli.template:template",
    "absent": "resilience_assets.cli.absent:absent",
    "without": "resilience_assets.cli.without:without",
    "status": "resilience_assets.cli.status:status",
    "brief": "resilience_assets.cli.brief:brief",
    "inbox": "resilience_assets.cli.inbox:inbox",
    "ack": "resilience_assets.cli.ack:ack",
    "silence": "resilience_assets.cli.silence:silence",
    "gap": "resilience_assets.cli.gap:gap",
    "send": "resilience_assets.cli.send:send",
    "redeliver": "resilience_assets.cli.redeliver:redeliver",
    "dispatch": "resilience_assets.cli.dispatch:dispatch",
    "doctor": "resilience_assets.cli.doctor:doctor",
    "audit": "resilience_assets.cli.audit:audit",
    "policy": "resilience_assets.cli.policy:policy",
    "run": "resilience_assets.cli.run:run",
}
"""Where each command lies, in the order of the help text."""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are asked for, and whose errors are one line for people."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of all commands, in the order in which they are met."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name; None when there is none."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; an exception becomes one line and an exit code, with --debug a traceback."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.Abort, click.exceptions.Exit, BrokenPipeError):
            raise
        except Exception as error:
            if ctx.meta.get(DEBUG):
                raise
            raise in_one_line(error) from error


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="resilience-assets", prog_name="resilience")
@debug_option
def resilience() -> None:
    """Whose absence breaks the roster, when, and what do we do then.

    State lies in .resilience/ of the working directory or above it (RESILIENCE_STATE_DIR). First steps:
    `resilience dev`, or `resilience demo` and `resilience status`.
    """


def main() -> None:
    """Entry point of the console script."""
    # Dagster's marks of beta and preview are for developers: the tests see them
    warnings.filterwarnings("ignore", message=".*is currently in (beta|preview)")
    resilience(prog_name="resilience")
