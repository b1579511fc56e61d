"""`resilience policy`: the thresholds and rules that hold, and whether an overlay is right.

Belongs here: the commands and how a policy reads. Does not belong here: merging and checking it (policy).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from resilience_assets.cli.errors import debug_option

if TYPE_CHECKING:
    from resilience_assets.policy import Policy
    from resilience_assets.settings import Settings

VERSION_SHOWN = 12


@click.group()
def policy() -> None:
    """Thresholds, tiers, duty rules and alert rules."""


@policy.command()
@click.option("--program", metavar="NAME", default="", help="With this program's own section laid over the common one.")
@click.option("--json", "form", flag_value="json", help="The whole merged policy as JSON.")
@click.option("--yaml", "form", flag_value="yaml", help="The whole merged policy as YAML.")
@debug_option
def show(program: str, form: str | None) -> None:
    """Show the policy that holds: shipped, preset, overlay and environment merged."""
    from resilience_assets.resources.deployment import deployment

    here = deployment()
    policies = here.policies()
    text = policies.text_for(program)
    if form == "json":
        click.echo(text, nl=False)
    elif form == "yaml":
        import yaml

        click.echo(yaml.safe_dump(json.loads(text), sort_keys=False, allow_unicode=True, width=110), nl=False)
    else:
        overlay = here.settings.policy_path
        versions = (
            f"version {policies.version_for(program)[:VERSION_SHOWN]} (all programs: {policies.hash[:VERSION_SHOWN]})"
        )
        _show(policies.for_program(program), program, f"{versions}, overlay {overlay or 'none'}")
        if policies.sections:
            click.echo(f"\nSections of their own: {', '.join(sorted(policies.sections))} (--program NAME)")


@policy.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as JSON.")
@debug_option
def check(file: Path | None, as_json: bool) -> None:
    """Check an overlay FILE (default: RESILIENCE_POLICY) with the settings of this deployment.

    Lists every mistake and exits with code 2 when there is one.
    """
    from resilience_assets.cli.terminal import emit_json
    from resilience_assets.policy import PolicyError
    from resilience_assets.resources.deployment import deployment
    from resilience_assets.settings import Settings

    settings = Settings.from_environment()
    if file is not None:
        settings = settings.model_copy(update={"policy_path": file.absolute()})
    try:
        policies = deployment(settings).policies()
    except PolicyError as error:
        if not as_json:
            raise
        emit_json({"valid": False, "version": None, "mistakes": list(error.mistakes)})
        raise click.exceptions.Exit(2) from error
    strangers = _not_on_file(settings, policies.sections)
    if as_json:
        emit_json({"valid": True, "version": policies.hash, "mistakes": [], "unknown_programs": strangers})
        return
    for name in strangers:
        click.echo(f"Warning: programs.{name}: no program of this name is on file; its section holds for nobody", err=True)
    said = f"policy is valid, version {policies.hash[:VERSION_SHOWN]}"
    sections = f"; sections for {', '.join(sorted(policies.sections))}" if policies.sections else ""
    click.echo(said + sections)


def _not_on_file(settings: Settings, sections: Iterable[str]) -> list[str]:
    """Sections of programs that nobody imported; none where no database is there to ask."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import SQLAlchemyError

    from resilience_assets.actions.status import program_codes
    from resilience_assets.storage.database import HEAD, Database

    address = settings.database_url.get_secret_value()
    file = make_url(address).database if address.startswith("sqlite") else None
    if not sections or (file is not None and not Path(file).exists()):
        return []
    try:
        database = Database(address)
        known = program_codes(database) if database.schema_version() == HEAD else []
    except SQLAlchemyError:
        return []  # an overlay is checked before there is a database as well
    return sorted(set(sections) - set(known)) if known else []


def _show(one: Policy, program: str, made_of: str) -> None:
    """The figures that people ask for, each group with its source; --yaml has everything."""
    from resilience_assets.cli.terminal import console

    out = console()
    title = f"Policy of {program}" if program else "Policy of every program without a section of its own"
    out.print(title, style="bold")
    out.print(made_of, soft_wrap=True)
    out.print()
    out.print(_thresholds(one))
    out.print("\nDuty rules", style="bold")
    out.print(_duty_rules(one))
    out.print("\nAlert rules", style="bold")
    out.print(_alert_rules(one))
    out.print("\n--yaml shows all of it, with every source.")


def _thresholds(one: Policy) -> Any:
    from resilience_assets.cli.terminal import plain_table
    from resilience_assets.domain.nouns import Tier
    from resilience_assets.domain.scales import LoadShedding

    table = plain_table("what", "holds", fold=("holds",))
    used, defense, health, roster = one.utilization, one.defense, one.health, one.roster
    table.add_row(
        "utilization",
        f"GREEN < {used.yellow:g} <= YELLOW < {used.orange:g} <= ORANGE < {used.red:g} <= RED "
        f"< {used.black:g} <= BLACK",
    )
    table.add_row(
        "defense level",
        f"prevention from coverage {defense.prevention:g}, control {defense.control:g}, safety systems "
        f"{defense.safety_systems:g}, containment {defense.containment:g}, emergency below",
    )
    table.add_row(
        "redundancy",
        f"N+2 from {one.redundancy.n_plus_2} people beyond the minimum, N+1 from {one.redundancy.n_plus_1}",
    )
    table.add_row(
        "status",
        f"worse after {health.readings_up} readings, better after {health.readings_down}; at once below coverage "
        f"{health.immediate_below_coverage:g}; looks {health.horizon_days} days ahead",
    )
    before: set[int] = set()
    for step in list(LoadShedding)[1:]:
        paused = one.load_shedding.paused(step)
        table.add_row(
            f"pause, step {int(step)}",
            ", ".join(Tier(tier).text for tier in paused if tier not in before) + (" as well" if before else ""),
        )
        before |= set(paused)
    table.add_row("roster", f"grey when last imported more than {roster.import_age_hours:g} hours ago")
    return table


def _duty_rules(one: Policy) -> Any:
    from resilience_assets.cli.terminal import plain_table

    table = plain_table("rule", "force", "what", fold=("what",))
    for rule in one.duty.rules:
        table.add_row(rule.id, rule.force if rule.active else f"{rule.force} (off)", rule.text)
    return table


def _alert_rules(one: Policy) -> Any:
    from resilience_assets.cli.terminal import plain_table

    table = plain_table("rule", "fires", "over", "severity", right=("over",), fold=("rule",))
    for rule in one.alert_rules:
        severity = rule.severity if rule.active else f"{rule.severity} (off)"
        table.add_row(rule.id, f"{rule.direction} {rule.trigger:.4g}", f"{rule.clear:.4g}", severity)
    return table
