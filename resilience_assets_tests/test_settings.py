"""The environment read once: defaults, refusals that name variable, value and what is allowed, and .env.example."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from dotenv import dotenv_values
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from resilience_assets.settings import (
    Settings,
    SettingsError,
    env_example,
    environment,
    unknown_variables,
    variable_of,
)

REPOSITORY = Path(__file__).resolve().parents[1]
EXAMPLE = REPOSITORY / ".env.example"


def test_nothing_set_gives_a_sqlite_database_below_the_working_directory(tmp_path: Path) -> None:
    settings = Settings.from_environment({}, directory=tmp_path)
    assert settings.state_dir == tmp_path / ".resilience"
    assert settings.database_url.get_secret_value() == f"sqlite:///{tmp_path}/.resilience/resilience.db"
    assert settings.drop_dir == tmp_path / ".resilience" / "drop"
    assert (settings.time_zone, settings.host, settings.port) == ("UTC", "127.0.0.1", 3000)
    assert settings.preset is None
    assert settings.warning_threshold is None
    assert settings.alert_recipients == ()
    assert not settings.smtp_enabled


def test_every_variable_reaches_its_field(tmp_path: Path) -> None:
    env = {
        "RESILIENCE_STATE_DIR": str(tmp_path / "state"),
        "RESILIENCE_DATABASE_URL": "postgresql+psycopg2://u:p@db/roster",
        "RESILIENCE_DROP_DIR": str(tmp_path / "in"),
        "RESILIENCE_TIME_ZONE": "Europe/Warsaw",
        "RESILIENCE_HOST": "0.0.0.0",
        "RESILIENCE_PORT": "3100",
        "RESILIENCE_DAGSTER_YAML": "/etc/dagster.yaml",
        "RESILIENCE_POLICY": "/etc/policy.yaml",
        "RESILIENCE_PRESET": "aggressive",
        "RESILIENCE_WARNING_THRESHOLD": "0.6",
        "RESILIENCE_MAX_UTILIZATION": "0.7",
        "RESILIENCE_CRITICAL_THRESHOLD": "0.8",
        "RESILIENCE_EMERGENCY_THRESHOLD": "0.9",
        "RESILIENCE_AUTO_ACTIVATE_DEFENSE": "false",
        "RESILIENCE_AUTO_ACTIVATE_FALLBACK": "true",
        "RESILIENCE_AUTO_SHED_LOAD": "no",
        "RESILIENCE_ALERT_RECIPIENTS": "chief@example.org, coordinator@example.org",
        "RESILIENCE_WEBHOOK_URL": "https://example.org/hook",
        "RESILIENCE_WEBHOOK_SECRETS": "whsec_a, whsec_b",
        "RESILIENCE_SLACK_WEBHOOK_URL": "https://example.org/slack",
        "RESILIENCE_HEARTBEAT_URL": "https://example.org/ping/abc",
        "RESILIENCE_OUTBOUND_ALLOW": "intern.example.org, 10.0.0.1:8080",
        "SMTP_ENABLED": "true",
        "SMTP_HOST": "mail.example.org",
        "SMTP_PORT": "465",
        "SMTP_USER": "roster",
        "SMTP_PASSWORD": "hush",
        "SMTP_FROM_EMAIL": "roster@example.org",
        "SMTP_FROM_NAME": "Roster",
        "SMTP_USE_TLS": "false",
        "REDIS_URL": "redis://r/0",
        "CELERY_BROKER_URL": "redis://r/1",
        "CELERY_RESULT_BACKEND": "redis://r/2",
    }
    settings = Settings.from_environment(env)
    assert set(env) == {variable_of(name) for name in Settings.model_fields}, "a variable is missing from this test"
    untouched = Settings.from_environment({}, directory=tmp_path)
    for name in Settings.model_fields:
        assert getattr(settings, name) != getattr(untouched, name), f"{variable_of(name)} changed nothing"
    assert settings.alert_recipients == ("chief@example.org", "coordinator@example.org")
    assert settings.outbound_allow == ("intern.example.org", "10.0.0.1:8080")
    assert settings.auto_shed_load is False
    assert settings.smtp_password.get_secret_value() == "hush"


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("RESILIENCE_PORT", "x", "1 to 65535"),
        ("RESILIENCE_PORT", "70000", "1 to 65535"),
        ("SMTP_PORT", "0", "1 to 65535"),
        ("RESILIENCE_WARNING_THRESHOLD", "70", "above 0 and below 1"),
        ("RESILIENCE_WARNING_THRESHOLD", "nan", "above 0 and below 1"),
        ("RESILIENCE_MAX_UTILIZATION", "eighty", "above 0 and below 1"),
        ("RESILIENCE_PRESET", "bold", "conservative, moderate or aggressive"),
        ("RESILIENCE_TIME_ZONE", "Mars/Base", "IANA name"),
        ("RESILIENCE_TIME_ZONE", "../../etc/passwd", "IANA name"),
        ("RESILIENCE_AUTO_SHED_LOAD", "maybe", "true or false"),
        ("RESILIENCE_ALERT_RECIPIENTS", "a@example.org, nobody", "mail addresses"),
        ("SMTP_FROM_EMAIL", "a@b\nBcc: c@d", "mail address"),
        ("SMTP_FROM_NAME", "Roster\r\nBcc: x", "one line"),
        ("REDIS_URL", "http://r", "redis://"),
        ("RESILIENCE_WEBHOOK_URL", "hook.example.org", "https address"),
        ("RESILIENCE_DATABASE_URL", "mysql://x/y", "postgresql://"),
    ],
)
def test_a_bad_value_names_variable_value_and_what_is_allowed(variable: str, value: str, said: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        Settings.from_environment({variable: value})
    text = str(refusal.value)
    assert variable in text
    assert said in text
    if variable not in ("REDIS_URL", "RESILIENCE_DATABASE_URL", "RESILIENCE_ALERT_RECIPIENTS", "RESILIENCE_WEBHOOK_URL"):
        assert repr(value) in text


def test_all_bad_values_are_named_at_once() -> None:
    with pytest.raises(SettingsError) as refusal:
        Settings.from_environment({"RESILIENCE_PORT": "x", "SMTP_PORT": "y"})
    assert "RESILIENCE_PORT" in str(refusal.value)
    assert "SMTP_PORT" in str(refusal.value)


def test_thresholds_that_do_not_rise_are_refused_by_name() -> None:
    with pytest.raises(SettingsError, match=r"RESILIENCE_WARNING_THRESHOLD=0.9 .* RESILIENCE_CRITICAL_THRESHOLD=0.8"):
        Settings.from_environment({"RESILIENCE_WARNING_THRESHOLD": "0.9", "RESILIENCE_CRITICAL_THRESHOLD": "0.8"})


@pytest.mark.parametrize("bare", ["postgresql://", "postgres://"])
def test_a_bare_postgresql_address_gets_the_driver_that_is_installed(bare: str) -> None:
    settings = Settings.from_environment({"RESILIENCE_DATABASE_URL": bare + "u:p@db:5432/roster"})
    assert settings.database_url.get_secret_value() == "postgresql+psycopg2://u:p@db:5432/roster"


def test_secrets_are_in_no_text(tmp_path: Path) -> None:
    env = {
        "SMTP_PASSWORD": "hush-1",
        "RESILIENCE_DATABASE_URL": "postgresql://u:hush-2@db/x",
        "REDIS_URL": "redis://:hush-3@r/0",
    }
    settings = Settings.from_environment(env, directory=tmp_path)
    assert "hush" not in repr(settings) + str(settings) + settings.model_dump_json()
    with pytest.raises(SettingsError) as refusal:
        Settings.from_environment({"REDIS_URL": "http://:hush-4@r", "RESILIENCE_DATABASE_URL": "mysql://u:hush-5@d/x"})
    assert "hush" not in str(refusal.value)


def test_settings_are_frozen(tmp_path: Path) -> None:
    settings = Settings.from_environment({}, directory=tmp_path)
    with pytest.raises(ValidationError):
        settings.port = 1  # type: ignore[misc]


def test_the_state_folder_is_found_from_a_folder_below(tmp_path: Path) -> None:
    (tmp_path / ".resilience").mkdir()
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    assert Settings.from_environment({}, directory=below).state_dir == tmp_path / ".resilience"


def test_the_env_file_wins_as_it_does_in_dagster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("RESILIENCE_PORT=3333\n")
    monkeypatch.setenv("RESILIENCE_PORT", "4444")
    monkeypatch.chdir(tmp_path)
    assert Settings.from_environment().port == 3333
    assert environment(tmp_path)["RESILIENCE_PORT"] == "3333"


def test_celery_falls_back_to_redis() -> None:
    settings = Settings.from_environment({"REDIS_URL": "redis://r/7"})
    assert settings.celery_broker_url == settings.celery_result_backend == SecretStr("redis://r/7")


def test_an_unknown_variable_is_named_with_the_one_that_was_meant() -> None:
    found = unknown_variables({"RESILIENCE_DATABSE_URL": "x", "RESILIENCE_PORT": "1", "HOME": "/"})
    assert found == ["RESILIENCE_DATABSE_URL is not read by anything; did you mean RESILIENCE_DATABASE_URL?"]


@given(st.sampled_from(sorted(Settings.model_fields)), st.text(max_size=20).filter(lambda t: "\x00" not in t))
def test_any_text_is_taken_or_refused_by_name(field: str, text: str) -> None:
    said = ""
    try:
        Settings.from_environment({variable_of(field): text})
    except SettingsError as refusal:
        said = str(refusal)
    assert not said or variable_of(field) in said


# --- .env.example -------------------------------------------------------------------------------------------


def test_the_example_file_is_what_settings_say() -> None:
    assert EXAMPLE.read_text() == env_example(), "run: python -m resilience_assets.settings > .env.example"


def test_the_example_file_has_every_variable_once_with_its_default(tmp_path: Path) -> None:
    lines = re.findall(r"^#([A-Z_]+)=(.*)$", EXAMPLE.read_text(), flags=re.MULTILINE)
    assert sorted(name for name, _ in lines) == sorted(variable_of(name) for name in Settings.model_fields)
    untouched = Settings.from_environment({}, directory=tmp_path)
    all_defaults = {name: value for name, value in lines if name != "RESILIENCE_STATE_DIR"}
    assert Settings.from_environment(all_defaults, directory=tmp_path) == untouched


def test_the_example_file_with_every_line_uncommented_is_a_valid_env_file(tmp_path: Path) -> None:
    text = re.sub(r"^#([A-Z_]+=)", r"\1", EXAMPLE.read_text(), flags=re.MULTILINE)
    (tmp_path / ".env").write_text(text)
    values = {name: value or "" for name, value in dotenv_values(tmp_path / ".env").items()}
    values["RESILIENCE_STATE_DIR"] = str(tmp_path / ".resilience")
    assert Settings.from_environment(values) == Settings.from_environment({}, directory=tmp_path)
