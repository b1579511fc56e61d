"""Secrets and names of people are in nothing that Dagster keeps, in no log, and in nothing that leaves by webhook.

Every secret of the settings and every name of a person is a canary: a word that nothing else holds. They are used for
real (the mail server sees the password, the receivers their addresses, the database the names), deliveries go through
and fail in each way there is; then every file is searched, packed values too.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from resilience_assets.actions.send import send_resilience_alert, send_webhook
from resilience_assets.definitions import build_definitions
from resilience_assets.delivery.dispatcher import Dispatcher, Pace
from resilience_assets.delivery.pagerduty import PagerDutyChannel
from resilience_assets.resources.deployment import Deployment, deployment
from resilience_assets.settings import Settings, SettingsError, variable_of
from resilience_assets.storage import ledger, tables
from resilience_assets.supervisor import dagster_home
from resilience_assets_tests.assets.deploying import CANARY, small_set, write_set
from resilience_assets_tests.delivery.peers import Mailbox, Receiver, free_port, mail_server, receiver
from resilience_assets_tests.delivery.rows import rows
from resilience_assets_tests.end_to_end.apart import Apart, apart
from resilience_assets_tests.end_to_end.running import until
from resilience_assets_tests.end_to_end.test_alert_faults import short
from resilience_assets_tests.postgres import Server, postgres

__all__ = ["postgres"]

pytestmark = pytest.mark.slow

PASSWORD, DATABASE_PASSWORD = "CanaryPassword", "CanaryDatabase"
WEB_TOKEN, SLACK_TOKEN, POLICY_TOKEN, BEAT_TOKEN = "CanaryWeb", "CanarySlack", "CanaryPolicy", "CanaryBeat"
SIGNING = "Q2FuYXJ5U2lnbmluZ0tleUNhbmFyeVNpZ25pbmdLZXk"
TEAMS_TOKEN, PAGER_KEY, APPRISE_TOKEN, REDIS = "CanaryTeams", "CanaryPagerKey", "CanaryApprise", "CanaryRedis"
SECRETS = (
    PASSWORD, DATABASE_PASSWORD, WEB_TOKEN, SLACK_TOKEN, POLICY_TOKEN, BEAT_TOKEN, SIGNING, TEAMS_TOKEN, PAGER_KEY, APPRISE_TOKEN, REDIS,
)  # fmt: skip
NAMES = (CANARY, "Tester0")
"""Of a long value, errors of the database show the two ends: a first name may be cut off where the last one is not."""
JOBS = ("periodic_health_check", "run_contingency_analysis", "deliver_alerts", "maintenance")

OVERLAY = """
telling:
  recipients:
    - {id: chief, channel: email, address: chief@example.org, include_names: true}
    - {id: deputy, channel: email, address: deputy@example.org}
    - {id: icu, channel: webhook, url_variable: ICU_URL, secret_variable: ICU_SECRETS}
    - {id: team, channel: teams, url_variable: TEAM_URL}
    - {id: pager, channel: pagerduty, secret_variable: PAGER_KEY}
    - {id: other, channel: apprise, url_variable: OTHER_URL}
  default_to: [chief, deputy, icu, team, pager, other]
