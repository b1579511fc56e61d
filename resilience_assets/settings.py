"""The environment, read once, into one frozen object.

Belongs here: every variable that this product reads, with its default, its meaning and what it may hold; the
`.env` file of the working directory (Dagster reads the same one); the text of `.env.example`. Does not belong
here: what is done with a value, thresholds' numbers (policy holds them; the environment may only replace them),
and anything that varies by program (the policy overlay has sections by program).

Read from `resources` outwards only: the rooms from domain to actions get plain arguments.
"""

from __future__ import annotations

import difflib
import itertools
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import quote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dotenv import dotenv_values
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.fields import FieldInfo

STATE_FOLDER = ".resilience"
"""Name of the state folder; the shipped dagster.yaml writes below it too."""

SCALE_OUT = "read from the scale-out on"
CRISIS = "read from the crisis response on"


class SettingsError(ValueError):
    """One or more variables hold what they may not; the message names variable, value and what is allowed."""


def _list_of(text: object) -> object:
    """Split 'a@x.org, b@y.org' at commas; leave anything that is not text as it is."""
    return tuple(part.strip() for part in text.split(",") if part.strip()) if isinstance(text, str) else text


def _address(text: str) -> str:
    """A mailbox: something, one @, a domain; no blanks or line ends that could reach a mail header."""
    name, at, domain = text.partition("@")
    if not (name and at and domain) or "@" in domain or any(c.isspace() or ord(c) < 32 for c in text):
        raise ValueError("not a mail address")
    return text


