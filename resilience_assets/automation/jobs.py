"""Every job: what it runs, in which queue, for how long, and how it is retried.

Belongs here: job definitions; ops whose body is one action. Does not belong here: when they run
(schedules.py, sensors.py).
"""

import datetime as dt
import os
from typing import Any

import dagster as dg
from pydantic import Field

from resilience_assets.actions import send
from resilience_assets.actions.canary import send_canary
from resilience_assets.actions.deliver import deliver_message, deliver_pending, whereabouts
from resilience_assets.actions.import_apart import import_apart, put_away
from resilience_assets.actions.maintenance import purge
from resilience_assets.actions.morning_brief import send_briefs
from resilience_assets.actions.report_absence import report_absence as report_absence_action
from resilience_assets.actions.report_absence import undo_absence
from resilience_assets.automation.queues import DEFAULT, NOTIFICATIONS, RESILIENCE, run_tags
from resilience_assets.automation.run_history import purge_runs
from resilience_assets.domain.days import day_of
from resilience_assets.resources.as_of import as_of
from resilience_assets.resources.deployment import Deployment, who
from resilience_assets.resources.failures import told_apart

RETRY = dg.RetryPolicy(max_retries=3, delay=60)
"""Short: a retry that sleeps holds its slot in the queue."""

HEALTH_ASSETS = ("roster", "utilization_snapshot", "service_redundancy", "contingency_report", "system_health", "incidents")

periodic_health_check = dg.define_asset_job(
    "periodic_health_check",
    selection=dg.AssetSelection.assets(*HEALTH_ASSETS),
    description="Freeze what moved, measure every program, judge its health, open and close incidents.",
    tags=run_tags(RESILIENCE, 600),
    op_retry_policy=RETRY,
)


CONTINGENCY_ASSETS = ("roster", "contingency_report", "contingency_deep_dive")

run_contingency_analysis = dg.define_asset_job(
    "run_contingency_analysis",
    selection=dg.AssetSelection.assets(*CONTINGENCY_ASSETS),
    description="Whose loss breaks what, and what helps: the report of every program, and the deep dive into it. days_ahead: 90 as shipped.",
    tags=run_tags(RESILIENCE, 1800),
    op_retry_policy=dg.RetryPolicy(max_retries=2, delay=60),
)


class ImportConfig(dg.Config):
    """One file to import; `path` is below the drop folder or absolute on the machine of the run."""

    path: str
    program: str = ""
    kind: str = ""
    mapping: str = ""
    start: str = ""
    allow_unknown: bool = False
    contradicted: str = "refuse"
    put_away: bool = False


@dg.op(retry_policy=RETRY, description="Read a file in a child process and import it, all or nothing.")
def import_file(context: dg.OpExecutionContext, config: ImportConfig, deployment: dg.ResourceParam[Deployment]) -> None:
    """Import one file; a refusal fails the run with its first reason, and the report lies beside the file."""
    settings = deployment.settings
    path = settings.drop_dir / config.path  # an absolute path stays as it is
    if not path.exists():
        raise dg.Failure(f"{path.name} is not there (any more): put it back, or correct the path", allow_retries=False)
    mapping = str(settings.drop_dir / config.mapping) if config.mapping else ""
    given = {"--kind": config.kind, "--mapping": mapping, "--start": config.start}
    options = [part for name, value in given.items() if value for part in (name, value)]
    options += ["--allow-unknown"] if config.allow_unknown else []
    options += [f"--{config.contradicted}"] if config.contradicted != "refuse" else []
    with told_apart():
        deployment.database  # noqa: B018 - brings the schema up to date before the child looks at it
        child = {"RESILIENCE_STATE_DIR": str(settings.state_dir), "RESILIENCE_DATABASE_URL": settings.database_url.get_secret_value()}
        outcome = import_apart(
            path, program=config.program or None, by=f"job import_roster ({who()})", options=options,
            environment=dict(os.environ) | child,
        )  # fmt: skip
        if config.put_away:
            stamp = deployment.clock.now().strftime("%Y%m%dT%H%M%SZ")
            put_away(path, outcome, stamp)
    context.log.info(f"{path.name}: {outcome.sentence}")
    context.add_output_metadata({"outcome": outcome.sentence})
    if outcome.refused:
        raise dg.Failure(f"{path.name}: {outcome.sentence}", allow_retries=False)