"""


# --- searching -----------------------------------------------------------------------------------------------


def hits(place: Path, words: tuple[str, ...]) -> list[str]:
    """Where a word is: 'file: word', for every file below a place as it is, and for packed values of its SQLite tables."""
    out = []
    for path in sorted(one for one in place.rglob("*") if one.is_file()) if place.is_dir() else [place]:
        content = path.read_bytes()
        found = {word for word in words if word.encode() in content or word.encode("utf-16-le") in content}
        if content.startswith(b"SQLite format 3"):
            found |= {word for value in _packed(path) for word in words if word.encode() in value}
        out += [f"{path.relative_to(place.parent)}: {word}" for word in sorted(found)]
    return out


def _packed(path: Path) -> Iterator[bytes]:
    with closing(sqlite3.connect(path)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for name in names:
            for row in connection.execute(f'SELECT * FROM "{name}"'):
                for value in row:
                    if isinstance(value, bytes):
                        try:
                            yield zlib.decompress(value)
                        except zlib.error:
                            continue


def test_the_search_finds_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "plain.log").write_text(f"... {PASSWORD} ...")
    with closing(sqlite3.connect(tmp_path / "runs.db")) as connection:
        connection.execute("CREATE TABLE snapshots (body BLOB)")
        connection.execute("INSERT INTO snapshots VALUES (?)", [zlib.compress(f"... {WEB_TOKEN} ...".encode())])
        connection.commit()
    found = [one.rsplit("/", 1)[-1] for one in hits(tmp_path, SECRETS)]
    assert found == [f"plain.log: {PASSWORD}", f"runs.db: {WEB_TOKEN}"]


# --- a deployment full of secrets ----------------------------------------------------------------------------


class Logins:
    """What a mail server saw as passwords, and whether it takes them."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.taken = True

    def __call__(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.seen.append(data.password.decode())
        return AuthResult(success=self.taken, handled=self.taken)


def variables(box: Mailbox | int, web: Receiver, folder: Path) -> dict[str, str]:
    """Every secret that can be set, each a canary; all of them are used."""
    (folder / "policy.yaml").write_text(OVERLAY)
    return {
        "RESILIENCE_STATE_DIR": str(folder / ".resilience"), "RESILIENCE_POLICY": str(folder / "policy.yaml"),
        "SMTP_ENABLED": "true", "SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(box if isinstance(box, int) else box.port),
        "SMTP_USE_TLS": "false", "SMTP_USER": "resilience", "SMTP_PASSWORD": PASSWORD,
        "RESILIENCE_WEBHOOK_URL": web.url(f"ok/{WEB_TOKEN}"), "RESILIENCE_WEBHOOK_SECRETS": f"whsec_{SIGNING}=",
        "RESILIENCE_SLACK_WEBHOOK_URL": web.url(f"ok/{SLACK_TOKEN}"), "ICU_URL": web.url(f"ok/{POLICY_TOKEN}"),
        "ICU_SECRETS": f"whsec_{SIGNING}=", "RESILIENCE_HEARTBEAT_URL": web.url(f"ok/{BEAT_TOKEN}"),
        "TEAM_URL": web.url(f"ok/{TEAMS_TOKEN}"),
        "RESILIENCE_OUTBOUND_ALLOW": web.listed[0], "REDIS_URL": f"redis://:{REDIS}@localhost:6379/0",
    }  # fmt: skip


def failing_ways(web: Receiver) -> dict[str, dict[str, str]]:
    """Variables under which every delivery fails, by how it does."""

    def everywhere(url: str) -> dict[str, str]:
        tokens = {"RESILIENCE_WEBHOOK_URL": WEB_TOKEN, "RESILIENCE_SLACK_WEBHOOK_URL": SLACK_TOKEN, "ICU_URL": POLICY_TOKEN, "TEAM_URL": TEAMS_TOKEN}
        return {name: url.replace("TOKEN", token) for name, token in tokens.items()} | {"RESILIENCE_HEARTBEAT_URL": url.replace("TOKEN", BEAT_TOKEN)}

    dead = str(free_port())
    closed, refusing = ({"OTHER_URL": f"json://127.0.0.1:{port}/500/{APPRISE_TOKEN}"} for port in (dead, web.port))
    return {
        "nobody listens": everywhere(f"http://127.0.0.1:{dead}/TOKEN") | {"SMTP_PORT": dead, "RESILIENCE_OUTBOUND_ALLOW": f"127.0.0.1:{dead}"} | closed,
        "500": everywhere(web.url("500/TOKEN")) | refusing,
        "404": everywhere(web.url("404/TOKEN")),
        "redirect": everywhere(web.url("307/TOKEN")),
        "breaks off": everywhere(web.url("drop/TOKEN")),
        "name not known": everywhere("https://TOKEN.invalid/TOKEN") | {"SMTP_HOST": f"{WEB_TOKEN}.invalid"},
        "not allowed": everywhere("http://127.0.0.1/TOKEN") | {"SMTP_USE_TLS": "true"},
        "not an address": everywhere("https://[::1/TOKEN") | {"SMTP_PASSWORD": f"{PASSWORD}é"},
        "not a secret": {"RESILIENCE_WEBHOOK_SECRETS": f"whsec_{SIGNING}!", "ICU_SECRETS": f"{SIGNING}é"},
    }


# --- the tests -------------------------------------------------------------------------------------------------


def test_nothing_that_dagster_keeps_or_that_leaves_by_webhook_holds_a_secret_or_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("resilience_assets.actions.deliver.Dispatcher", _impatient)
    logins = Logins()
    with mail_server(authenticator=logins, auth_require_tls=False) as box, receiver() as web:
        web.location = web.url(f"ok/{WEB_TOKEN}")
        given = variables(box, web, tmp_path)
        with apart(tmp_path, **given) as running:
            database = running.here.database
            said = _what_people_type(running)
            _in_workers(running)
            # the pager's address is a public one: in this process it is the receiver's
            pager = partial(PagerDutyChannel, endpoint=web.url("ok/pager"))
            monkeypatch.setattr("resilience_assets.resources.channels.PagerDutyChannel", pager)
            given |= {"PAGER_KEY": PAGER_KEY, "OTHER_URL": f"json://{web.listed[0]}/ok/{APPRISE_TOKEN}"}
            went = {"well": _one_delivery(running, given, monkeypatch)}
            logins.taken = False
            for way, changed in failing_ways(web).items():
                went[way] = _one_delivery(running, given | changed, monkeypatch)
            _import_that_breaks(running, given, monkeypatch)
            assert ledger.breaches(database) == {}
            people = [row.name for row in rows(database, tables.PersonRecord)]
        bodies = [one.body.decode().replace(PAGER_KEY, "" if one.path == "/ok/pager" else PAGER_KEY) + str({k: v for k, v in one.headers.items() if k != "host"}) for one in web.got]
        mails = {reader: "".join(str(mail) for mail in box.mails if reader in str(mail["To"])) for reader in ("chief", "deputy")}
    _write_down(tmp_path / "captured", stdout=capfd.readouterr(), webhooks=bodies)

    # the canaries were there
    assert all(CANARY in name for name in people)
    assert len(people) == 8
    assert PASSWORD in logins.seen
    assert {part for one in web.got for part in one.path.split("/")} >= {WEB_TOKEN, SLACK_TOKEN, POLICY_TOKEN, BEAT_TOKEN, TEAMS_TOKEN}
    assert any(PAGER_KEY.encode() in one.body for one in web.got if one.path == "/ok/pager")
    assert went["well"] - {"dead"} == {"sent"}  # dead where the extra of the last channel is not installed
    assert all(states - {"sent"} for way, states in went.items() if way != "well"), went
    # and stayed where they belong
    home, words = running.home, (*SECRETS, *NAMES)
    places = [home, tmp_path / ".resilience" / "logs", tmp_path / "server.log", tmp_path / "captured"]
    found = [hit for place in places if place.exists() for hit in hits(place, words)]
    assert found == []
    assert [word for word in SECRETS if word in said or word in "".join(mails.values())] == []
    assert {reader: CANARY in text for reader, text in mails.items()} == {"chief": True, "deputy": False}
    assert hits(tmp_path / ".resilience" / "resilience.db", SECRETS) == []
    files = sum(1 for place in places for one in place.rglob("*") if one.is_file())
    print(f"{len(SECRETS)} secrets and {len(people)} names, {len(went)} ways of delivery, {len(bodies)} webhooks, {files} files: {len(found)} hits")


def _impatient(database: Any, channels: Any, now: Any, _pace: Any) -> Dispatcher:
    """A dispatcher that waits for no retry."""
    return Dispatcher(database, channels, now, Pace(patience=0.0))


def _what_people_type(running: Apart) -> str:
    """Commands on this state; returns what they print (people may be shown names, never secrets)."""
    folder = write_set(running.folder / "set", small_set())
    commands = [["import", str(folder)], ["run", "periodic_health_check"], ["absent", "A-02"], ["status"], ["without", "A-01"],
                ["inbox"], ["doctor", "--ledger"], ["status", "--no-such-option"]]  # fmt: skip
    said = []
    for words in commands:
        done = subprocess.run([sys.executable, "-m", "resilience_assets.cli", *words], env=running.environment(), cwd=running.folder,
                              capture_output=True, text=True, timeout=120, check=False)  # fmt: skip
        assert done.returncode in (0, 2), done.stderr
        said.append(done.stdout + done.stderr)
    assert CANARY in "".join(said) or "A-02" in "".join(said)
    return "".join(said)


def _in_workers(running: Apart) -> None:
    """Each job once in a worker of the code server: Dagster keeps what it prints and logs."""
    running.start_server()
    for job in JOBS:
        run_id = running.launch(job, {})
        until(lambda run_id=run_id: running.status(run_id).value in ("SUCCESS", "FAILURE"), 120, f"the end of {job}")
        assert running.status(run_id) is dg.DagsterRunStatus.SUCCESS, running.why(run_id)


def _one_delivery(running: Apart, given: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """An alert and a webhook of somebody's own, and the runs that deliver them, under these variables; how the rows stand."""
    here = _here(running, given, monkeypatch)
    known = {row.id for row in rows(here.database)}
    now = here.clock.now()
    send_resilience_alert(here.database, here.policies(), "critical", "Somebody look", {"who": "A-01"}, now=now, by="a test")
    send_webhook(here.database, "icu", {"hello": 1}, now=now, by="a test")
    _run(running, here, "periodic_health_check", asset_selection=[dg.AssetKey("incidents")])  # asks for the heartbeat's address
    _run(running, here, "deliver_alerts")
    found = {row.state for row in rows(here.database) if row.id not in known}
    with here.database.write() as connection:  # what would be tried again is given up: the next way is the next test
        connection.execute(text("UPDATE outbox SET state = 'cancelled', reason = 'a test', settled_at = next_at WHERE state = 'pending'"))
        connection.execute(text("UPDATE endpoint SET failures = 0, not_before = NULL, disabled_at = NULL"))
    here.database.dispose()
    return found


def _here(running: Apart, given: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Deployment:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    return deployment(Settings.from_environment(given, directory=running.folder))


def _run(running: Apart, here: Deployment, job: str, **options: Any) -> dg.ExecuteInProcessResult:
    """Execute a job in this process, recorded in the instance of the state."""
    found = build_definitions(here.settings, deployment=here).resolve_job_def(job)
    return found.execute_in_process(instance=running.instance, raise_on_error=False, **options)


def _import_that_breaks(running: Apart, given: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs that fail on statements whose values are names, on a person who is not there, on a policy that cannot be read."""
    here = _here(running, given, monkeypatch)
    path = write_set(running.folder / "broken" / "other", short("other"))
    config = {"ops": {"import_file": {"config": {"path": str(path), "program": "other"}}}}
    with _no_more(here, "person_record"):
        assert not _run(running, here, "import_roster", run_config=config).success
    assert _run(running, here, "import_roster", run_config=config).success
    with _no_more(here, "outbox WHEN NEW.text LIKE '%" + CANARY + "%'"):  # the mail of a reader who is shown names
        failed = _run(running, here, "periodic_health_check")
        assert not failed.success
    assert [event.step_key for event in failed.all_events if event.is_step_failure] == ["incidents"]
    absence = {"ops": {"record_absence": {"config": {"person": "A-77"}}}}
    assert not _run(running, here, "report_absence", run_config=absence).success
    (running.folder / "policy.yaml").write_text("telling: [")
    assert not _run(running, here, "deliver_alerts").success
    here.database.dispose()


@contextmanager
def _no_more(here: Deployment, table: str) -> Iterator[None]:
    """Every insert into a table is an error of the database meanwhile."""
    name, _, when = table.partition(" ")
    with here.database.write() as connection:
        connection.execute(text(f"CREATE TRIGGER no_more BEFORE INSERT ON {name} {when} BEGIN SELECT RAISE(ABORT, 'no more'); END"))
    yield
    with here.database.write() as connection:
        connection.execute(text("DROP TRIGGER no_more"))


def _write_down(folder: Path, *, stdout: Any, webhooks: list[str]) -> None:
    folder.mkdir()
    (folder / "stdout").write_text(stdout.out)
    (folder / "stderr").write_text(stdout.err)
    (folder / "webhooks").write_text("\n".join(webhooks))


def test_the_password_of_the_database_is_in_nothing_that_dagster_keeps(
    tmp_path: Path, postgres: Server, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    good = f"postgresql://resilience:{DATABASE_PASSWORD}@/{postgres.create('migrated')}?host={postgres.folder}"
    settings = Settings.from_environment({"RESILIENCE_STATE_DIR": str(tmp_path / ".resilience"), "RESILIENCE_DATABASE_URL": good}, directory=tmp_path)
    home = dagster_home(settings)
    bad = [good.replace(str(postgres.folder), str(tmp_path)), good.replace("/test_", "/absent_"), f"postgresql://u:{DATABASE_PASSWORD}@nowhere.invalid/x"]
    said = []
    with dg.DagsterInstance.from_config(str(home)) as instance:
        for url in (good, *bad):
            tried = Settings.from_environment({"RESILIENCE_STATE_DIR": str(tmp_path / ".resilience"), "RESILIENCE_DATABASE_URL": url})
            here = deployment(tried)
            assets = [one for one in build_definitions(tried, deployment=here).assets or [] if isinstance(one, dg.AssetsDefinition)]
            # an asset alone, not its job, whose retries wait a minute each
            done = dg.materialize(assets, selection=["roster"], instance=instance, resources={"deployment": here}, raise_on_error=False)
            assert done.success is (url == good)
            with suppress(OperationalError):
                here.database.dispose()
            words = [sys.executable, "-m", "resilience_assets.cli", "status"]
            command = subprocess.run(words, env=os.environ | {"RESILIENCE_DATABASE_URL": url}, capture_output=True, text=True, check=False)
            assert command.returncode == (0 if url == good else 1), command.stderr
            said.append(command.stdout + command.stderr)
    _write_down(tmp_path / "captured", stdout=capfd.readouterr(), webhooks=said)
    found = [hit for place in (home, tmp_path / "captured") for hit in hits(place, (DATABASE_PASSWORD,))]
    assert found == []
    print(f"one run that went through and {len(bad)} that could not connect: {len(found)} hits of the database's password")


def test_a_variable_that_holds_what_it_may_not_is_named_without_its_value(tmp_path: Path) -> None:
    named = {"CanaryA": "RESILIENCE_DATABASE_URL", "CanaryB": "RESILIENCE_WEBHOOK_URL", "CanaryC": "RESILIENCE_SLACK_WEBHOOK_URL",
             "CanaryD": "REDIS_URL", "CanaryE": "RESILIENCE_HEARTBEAT_URL"}  # fmt: skip
    with pytest.raises(SettingsError) as refused:
        Settings.from_environment({name: f"gopher://{word}" for word, name in named.items()}, directory=tmp_path)
    assert [word for word in named if word in str(refused.value)] == []
    assert [name for name in named.values() if name not in str(refused.value)] == []
    secret = [variable_of(name) for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)]
    settings = Settings.from_environment({name: f"redis://{REDIS}" for name in secret if "REDIS" in name or "CELERY" in name}, directory=tmp_path)
    assert REDIS not in repr(settings) + str(settings) + repr(deployment(settings)) + settings.model_dump_json()