def _zone(name: str) -> str:
    """An IANA time zone that this machine (or the tzdata package) knows."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("unknown time zone") from error
    return name


Threshold = Annotated[float, Field(gt=0, lt=1)]
Port = Annotated[int, Field(ge=1, le=65535)]
MailAddress = Annotated[str, AfterValidator(_address)]

_THRESHOLD = "a number above 0 and below 1, such as 0.80"
_PORT = "a port number from 1 to 65535"
_SWITCH = "true or false"


def _variable(name: str, default: Any, meaning: str, *, allowed: str, shown: str | None = None, group: str) -> Any:
    """Declare one variable; `shown` is the default as a person would write it, where that differs from str(default)."""
    written = shown if shown is not None else ("" if default is None else str(default))
    extra: dict[str, Any] = {"variable": name, "allowed": allowed, "shown": written, "group": group}
    return Field(default=default, description=meaning, json_schema_extra=extra)


class Settings(BaseModel):
    """Everything that a deployment may set. Made by `Settings.from_environment`; frozen afterwards.

    Paths are absolute. What may carry a password is a SecretStr. `None` means "not set": for thresholds and
    switches the policy's own value holds then.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    # State
    state_dir: Path = _variable(
        "RESILIENCE_STATE_DIR",
        Path(STATE_FOLDER),
        "Folder of all state: database, Dagster's history, drop folder, logs. On a local disk. When not set: the "
        "nearest .resilience folder at or above the working directory, else a new one in it.",
        allowed="the path of a folder",
        shown=f"./{STATE_FOLDER}",
        group="State",
    )
    database_url: SecretStr = _variable(
        "RESILIENCE_DATABASE_URL",
        SecretStr(""),
        "SQLAlchemy address of the database; postgresql:// is read as postgresql+psycopg2://. When not set: SQLite, "
        "resilience.db in the state folder.",
        allowed="postgresql://user:password@host:5432/name or sqlite:////absolute/path.db",
        shown="",
        group="State",
    )
    drop_dir: Path = _variable(
        "RESILIENCE_DROP_DIR",
        Path("drop"),
        "Drop folder: a roster file put into DROP/PROGRAM/ is imported. When not set: drop/ in the state folder.",
        allowed="the path of a folder",
        shown="",
        group="State",
    )
    # Deployment
    time_zone: Annotated[str, AfterValidator(_zone)] = _variable(
        "RESILIENCE_TIME_ZONE",
        "UTC",
        "Time zone of the deployment: the clock of daily schedules (02:00 means 02:00 here). Programs have their own.",
        allowed="an IANA name such as Europe/Warsaw, America/New_York or UTC",
        group="Deployment",
    )
    host: str = _variable(
        "RESILIENCE_HOST",
        "127.0.0.1",
        "Address on which the Dagster UI listens. It has no login: open it to others only behind a proxy that has one.",
        allowed="a host name or address",
        group="Deployment",
    )
    port: Port = _variable(
        "RESILIENCE_PORT",
        3000,
        "First port tried for the Dagster UI; when taken, the next free one of the following twenty.",
        allowed=_PORT,
        group="Deployment",
    )
    dagster_yaml: Path | None = _variable(
        "RESILIENCE_DAGSTER_YAML",
        None,
        "Dagster instance file used by `resilience dev` instead of the shipped one, such as "
        "deploy/dagster.postgres.yaml.",
        allowed="the path of a file",
        group="Deployment",
    )
    # Policy
    policy_path: Path | None = _variable(
        "RESILIENCE_POLICY",
        None,
        "One YAML file laid over the shipped policy, with sections by program; `resilience policy check` reads it.",
        allowed="the path of a file",
        group="Policy",
    )
    preset: Literal["conservative", "moderate", "aggressive"] | None = _variable(
        "RESILIENCE_PRESET",
        None,
        "Named set of utilization thresholds. When not set: the policy's (moderate).",
        allowed="conservative, moderate or aggressive",
        group="Policy",
    )
    warning_threshold: Threshold | None = _variable(
        "RESILIENCE_WARNING_THRESHOLD",
        None,
        "Utilization at which YELLOW begins. When not set: the policy's.",
        allowed=_THRESHOLD,
        group="Policy",
    )
    max_utilization: Threshold | None = _variable(
        "RESILIENCE_MAX_UTILIZATION",
        None,
        "Utilization at which ORANGE begins, the most that is planned for. When not set: the policy's.",
        allowed=_THRESHOLD,
        group="Policy",
    )
    critical_threshold: Threshold | None = _variable(
        "RESILIENCE_CRITICAL_THRESHOLD",
        None,
        "Utilization at which RED begins. When not set: the policy's.",
        allowed=_THRESHOLD,
        group="Policy",
    )
    emergency_threshold: Threshold | None = _variable(
        "RESILIENCE_EMERGENCY_THRESHOLD",
        None,
        "Utilization at which BLACK begins. When not set: the policy's.",
        allowed=_THRESHOLD,
        group="Policy",
    )
    auto_activate_defense: bool | None = _variable(
        "RESILIENCE_AUTO_ACTIVATE_DEFENSE",
        None,
        f"Whether a defense level may act by itself and not only advise. When not set: the policy's. ({CRISIS})",
        allowed=_SWITCH,
        group="Policy",
    )
    auto_activate_fallback: bool | None = _variable(
        "RESILIENCE_AUTO_ACTIVATE_FALLBACK",
        None,
        "Whether a fallback plan may be proposed for approval without being asked for. When not set: the policy's. "
        "(read from the fallback schedules on)",
        allowed=_SWITCH,
        group="Policy",
    )
    auto_shed_load: bool | None = _variable(
        "RESILIENCE_AUTO_SHED_LOAD",
        None,
        f"Whether load may be shed without being asked for, and not only advised. When not set: the policy's. ({CRISIS})",
        allowed=_SWITCH,
        group="Policy",
    )
    # Alerts
    alert_recipients: Annotated[tuple[MailAddress, ...], BeforeValidator(_list_of)] = _variable(
        "RESILIENCE_ALERT_RECIPIENTS",
        (),
        "Who is told of alerts that no route of the policy speaks of.",
        allowed="mail addresses separated by commas",
        shown="",
        group="Alerts",
    )
    webhook_url: SecretStr = _variable(
        "RESILIENCE_WEBHOOK_URL",
        SecretStr(""),
        "A webhook that is told of every alert that no route of the policy speaks of (recipient `webhook`). More "
        "receivers are named in the policy, each with variables of its own.",
        allowed="an https address",
        shown="",
        group="Alerts",
    )
    webhook_secrets: SecretStr = _variable(
        "RESILIENCE_WEBHOOK_SECRETS",
        SecretStr(""),
        "What its messages are signed with (Standard Webhooks); two while one is replaced by the next.",
        allowed="whsec_ and base64, several separated by commas",
        shown="",
        group="Alerts",
    )
    slack_webhook_url: SecretStr = _variable(
        "RESILIENCE_SLACK_WEBHOOK_URL",
        SecretStr(""),
        "Slack's incoming webhook of a channel that is told of the same alerts (recipient `slack`).",
        allowed="an https address",
        shown="",
        group="Alerts",
    )
    heartbeat_url: SecretStr = _variable(
        "RESILIENCE_HEARTBEAT_URL",
        SecretStr(""),
        "Asked for (GET) after each good health check; /fail is added to it where a program could not be checked. "
        "Whoever listens there, such as Healthchecks, tells somebody when it falls silent: nothing here could.",
        allowed="an https address",
        shown="",
        group="Alerts",
    )
    outbound_allow: Annotated[tuple[str, ...], BeforeValidator(_list_of)] = _variable(
        "RESILIENCE_OUTBOUND_ALLOW",
        (),
        "Hosts of your own network that webhooks and the heartbeat may go to, also without https and on any port. All others must have "
        "public addresses and speak https on port 443 or 8443.",
        allowed="host or host:port, separated by commas",
        shown="",
        group="Alerts",
    )
    smtp_enabled: bool = _variable(
        "SMTP_ENABLED", False, "Whether mail is sent.", allowed=_SWITCH, shown="false", group="Mail"
    )
    smtp_host: str = _variable(
        "SMTP_HOST",
        "localhost",
        "Mail server. SendGrid: smtp.sendgrid.net, SMTP_USER=apikey and the API key as SMTP_PASSWORD. Amazon SES: "
        "email-smtp.REGION.amazonaws.com with its SMTP credentials. A certificate of your own: name its file in "
        "SSL_CERT_FILE.",
        allowed="a host name or address",
        group="Mail",
    )
    smtp_port: Port = _variable(
        "SMTP_PORT", 587, "Port of the mail server.", allowed=_PORT, group="Mail"
    )
    smtp_user: str = _variable(
        "SMTP_USER",
        "",
        "Login at the mail server; empty for none.",
        allowed="any text",
        group="Mail",
    )
    smtp_password: SecretStr = _variable(
        "SMTP_PASSWORD",
        SecretStr(""),
        "Password for SMTP_USER.",
        allowed="any text",
        shown="",
        group="Mail",
    )
    smtp_from_email: MailAddress = _variable(
        "SMTP_FROM_EMAIL",
        "resilience@example.org",
        "Sender of mail.",
        allowed="a mail address",
        group="Mail",
    )
    smtp_from_name: str = _variable(
        "SMTP_FROM_NAME",
        "Roster resilience",
        "Name shown beside the sender.",
        allowed="one line of text",
        group="Mail",
    )
    smtp_use_tls: bool = _variable(
        "SMTP_USE_TLS",
        True,
        "Whether the connection is encrypted (STARTTLS; TLS from the start on port 465). A server without it gets no mail.",
        allowed=_SWITCH,
        shown="true",
        group="Mail",
    )
    # Scale-out
    redis_url: SecretStr = _variable(
        "REDIS_URL",
        SecretStr("redis://localhost:6379/0"),
        f"Redis server of the Celery mode. ({SCALE_OUT})",
        allowed="redis://host:6379/0 or rediss://...",
        shown="redis://localhost:6379/0",
        group="Scale-out",
    )
    celery_broker_url: SecretStr = _variable(
        "CELERY_BROKER_URL",
        SecretStr(""),
        f"Broker of the Celery workers. When not set: REDIS_URL. ({SCALE_OUT})",
        allowed="the address of a Celery broker",
        shown="",
        group="Scale-out",
    )
    celery_result_backend: SecretStr = _variable(
        "CELERY_RESULT_BACKEND",
        SecretStr(""),
        f"Where Celery keeps the state of its tasks. When not set: REDIS_URL. ({SCALE_OUT})",
        allowed="the address of a Celery result backend",
        shown="",
        group="Scale-out",
    )

    @field_validator("redis_url")
    @classmethod
    def _redis_scheme(cls, url: SecretStr) -> SecretStr:
        if not url.get_secret_value().startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("not a Redis address")
        return url

    @field_validator("database_url")
    @classmethod
    def _explicit_driver(cls, url: SecretStr) -> SecretStr:
        """SQLAlchemy 2.1 reads a bare postgresql:// as psycopg 3; what is installed is psycopg2, so it is spelled out."""
        text = url.get_secret_value()
        for bare in ("postgresql://", "postgres://"):
            if text.startswith(bare):
                return SecretStr("postgresql+psycopg2://" + text.removeprefix(bare))
        if text and not text.startswith(("sqlite://", "postgresql+")):
            raise ValueError("not a SQLite or PostgreSQL address")
        return url

    @field_validator("webhook_url", "slack_webhook_url", "heartbeat_url")
    @classmethod
    def _web_address(cls, url: SecretStr) -> SecretStr:
        if url.get_secret_value() and not url.get_secret_value().startswith(("https://", "http://")):
            raise ValueError("not an https address")
        return url

    @field_validator("smtp_from_name")
    @classmethod
    def _one_line(cls, text: str, info: ValidationInfo) -> str:
        if any(ord(c) < 32 for c in text):
            raise ValueError(f"{info.field_name} has a line end or control character")
        return text

    @model_validator(mode="after")
    def _fill(self) -> Self:
        """Make paths absolute and give what depends on another value its default."""
        state_dir = self.state_dir.expanduser().absolute()
        drop_dir = self.drop_dir.expanduser() if "drop_dir" in self.model_fields_set else state_dir / "drop"
        filled: dict[str, object] = {"state_dir": state_dir, "drop_dir": drop_dir.absolute()}
        for name in ("policy_path", "dagster_yaml"):
            path = getattr(self, name)
            filled[name] = path.expanduser().absolute() if path is not None else None
        if not self.database_url.get_secret_value():
            filled["database_url"] = SecretStr("sqlite:///" + quote(str(state_dir / "resilience.db"), safe="/:\\ "))
        for name in ("celery_broker_url", "celery_result_backend"):
            if not getattr(self, name).get_secret_value():
                filled[name] = self.redis_url
        for name, value in filled.items():
            object.__setattr__(self, name, value)
        return self

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        """Thresholds that are set must rise; the policy checks them again together with its own."""
        names = ("warning_threshold", "max_utilization", "critical_threshold", "emergency_threshold")
        given = [(name, getattr(self, name)) for name in names if getattr(self, name) is not None]
        for (low_name, low), (high_name, high) in itertools.pairwise(given):
            if low >= high:
                raise ValueError(
                    f"{variable_of(low_name)}={low} must be below {variable_of(high_name)}={high}: "
                    "thresholds rise from warning over maximum and critical to emergency"
                )
        return self

    @classmethod
    def from_environment(cls, env: Mapping[str, str] | None = None, *, directory: Path | None = None) -> Settings:
        """Read the settings from `env` (default: this process's environment under the working directory's .env).

        An empty variable counts as not set. `directory` (default: the working directory) is where .env and the
        state folder are looked for. Raises SettingsError, which lists every bad variable, not the first alone.
        """
        start = directory if directory is not None else Path.cwd()
        values = environment(start) if env is None else env
        given = {
            name: values[variable_of(name)].strip()
            for name in cls.model_fields
            if values.get(variable_of(name), "").strip()
        }
        given.setdefault("state_dir", str(_state_folder(start)))
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            raise SettingsError(_explain(error)) from None