@dg.job(description="Import one roster file into its program.", tags=run_tags(DEFAULT, 1800))
def import_roster() -> None:
    """One file in, one report out."""
    import_file()


class AbsenceConfig(dg.Config):
    """Somebody is away: `person` by readable id, never by name; dates as YYYY-MM-DD, empty for today."""

    person: str
    program: str = ""
    first: str = ""
    last: str = ""
    kind: str = "sick"
    undo: bool = False


@dg.op(retry_policy=RETRY, description="Record or undo one absence, then check the program at once.")
def record_absence(context: dg.OpExecutionContext, config: AbsenceConfig, deployment: dg.ResourceParam[Deployment]) -> None:
    """Write one audited row and log what opens; the roster-change sensor brings the assets up to date."""
    with told_apart():
        first, last = (day_of(dt.date.fromisoformat(text)) if text else None for text in (config.first, config.last))
        act = undo_absence if config.undo else report_absence_action
        result = act(
            deployment.database, deployment.policies(), config.person, first=first, last=last, kind=config.kind,
            now=deployment.clock.now(), by=f"job report_absence ({who()})", program=config.program or None, names=False,
        )  # fmt: skip
    for line in result.lines():
        context.log.info(line)
    context.add_output_metadata({"report": "\n".join(result.lines())})


@dg.job(description="Report somebody away today, or take that back.", tags=run_tags(DEFAULT, 1800))
def report_absence() -> None:
    """One audited row in the overlay, a check at once."""
    record_absence()


@dg.op(retry_policy=RETRY, description="Send what the outbox holds: mail, webhooks, Slack. The inbox has it already.")
def deliver(context: dg.OpExecutionContext, deployment: dg.ResourceParam[Deployment]) -> None:
    """Deliver what is pending; a second delivery at the same time sends nothing twice."""
    with told_apart():
        now = deployment.clock.now
        done = deliver_pending(deployment.database, now(), deployment.channels(), now)
    said = ", ".join(f"{count} {outcome}" for outcome, count in sorted(done.attempts.items())) or "nothing to send"
    context.log.info(f"{done.pending} pending, {done.written} taken up; {said}")
    context.add_output_metadata({"pending": done.pending, "written": done.written, **done.attempts})


@dg.job(description="Deliver pending alerts; requested by threshold_sensor.", tags=run_tags(NOTIFICATIONS, 600))
def deliver_alerts() -> None:
    """Pending notices to their readers."""
    deliver()


class MessageConfig(dg.Config):
    """A message of the outbox by its id: address and text stay in the database."""

    message_id: int


def _carry(context: dg.OpExecutionContext, deployment: Deployment, message_id: int) -> str:
    """Send one message now and note what became of it; returns why it did not reach some reader ('' where it did, or is
    tried again)."""
    states = deliver_message(deployment.database, message_id, deployment.channels(), deployment.clock.now)
    context.log.info(f"message {message_id}: {', '.join(f'{count} {state}' for state, count in sorted(states.items())) or 'the inbox alone'}")
    context.add_output_metadata({"message_id": message_id, **states})
    lost = [row for row in whereabouts(deployment.database, message_id) if row["state"] in ("dead", "cancelled")]
    return "; ".join(f"{row['channel']}: {row['reason']}" for row in lost)


def _reached(message_id: int, lost: str) -> None:
    """Fail the run of a message that was given up."""
    if lost:
        raise dg.Failure(f"message {message_id} did not reach every reader: {lost}", allow_retries=False)


@dg.op(retry_policy=RETRY, description="Send one message of the outbox now; what is refused for now the outbox tries again.")
def deliver_one(context: dg.OpExecutionContext, config: MessageConfig, deployment: dg.ResourceParam[Deployment]) -> None:
    """Deliver one message; what was sent already is not sent again."""
    with told_apart():
        _reached(config.message_id, _carry(context, deployment, config.message_id))


@dg.job(description="Send a mail that stands in the outbox, by its id (`resilience send email --queue` writes one).", tags=run_tags(NOTIFICATIONS, 600))
def send_email() -> None:
    """One mail to its readers."""
    deliver_one()


@dg.job(description="Post a payload that stands in the outbox, by its id (`resilience send webhook --queue` writes one).", tags=run_tags(NOTIFICATIONS, 600))
def send_webhook() -> None:
    """One payload to its receiver."""
    deliver_one()


class AlertConfig(dg.Config):
    """An alert that no rule watches. Its text is kept by Dagster: name no person in it."""

    message: str
    level: str = "warning"
    details: dict[str, str] = Field(default_factory=dict)


