"""`resilience run JOB`: any job by its name.

Belongs here: the command and what it prints when the job has run. Does not belong here: starting a run
(launch.py), jobs (automation).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from resilience_assets.cli.errors import Failed, Refused, debug_option

if TYPE_CHECKING:
    from resilience_assets.cli.launch import Outcome
    from resilience_assets.resources.deployment import Deployment

HEALTH_CHECK = "periodic_health_check"
ANALYSIS = "run_contingency_analysis"


@click.command()
@click.argument("job")
@click.option(
    "--config", "pairs", metavar="KEY=VALUE", multiple=True, help="A value of the job's configuration; may be repeated."
)
@click.option("--wait/--no-wait", default=True, show_default=True, help="Wait until the run has ended.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@debug_option
def run(job: str, pairs: tuple[str, ...], wait: bool, as_json: bool) -> None:
    """Run JOB and print its result.

    Where `resilience dev` runs on this state, the run is queued there; else it is executed here and now.
    periodic_health_check prints, for each program, timestamp, status, utilization, defense_level, n1_pass, n2_pass
    and immediate_actions; run_contingency_analysis prints what a contingency analysis found.
    """
    from resilience_assets.cli import launch
    from resilience_assets.cli.terminal import emit_json
    from resilience_assets.resources.deployment import deployment
    from resilience_assets.supervisor import instance_running

    here = deployment()
    here.database  # noqa: B018 - brings the schema up to date, so that a wrong address is refused before a run starts
    definition = launch.find_job(here, job)
    config = launch.run_config(definition, launch.parsed_pairs(pairs))
    running = instance_running(here.settings)
    address = str(running["address"]) if running else ""
    if address:
        outcome = launch.through_webserver(address, job, config, wait=wait, tell=_tell)
    else:
        if not wait:
            raise Refused(
                f"nothing runs on {here.settings.state_dir} that could take the run; "
                "leave out --no-wait, or start `resilience dev`"
            )
        outcome = launch.in_process(here, definition, config)
    if outcome.status in ("FAILURE", "CANCELED"):
        if as_json:
            emit_json(outcome.as_json())
        raise Failed(
            f"{job} ended as {outcome.status} (run {outcome.run_id}): "
            f"{outcome.message or 'see the run in the Dagster UI'}"
        )
    if job == HEALTH_CHECK and outcome.status == "SUCCESS":
        _show_health(here, as_json)
    elif job == ANALYSIS and outcome.status == "SUCCESS":
        _show_analysis(here, launch.parsed_pairs(pairs).get("days_ahead"), as_json)
    elif as_json:
        emit_json(outcome.as_json())
    else:
        _show_outcome(outcome)


def _tell(line: str) -> None:
    """Progress goes to stderr: stdout is the result alone."""
    click.echo(line, err=True)


def _show_outcome(outcome: Outcome) -> None:
    said = {"SUCCESS": "done"}.get(outcome.status, outcome.status.lower())
    click.echo(f"{outcome.job}: {said} (run {outcome.run_id})")
    for name, value in outcome.results.items():
        click.echo(f"  {name}: {value}")
    if outcome.address and outcome.status != "SUCCESS":
        click.echo(f"  {outcome.address}/runs/{outcome.run_id}")


def _show_health(here: Deployment, as_json: bool) -> None:
    from rich.text import Text

    from resilience_assets.actions.status import standings
    from resilience_assets.cli.terminal import STATUS_STYLES, command_name, console, emit_json, show_points

    found = standings(here.database, here.policies(), here.clock.now(), detail=False)
    if as_json:
        emit_json({one.program: one.health() for one in found})
        return
    out = console()
    for one in found:
        health = one.health()
        out.print(Text.assemble((one.program, "bold"), "  ", (health["status"], STATUS_STYLES[health["status"]])))
        for name in ("timestamp", "utilization", "defense_level", "n1_pass", "n2_pass"):
            out.print(f"  {name:<15}{_value(health[name])}")
        actions: list[Any] = health["immediate_actions"]
        out.print(f"  immediate_actions{'' if actions else '  none'}")
        show_points(out, actions)
    if not found:
        click.echo(f"No program yet: {command_name()} import PATH or {command_name()} demo")


def _show_analysis(here: Deployment, days: str | None, as_json: bool) -> None:
    from rich.text import Text

    from resilience_assets.actions.deep_dive import analysis_results
    from resilience_assets.actions.program_states import program_states
    from resilience_assets.cli.terminal import console, emit_json, show_points

    now = here.clock.now()
    found = analysis_results(here.database, here.policies(), now, program_states(here.database, now), int(days) if days else None)
    if as_json:
        emit_json(found)
        return
    out = console()
    for program, result in found.items():
        out.print(Text(program, "bold"))
        for name, value in result.items():
            if name != "recommendations":
                out.print(f"  {name:<26}{', '.join(value) or 'nobody' if isinstance(value, list) else _value(value)}")
        out.print(f"  recommendations{'' if result['recommendations'] else '           none'}")
        show_points(out, result["recommendations"])


def _value(value: Any) -> str:
    if value is None:
        return "unknown"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