def environment(directory: Path) -> dict[str, str]:
    """This process's environment with `directory`/.env laid over it.

    The file wins, because Dagster loads it so: the command and the code location must see the same values.
    """
    file = directory / ".env"
    from_file = dotenv_values(file) if file.is_file() else {}
    return dict(os.environ) | {name: value for name, value in from_file.items() if value is not None}


def variable_of(field: str) -> str:
    """Name of the environment variable behind a field of Settings, 'port' -> 'RESILIENCE_PORT'."""
    return str(_extra(Settings.model_fields[field])["variable"])


def unknown_variables(env: Mapping[str, str] | None = None) -> list[str]:
    """One sentence for each RESILIENCE_ variable that nothing reads, with the name it may have been meant for."""
    values = os.environ if env is None else env
    known = [variable_of(name) for name in Settings.model_fields]
    internal = {"RESILIENCE_SUPERVISOR", "RESILIENCE_SHARED_DATA", "RESILIENCE_YARDSTICK"}
    found = []
    for name in sorted(values):
        if name.startswith("RESILIENCE_") and name not in known and name not in internal:
            close = difflib.get_close_matches(name, known, n=1)
            found.append(f"{name} is not read by anything" + (f"; did you mean {close[0]}?" if close else "."))
    return found


def env_example() -> str:
    """Text of .env.example: every variable with meaning, allowed values and default, commented out."""
    lines = [
        "# Every variable that is read, with its default. Copy to .env and uncomment what you change;",
        "# .env wins over an exported variable (as in Dagster itself); an empty variable counts as not set.",
        "# Written by `python -m resilience_assets.settings > .env.example`; a test holds both equal.",
    ]
    group = ""
    for field in Settings.model_fields.values():
        extra = _extra(field)
        if extra["group"] != group:
            group = str(extra["group"])
            lines += ["", f"# --- {group} ---"]
        lines += ["", *_wrapped(field.description or ""), f"# Allowed: {extra['allowed']}"]
        lines.append(f"#{extra['variable']}={extra['shown']}")
    return "\n".join(lines) + "\n"