# not retried: what is written once stands in the outbox, and a second try would write it again
@dg.op(description="Write an alert that no rule watches, and deliver it.")
def raise_alert(context: dg.OpExecutionContext, config: AlertConfig, deployment: dg.ResourceParam[Deployment]) -> None:
    """In the inbox always, by mail from warning on, over webhooks and Slack where there are any."""
    with told_apart():
        level: Any = config.level
        message_id = send.send_resilience_alert(
            deployment.database, deployment.policies(), level, config.message, config.details,
            now=deployment.clock.now(), by=f"job send_resilience_alert ({who()})",
        )  # fmt: skip
        _reached(message_id, _carry(context, deployment, message_id))


@dg.job(description="Tell of something that no rule watches: level info, warning, critical or emergency.", tags=run_tags(NOTIFICATIONS, 600))
def send_resilience_alert() -> None:
    """One alert to whoever is told by default."""
    raise_alert()


class BriefConfig(dg.Config):
    """Whose brief: of one program, of all (where left out), or of those whose morning it is (the schedule)."""

    program: str = ""
    morning_only: bool = False


@dg.op(retry_policy=RETRY, description="Write today's brief of programs that have none yet, and deliver what is due.")
def brief_programs(context: dg.OpExecutionContext, config: BriefConfig, deployment: dg.ResourceParam[Deployment]) -> None:
    """Today's open seats and who may cover each, once a program and local date. A run as of another time sends nothing."""
    moment = as_of(context)
    if not moment.live:
        raise dg.Failure(f"as of {moment.instant:%Y-%m-%d %H:%M} UTC: a brief is of now; launch the job without its old tags", allow_retries=False)
    with told_apart():
        now = deployment.clock.now
        # not after the clock that delivery goes by, or what is written would not be due yet
        done = send_briefs(
            deployment.database, deployment.policies(), min(moment.instant, now()), by=f"job morning_brief ({who()})",
            program=config.program, morning_only=config.morning_only,
        )  # fmt: skip
        context.log.info(f"briefed: {', '.join(done.programs) or 'nobody, for nobody was due'}")
        sent = deliver_pending(deployment.database, now(), deployment.channels(), now)
    context.add_output_metadata({"briefed": len(done.programs), **sent.attempts})


@dg.job(description="Today's open seats, who may cover each, text ready to send: to each program's list, once a date.", tags=run_tags(NOTIFICATIONS, 600))
def morning_brief() -> None:
    """One brief a program."""
    brief_programs()


@dg.op(description="Write a test message to each channel, and deliver it.")
def send_test(context: dg.OpExecutionContext, deployment: dg.ResourceParam[Deployment]) -> None:
    """A channel that fails opens an alert by the road of every message that cannot be delivered."""
    with told_apart():
        now, by = deployment.clock.now(), f"job alert_canary ({who()})"
        message_id = send_canary(deployment.database, deployment.policies(), now=now, by=by)
        lost = _carry(context, deployment, message_id)
    if lost:
        context.log.warning(lost)  # the run has done its work: the alert about it is that of failed deliveries


@dg.job(description="A test message over every channel: one that is broken is found before it is needed.", tags=run_tags(NOTIFICATIONS, 600))
def alert_canary() -> None:
    """One message to each channel."""
    send_test()


@dg.op(description="Purge expired results and old Dagster runs.")
def purge_expired(context: dg.OpExecutionContext, deployment: dg.ResourceParam[Deployment]) -> None:
    """Remove what has outlived the retention of the policy."""
    with told_apart():
        policies, now = deployment.policies(), deployment.clock.now()
        purged = purge(deployment.database, policies, now)
        runs = purge_runs(context.instance, now, policies.default.retention.dagster_runs_days)
    context.add_output_metadata(
        {"headlines": purged.headlines, "results": purged.results, "versions": purged.versions, "runs": runs}
    )


@dg.job(description="Nightly upkeep: purge what has outlived its retention.", tags=run_tags(DEFAULT, 1800))
def maintenance() -> None:
    """Purge expired results and runs."""
    purge_expired()


JOBS: list[Any] = [
    periodic_health_check, run_contingency_analysis, import_roster, report_absence, deliver_alerts, send_email, send_webhook,
    send_resilience_alert, morning_brief, alert_canary, maintenance,
]  # fmt: skip