def _extra(field: FieldInfo) -> dict[str, object]:
    extra = field.json_schema_extra
    if not isinstance(extra, dict):
        raise TypeError("a field of Settings must be declared with _variable(...)")
    return dict(extra)


def _wrapped(text: str, width: int = 110) -> list[str]:
    lines = ["#"]
    for word in text.split():
        if len(lines[-1]) + 1 + len(word) > width:
            lines.append("#")
        lines[-1] += f" {word}"
    return lines


def _state_folder(start: Path) -> Path:
    """The nearest existing state folder at or above `start`, else a new one in `start` (as git looks for .git)."""
    for folder in (start, *start.parents):
        if (folder / STATE_FOLDER).is_dir():
            return folder / STATE_FOLDER
    return start / STATE_FOLDER


def _explain(error: ValidationError) -> str:
    """Turn pydantic's findings into lines of variable, value, what is allowed; a secret's value is not repeated."""
    lines = []
    for finding in error.errors(include_url=False):
        if not finding["loc"]:
            lines.append(str(finding["ctx"]["error"]) if "ctx" in finding else finding["msg"])
            continue
        field = Settings.model_fields[str(finding["loc"][0])]
        extra = _extra(field)
        value = "(not shown)" if field.annotation is SecretStr else repr(finding["input"])
        lines.append(f"{extra['variable']}={value}: allowed is {extra['allowed']}")
    return "bad settings:\n" + "\n".join(f"  {line}" for line in dict.fromkeys(lines))


if __name__ == "__main__":
    sys.stdout.write(env_example())
